"""Destroying: the one transaction that decides, and what follows from it.

What may go is decided once, for a whole list, with everything looked at again in the same
transaction. From its commit on nothing is asked any more: every spool that it names, and
every document that goes by its key, comes to its end, whatever happens in between
(docs/disposal.md). Long, because nobody should have to look elsewhere for what decides.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime

from hotfolder.core.canonical import dump
from hotfolder.core.disposals import (
    LONGEST_GAP,
    DisposalRow,
    DisposalState,
    DoomedSpool,
    Standing,
    is_believed,
)
from hotfolder.core.errors import OperatorFault
from hotfolder.journal.connection import Connection
from hotfolder.journal.disposals import computing, find_disposal
from hotfolder.journal.judging import (
    Judged,
    is_computing,
    judge,
    judge_carriers,
    last_schedule,
)
from hotfolder.journal.keydestruction import spools_by_key, stop_under_way
from hotfolder.journal.links import append_links
from hotfolder.journal.pruning import (
    merge_words,
    prune,
    prune_duplicates,
    prune_rejected,
    prune_spool,
)
from hotfolder.journal.reasons import because
from hotfolder.journal.rebuilt import note_resumed, require_reviewed, was_rebuilt

_NEVER = "of its spool other documents are not due, or are held"


class Destroying:
    """The journal's methods that destroy."""

    _db: Connection

    # -- today ---------------------------------------------------------------------
    def note_day(self, day: date, actor: str, now: float, *, vouched: bool = False) -> bool:
        """The clock shows ``day``; whether it is believed."""
        with self._db.reading() as conn:
            known = _belief(conn, day)
        if known:
            return True
        with self._db.writing() as conn:
            return _note_day(conn, day, actor, now, vouched=vouched)

    def resume_disposals(self, actor: str, reason: str, now: float) -> bool:
        """After a rebuild; False if nothing was in their way."""
        with self._db.writing() as conn:
            return note_resumed(conn, actor, reason, now)

    # -- the decision ----------------------------------------------------------------
    def begin_disposal(
        self,
        disposal: str,
        schedule: str,
        actor: str,
        now: float,
        *,
        marked: Mapping[str, Sequence[str]] | None = None,
        divisible: Collection[str] = (),
    ) -> DisposalRow:
        """APPROVED to EXECUTING. ``marked``: spools that the store has marks of holds on;
        ``divisible``: those that can lose the key of one document."""
        marks = marked or {}
        with self._db.writing() as conn:
            row = find_disposal(conn, disposal, DisposalState.APPROVED)
            today = _check(conn, schedule, actor, now)
            (number,) = conn.execute(
                "UPDATE disposals SET state = 'EXECUTING', executed_by = ?, executed_at = ?,"
                " updated_at = ?, today = ?, reason = '' WHERE id = ? RETURNING number",
                (actor, now, now, today.isoformat(), disposal),
            ).fetchone()
            members = _judge_members(conn, number, row, today)
            spools = _judge_spools(conn, members, today)
            parts = spools_by_key(conn, members, spools, divisible, marks)
            for item in members:
                if item.spool_id in marks and item.spool not in parts:
                    item.stop(Standing.HELD, f"the store has a mark of {marks[item.spool_id][0]}")
            due = [item for item in members if item.standing is Standing.DUE]
            whole = [item for item in due if item.spool in spools]
            by_key = [item for item in due if item.spool in parts]
            goes = [*whole, *by_key]
            stays = [item for item in due if item.spool not in spools and item.spool not in parts]
            spools = {item.spool: spools[item.spool] for item in whole}
            with because(conn, f"destroyed under {disposal}", now):
                _doom(conn, disposal, whole, spools, today, now)
                _destroying(conn, [item.number for item in by_key], now)
                _entomb(conn, disposal, [item.number for item in by_key], today, by_key=True)
            with because(conn, f"withheld under {disposal}", now):
                conn.executemany(
                    "UPDATE documents SET disposition = 'withheld', disposed_at = ?"
                    " WHERE number = ? AND disposition = 'kept'",
                    [(now, item.number) for item in stays],
                )
            conn.executemany(
                "UPDATE disposal_members SET outcome = ?, reason = ?"
                " WHERE disposal = ? AND document = ?",
                [("withheld", _NEVER, number, item.number) for item in stays]
                + [
                    ("excluded", item.why, number, item.number)
                    for item in members
                    if item.standing is not Standing.DUE
                ],
            )
            details = {
                "documents": len(goes),
                "spools": len(spools),
                "by_key": len(by_key),
                "withheld": len(stays),
                "excluded": len(members) - len(goes) - len(stays),
                "today": today.isoformat(),
                "list_sha256": row.list_sha256,
                "schedule": schedule,
            }
            append_links(conn, [("disposal.begun", disposal, details)], now, actor)
            return find_disposal(conn, disposal, DisposalState.EXECUTING)

    # -- what follows ----------------------------------------------------------------
    def doomed_spools(self, disposal: str, limit: int = 100) -> list[DoomedSpool]:
        """Spools of a disposal that are not recorded as destroyed."""
        # The second term lets the index of what is not kept be used.
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT DISTINCT s.number, s.id, s.folder, t.by_key FROM documents AS d"
                " JOIN spools AS s ON s.number = d.spool"
                " JOIN tombstones AS t ON t.identity = d.identity AND t.disposal = ?"
                " WHERE d.disposition = 'destroying' AND d.disposition <> 'kept'"
                " ORDER BY s.number LIMIT ?",
                (disposal, limit),
            ).fetchall()
        return [
            DoomedSpool(number=row[0], spool_id=row[1], folder=row[2], by_key=bool(row[3]))
            for row in rows
        ]

    def rebuilt_copies(self, spool_ids: Sequence[str]) -> list[tuple[str, str]]:
        """See ``core.disposalport``."""
        with self._db.reading() as conn:
            if not was_rebuilt(conn):
                return []
            # The second term lets the index of what is not DONE be used.
            return conn.execute(
                "SELECT f.id, s.id FROM spools AS s JOIN spools AS f ON f.id = s.first_spool_id"
                " WHERE s.state = 'DUPLICATE' AND s.state <> 'DONE'"
                " AND s.reason = 'rebuilt from the store' AND s.sha256 = f.sha256"
                " AND f.id IN (SELECT value FROM json_each(?)) ORDER BY s.number",
                (json.dumps(list(spool_ids)),),
            ).fetchall()

    def record_destroyed(self, disposal: str, spool_id: str, now: float, limit: int = 2000) -> bool:
        """The store has nothing of them any more; a page of the documents of a spool."""
        with self._db.writing() as conn:
            spool = conn.execute("SELECT number FROM spools WHERE id = ?", (spool_id,)).fetchone()
            if spool is None:
                raise ValueError(f"no spool {spool_id}")
            rows = conn.execute(
                "SELECT d.number, d.identity, d.sha256, d.role, d.retention_class, d.class_version,"
                " d.retain_until, t.by_key FROM documents AS d"
                " JOIN tombstones AS t ON t.identity = d.identity AND t.disposal = ?"
                " WHERE d.spool = ? AND d.disposition = 'destroying' ORDER BY d.ordinal LIMIT ?",
                (disposal, *spool, limit),
            ).fetchall()
            if not rows:
                return True
            with because(conn, f"destroyed under {disposal}", now):
                prune(conn, [row[0] for row in rows], now)
                if not rows[0][-1]:
                    prune_spool(conn, spool[0])
            conn.executemany(
                "UPDATE disposal_members SET outcome = 'destroyed' WHERE document = ?"
                " AND disposal = (SELECT number FROM disposals WHERE id = ?)",
                [(row[0], disposal) for row in rows],
            )
            acts = [
                (
                    "document.destroyed",
                    identity,
                    {
                        "disposal": disposal,
                        "sha256": sha256,
                        "retention_class": code,
                        "class_version": version,
                        "retain_until": until,
                        "by_key": bool(by_key),
                    },
                )
                for _, identity, sha256, role, code, version, until, by_key in rows
                if role != "carrier"
            ]
            append_links(conn, acts, now)
            return len(rows) < limit

    def forget_destroyed(self, disposal: str, now: float) -> None:
        """The words by which they were found, the names of drops that were the same, and
        what is known of them from when they were rejected."""
        with self._db.writing() as conn:
            prune_duplicates(conn, disposal)
            prune_rejected(conn, disposal, now)
            done = merge_words(conn, begin=True)
        while not done:
            with self._db.writing() as conn:
                done = merge_words(conn, begin=False)

    def empty_log(self) -> bool:
        """Whether the WAL is empty now."""
        return self._db.empty_log()

    def finish_disposal(self, disposal: str, certificate: bytes, now: float) -> None:
        """EXECUTING to DONE."""
        digest = hashlib.sha256(certificate).hexdigest()
        with self._db.writing() as conn:
            row = find_disposal(conn, disposal, DisposalState.EXECUTING)
            if conn.execute(
                "SELECT 1 FROM documents AS d JOIN tombstones AS t ON t.identity = d.identity"
                " WHERE t.disposal = ? AND d.disposition = 'destroying' LIMIT 1",
                (disposal,),
            ).fetchone():
                raise ValueError(f"{disposal} has documents that are not destroyed yet")
            conn.execute(
                "UPDATE disposals SET state = 'DONE', done_at = ?, updated_at = ?,"
                " certificate = ?, certificate_sha256 = ? WHERE id = ?",
                (now, now, certificate.decode(), digest, disposal),
            )
            body = dump(
                {
                    "disposal": disposal,
                    "destroyed_on": _day_of(now).isoformat(),
                    "certificate_sha256": digest,
                }
            )
            conn.execute(
                "INSERT INTO updates (document, kind, body, created_at)"
                " SELECT d.number, 'destroyed', ?, ? FROM documents AS d"
                # One for each record: what went with its whole spool is told at the record of
                # that, what went by its key at its own, or at the record that describes it.
                " JOIN tombstones AS t ON t.identity = d.identity AND t.disposal = ?"
                " JOIN spools AS s ON s.number = d.spool AND s.id = t.spool_id"
                " WHERE d.disposition = 'destroyed' AND d.disposition <> 'kept'"
                " AND (t.by_key = 1 OR d.role <> 'carried') AND d.record_uri IS NOT NULL"
                " ORDER BY d.number",
                (body, now, disposal),
            )
            details: dict[str, object] = {
                **row.outcomes,
                "certificate_sha256": digest,
                "list_sha256": row.list_sha256,
            }
            append_links(conn, [("disposal.done", disposal, details)], now)


def _day_of(now: float) -> date:
    return datetime.fromtimestamp(now, tz=UTC).date()


def _belief(conn: sqlite3.Connection, day: date) -> bool | None:
    row = conn.execute(
        "SELECT believed FROM clock_days WHERE day = ?", (day.isoformat(),)
    ).fetchone()
    return None if row is None else bool(row[0])


def _note_day(
    conn: sqlite3.Connection, day: date, actor: str, now: float, *, vouched: bool = False
) -> bool:
    last = conn.execute("SELECT max(day) FROM clock_days WHERE believed = 1").fetchone()[0]
    known = _belief(conn, day)
    if known is None:
        known = is_believed(day, date.fromisoformat(last) if last else None)
        conn.execute(
            "INSERT INTO clock_days (day, believed, at, actor) VALUES (?, ?, ?, ?)",
            (day.isoformat(), known, now, actor),
        )
    elif not known and is_believed(day, date.fromisoformat(last) if last else None):
        # A false clock has shown it before its time, which has come since.
        known = True
        conn.execute(
            "UPDATE clock_days SET believed = 1, actor = ?, at = ? WHERE day = ?",
            (actor, now, day.isoformat()),
        )
    if not known and vouched:
        conn.execute(
            "UPDATE clock_days SET believed = 1, actor = ?, at = ? WHERE day = ?",
            (actor, now, day.isoformat()),
        )
        details = {"day": day.isoformat(), "last": last}
        append_links(conn, [("clock.vouched", "clock", details)], now, actor)
    return known or vouched


def _check(conn: sqlite3.Connection, schedule: str, actor: str, now: float) -> date:
    """Today, if anything may be decided today."""
    require_reviewed(conn)
    today = _day_of(now)
    if not _note_day(conn, today, actor, now):
        raise OperatorFault(
            f"the clock shows {today}, more than {LONGEST_GAP.days} days after the last day"
            " that it showed here",
            hint=f"if it is right, say so: `hotfolder disposal execute --today-is {today}`;"
            " nothing was destroyed",
            code="disposal.clock",
        )
    if is_computing(conn):
        raise computing()
    if last_schedule(conn)[0] != schedule:
        raise OperatorFault(
            "the schedule of the configuration is not the one by which dates were computed",
            hint="start the daemon with this configuration first; nothing was destroyed",
            code="disposal.schedule",
        )
    return today


def _judge_members(
    conn: sqlite3.Connection,
    number: int,
    row: DisposalRow,
    today: date,
) -> list[Judged]:
    """Every document of the list, looked at again."""
    frozen = {
        document: facts
        for document, *facts in conn.execute(
            "SELECT document, retention_class, class_version, cutoff, retain_until, action"
            " FROM disposal_members WHERE disposal = ? ORDER BY document",
            (number,),
        )
    }
    _, schedule = last_schedule(conn)
    members = list(judge(conn, list(frozen), schedule, today, disposal=number))
    for item in members:
        now = [
            item.retention_class,
            item.version,
            item.cutoff.isoformat() if item.cutoff else None,
            item.retain_until.isoformat() if item.retain_until else None,
            item.action,
        ]
        if now != frozen[item.number]:
            item.stop(Standing.BLOCKED, "it is not what was approved: class or dates changed")
        if item.action == "review" and not row.authority:
            item.stop(Standing.BLOCKED, "it is to be reviewed, and no authority is named")
        if item.business_unit != row.business_unit:
            item.stop(Standing.BLOCKED, "it is of another business unit")
    stop_under_way(conn, members)
    return members


def _judge_spools(
    conn: sqlite3.Connection, members: Sequence[Judged], today: date
) -> dict[int, int | None]:
    """The spools that go, each with the number of what stands for it as a whole: those all
    of whose documents go, or are gone."""
    counts: dict[int, int] = {}
    for item in members:
        if item.standing is Standing.DUE:
            counts[item.spool] = counts.get(item.spool, 0) + 1
    totals = dict(
        conn.execute(
            "SELECT d.spool, count(*) FROM json_each(?) AS j CROSS JOIN documents AS d"
            " ON d.spool = j.value WHERE d.role <> 'carrier' AND d.disposition <> 'destroyed'"
            " GROUP BY d.spool",
            (json.dumps(sorted(counts)),),
        ).fetchall()
    )
    carriers = judge_carriers(conn, sorted(counts), today)
    return {
        spool: carriers[spool][0] if spool in carriers else None
        for spool, count in counts.items()
        if count == totals[spool] and not (spool in carriers and carriers[spool][1])
    }


def _doom(
    conn: sqlite3.Connection,
    disposal: str,
    goes: Sequence[Judged],
    spools: Mapping[int, int | None],
    today: date,
    now: float,
) -> None:
    """From here on they do not come back."""
    _destroying(conn, [item.number for item in goes], now)
    carriers = [number for number in spools.values() if number is not None]
    _destroying(conn, carriers, now)
    conn.executemany(
        "UPDATE spools SET disposed_at = ? WHERE number = ?", [(now, spool) for spool in spools]
    )
    _entomb(conn, disposal, [*(item.number for item in goes), *carriers], today, by_key=False)


def _entomb(
    conn: sqlite3.Connection,
    disposal: str,
    numbers: Collection[int],
    today: date,
    *,
    by_key: bool,
) -> None:
    conn.executemany(
        "INSERT INTO tombstones (identity, disposal, spool_id, business_unit, sha256,"
        " retention_class, class_version, cutoff, retain_until, begun_on, by_key)"
        " SELECT d.identity, ?, s.id, d.business_unit, d.sha256, d.retention_class,"
        " d.class_version, d.cutoff, d.retain_until, ?, ?"
        " FROM documents AS d JOIN spools AS s ON s.number = d.spool WHERE d.number = ?",
        [(disposal, today.isoformat(), by_key, number) for number in numbers],
    )


def _destroying(conn: sqlite3.Connection, numbers: Collection[int], now: float) -> None:
    # Not live: found, given and delivered no more. Its version stays taken.
    changed = conn.executemany(
        "UPDATE documents SET disposition = 'destroying', disposed_at = ?, live = 0, waiting = 0"
        " WHERE number = ? AND disposition IN ('kept', 'withheld')",
        [(now, number) for number in numbers],
    ).rowcount
    if changed != len(numbers):
        raise ValueError("a document changed under the eyes of its own transaction")
