"""The audit chain: append-only, each row with the hash of the one before."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from hotfolder.core.errors import BrokenChain
from hotfolder.core.merkle import Frontier, leaf_hash, node_count, peaks
from hotfolder.core.records import AuditRow, RecomputedChain
from hotfolder.journal.connection import Connection
from hotfolder.journal.links import (
    COLUMNS,
    PAGE,
    START,
    append_links,
    entry_of,
    links_after,
    node_at,
)


class Audit:
    """The journal's methods about the audit chain."""

    _db: Connection

    def append_audit(
        self, actor: str, action: str, subject: str, details: Mapping[str, object], now: float
    ) -> AuditRow:
        """Add a link to the chain."""
        with self._db.writing() as conn:
            (link,) = append_links(conn, [(action, subject, dict(details))], now, actor)
        return _row(link)

    def audit(self, *, after: int = 0, limit: int = 1000) -> list[AuditRow]:
        """Links with a number greater than ``after``."""
        with self._db.reading() as conn:
            links = links_after(conn, after, limit)
        return [_row(link) for link in links]

    def audit_of(self, subjects: Sequence[str]) -> list[AuditRow]:
        """All links about these subjects, in order."""
        with self._db.reading() as conn:
            links = conn.execute(
                f"SELECT {COLUMNS} FROM json_each(?) AS j CROSS JOIN audit AS a"
                " ON a.subject = j.value",
                (json.dumps(list(dict.fromkeys(subjects))),),
            ).fetchall()
        return [_row(link) for link in sorted(links, key=lambda link: int(link[0]))]

    def verify_chain(self) -> int:
        """Recompute every link and node; returns how many links there are. Raises
        ``BrokenChain``, with the first that is wrong.

        Shows a link that was changed, put in or taken out. Links cut off at the end with
        their nodes, and a chain that was made anew from some link on, are shown only by a
        signed tree head, a backup or an export that is older.
        """
        return self.recompute_chain().size

    def recompute_chain(
        self,
        sizes: Collection[int] = (),
        *,
        after: int = 0,
        progress: Callable[[int], None] = lambda _done: None,
    ) -> RecomputedChain:
        """``verify_chain``, with the root at each of these sizes. With ``after`` only the
        links behind that number are recomputed, on the nodes that lie before them.

        ``progress`` gets the number of links so far. Others go on meanwhile.
        """
        wanted = frozenset(sizes)
        with self._db.reading() as conn:
            tree = Frontier(after, [node_at(conn, *place) for place in peaks(after)])
            previous = _digest_at(conn, after)
        roots = {after: tree.root().hex()} if after in wanted else {}
        while True:
            with self._db.reading() as conn:
                links = links_after(conn, tree.size, PAGE)
                stored = _nodes_after(conn, node_count(tree.size), len(links))
            complete: list[bytes] = []
            for link in links:
                entry = entry_of(*link[:7])
                digest = hashlib.sha256(entry).hexdigest()
                if link[0] != tree.size + 1 or link[6] != previous or link[7] != digest:
                    raise BrokenChain(f"the audit chain is broken at link {link[0]}", link[0])
                added = tree.append(leaf_hash(entry))
                if stored[len(complete) : len(complete) + len(added)] != added:
                    raise BrokenChain(
                        f"a node of the audit tree that ends at link {link[0]} was changed",
                        link[0],
                        code="audit.node",
                    )
                complete += added
                previous = digest
                if tree.size in wanted:
                    roots[tree.size] = tree.root().hex()
            if len(links) < PAGE and len(stored) > len(complete):
                raise BrokenChain(
                    f"links were cut off behind link {tree.size}: the audit tree has more",
                    tree.size + 1,
                    code="audit.cut",
                )
            progress(tree.size)
            if len(links) < PAGE:
                return RecomputedChain(size=tree.size, roots=roots)


def _row(link: Sequence[Any]) -> AuditRow:
    return AuditRow(
        number=link[0],
        at=link[1],
        actor=link[2],
        action=link[3],
        subject=link[4],
        details=json.loads(link[5]),
        previous=link[6],
        digest=link[7],
    )


def _digest_at(conn: sqlite3.Connection, number: int) -> str:
    if not number:
        return START
    row = conn.execute("SELECT digest FROM audit WHERE number = ?", (number,)).fetchone()
    if row is None:
        raise BrokenChain(f"link {number} of the audit chain is missing", number)
    return str(row[0])


def _nodes_after(conn: sqlite3.Connection, after: int, links: int) -> list[bytes]:
    """The next nodes: those of as many links, and one more if there is one."""
    most = links + 64  # a link that ends a subtree completes one for each level of it
    return [
        bytes(row[0])
        for row in conn.execute(
            "SELECT hash FROM audit_nodes WHERE number > ? ORDER BY number LIMIT ?", (after, most)
        )
    ]
