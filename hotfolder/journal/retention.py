"""Events that start clocks, schedules, and the dates that follow from both. See
``core.ports.Journal``.

A date in ``documents`` follows from the document's facts, the schedule last noted and the
events in force. Whatever changes one of them leaves a row in ``retention_work`` in the
same transaction; a page of that work is one transaction too. Long, because what may change
a date and what computes it are read together.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from hotfolder.core.clocks import (
    EventRow,
    NewEvent,
    RetainedDocument,
    RetentionChange,
    WorkDone,
)
from hotfolder.core.retention import (
    Decision,
    DocumentFacts,
    Schedule,
    Subject,
    decide,
)
from hotfolder.core.schedules import dump_schedule, schedule_digest
from hotfolder.journal.connection import Connection
from hotfolder.journal.links import append_links
from hotfolder.journal.reasons import because
from hotfolder.journal.updates import add_updates

_EVENT_COLUMNS = (
    "number, kind, subject, event, day, reason, recorded_at, recorded_by, withdrawn_at,"
    " withdrawn_by, withdrawal_reason"
)
_DOCUMENT_COLUMNS = (
    "d.number, d.identity, d.business_unit, d.retention_class, d.issue_date,"
    " json_extract(d.metadata, '$.jurisdiction'), json_extract(d.metadata, '$.trigger_date'),"
    " d.policy_number, d.account_number, d.customer_id,"
    " json_extract(d.metadata, '$.case_refs'), d.class_version, d.cutoff, d.retain_until,"
    " d.role, d.spool, d.disposition, d.live = 1"
    " AND (d.unit IS NOT NULL OR d.record_uri IS NOT NULL)"
)
# Both partial indexes of identities.
_OF_IDENTITY = (
    "SELECT number FROM documents WHERE identity = :subject AND live = 1"
    " UNION ALL SELECT number FROM documents WHERE identity = :subject AND live = 0"
)
# Which documents a piece of work is about, after a number, in order; each by an index.
_PAGES = {
    "schedule": "documents AS d WHERE :subject = '' AND d.number > :after",
    "policy": "documents AS d WHERE d.policy_number = :subject AND d.number > :after",
    "account": "documents AS d WHERE d.account_number = :subject AND d.number > :after",
    "customer": "documents AS d WHERE d.customer_id = :subject AND d.number > :after",
    "document": f"documents AS d WHERE d.number IN ({_OF_IDENTITY}) AND d.number > :after",
    "numbers": "json_each(:subject) AS j CROSS JOIN documents AS d ON d.number = j.value"
    " WHERE d.number > :after",
    "case": "document_references AS r JOIN documents AS d ON d.number = r.document"
    " WHERE r.reference = :subject AND r.kind = 'case' AND r.document > :after",
}
_ORDER = {"case": "r.document"}
# number, kind, subject, reason, position, changed
_Work = tuple[int, str, str, str, int, int]


_Known = dict[tuple[Subject, str], dict[str, date]]  # of a policy, case …: days of events


@dataclass(slots=True)
class _Row:
    """A document with what the journal alone needs to know of it."""

    number: int
    role: str
    spool: int
    settled: bool  # being destroyed, or destroyed
    told: bool  # ArchivesSpace has it, or may have it
    document: RetainedDocument


class Retention:
    """The journal's methods about retention."""

    _db: Connection

    # -- events -----------------------------------------------------------------------
    def record_events(self, events: Sequence[NewEvent], now: float) -> list[int]:
        """Journal what happened; their numbers. One that came in a file comes once."""
        with self._db.writing() as conn:
            return [_record(conn, event, now) for event in events]

    def withdraw_event(self, number: int, actor: str, reason: str, now: float) -> EventRow | None:
        """The event counts no more; None if there is none of this number. One that was
        withdrawn before stays as it is."""
        with self._db.writing() as conn:
            changed = conn.execute(
                "UPDATE retention_events SET withdrawn_at = ?, withdrawn_by = ?,"
                " withdrawal_reason = ? WHERE number = ? AND withdrawn_at IS NULL",
                (now, actor, reason, number),
            ).rowcount
            row = conn.execute(
                f"SELECT {_EVENT_COLUMNS} FROM retention_events WHERE number = ?", (number,)
            ).fetchone()
            if changed:
                details = {"event": row[3], "of": row[1], "day": row[4], "withdrawn": True}
                append_links(conn, [("retention.event", f"event-{number}", details)], now, actor)
        return None if row is None else _event_from(row)

    def retention_events(
        self,
        *,
        subject: tuple[Subject, str] | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[EventRow]:
        """Events, withdrawn ones too, in order; all, or those of one policy, case …"""
        where, values = ("kind = ? AND subject = ? AND", subject) if subject else ("", ())
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_EVENT_COLUMNS} FROM retention_events"
                f" WHERE {where} number > ? ORDER BY number LIMIT ?",
                (*values, after, limit),
            ).fetchall()
        return [_event_from(row) for row in rows]

    # -- schedules --------------------------------------------------------------------
    def note_schedule(self, schedule: Schedule, now: float) -> bool:
        """Journal the schedule, unless it decides as the last one did; True if it is
        another, whose dates are then to be computed."""
        digest = schedule_digest(schedule)
        with self._db.writing() as conn:
            last = conn.execute(
                "SELECT digest FROM retention_schedules ORDER BY number DESC LIMIT 1"
            ).fetchone()
            if last == (digest,):
                return False
            conn.execute(
                "INSERT INTO retention_schedules"
                " SELECT coalesce(max(number), 0) + 1, ?, ?, ? FROM retention_schedules",
                (digest, dump_schedule(schedule), now),
            )
            _ask(conn, "schedule", "", "the schedule changed", now)
        return True

    def noted_schedules(self) -> list[str]:
        """Every schedule that was in force, as ``core.schedules.dump_schedule`` wrote it,
        oldest first."""
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT schedule FROM retention_schedules ORDER BY number"
            ).fetchall()
        return [text for (text,) in rows]

    # -- dates ------------------------------------------------------------------------
    def compute_retention(self, schedule: Schedule, limit: int, now: float) -> WorkDone | None:
        """Compute a page of what is to be computed, ``limit`` documents and pieces of work at
        most; None if nothing is. Dates, history, what ArchivesSpace is to be told and how far
        it has come are one transaction: a page is computed or it is not."""
        with self._db.reading() as conn:
            if not _next_work(conn, 1):
                return None
        examined = changed = 0
        done = True
        with self._db.writing() as conn:
            # A file of events leaves a piece of work for each line, most of which have few
            # documents or none: a transaction for each would take an hour.
            pieces = _next_work(conn, limit)
            if not pieces:
                return None
            room = limit
            for piece in pieces:
                if room <= 0:
                    break
                found = _compute(conn, piece, schedule, room, now)
                examined, changed = examined + found.examined, changed + found.changed
                done = found.done
                room -= max(1, found.examined)
        return WorkDone(examined=examined, changed=changed, done=done)

    def retention_backlog(self) -> int:
        """How many pieces of work are not done."""
        with self._db.reading() as conn:
            row = conn.execute("SELECT count(*) FROM retention_work WHERE done_at IS NULL")
            return int(row.fetchone()[0])

    def retained_documents(self, after: int, limit: int) -> tuple[list[RetainedDocument], int]:
        """A page of the documents with a class that are kept, and the number after which
        the next page begins; that of the last page is ``after``."""
        with self._db.reading() as conn:
            rows = _page(conn, "schedule", "", after, limit)
            found = [
                row.document
                for row in rows
                if row.role != "carrier"
                and not row.settled
                and row.document.facts.retention_class is not None
            ]
            return found, rows[-1].number if rows else after

    def retained_document(self, identity: str) -> RetainedDocument | None:
        """What retention depends on of one document, with the events in force."""
        with self._db.reading() as conn:
            rows = _page(conn, "document", identity, 0, 100)
            return rows[-1].document if rows else None

    def retention_changes(self, identity: str) -> list[RetentionChange]:
        """Every change of a document's class, dates and disposition, in order."""
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT at, field, old, new, reason FROM retention_changes"
                f" WHERE document IN ({_OF_IDENTITY}) ORDER BY number",
                {"subject": identity},
            ).fetchall()
        return [
            RetentionChange(at=at, field=field, old=old, new=new, reason=reason)
            for at, field, old, new, reason in rows
        ]


def known_of(conn: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, RetainedDocument]:
    """What retention depends on of each of these documents (``documents.number``), with the
    events in force, as the transaction sees them."""
    rows = _page(conn, "numbers", json.dumps(list(numbers)), 0, len(numbers))
    return {row.number: row.document for row in rows}


def ask_for_carrier(conn: sqlite3.Connection, spool: int, reason: str, now: float) -> None:
    """Let the dates of what stands for a spool as a whole be computed anew."""
    for (identity,) in conn.execute(
        "SELECT identity FROM documents WHERE spool = ? AND role = 'carrier'", (spool,)
    ).fetchall():
        _ask(conn, "document", identity, reason, now)


def tell_since_corrupt(conn: sqlite3.Connection, spool: int, now: float) -> None:
    """Let ArchivesSpace be told of dates that changed while a spool was CORRUPT, when nobody
    was; once more of others that did."""
    rows = conn.execute(
        "SELECT d.number, d.retention_class, d.class_version, d.cutoff, d.retain_until"
        " FROM documents AS d WHERE d.spool = ? AND d.role IN ('own', 'carrier')"
        " AND d.record_uri IS NOT NULL AND d.disposition IN ('kept', 'withheld')"
        " AND EXISTS (SELECT 1 FROM retention_changes AS c WHERE c.document = d.number"
        "  AND c.field = 'retain_until' AND c.at >= (SELECT max(h.at) FROM history AS h"
        "   WHERE h.kind = 'spool' AND h.subject = d.spool AND h.new = 'CORRUPT'))"
        " ORDER BY d.number",
        (spool,),
    ).fetchall()
    names = ("retention_class", "class_version", "cutoff", "retain_until")
    told = [(row[0], "retention", dict(zip(names, row[1:], strict=True))) for row in rows]
    add_updates(conn, told, now)


def _record(conn: sqlite3.Connection, event: NewEvent, now: float) -> int:
    if event.source is not None:
        known = conn.execute(
            "SELECT number FROM retention_events WHERE source = ?", (event.source,)
        ).fetchone()
        if known is not None:
            return int(known[0])
    (number,) = conn.execute(
        "INSERT INTO retention_events (number, kind, subject, event, day, reason, recorded_at,"
        " recorded_by, source) SELECT coalesce(max(number), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ?"
        " FROM retention_events RETURNING number",
        (
            event.kind,
            event.subject,
            event.event,
            event.day.isoformat(),
            event.reason,
            now,
            event.actor,
            event.source,
        ),
    ).fetchone()
    details = {"event": event.event, "of": event.kind.value, "day": event.day.isoformat()}
    append_links(conn, [("retention.event", f"event-{number}", details)], now, event.actor)
    return int(number)


def _event_from(row: Sequence[Any]) -> EventRow:
    return EventRow(
        number=row[0],
        kind=Subject(row[1]),
        subject=row[2],
        event=row[3],
        day=date.fromisoformat(row[4]),
        reason=row[5],
        recorded_at=row[6],
        recorded_by=row[7],
        withdrawn_at=row[8],
        withdrawn_by=row[9],
        withdrawal_reason=row[10],
    )


def _ask(conn: sqlite3.Connection, kind: str, subject: str, reason: str, now: float) -> None:
    conn.execute(
        "INSERT INTO retention_work (kind, subject, reason, created_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (kind, subject) WHERE done_at IS NULL"
        " DO UPDATE SET position = 0, reason = excluded.reason",
        (kind, subject, reason, now),
    )


def _next_work(conn: sqlite3.Connection, limit: int) -> list[_Work]:
    """What is to be computed next, ``limit`` pieces at most, oldest first."""
    # By what is open: in order of the numbers it would pass all that was ever done.
    return conn.execute(
        "SELECT number, kind, subject, reason, position, changed FROM retention_work"
        " INDEXED BY retention_work_open WHERE done_at IS NULL ORDER BY number LIMIT ?",
        (limit,),
    ).fetchall()


def _compute(
    conn: sqlite3.Connection, work: _Work, schedule: Schedule, limit: int, now: float
) -> WorkDone:
    """Compute a page of one piece of work, in the caller's transaction."""
    number, kind, subject, reason, position, before = work
    rows = _page(conn, kind, subject, position, limit)
    with because(conn, reason, now):
        changed = _change(conn, rows, schedule, now)
    done = len(rows) < limit
    conn.execute(
        "UPDATE retention_work SET position = ?, changed = changed + ?, done_at = ?"
        " WHERE number = ?",
        (rows[-1].number if rows else position, changed, now if done else None, number),
    )
    if done and before + changed:
        details = {"reason": reason, "of": kind, "documents": before + changed}
        append_links(conn, [("retention.changed", f"work-{number}", details)], now)
    return WorkDone(examined=len(rows), changed=changed, done=done)


def _page(conn: sqlite3.Connection, kind: str, subject: str, after: int, limit: int) -> list[_Row]:
    """Documents after a number, each with the events in force of all that it has to do
    with."""
    rows = conn.execute(
        f"SELECT {_DOCUMENT_COLUMNS} FROM {_PAGES[kind]}"
        f" ORDER BY {_ORDER.get(kind, 'd.number')} LIMIT :limit",
        {"subject": subject, "after": after, "limit": limit},
    ).fetchall()
    subjects = [_subjects(row) for row in rows]
    events = _events_of(conn, subjects)
    return [_row_from(row, found, events) for row, found in zip(rows, subjects, strict=True)]


def _subjects(row: Sequence[Any]) -> dict[Subject, tuple[str, ...]]:
    found = {
        Subject.DOCUMENT: (row[1],),
        Subject.CASE: tuple(json.loads(row[10])) if row[10] else (),
    }
    for kind, name in zip(
        (Subject.POLICY, Subject.ACCOUNT, Subject.CUSTOMER), row[7:10], strict=True
    ):
        if name:
            found[kind] = (name,)
    return found


def _events_of(
    conn: sqlite3.Connection, subjects: Iterable[dict[Subject, tuple[str, ...]]]
) -> _Known:
    """The event of each name that was recorded last and stands."""
    wanted = {(kind, name) for found in subjects for kind, names in found.items() for name in names}
    rows = conn.execute(
        "SELECT e.kind, e.subject, e.event, e.day FROM json_each(?) AS j"
        " CROSS JOIN retention_events AS e ON e.kind = json_extract(j.value, '$[0]')"
        "  AND e.subject = json_extract(j.value, '$[1]')"
        " WHERE e.withdrawn_at IS NULL ORDER BY e.number",
        (json.dumps(sorted(wanted)),),
    )
    known: _Known = {}
    for kind, subject, event, day in rows:
        known.setdefault((Subject(kind), subject), {})[event] = date.fromisoformat(day)
    return known


def _row_from(row: Sequence[Any], subjects: dict[Subject, tuple[str, ...]], known: _Known) -> _Row:
    return _Row(
        number=row[0],
        role=row[14],
        spool=row[15],
        settled=row[16] in ("destroying", "destroyed"),
        told=bool(row[17]) and row[14] != "carried",
        document=RetainedDocument(
            identity=row[1],
            facts=DocumentFacts(
                retention_class=row[3],
                issue_date=_day(row[4]),
                business_unit=row[2],
                jurisdiction=row[5],
                trigger_date=_day(row[6]),
                subjects=subjects,
            ),
            events={
                (kind, name, event): day
                for kind, names in subjects.items()
                for name in names
                for event, day in known.get((kind, name), {}).items()
            },
            version=row[11],
            cutoff=_day(row[12]),
            retain_until=_day(row[13]),
        ),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _change(conn: sqlite3.Connection, rows: Sequence[_Row], schedule: Schedule, now: float) -> int:
    """Write what is decided where it differs; how many documents changed."""
    changed = 0
    spools: set[int] = set()
    for row in rows:
        if row.settled:
            continue
        known = row.document
        if row.role == "carrier":
            decision = _longest(conn, row.spool)
        else:
            decision = decide(known.facts, schedule, known.events)
        if (decision.version, decision.cutoff, decision.retain_until) == (
            known.version,
            known.cutoff,
            known.retain_until,
        ):
            continue
        changed += 1
        conn.execute(
            "UPDATE documents SET class_version = ?, cutoff = ?, retain_until = ? WHERE number = ?",
            (decision.version, _text(decision.cutoff), _text(decision.retain_until), row.number),
        )
        if row.role == "carried":
            spools.add(row.spool)
        if row.told and decision.retain_until != known.retain_until:
            body = {
                "retention_class": decision.retention_class,
                "class_version": decision.version,
                "cutoff": _text(decision.cutoff),
                "retain_until": _text(decision.retain_until),
            }
            add_updates(conn, [(row.number, "retention", body)], now)
    for spool in sorted(spools):
        # A spool is kept as long as its longest-lived document: when those are computed.
        ask_for_carrier(conn, spool, "a document in it changed", now)
    return changed


def _longest(conn: sqlite3.Connection, spool: int) -> Decision:
    """What holds for a spool with many documents: the latest end in it, none if one of
    those with a class has none."""
    row = conn.execute(
        "SELECT retention_class, class_version, cutoff, retain_until FROM documents"
        # Also while the spool is CORRUPT: its record is there, and it may be released.
        " WHERE spool = ? AND role <> 'carrier' AND kept = 1 AND retention_class IS NOT NULL"
        " AND disposition IN ('kept', 'withheld')"
        " ORDER BY retain_until IS NOT NULL, retain_until DESC, ordinal LIMIT 1",
        (spool,),
    ).fetchone()
    if row is None:
        return Decision(why="no document in it has a class")
    return Decision(
        retention_class=row[0],
        version=row[1],
        cutoff=_day(row[2]),
        retain_until=_day(row[3]),
        why="its longest-lived document",
    )


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
