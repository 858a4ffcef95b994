"""What is due, and the lists that are made of it. See ``core.disposalport``.

A list is frozen when it is proposed: its members never change, and its digest is what is
approved. Long, because what is due and what is put on a list are one question.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from hotfolder.core.canonical import dump
from hotfolder.core.disposals import (
    DisposalMember,
    DisposalRow,
    DisposalState,
    DueDocument,
    DueFilter,
    Standing,
    list_digest,
    list_line,
)
from hotfolder.core.duties import same_person
from hotfolder.core.errors import OperatorFault, Transient
from hotfolder.core.records import ArchiveEvent
from hotfolder.core.retention import Schedule
from hotfolder.core.schedules import load_schedule
from hotfolder.journal.connection import Connection
from hotfolder.journal.holding import holds_upon_spool
from hotfolder.journal.judging import Judged, is_computing, judge, last_schedule
from hotfolder.journal.keydestruction import is_divisible
from hotfolder.journal.links import append_links
from hotfolder.journal.lookups import find_subject
from hotfolder.journal.outbox import insert_events

_COLUMNS = (
    "d.id, d.business_unit, d.state, d.proposed_by, d.approved_by, d.executed_by, d.authority,"
    # The row has that of its last step; what is asked for is why it was proposed, or withdrawn.
    " CASE d.state WHEN 'WITHDRAWN' THEN d.reason ELSE (SELECT s.reason FROM disposal_steps AS s"
    "  WHERE s.subject = d.number ORDER BY s.number LIMIT 1) END,"
    " d.created_at, d.approved_at, d.executed_at, d.done_at, d.list_sha256,"
    " d.certificate_sha256, d.today, d.number"
)
_OVER = "d.retain_until < :today AND d.disposition IN ('kept', 'withheld')"
_PAGE = 1000
_UNITS_IN_EVENT = 100  # archival objects that one event is linked to


class Disposals:
    """The journal's methods about disposals before they begin, and for looking at them."""

    _db: Connection

    # -- due -------------------------------------------------------------------------
    def due_documents(
        self, wanted: DueFilter, today: date, *, after: tuple[str, int] = ("", 0), limit: int = 500
    ) -> tuple[list[DueDocument], tuple[str, int] | None]:
        """A page of the documents whose retention has ended."""
        with self._db.reading() as conn:
            rows = _page(conn, wanted, today, after, limit)
            _, schedule = last_schedule(conn)
            found = {
                item.number: item
                for item in judge(conn, [number for number, _ in rows], schedule, today)
            }
            spools = _Spools(conn, today, schedule)
            for item in found.values():
                spools.look(item)
        page = [_due_from(found[number]) for number, _ in rows]
        return page, (rows[-1][1], rows[-1][0]) if len(rows) == limit else None

    # -- lists -----------------------------------------------------------------------
    def propose_disposals(
        self,
        wanted: DueFilter,
        ids: Mapping[str, str],
        today: date,
        limit: int,
        actor: str,
        reason: str,
        now: float,
        event_type: str = "appraisal",
    ) -> list[DisposalRow]:
        """Freeze a list for each business unit."""
        made: list[DisposalRow] = []
        with self._db.writing() as conn:
            if is_computing(conn):
                raise computing()
            _, schedule = last_schedule(conn)
            lists = _lists(conn, wanted, list(ids), schedule, today, limit)
            for unit, members in sorted(lists.items()):
                if members:
                    number = _freeze(conn, ids[unit], unit, members, actor, reason, now)
                    _ask_archive(conn, number, ids[unit], unit, len(members), event_type, now)
                    made.append(_get(conn, number))
        return made

    def approve_disposal(self, disposal: str, actor: str, authority: str, now: float) -> None:
        """PROPOSED to APPROVED."""
        with self._db.writing() as conn:
            row = find_disposal(conn, disposal, DisposalState.PROPOSED)
            if same_person(row.proposed_by, actor):
                raise OperatorFault(
                    f"{actor} proposed it; another person approves it",
                    hint="ask somebody who may approve, or an archivist in ArchivesSpace",
                    code="disposal.same_person",
                )
            if row.to_review and not authority.strip():
                raise OperatorFault(
                    f"{row.to_review} documents of it are to be reviewed",
                    hint="name what the review is based on with --authority",
                    code="disposal.authority",
                )
            conn.execute(
                "UPDATE disposals SET state = 'APPROVED', approved_by = ?, approved_at = ?,"
                " authority = ?, updated_at = ?, reason = '' WHERE id = ?",
                (actor, now, authority.strip(), now, row.id),
            )
            details = {"authority": authority.strip(), "list_sha256": row.list_sha256}
            append_links(conn, [("disposal.approved", row.id, details)], now, actor)

    def withdraw_disposal(self, disposal: str, actor: str, reason: str, now: float) -> None:
        """PROPOSED or APPROVED to WITHDRAWN."""
        with self._db.writing() as conn:
            row = find_disposal(conn, disposal, DisposalState.PROPOSED, DisposalState.APPROVED)
            conn.execute(
                "UPDATE disposals SET state = 'WITHDRAWN', reason = ?, updated_at = ? WHERE id = ?",
                (reason, now, row.id),
            )
            details = {"reason": reason}
            append_links(conn, [("disposal.withdrawn", row.id, details)], now, actor)

    # -- looking ---------------------------------------------------------------------
    def disposals(
        self, states: Sequence[DisposalState] = (), *, limit: int = 1000
    ) -> list[DisposalRow]:
        """Disposals, newest first."""
        where = ", ".join(f"'{state}'" for state in states or DisposalState)
        with self._db.reading() as conn:
            numbers = conn.execute(
                f"SELECT number FROM disposals WHERE state IN ({where})"
                " ORDER BY number DESC LIMIT ?",
                (limit,),
            ).fetchall()
            return [_get(conn, number) for (number,) in numbers]

    def get_disposal(self, disposal: str) -> DisposalRow | None:
        """One, by its id or a unique prefix of it."""
        with self._db.reading() as conn:
            number = find_subject(conn, "disposals", "id", disposal)
            return None if number is None else _get(conn, number)

    def disposal_members(self, disposal: str) -> Iterator[DisposalMember]:
        """Its list, by identity; each page is of one moment."""
        after = ""
        while True:
            with self._db.reading() as conn:
                rows = conn.execute(
                    "SELECT d.identity, s.id, d.series, d.sha256, m.retention_class,"
                    " m.class_version, m.cutoff, m.retain_until, m.action, m.outcome, m.reason,"
                    " coalesce(t.by_key, 0) FROM disposal_members AS m"
                    " JOIN documents AS d ON d.number = m.document"
                    " JOIN spools AS s ON s.number = d.spool LEFT JOIN tombstones AS t"
                    "  ON t.identity = d.identity AND t.disposal = ? WHERE m.disposal ="
                    " (SELECT number FROM disposals WHERE id = ?) AND d.identity > ?"
                    " ORDER BY d.identity LIMIT ?",
                    (disposal, disposal, after, _PAGE),
                ).fetchall()
            yield from (_member_from(row) for row in rows)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def deciding_schedule(self, disposal: str) -> tuple[str, Schedule]:
        """Digest of the schedule by which a disposal was decided, and the schedule; the last
        one that was noted, if its link does not say."""
        with self._db.reading() as conn:
            row = conn.execute(
                "SELECT digest, schedule FROM retention_schedules WHERE digest = (SELECT"
                " json_extract(details, '$.schedule') FROM audit WHERE subject = ?"
                " AND action = 'disposal.begun') ORDER BY number DESC LIMIT 1",
                (disposal,),
            ).fetchone()
            return last_schedule(conn) if row is None else (row[0], load_schedule(row[1]))

    def disposal_certificate(self, disposal: str) -> bytes | None:
        """The certificate of one that is DONE, byte for byte."""
        with self._db.reading() as conn:
            row = conn.execute(
                "SELECT certificate FROM disposals WHERE id = ?", (disposal,)
            ).fetchone()
        return None if row is None or row[0] is None else str(row[0]).encode()


def computing() -> Transient:
    """The error while every date is being computed anew."""
    return Transient(
        "dates are being computed, because the schedule changed",
        hint="try again when `hotfolder status` shows nothing to compute; nothing has changed",
        code="disposal.computing",
    )


def find_disposal(conn: sqlite3.Connection, disposal: str, *states: DisposalState) -> DisposalRow:
    """The disposal, which must be in one of ``states``. ``KeyError``, ``OperatorFault``."""
    found = conn.execute("SELECT number FROM disposals WHERE id = ?", (disposal,)).fetchone()
    if found is None:
        raise KeyError(disposal)
    row = _get(conn, found[0])
    if row.state not in states:
        raise OperatorFault(
            f"{disposal} is {row.state}",
            hint=f"this is for one that is {' or '.join(states)}; `hotfolder disposal show`",
            code="disposal.state",
        )
    return row


def _page(
    conn: sqlite3.Connection, wanted: DueFilter, today: date, after: tuple[str, int], limit: int
) -> list[tuple[int, str]]:
    terms = [_OVER, "d.role <> 'carrier'", "(d.retain_until, d.number) > (:day, :number)"]
    values: dict[str, object] = {
        "today": today.isoformat(),
        "day": after[0],
        "number": after[1],
        "limit": limit,
    }
    for column in ("retention_class", "business_unit", "series"):
        value = getattr(wanted, column)
        if value is not None:
            terms.append(f"+d.{column} = :{column}")
            values[column] = value
    return conn.execute(
        "SELECT d.number, d.retain_until FROM documents AS d INDEXED BY documents_due"
        f" WHERE {' AND '.join(terms)} ORDER BY d.retain_until, d.number LIMIT :limit",
        values,
    ).fetchall()


def _lists(
    conn: sqlite3.Connection,
    wanted: DueFilter,
    business_units: Sequence[str],
    schedule: Schedule,
    today: date,
    limit: int,
) -> dict[str, list[Judged]]:
    """What may be proposed in each business unit: whole spools, oldest end first."""
    lists = {unit: list[Judged]() for unit in business_units}
    full: set[str] = set()
    for numbers in _whole_spools(conn, wanted, today):
        judged = [
            item
            for item in judge(conn, numbers, schedule, today)
            if item.standing is Standing.DUE and item.business_unit in lists
        ]
        for _, group in groupby(judged, key=lambda item: item.spool):
            members = list(group)
            unit = members[0].business_unit
            # One spool with more documents than a list may have is a list of its own.
            if unit in full or (lists[unit] and len(lists[unit]) + len(members) > limit):
                full.add(unit)
            # Withheld before, and nothing of its spool goes now: there is nothing to do.
            elif (
                any(item.disposition == "kept" for item in members)
                or _is_whole(conn, members)
                or is_divisible(conn, members[0].spool)
            ):
                lists[unit] += members
        if full == lists.keys():
            break
    return lists


def _whole_spools(conn: sqlite3.Connection, wanted: DueFilter, today: date) -> Iterator[list[int]]:
    """The documents that are wanted, some spools at a time, by spool: all of each that are
    past their time, oldest end first."""
    seen: set[int] = set()
    after = ("", 0)
    while rows := _page(conn, wanted, today, after, _PAGE):
        after = (rows[-1][1], rows[-1][0])
        found = [
            spool
            for (spool,) in conn.execute(
                "SELECT DISTINCT d.spool FROM json_each(?) AS j"
                " CROSS JOIN documents AS d ON d.number = j.value",
                (dump([number for number, _ in rows]),),
            )
            if spool not in seen
        ]
        seen.update(found)
        yield [
            number
            for (number,) in conn.execute(
                "SELECT d.number FROM json_each(:spools) AS j CROSS JOIN documents AS d"
                f" ON d.spool = j.value WHERE {_OVER} AND d.role <> 'carrier'"
                " ORDER BY d.number",
                {"spools": dump(found), "today": today.isoformat()},
            )
        ]


def _is_whole(conn: sqlite3.Connection, members: Sequence[Judged]) -> bool:
    (count,) = conn.execute(
        "SELECT count(*) FROM documents WHERE spool = ? AND role <> 'carrier'"
        " AND disposition <> 'destroyed'",
        (members[0].spool,),
    ).fetchone()
    return bool(count == len(members))


class _Spools:
    """What the spools of documents say of them; each is looked at once."""

    def __init__(self, conn: sqlite3.Connection, today: date, schedule: Schedule) -> None:
        self._conn = conn
        self._today = today.isoformat()
        self._schedule = schedule
        self._known: dict[int, str] = {}

    def look(self, item: Judged) -> None:
        """A document that may go by itself waits if others of its spool may not, unless it
        has a key of its own."""
        if item.spool not in self._known:
            self._known[item.spool] = self._why(item.spool)
        if why := self._known[item.spool]:
            withheld = item.disposition == "withheld"
            item.stop(Standing.WITHHELD if withheld else Standing.PENDING, why)

    def _why(self, spool: int) -> str:
        if is_divisible(self._conn, spool):
            return ""
        total, waiting = self._conn.execute(
            "SELECT count(*), count(*) FILTER (WHERE coalesce(retain_until >= ?, 1))"
            " FROM documents WHERE spool = ?",
            (self._today, spool),
        ).fetchone()
        if waiting:
            return f"{waiting} documents of its spool are not due"
        if total > 1 and (kept := self._count_kept(spool)):
            return f"{kept} documents of its spool are kept: their class says so"
        if total > 1 and (holds := holds_upon_spool(self._conn, spool)):
            return f"its spool is held: {', '.join(holds)}"
        return ""

    def _count_kept(self, spool: int) -> int:
        """How many documents of a spool no list takes, by what their class says now."""
        rows = self._conn.execute(
            "SELECT retention_class, class_version, count(*) FROM documents"
            " WHERE spool = ? AND role <> 'carrier' AND disposition <> 'destroyed'"
            " GROUP BY retention_class, class_version",
            (spool,),
        )
        return sum(count for code, version, count in rows if not self._ends(code, version))

    def _ends(self, code: str | None, version: int | None) -> bool:
        found = self._schedule.get(code or "")
        said = found and found.numbered(version)
        return said is not None and said.action != "keep"


def _freeze(
    conn: sqlite3.Connection,
    disposal: str,
    business_unit: str,
    members: Sequence[Judged],
    actor: str,
    reason: str,
    now: float,
) -> int:
    ordered = sorted(members, key=lambda item: item.identity)
    digest = list_digest(
        list_line(
            item.identity, item.sha256, item.retention_class, item.version, _text(item.retain_until)
        )
        for item in ordered
    )
    (number,) = conn.execute(
        "INSERT INTO disposals (id, business_unit, state, proposed_by, created_at, updated_at,"
        " reason, list_sha256) VALUES (?, ?, 'PROPOSED', ?, ?, ?, ?, ?) RETURNING number",
        (disposal, business_unit, actor, now, now, reason, digest),
    ).fetchone()
    conn.executemany(
        "INSERT INTO disposal_members (disposal, document, retention_class, class_version, cutoff,"
        " retain_until, action) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                number,
                item.number,
                item.retention_class,
                item.version,
                _text(item.cutoff),
                _text(item.retain_until),
                item.action,
            )
            for item in ordered
        ],
    )
    details = {"documents": len(ordered), "list_sha256": digest, "business_unit": business_unit}
    append_links(conn, [("disposal.proposed", disposal, details)], now, actor)
    return int(number)


def _ask_archive(
    conn: sqlite3.Connection,
    number: int,
    disposal: str,
    business_unit: str,
    documents: int,
    event_type: str,
    now: float,
) -> None:
    """The event that an archivist decides: its outcome is the decision."""
    units = _units_of(conn, number)
    if not units or not event_type:
        return
    more = f" in {len(units)} units, the first of which are linked" if len(units) > 100 else ""
    event = ArchiveEvent(
        refid=disposal,
        event_type=event_type,
        at=now,
        outcome="pending",
        note=f"Retention has ended for {documents} documents{more}. They are proposed for"
        " destruction: set the outcome to pass or fail.",
        record_uris=tuple(units[:_UNITS_IN_EVENT]),
    )
    insert_events(conn, business_unit, [event], now)


def _units_of(conn: sqlite3.Connection, number: int) -> list[str]:
    rows: Iterable[tuple[str]] = conn.execute(
        "SELECT DISTINCT u.archival_object_uri FROM documents AS o"
        " JOIN units AS u ON u.number = o.unit WHERE u.archival_object_uri IS NOT NULL"
        " AND o.spool IN (SELECT d.spool FROM disposal_members AS m"
        "  JOIN documents AS d ON d.number = m.document WHERE m.disposal = ?)"
        " ORDER BY u.number",
        (number,),
    )
    return [uri for (uri,) in rows]


def _get(conn: sqlite3.Connection, number: int) -> DisposalRow:
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM disposals AS d WHERE d.number = ?", (number,)
    ).fetchone()
    documents, to_review = conn.execute(
        "SELECT count(*), count(*) FILTER (WHERE action = 'review') FROM disposal_members"
        " WHERE disposal = ?",
        (number,),
    ).fetchone()
    outcomes = conn.execute(
        "SELECT outcome, count(*) FROM disposal_members WHERE disposal = ?"
        " AND outcome IS NOT NULL GROUP BY outcome",
        (number,),
    ).fetchall()
    return DisposalRow(
        id=row[0],
        business_unit=row[1],
        state=DisposalState(row[2]),
        proposed_by=row[3],
        approved_by=row[4],
        executed_by=row[5],
        authority=row[6],
        reason=row[7],
        created_at=row[8],
        approved_at=row[9],
        executed_at=row[10],
        done_at=row[11],
        list_sha256=row[12],
        certificate_sha256=row[13],
        today=_day(row[14]),
        documents=documents,
        to_review=to_review,
        outcomes=dict(outcomes),
    )


def _due_from(item: Judged) -> DueDocument:
    assert item.retain_until is not None  # of the query
    return DueDocument(
        number=item.number,
        identity=item.identity,
        spool_id=item.spool_id,
        business_unit=item.business_unit,
        series=item.series,
        sha256=item.sha256,
        retention_class=item.retention_class or "",
        class_version=item.version,
        cutoff=item.cutoff,
        retain_until=item.retain_until,
        action=item.action,
        standing=item.standing,
        why=item.why,
    )


def _member_from(row: Sequence[Any]) -> DisposalMember:
    return DisposalMember(
        identity=row[0],
        spool_id=row[1],
        series=row[2],
        sha256=row[3],
        retention_class=row[4],
        class_version=row[5],
        cutoff=_day(row[6]),
        retain_until=_day(row[7]),
        action=row[8] or "",
        outcome=row[9],
        reason=row[10],
        by_key=bool(row[11]),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
