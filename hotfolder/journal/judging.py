"""Whether a document may go, as one transaction sees it: everything that forbids it.

The same questions are asked of what is due and of what is about to be destroyed; what is
destroyed is asked inside the transaction that decides it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from hotfolder.core.disposals import Standing
from hotfolder.core.retention import Decision, RetentionClass, Schedule, decide
from hotfolder.core.schedules import load_schedule
from hotfolder.journal.holding import holds_upon
from hotfolder.journal.repeats import elsewhere
from hotfolder.journal.retention import known_of

PAGE = 1000  # documents that are looked at together
_SENDING = "it is on its way to ArchivesSpace"
# Of ``documents AS d``: it waits for a unit, or is in one that is not answered. Nothing is
# told of what is destroyed meanwhile, and the server would be sent it afterwards.
_IS_SENT = (
    "(d.waiting = 1 OR EXISTS (SELECT 1 FROM units AS u WHERE u.number = d.unit"
    " AND u.state IN ('PLANNED', 'SENT')))"
)


@dataclass(slots=True, kw_only=True)
class Judged:
    """A document and what was found of it; ``standing`` is DUE if nothing forbids that it
    goes by itself (what its spool says is another matter)."""

    number: int
    identity: str
    spool: int
    spool_id: str
    business_unit: str
    series: str
    sha256: str
    role: str
    disposition: str
    retention_class: str | None
    version: int | None
    cutoff: date | None
    retain_until: date | None
    action: str
    standing: Standing = Standing.DUE
    why: str = ""

    def stop(self, standing: Standing, why: str) -> None:
        """Something stands in the way; what was found first is kept."""
        if self.standing is Standing.DUE:
            self.standing, self.why = standing, why


def last_schedule(conn: sqlite3.Connection) -> tuple[str, Schedule]:
    """Digest and schedule that were noted last; empty if there was none."""
    row = conn.execute(
        "SELECT digest, schedule FROM retention_schedules ORDER BY number DESC LIMIT 1"
    ).fetchone()
    return ("", {}) if row is None else (row[0], load_schedule(row[1]))


def is_computing(conn: sqlite3.Connection) -> bool:
    """Whether all dates are being computed anew, after the schedule changed."""
    row = conn.execute(
        "SELECT 1 FROM retention_work WHERE done_at IS NULL AND kind = 'schedule' LIMIT 1"
    ).fetchone()
    return row is not None


def judge(
    conn: sqlite3.Connection,
    numbers: Sequence[int],
    schedule: Schedule,
    today: date,
    *,
    disposal: int = 0,
) -> Iterator[Judged]:
    """Each of these documents, in order of their numbers, asked alone. ``disposal`` (its
    number) is the list that it may be on."""
    # Looked at once: hardly any work is open at any time.
    work = {
        (kind, subject)
        for kind, subject in conn.execute(
            "SELECT kind, subject FROM retention_work WHERE done_at IS NULL"
        )
    }
    leaving = {
        identity
        for (identity,) in conn.execute(
            "SELECT identity FROM orders WHERE state IN ('ORDERED', 'STAGED')"
        )
    }
    # Made ready as a whole before: it goes out with all that is in it.
    whole = {
        spool
        for (spool,) in conn.execute(
            "SELECT DISTINCT d.spool FROM orders AS o CROSS JOIN documents AS d"
            " ON d.identity = o.identity AND d.live = 1 WHERE o.state IN ('ORDERED', 'STAGED')"
            " AND json_extract(o.staged, '$.form') = 'spool'"
        )
    }
    for start in range(0, len(numbers), PAGE):
        for item in _judge(conn, numbers[start : start + PAGE], schedule, today, disposal, work):
            if item.identity in leaving or item.spool in whole:
                item.stop(Standing.BLOCKED, "it is being given to somebody: `hotfolder orders`")
            yield item


def _judge(
    conn: sqlite3.Connection,
    numbers: Sequence[int],
    schedule: Schedule,
    today: date,
    disposal: int,
    work: set[tuple[str, str]],
) -> Iterator[Judged]:
    wanted = json.dumps(list(numbers))
    known = known_of(conn, numbers)
    held = holds_upon(conn, numbers)
    listed = dict(
        conn.execute(
            "SELECT m.document, d.id FROM json_each(?) AS j"
            " CROSS JOIN disposal_members AS m ON m.document = j.value"
            " JOIN disposals AS d ON d.number = m.disposal"
            " WHERE d.state IN ('PROPOSED', 'APPROVED', 'EXECUTING') AND d.number <> ?",
            (wanted, disposal),
        ).fetchall()
    )
    rows = conn.execute(
        "SELECT d.number, d.identity, d.spool, s.id, d.business_unit, d.series, d.sha256, d.role,"
        f" d.disposition, d.live, s.state, s.disposed_at, s.skipped, {_IS_SENT}"
        " FROM json_each(?) AS j"
        " CROSS JOIN documents AS d ON d.number = j.value JOIN spools AS s ON s.number = d.spool"
        " ORDER BY d.number",
        (wanted,),
    ).fetchall()
    copies = _copies(conn, wanted)
    carried_by = _sent_carriers(conn, [row[2] for row in rows if row[7] == "carried"])
    for row in rows:
        document = known[row[0]]
        said = decide(document.facts, schedule, document.events)
        judged = Judged(
            number=row[0],
            identity=row[1],
            spool=row[2],
            spool_id=row[3],
            business_unit=row[4],
            series=row[5],
            sha256=row[6],
            role=row[7],
            disposition=row[8],
            retention_class=document.facts.retention_class,
            version=document.version,
            cutoff=document.cutoff,
            retain_until=document.retain_until,
            action=said.action or "",
        )
        if judged.number in held:
            judged.stop(Standing.HELD, ", ".join(held[judged.number]))
        if judged.disposition in ("destroying", "destroyed") or row[11] is not None:
            judged.stop(Standing.BLOCKED, "it is being destroyed, or was")
        _judge_spool(judged, live=row[9] == 1, state=row[10], skipped=row[12])
        if row[13] or (judged.role == "carried" and judged.spool in carried_by):
            judged.stop(Standing.BLOCKED, _SENDING)
        if judged.number in copies:
            judged.stop(Standing.BLOCKED, copies[judged.number])
        if any((kind.value, name) in work for kind, names in document.facts.subjects.items()
               for name in names) or ("schedule", "") in work:  # fmt: skip
            judged.stop(Standing.BLOCKED, "its dates are being computed")
        if (document.version, document.cutoff, document.retain_until) != (
            said.version,
            said.cutoff,
            said.retain_until,
        ):
            judged.stop(Standing.BLOCKED, "its dates are not those of the schedule and the events")
        if not said.is_due(today) or document.retain_until is None:
            judged.stop(Standing.BLOCKED, "its retention has not ended")
        _judge_action(judged, said, schedule.get(judged.retention_class or ""))
        if judged.number in listed:
            judged.stop(Standing.LISTED, listed[judged.number])
        yield judged


def _copies(conn: sqlite3.Connection, wanted: str) -> dict[int, str]:
    """Of these documents (JSON) those whose bytes stay in another spool, and why. Those of a
    CORRUPT one came again; the first copy may be whole."""
    repeated = {
        number: f"it lies in spool {spool_id} as well, which is kept"
        for number, spool_id in elsewhere(conn, wanted).items()
    }
    rows = conn.execute(
        "SELECT d.number, s.id FROM json_each(?) AS j CROSS JOIN documents AS d"
        " ON d.number = j.value CROSS JOIN documents AS o ON o.identity = d.identity"
        " AND o.live = 0 AND o.number <> d.number AND o.disposition IN ('kept', 'withheld')"
        " JOIN spools AS s ON s.number = o.spool WHERE s.state = 'CORRUPT'",
        (wanted,),
    )
    return repeated | {
        number: f"it is also in spool {spool_id}, which is CORRUPT" for number, spool_id in rows
    }


def _sent_carriers(conn: sqlite3.Connection, spools: Sequence[int]) -> frozenset[int]:
    """Those of these spools whose record is on its way to ArchivesSpace."""
    rows = conn.execute(
        "SELECT d.spool FROM json_each(?) AS j CROSS JOIN documents AS d ON d.spool = j.value"
        f" WHERE d.role = 'carrier' AND {_IS_SENT}",
        (json.dumps(sorted(set(spools))),),
    )
    return frozenset(spool for (spool,) in rows)


def _judge_spool(judged: Judged, *, live: bool, state: str, skipped: int) -> None:
    if state != "DONE":
        judged.stop(Standing.BLOCKED, f"its spool is {state}")
    if not live:
        judged.stop(Standing.BLOCKED, "it came again, and counts in another spool")
    if skipped:
        judged.stop(Standing.BLOCKED, "its spool has documents that could not be read")


def _judge_action(judged: Judged, said: Decision, found: RetentionClass | None) -> None:
    if said.action == "keep":
        judged.stop(Standing.KEPT, f"class {judged.retention_class} says keep")
    elif found is None or said.action not in ("destroy", "review"):
        judged.stop(Standing.BLOCKED, "its class says nothing about its end")


def judge_carriers(
    conn: sqlite3.Connection, spools: Sequence[int], today: date
) -> dict[int, tuple[int, str]]:
    """What stands for each of these spools as a whole: its number (``documents.number``),
    and what forbids that it goes; empty if nothing does. Spools without one are left out."""
    rows = conn.execute(
        "SELECT d.spool, d.number, d.identity, d.retain_until, d.disposition, d.live"
        " FROM json_each(?) AS j CROSS JOIN documents AS d ON d.spool = j.value"
        " WHERE d.role = 'carrier'",
        (json.dumps(list(spools)),),
    ).fetchall()
    held = holds_upon(conn, [row[1] for row in rows])
    found: dict[int, tuple[int, str]] = {}
    for spool, number, identity, until, disposition, live in rows:
        why = ""
        if number in held:
            why = f"held by {', '.join(held[number])}"
        elif until is None or date.fromisoformat(until) >= today or not live:
            why = "the record of the whole spool has not ended"
        elif (
            disposition not in ("kept", "withheld")
            or conn.execute(
                "SELECT 1 FROM retention_work WHERE kind = 'document' AND subject = ?"
                " AND done_at IS NULL",
                (identity,),
            ).fetchone()
        ):
            why = "the dates of the whole spool are being computed"
        elif conn.execute(
            "SELECT 1 FROM orders WHERE identity = ? AND state IN ('ORDERED', 'STAGED') LIMIT 1",
            (identity,),
        ).fetchone():
            why = "the whole spool is being given to somebody: `hotfolder orders`"
        found[spool] = (number, why)
    return found
