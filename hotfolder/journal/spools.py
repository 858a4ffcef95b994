"""Spools: claims, and what stands aside. See ``core.ports.Journal`` for the contract."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NoReturn

from hotfolder.core.errors import Fault
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.records import Drop
from hotfolder.journal.connection import Connection
from hotfolder.journal.holding import admit_newcomers, holds_upon_spool
from hotfolder.journal.identities import take_back_numbers
from hotfolder.journal.links import DAEMON, append_links
from hotfolder.journal.membership import (
    deliver_if_complete,
    dissolve_planned_units,
    let_wait,
    parts_of,
)
from hotfolder.journal.reasons import because
from hotfolder.journal.retention import ask_for_carrier, tell_since_corrupt
from hotfolder.journal.rows import (
    dump_faults,
    dump_names,
    fit_inode,
    fit_time,
    load_faults,
)

_LONGEST_REASON = 2000  # characters
_ASIDE = {
    SpoolState.REJECTED: "spool.rejected",
    SpoolState.HELD: "spool.held",
    SpoolState.CORRUPT: "spool.corrupt",
}
_MOST_REMARKS = 100  # of one spool
_THERE = "disposition IN ('kept', 'withheld')"  # documents that were not destroyed


class Spools:
    """The journal's methods that move spools."""

    _db: Connection

    # -- claims -----------------------------------------------------------------
    def begin_claims(self, claims: Sequence[tuple[str, str, Drop]], now: float) -> None:
        """Journal the intent to claim."""
        if not claims:
            return
        with self._db.writing() as conn:
            conn.executemany(
                "INSERT INTO spools (id, folder, business_unit, name, sidecars, trigger_name,"
                " shared, state, size, mtime_ns, inode, settled_by, created_at, updated_at, faults)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 'CLAIMING', ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        spool_id,
                        drop.folder,
                        business_unit,
                        drop.spool.name,
                        dump_names([item.name for item in drop.sidecars]),
                        drop.trigger.name if drop.trigger else None,
                        dump_names(drop.shared),
                        drop.spool.size,
                        fit_time(drop.spool.mtime_ns),
                        fit_inode(drop.spool.inode),
                        drop.settled_by,
                        now,
                        now,
                        dump_faults(drop.faults),
                    )
                    for spool_id, business_unit, drop in claims
                ],
            )

    def finish_claims(self, spool_ids: Sequence[str], now: float) -> None:
        """CLAIMING to CLAIMED."""
        self._move(spool_ids, SpoolState.CLAIMING, SpoolState.CLAIMED, "", now)

    def abandon_claims(self, spool_ids: Sequence[str], reason: str, now: float) -> None:
        """CLAIMING to ABANDONED."""
        self._move(spool_ids, SpoolState.CLAIMING, SpoolState.ABANDONED, reason, now)

    def record_receipted(self, spool_ids: Sequence[str], now: float) -> None:
        """DELIVERED to DONE."""
        self._move(spool_ids, SpoolState.DELIVERED, SpoolState.DONE, "", now)

    def _move(
        self, spool_ids: Sequence[str], old: SpoolState, new: SpoolState, reason: str, now: float
    ) -> None:
        if not spool_ids:
            return
        with self._db.writing() as conn:
            moved = conn.executemany(
                "UPDATE spools SET state = ?, reason = ?, updated_at = ?, attempts = 0,"
                " next_at = NULL, last_error = NULL WHERE id = ? AND state = ?",
                [(new, reason, now, spool_id, old) for spool_id in spool_ids],
            ).rowcount
            if moved != len(spool_ids):
                explain(conn, spool_ids, old, new)

    # -- aside ----------------------------------------------------------------------
    def set_aside(
        self,
        spool_id: str,
        state: SpoolState,
        faults: Sequence[Fault],
        now: float,
        *,
        actor: str = DAEMON,
        reason: str = "",
    ) -> None:
        """To REJECTED, HELD or CORRUPT, with a link of the audit chain."""
        if state not in _ASIDE:
            raise ValueError(f"{state} is not aside")
        with self._db.writing() as conn:
            number, old, held_from = _find(conn, spool_id)
            in_flight = conn.execute(
                "SELECT u.ref_id FROM documents AS d JOIN units AS u ON u.number = d.unit"
                " WHERE d.spool = ? AND u.state = 'SENT' LIMIT 1",
                (number,),
            ).fetchone()
            # What is held stays live, and may be confirmed while it is.
            if in_flight is not None and state is not SpoolState.HELD:
                raise ValueError(
                    f"a document of it is on its way in unit {in_flight[0]}: try again when"
                    " ArchivesSpace has answered"
                )
            if old != SpoolState.HELD:
                held_from = old
            conn.execute(
                "UPDATE spools SET state = ?, reason = ?, faults = ?, held_from = ?,"
                " updated_at = ?, next_at = NULL WHERE number = ?",
                (
                    state,
                    # Kept in the history, also when a release has cleared the faults.
                    "; ".join(fault.message for fault in faults)[:_LONGEST_REASON],
                    dump_faults(faults),
                    None if state is SpoolState.REJECTED else held_from,
                    now,
                    number,
                ),
            )
            dissolve_planned_units(conn, "d.spool = ?", number, "a member stands aside", now)
            # A corrupt copy must not make the producer's good copy a duplicate, but it may
            # be released, so its place among the versions is kept.
            kept = (state is SpoolState.HELD, state is not SpoolState.REJECTED)
            conn.executemany(
                "UPDATE documents SET waiting = 0, live = ?, kept = ?"
                f" WHERE spool = ? AND ordinal > ? AND ordinal <= ? AND {_THERE}",
                [(*kept, *part) for part in parts_of(conn, [number])],
            )
            # Codes only: what a fault says may have been written by a producer or a server.
            details: dict[str, object] = {"codes": [fault.code for fault in faults], "from": old}
            if reason:
                details["reason"] = reason
            append_links(conn, [(_ASIDE[state], spool_id, details)], now, actor)

    def release(self, spool_id: str, reason: str, now: float, *, actor: str = DAEMON) -> SpoolState:
        """HELD or CORRUPT back to the state it left; from DELIVERED on, to DELIVERED
        if all its documents are confirmed, else to STORED."""
        with self._db.writing() as conn:
            number, old, held_from = _find(conn, spool_id)
            if old not in (SpoolState.HELD, SpoolState.CORRUPT):
                raise ValueError(f"it is {old}, neither held nor corrupt")
            back = SpoolState(held_from)
            if back in (SpoolState.DELIVERED, SpoolState.DONE):
                back = SpoolState.STORED
            taken = conn.execute(
                "SELECT s.id FROM documents AS d JOIN documents AS o ON o.identity = d.identity"
                " AND o.live = 1 AND o.number <> d.number JOIN spools AS s ON s.number = o.spool"
                " WHERE d.spool = ? LIMIT 1",
                (number,),
            ).fetchone()
            if taken is not None:
                raise ValueError(f"its document has been taken since with spool {taken[0]}")
            # The copy that took its place; what this spool has lost by a key stays lost.
            destroyed = conn.execute(
                "SELECT t.disposal FROM documents AS d JOIN tombstones AS t"
                f" ON t.identity = d.identity WHERE d.spool = ? AND {_THERE} LIMIT 1",
                (number,),
            ).fetchone()
            if destroyed is not None:
                raise ValueError(f"its document was destroyed since under {destroyed[0]}")
            conn.execute(
                "UPDATE spools SET state = ?, reason = ?, faults = '[]', held_from = NULL,"
                " updated_at = ?, attempts = 0, next_at = NULL, last_error = NULL"
                " WHERE number = ?",
                (back, reason, now, number),
            )
            details = {"from": old, "to": back, "reason": reason}
            append_links(conn, [("spool.released", spool_id, details)], now, actor)
            take_back_numbers(conn, number)
            admit_newcomers(conn, [number], now)  # those that did not count meanwhile
            parts = parts_of(conn, [number])
            conn.executemany(
                "UPDATE documents SET live = 1"
                f" WHERE spool = ? AND ordinal > ? AND ordinal <= ? AND {_THERE}",
                parts,
            )
            # Of documents that counted elsewhere meanwhile its dates were not made.
            ask_for_carrier(conn, number, "its spool was released", now)
            if old == SpoolState.CORRUPT:
                tell_since_corrupt(conn, number, now)
            if back is SpoolState.STORED:
                conn.executemany(
                    "UPDATE documents SET waiting = 1"
                    " WHERE spool = ? AND ordinal > ? AND ordinal <= ? AND unit IS NULL"
                    f" AND record_uri IS NULL AND role IN ('own', 'carrier') AND {_THERE}",
                    parts,
                )
                if deliver_if_complete(conn, [number], now):
                    return SpoolState.DELIVERED
            return back

    def whole_copies(self, spool_id: str) -> tuple[str, ...]:
        """See ``core.ports.Journal``."""
        with self._db.reading() as conn:
            return _whole_copies(conn, _find(conn, spool_id))

    def end_corrupt(self, spool_id: str, reason: str, now: float, *, actor: str) -> None:
        """See ``core.ports.Journal``."""
        with self._db.writing() as conn:
            found = _find(conn, spool_id)
            copies = _whole_copies(conn, found)
            conn.execute(
                "UPDATE spools SET state = 'REJECTED', reason = ?, held_from = NULL,"
                " updated_at = ?, next_at = NULL WHERE number = ?",
                (reason, now, found[0]),
            )
            conn.executemany(
                "UPDATE documents SET live = 0, kept = 0, waiting = 0"
                f" WHERE spool = ? AND ordinal > ? AND ordinal <= ? AND {_THERE}",
                parts_of(conn, [found[0]]),
            )
            with because(conn, "its spool was discarded", now):
                conn.execute(
                    "UPDATE documents SET disposition = 'kept', disposed_at = NULL"
                    " WHERE spool = ? AND disposition = 'withheld'",
                    (found[0],),
                )
            details = {"copies": list(copies), "from": found[1], "reason": reason}
            append_links(conn, [("spool.rejected", spool_id, details)], now, actor)

    def refuse_document(self, identity: str, fault: Fault, now: float) -> list[str]:
        """One of many is left out of the delivery; its spool goes on without it."""
        with self._db.writing() as conn:
            # It may have been planned anew since its unit was refused.
            dissolve_planned_units(
                conn, "d.identity = ? AND d.live = 1", identity, "a member is refused", now
            )
            row = conn.execute(
                "UPDATE documents SET role = 'refused', waiting = 0 WHERE identity = ?"
                " AND live = 1 AND unit IS NULL AND record_uri IS NULL AND role = 'own'"
                " RETURNING spool",
                (identity,),
            ).fetchone()
            if row is None:
                raise ValueError(f"{identity} does not wait")
            conn.execute(
                "UPDATE spools SET refused = refused + 1, updated_at = ? WHERE number = ?",
                (now, row[0]),
            )
            _add_remark(conn, row[0], fault)
            append_links(conn, [("document.refused", identity, {"code": fault.code})], now)
            return deliver_if_complete(conn, [row[0]], now)

    def add_remark(self, spool_id: str, fault: Fault, now: float) -> None:
        """Something to know of a spool; the same is kept once."""
        with self._db.writing() as conn:
            number, _, _ = _find(conn, spool_id)
            _add_remark(conn, number, fault)
            conn.execute("UPDATE spools SET updated_at = ? WHERE number = ?", (now, number))

    def readmit_documents(self, spool_id: str, now: float) -> int:
        """REFUSED documents wait for a unit again."""
        with self._db.writing() as conn:
            numbers = conn.execute(
                "UPDATE documents SET role = 'own' WHERE role = 'refused'"
                " AND spool = (SELECT number FROM spools WHERE id = ?) RETURNING number",
                (spool_id,),
            ).fetchall()
            for (number,) in numbers:
                let_wait(conn, number)
            if numbers:
                conn.execute(
                    "UPDATE spools SET refused = 0, updated_at = ? WHERE id = ?", (now, spool_id)
                )
            return len(numbers)

    def defer_spools(
        self, spool_ids: Sequence[str], error: str, next_at: float, now: float
    ) -> None:
        """Count an attempt; the state stays. Spools that have been set aside or
        finished meanwhile are left alone."""
        with self._db.writing() as conn:
            conn.executemany(
                "UPDATE spools SET attempts = attempts + 1, last_error = ?, next_at = ?,"
                " updated_at = ? WHERE id = ?"
                " AND state IN ('CLAIMING', 'CLAIMED', 'READ', 'STORED', 'DELIVERED')",
                [(error, next_at, now, spool_id) for spool_id in spool_ids],
            )


def _whole_copies(conn: sqlite3.Connection, found: tuple[int, str, str]) -> tuple[str, ...]:
    number, state, held_from = found
    if state != SpoolState.CORRUPT:
        raise ValueError(f"it is {state}, not corrupt")
    if held_from not in ("STORED", "DELIVERED", "DONE"):
        raise ValueError("it was not in the store yet: `hotfolder release` it")
    if holds := holds_upon_spool(conn, number, every=True):
        raise ValueError(f"{holds[0]} is upon it")
    rows = conn.execute(
        "SELECT d.identity, s.id FROM documents AS d LEFT JOIN documents AS o"
        " ON o.identity = d.identity AND o.live = 1 AND o.record_uri IS NOT NULL"
        " AND o.spool <> d.spool"
        " LEFT JOIN spools AS s ON s.number = o.spool AND s.state = 'DONE'"
        f" WHERE d.spool = ? AND d.{_THERE} ORDER BY s.id IS NOT NULL, s.number",
        (number,),
    ).fetchall()
    if not rows or rows[0][1] is None:
        what = rows[0][0] if rows else "none of its documents"
        raise ValueError(f"{what} is archived with no other spool: mend it, or send it again")
    return tuple(dict.fromkeys(spool_id for _, spool_id in rows))


def _add_remark(conn: sqlite3.Connection, spool: int, fault: Fault) -> None:
    remarks = load_faults(
        conn.execute("SELECT remarks FROM spools WHERE number = ?", (spool,)).fetchone()[0]
    )
    if fault not in remarks and len(remarks) < _MOST_REMARKS:
        conn.execute(
            "UPDATE spools SET remarks = ? WHERE number = ?",
            (dump_faults((*remarks, fault)), spool),
        )


def _find(conn: sqlite3.Connection, spool_id: str) -> tuple[int, str, str]:
    row = conn.execute(
        "SELECT number, state, held_from FROM spools WHERE id = ?", (spool_id,)
    ).fetchone()
    if row is None:
        raise ValueError(f"no spool {spool_id}")
    return row[0], row[1], row[2] or ""


def explain(
    conn: sqlite3.Connection, spool_ids: Sequence[str], old: SpoolState, new: SpoolState
) -> NoReturn:
    """Raise ``ValueError`` that says why not all of these could move from ``old`` to ``new``."""
    for spool_id in spool_ids:
        found = _find(conn, spool_id)[1]
        if found not in (old, new):
            raise ValueError(f"spool {spool_id} is {found} and may not become {new}")
    raise ValueError(f"of {spool_ids} one is {new} already, comes twice, or has another checksum")
