"""The Merkle tree over the audit chain, and its signed heads. Nothing here reads more of
the chain than a proof is made of."""

from __future__ import annotations

from functools import partial

from hotfolder.core import merkle
from hotfolder.core.records import SignedHead, TreeHead
from hotfolder.journal.connection import Connection
from hotfolder.journal.links import COLUMNS as LINK
from hotfolder.journal.links import DAEMON, append_links, entry_of, node_at


class Tree:
    """The journal's methods about the tree over the audit chain."""

    _db: Connection

    def log_id(self) -> str:
        """What this log is called in its heads: made at random with the journal."""
        with self._db.reading() as conn:
            return str(conn.execute("SELECT id FROM audit_log WHERE one = 1").fetchone()[0])

    def audit_size(self) -> int:
        """How many links there are."""
        with self._db.reading() as conn:
            return int(conn.execute("SELECT coalesce(max(number), 0) FROM audit").fetchone()[0])

    def audit_entry(self, number: int) -> bytes:
        """The bytes of a link's leaf: its canonical JSON. ``KeyError`` if there is none."""
        with self._db.reading() as conn:
            link = conn.execute(f"SELECT {LINK} FROM audit WHERE number = ?", (number,)).fetchone()
        if link is None:
            raise KeyError(number)
        return entry_of(*link[:7])

    def tree_root(self, size: int) -> bytes:
        """The root over the first ``size`` links. ``BrokenChain`` if there are fewer."""
        with self._db.reading() as conn:
            return merkle.root(size, partial(node_at, conn))

    def inclusion_proof(self, number: int, size: int) -> list[bytes]:
        """That link ``number`` (from 1) is in the tree of ``size``: RFC 9162 section 2.1.3.
        ``ValueError`` if it cannot be."""
        with self._db.reading() as conn:
            return merkle.inclusion_proof(number - 1, size, partial(node_at, conn))

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """That the tree of ``new`` begins with that of ``old``: RFC 9162 section 2.1.4."""
        with self._db.reading() as conn:
            return merkle.consistency_proof(old, new, partial(node_at, conn))

    def add_tree_head(self, signed: SignedHead, now: float, *, actor: str = DAEMON) -> bool:
        """Keep a head, and add the link ``tree.signed`` that says so; False if there is one
        of that size already. ``ValueError`` if it is not of this log as it is, or older
        than one that is kept."""
        head = signed.head
        with self._db.writing() as conn:
            if conn.execute(
                "SELECT 1 FROM tree_heads WHERE tree_size = ?", (head.tree_size,)
            ).fetchone():
                return False
            ours = str(conn.execute("SELECT id FROM audit_log WHERE one = 1").fetchone()[0])
            size = int(conn.execute("SELECT coalesce(max(number), 0) FROM audit").fetchone()[0])
            if head.log != ours or not 0 < head.tree_size <= size:
                raise ValueError("the head is not of this log")
            if merkle.root(head.tree_size, partial(node_at, conn)).hex() != head.root:
                raise ValueError("the head has another root than this log")
            conn.execute(
                "INSERT INTO tree_heads VALUES"
                " ((SELECT coalesce(max(number), 0) + 1 FROM tree_heads), ?, ?, ?, ?, ?, ?)",
                (
                    head.tree_size,
                    head.root,
                    head.at,
                    signed.key,
                    signed.public_key,
                    signed.signature,
                ),
            )
            details = {"tree_size": head.tree_size, "root": head.root, "key": signed.key}
            append_links(conn, [("tree.signed", head.log, details)], now, actor)
        return True

    def tree_heads(self, *, after: int = 0, limit: int = 1000) -> list[SignedHead]:
        """Heads of more than ``after`` links, smallest first."""
        return self._heads("WHERE tree_size > ? ORDER BY tree_size LIMIT ?", after, limit)

    def last_tree_head(self) -> SignedHead | None:
        """The newest head, or None."""
        found = self._heads("ORDER BY tree_size DESC LIMIT 1")
        return found[0] if found else None

    def _heads(self, which: str, *values: int) -> list[SignedHead]:
        log = self.log_id()
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT tree_size, root, at, key, public_key, signature FROM tree_heads {which}",
                values,
            ).fetchall()
        return [
            SignedHead(
                head=TreeHead(log=log, tree_size=row[0], root=row[1], at=row[2]),
                key=row[3],
                public_key=bytes(row[4]),
                signature=bytes(row[5]),
            )
            for row in rows
        ]
