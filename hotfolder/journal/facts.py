"""Facts: what archivists decided in ArchivesSpace, each journalled once, and what is
remembered of the records that they edit. Long, because a fact and what is remembered are one
transaction, and are read together."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hotfolder.core.canonical import dump
from hotfolder.core.facts import (
    EFFECTIVE,
    Asked,
    FactKind,
    FactRow,
    FactState,
    KnownRecord,
    NewFact,
    SeenEvent,
    SeenHold,
    Sight,
)
from hotfolder.journal.connection import Connection
from hotfolder.journal.links import append_links
from hotfolder.journal.rows import OF_IDENTITY

FACT_COLUMNS = (
    "f.number, f.key, f.kind, f.source, f.business_unit, coalesce(d.identity, ''), f.uri,"
    " f.actor, f.at, f.recorded_at, f.body, f.state, f.reason, f.attempts, f.file"
)
FACT_WIDTH = 15  # of these columns
FACTS_JOINED = "facts AS f LEFT JOIN documents AS d ON d.number = f.document"
NEXT_NUMBER = "(SELECT coalesce(max(number), 0) + 1 FROM facts)"
# Of ``seen_holds``: in force. A release that was refused is none.
_IN_FORCE = (
    "(released IS NULL OR EXISTS (SELECT 1 FROM facts AS r"
    " WHERE r.number = released AND r.state = 'REFUSED'))"
)
_GOING = (
    FactKind.RECORD_SUPPRESSED,
    FactKind.RECORD_GONE,
    FactKind.RECORD_DELETED,
    FactKind.RECORD_TRANSFERRED,
    FactKind.RECORD_BACK,
)
# The document of an identity: live, or of a CORRUPT spool, which may be released; its record
# is there still, and may be put under a hold.
_COUNTS = "d.kept = 1 AND d.disposition IN ('kept', 'withheld')"
_NUMBER = (
    "(SELECT d.number FROM documents AS d WHERE d.identity = {0} AND d.live = 1 UNION ALL"
    f" SELECT d.number FROM documents AS d WHERE d.identity = {{0}} AND d.live = 0 AND {_COUNTS})"
)
_OF_EACH = f"documents AS d ON d.number IN {_NUMBER.format('j.value')}"
_ANY_OF_EACH = OF_IDENTITY.replace(":identity", "j.value")  # also those from before
_RECENT = 900.0  # seconds after which the server certainly has what it was told


class Facts:
    """The journal's methods about facts and about what was seen."""

    _db: Connection

    # -- how far a look has come ---------------------------------------------------------
    def look_position(self, name: str) -> Mapping[str, int]:
        """What was noted under ``name``; empty if nothing was."""
        with self._db.reading() as conn:
            return position_of(conn, name)

    # -- what is known -------------------------------------------------------------------
    def known_records(self, identities: Collection[str], since: float) -> dict[str, KnownRecord]:
        """What is known of the records of these documents; those that have none are left
        out."""
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT d.number, d.identity, d.record_uri, d.business_unit, d.retain_until,"
                " s.lock_version, s.ends, s.absent, s.changed_at, s.uri FROM json_each(?) AS j"
                f" CROSS JOIN {_OF_EACH} LEFT JOIN sights AS s ON s.document = d.number"
                " WHERE d.record_uri IS NOT NULL",
                (json.dumps(sorted(set(identities))),),
            ).fetchall()
            return {row[1]: _known(conn, row, since) for row in rows}

    def known_disposals(self, ids: Collection[str]) -> frozenset[str]:
        """Those of ``ids`` that are disposals of ours."""
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT d.id FROM json_each(?) AS j CROSS JOIN disposals AS d ON d.id = j.value",
                (json.dumps(sorted(set(ids))),),
            )
            return frozenset(name for (name,) in rows)

    def decided(self, disposal: str) -> tuple[str, str | None]:
        """State of a disposal, and who approved it. ``KeyError`` if there is none."""
        with self._db.reading() as conn:
            row = conn.execute(
                "SELECT state, approved_by FROM disposals WHERE id = ?", (disposal,)
            ).fetchone()
        if row is None:
            raise KeyError(disposal)
        return row[0], row[1]

    def holds_by_events(self, identities: Collection[str]) -> list[SeenHold]:
        """Archivists' holds in force that events have placed on any of these."""
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT DISTINCT h.number FROM json_each(?) AS j"
                f" CROSS JOIN documents AS d ON d.number IN ({_ANY_OF_EACH})"
                " JOIN seen_hold_documents AS m ON m.document = d.number"
                " JOIN seen_holds AS h ON h.number = m.seen"
                f" WHERE h.by_event = 1 AND {_IN_FORCE} ORDER BY h.number",
                (json.dumps(sorted(set(identities))),),
            ).fetchall()
            return [_seen_hold(conn, number) for (number,) in rows]

    def seen_hold(self, number: int) -> SeenHold | None:
        """A hold that was seen, by its number."""
        with self._db.reading() as conn:
            known = conn.execute("SELECT 1 FROM seen_holds WHERE number = ?", (number,)).fetchone()
            return None if known is None else _seen_hold(conn, number)

    def asked_before(self, event: str) -> dict[str, Asked]:
        """See ``core.factsport``."""
        with self._db.reading() as conn:
            rows = [
                row
                for kind in (
                    FactKind.DISPOSAL_APPROVED,
                    FactKind.DISPOSAL_REFUSED,
                    FactKind.HOLD_RELEASED,
                )
                for row in conn.execute(
                    "SELECT number, key, kind, state, actor FROM facts WHERE key > ? AND key < ?",
                    (f"{kind}|{event}|", f"{kind}|{event}}}"),  # "}" is behind "|"
                )
            ]
        return {
            key.split("|")[2]: Asked(kind=FactKind(kind), state=FactState(state), actor=actor)
            for _, key, kind, state, actor in sorted(rows)
        }

    def unseen_events(self, events: Sequence[SeenEvent]) -> list[SeenEvent]:
        """Those that were not looked at as they stand now."""
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT s.uri, s.lock_version, s.changed_at FROM json_each(?) AS j"
                " CROSS JOIN seen_events AS s ON s.uri = j.value",
                (json.dumps([event.uri for event in events]),),
            )
            known = set(rows)
        return [
            event
            for event in events
            if (event.uri, event.lock_version, event.changed_at) not in known
        ]

    def records_after(
        self, business_unit: str, after: int, limit: int
    ) -> tuple[dict[str, str], int]:
        """Records of documents (identity by uri), by number, and the last number."""
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT d.number, d.record_uri, d.identity FROM documents AS d WHERE d.number > ?"
                " AND d.business_unit = ? AND d.record_uri IS NOT NULL"
                f" AND (d.live = 1 OR ({_COUNTS})) ORDER BY d.number LIMIT ?",
                (after, business_unit, limit),
            ).fetchall()
        return {uri: name for _, uri, name in rows}, rows[-1][0] if rows else after

    def records_at(self, uris: Collection[str]) -> dict[str, dict[str, str]]:
        """By business unit, which of ``uris`` are records of documents (identity by uri)."""
        found: dict[str, dict[str, str]] = {}
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT d.business_unit, d.record_uri, d.identity FROM json_each(?) AS j"
                " CROSS JOIN documents AS d"
                " ON substr(d.record_uri, 15 + instr(substr(d.record_uri, 15), '/'))"
                "  = substr(j.value, 15 + instr(substr(j.value, 15), '/'))"
                " AND d.record_uri IS NOT NULL AND d.record_uri = j.value AND d.live = 1",
                (json.dumps(sorted(set(uris))),),
            ).fetchall()
        for unit, uri, identity in rows:
            found.setdefault(unit, {})[uri] = identity
        return found

    # -- what was seen -------------------------------------------------------------------
    def record_look(
        self,
        name: str,
        position: Mapping[str, int],
        now: float,
        *,
        sights: Sequence[Sight] = (),
        events: Sequence[SeenEvent] = (),
        facts: Sequence[NewFact] = (),
    ) -> int:
        """A page was looked at; all of it is one transaction. Returns how many facts are
        new."""
        new = 0
        with self._db.writing() as conn:
            for fact in facts:
                new += _insert_fact(conn, fact, now)
            for sight in sights:
                new += sum(_insert_seen(conn, sight, fact, now) for fact in sight.facts)
                _remember(conn, sight)
            conn.executemany(
                "INSERT INTO seen_events VALUES (?, ?, ?) ON CONFLICT (uri) DO UPDATE SET"
                " lock_version = excluded.lock_version, changed_at = excluded.changed_at",
                [(event.uri, event.lock_version, event.changed_at) for event in events],
            )
            note_position(conn, name, position)
        return new

    def waiting_facts(self, *, due_at: float | None = None, limit: int = 100) -> list[FactRow]:
        """Facts whose effect is not carried out, oldest first."""
        due = "" if due_at is None else " AND (f.next_at IS NULL OR f.next_at <= :due)"
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {FACT_COLUMNS} FROM {FACTS_JOINED} WHERE f.state = 'WAITING'{due}"
                " ORDER BY f.number LIMIT :limit",
                {"due": due_at, "limit": limit},
            ).fetchall()
        return [fact_from(row) for row in rows]

    def settle_fact(
        self, number: int, state: FactState, now: float, *, reason: str = "", hold: str = ""
    ) -> None:
        """WAITING to DONE or REFUSED; ``hold`` is the id of the hold that it placed.
        Harmless to repeat."""
        with self._db.writing() as conn:
            conn.execute(
                "UPDATE facts SET state = ?, reason = ?, next_at = NULL, updated_at = ?"
                " WHERE number = ? AND state = 'WAITING'",
                (state, reason[:1000], now, number),
            )
            if hold:
                conn.execute(
                    "UPDATE seen_holds SET hold = ? WHERE placed = ? AND hold IS NULL",
                    (hold, number),
                )

    def defer_fact(self, number: int, error: str, next_at: float) -> None:
        """Count an attempt and note when to try again."""
        with self._db.writing() as conn:
            conn.execute(
                "UPDATE facts SET attempts = attempts + 1, reason = ?, next_at = ?"
                " WHERE number = ? AND state = 'WAITING'",
                (error[:1000], next_at, number),
            )

    def facts(
        self,
        *,
        after: int = 0,
        limit: int = 100,
        identity: str = "",
        kind: FactKind | None = None,
        waiting: bool = False,
    ) -> list[FactRow]:
        """Facts, oldest first."""
        state = " AND f.state = 'WAITING'" if waiting else ""
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {FACT_COLUMNS} FROM {FACTS_JOINED} WHERE f.number > :after{state}"
                " AND (:kind IS NULL OR f.kind = :kind)"
                f" AND (:identity = '' OR f.document IN ({OF_IDENTITY}))"
                " ORDER BY f.number LIMIT :limit",
                {"after": after, "kind": kind, "identity": identity, "limit": limit},
            ).fetchall()
        return [fact_from(row) for row in rows]


def position_of(conn: sqlite3.Connection, name: str) -> Mapping[str, int]:
    """Within a transaction of the caller."""
    row = conn.execute("SELECT value FROM look_positions WHERE name = ?", (name,)).fetchone()
    found: dict[str, int] = {} if row is None else json.loads(row[0])
    return found


def note_position(conn: sqlite3.Connection, name: str, position: Mapping[str, int]) -> None:
    """Within a transaction of the caller."""
    conn.execute(
        "INSERT INTO look_positions VALUES (?, ?) ON CONFLICT (name)"
        " DO UPDATE SET value = excluded.value",
        (name, dump(dict(position))),
    )


def fact_from(row: Sequence[Any]) -> FactRow:
    """A ``FactRow`` from ``FACT_COLUMNS``."""
    return FactRow(
        number=row[0],
        key=row[1],
        kind=FactKind(row[2]),
        source=row[3],
        business_unit=row[4],
        identity=row[5],
        uri=row[6],
        actor=row[7],
        at=row[8],
        recorded_at=row[9],
        body=json.loads(row[10]),
        state=FactState(row[11]),
        reason=row[12],
        attempts=row[13],
        file=row[14],
    )


def _known(conn: sqlite3.Connection, row: Sequence[Any], since: float) -> KnownRecord:
    number = row[0]
    holds = [
        _seen_hold(conn, seen)
        for (seen,) in conn.execute(
            # Of a document that came again, also those from before.
            "SELECT DISTINCT h.number FROM seen_hold_documents AS m JOIN seen_holds AS h"
            f" ON h.number = m.seen WHERE m.document IN ({OF_IDENTITY}) AND h.by_event = 0"
            " AND h.released IS NULL ORDER BY h.number",
            {"identity": row[1]},
        ).fetchall()
    ]
    ours, written, telling = _told(conn, number, since)
    history = {
        value or ""
        for pair in conn.execute(
            "SELECT old, new FROM retention_changes WHERE document = ? AND field = 'retain_until'",
            (number,),
        )
        for value in pair
    }
    return KnownRecord(
        identity=row[1],
        uri=row[2],
        business_unit=row[3],
        version=None if row[5] is None else (row[5], row[8]),
        end=row[6],
        seen_at=row[9] or "",
        absent=FactKind(row[7]) if row[7] else None,
        holds=tuple(holds),
        ours=ours,
        written=written,
        retain_until=row[4] or "",
        history=frozenset(history),
        telling=telling,
    )


def _told(
    conn: sqlite3.Connection, number: int, since: float
) -> tuple[frozenset[str], frozenset[str], bool]:
    """Ids of holds that hotfolder has told, or is telling, which the identifiers of their
    statements end in; of those the ones that must stand there open; and whether another end
    date may be on its way."""
    ours: set[str] = set()
    written: set[str] = set()
    telling = False
    for kind, body, sent_at, source in conn.execute(
        "SELECT u.kind, u.body, u.sent_at, h.source FROM updates AS u LEFT JOIN holds AS h"
        " ON h.id = json_extract(u.body, '$.hold') WHERE u.document = ? ORDER BY u.number",
        (number,),
    ):
        settled = sent_at is not None and sent_at < since - _RECENT
        if kind == "retention":
            telling = telling or not settled
        elif kind == "hold":
            told = json.loads(body)
            name = str(told["hold"])
            in_force = told.get("released_on") is None
            ours.discard(name)
            written.discard(name)
            if in_force or not settled:
                ours.add(name)
            if in_force and settled and source != "archivesspace":
                written.add(name)  # an archivist has their own
    # Those of holds here are ours even where nothing is known of telling them any more.
    standing = {
        hold
        for (hold,) in conn.execute(
            "SELECT h.id FROM hold_members AS m JOIN holds AS h ON h.number = m.hold"
            " WHERE m.document = ? AND h.released_at IS NULL",
            (number,),
        )
    }
    return frozenset(ours | standing), frozenset(written), telling


def _seen_hold(conn: sqlite3.Connection, number: int) -> SeenHold:
    reference, matter, hold, state = conn.execute(
        "SELECT h.reference, h.matter, h.hold, f.state FROM seen_holds AS h"
        " JOIN facts AS f ON f.number = h.placed WHERE h.number = ?",
        (number,),
    ).fetchone()
    members = conn.execute(
        "SELECT d.identity FROM seen_hold_documents AS m JOIN documents AS d"
        " ON d.number = m.document WHERE m.seen = ?",
        (number,),
    )
    seen = SeenHold(
        number=number,
        reference=reference,
        matter=matter,
        identities=frozenset(identity for (identity,) in members),
        hold=hold or "",
        state=FactState(state),
    )
    lost = conn.execute("SELECT 1 FROM facts WHERE key = ?", (seen.lost_key,)).fetchone()
    return seen if lost is None else replace(seen, lost=True)


def _insert_fact(conn: sqlite3.Connection, fact: NewFact, now: float) -> bool:
    """Once by its key; with its link of the audit chain, and the hold that it tells of."""
    state = FactState.DONE
    if fact.refused:
        state = FactState.REFUSED
    elif fact.kind in EFFECTIVE:
        state = FactState.WAITING
    row = conn.execute(
        "INSERT INTO facts (number, key, kind, source, business_unit, document, uri, actor, at,"
        f" recorded_at, body, state, reason, updated_at) SELECT {NEXT_NUMBER}, ?1, ?2,"
        " 'archivesspace', ?3,"
        f" {_NUMBER.format('?4')}, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12"
        " WHERE true ON CONFLICT (key) DO NOTHING RETURNING number",
        (
            fact.key,
            fact.kind,
            fact.business_unit,
            fact.identity,
            fact.uri,
            fact.actor,
            fact.at or now,
            now,
            dump(dict(fact.body)),
            state,
            fact.refused,
            now,
        ),
    ).fetchone()
    if row is None:
        return False
    number = int(row[0])
    if fact.kind in (FactKind.HOLD_PLACED, FactKind.RETENTION_EXTENDED) and not fact.refused:
        _open_hold(conn, number, fact)
    if fact.kind is FactKind.HOLD_RELEASED and not fact.refused:
        conn.execute(
            f"UPDATE seen_holds SET released = ? WHERE number = ? AND {_IN_FORCE}",
            (number, fact.body["seen"]),
        )
    subject = fact.identity or str(fact.body.get("disposal") or f"fact-{number}")
    details = {"fact": number, "kind": fact.kind.value, "state": state.value}
    append_links(conn, [("feedback.received", subject, details)], now, fact.actor)
    return True


def _insert_seen(conn: sqlite3.Connection, sight: Sight, fact: NewFact, now: float) -> bool:
    """As ``_insert_fact``. A record that goes, or comes, as it did before has saved no version
    that tells the two apart; that it is not remembered so does."""
    if _insert_fact(conn, fact, now):
        return True
    before = conn.execute(
        "SELECT s.absent, s.uri FROM sights AS s JOIN documents AS d ON d.number = s.document"
        f" WHERE d.number IN {_NUMBER.format('?1')}",
        (sight.identity,),
    ).fetchone()
    if fact.kind not in _GOING or before == (sight.absent, sight.uri):
        return False
    (number,) = conn.execute(f"SELECT {NEXT_NUMBER}").fetchone()
    return _insert_fact(conn, replace(fact, key=f"{fact.key}|{number}"), now)


def _open_hold(conn: sqlite3.Connection, number: int, fact: NewFact) -> None:
    named = fact.body.get("documents")
    identities = named if isinstance(named, list) else [fact.identity]
    (seen,) = conn.execute(
        "INSERT INTO seen_holds (reference, matter, by_event, placed) VALUES (?, ?, ?, ?)"
        " RETURNING number",
        (fact.body["reference"], fact.body["matter"], isinstance(named, list), number),
    ).fetchone()
    conn.execute(
        "INSERT INTO seen_hold_documents SELECT ?, d.number FROM json_each(?) AS j"
        f" CROSS JOIN {_OF_EACH}",
        (seen, json.dumps(identities)),
    )


def _remember(conn: sqlite3.Connection, sight: Sight) -> None:
    conn.execute(
        "INSERT INTO sights SELECT number, ?1, ?2, ?3, ?4, ?5 FROM documents"
        f" WHERE number IN {_NUMBER.format('?6')} ON CONFLICT (document) DO UPDATE SET"
        " uri = excluded.uri, lock_version = excluded.lock_version,"
        " changed_at = excluded.changed_at, ends = excluded.ends, absent = excluded.absent",
        (
            sight.uri,
            sight.lock_version,
            sight.changed_at,
            sight.end,
            sight.absent,
            sight.identity,
        ),
    )
