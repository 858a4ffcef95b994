"""What happens to archived documents, journalled as the slices that decide it do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from hotfolder.journal.journal import SqliteJournal
from hotfolder.journal.reasons import because
from hotfolder.journal.updates import add_updates


def numbers_of(journal: SqliteJournal, identities: Sequence[str]) -> list[int]:
    """The numbers of live documents."""
    with journal._db.reading() as conn:
        return [
            conn.execute(
                "SELECT number FROM documents WHERE identity = ? AND live = 1", (identity,)
            ).fetchone()[0]
            for identity in identities
        ]


def place_hold(
    journal: SqliteJournal, number: int, identities: Sequence[str], now: float = 1_795_000_000.0
) -> str:
    """A hold upon these documents; its id."""
    name = f"hold-{number:012d}"
    numbers = numbers_of(journal, identities)
    with journal._db.writing() as conn:
        conn.execute(
            "INSERT INTO holds (id, matter, source, placed_at, placed_by)"
            " VALUES (?, ?, 'hotfolder', ?, 'me')",
            (name, f"M-{number}", now),
        )
        conn.executemany(
            "INSERT INTO hold_members SELECT h.number, ?, ? FROM holds AS h WHERE h.id = ?",
            [(document, now, name) for document in numbers],
        )
        add_updates(
            conn, [(document, "hold", _body(name, number, now)) for document in numbers], now
        )
    return name


def release_hold(journal: SqliteJournal, number: int, now: float = 1_796_000_000.0) -> None:
    """Its documents are told of it."""
    name = f"hold-{number:012d}"
    with journal._db.writing() as conn:
        (placed_at,) = conn.execute("SELECT placed_at FROM holds WHERE id = ?", (name,)).fetchone()
        conn.execute(
            "UPDATE holds SET released_at = ?, released_by = 'me' WHERE id = ?", (now, name)
        )
        members = conn.execute(
            "SELECT m.document FROM hold_members AS m JOIN holds AS h ON h.number = m.hold"
            " WHERE h.id = ?",
            (name,),
        ).fetchall()
        body = _body(name, number, placed_at, now)
        add_updates(conn, [(document, "hold", body) for (document,) in members], now)


def decide_end(journal: SqliteJournal, identity: str, until: date | None, now: float) -> None:
    """Another last day of retention, as the computing of dates writes it."""
    (number,) = numbers_of(journal, [identity])
    day = None if until is None else until.isoformat()
    with journal._db.writing() as conn, because(conn, "a test", now):
        (code,) = conn.execute(
            "SELECT retention_class FROM documents WHERE number = ?", (number,)
        ).fetchone()
        conn.execute("UPDATE documents SET retain_until = ? WHERE number = ?", (day, number))
        body = {
            "retention_class": code,
            "class_version": 2,
            "cutoff": None,
            "retain_until": day,
        }
        add_updates(conn, [(number, "retention", body)], now)


def destroy(
    journal: SqliteJournal, identities: Sequence[str], now: float = 1_797_000_000.0
) -> None:
    """They were destroyed, and a certificate says so."""
    body = {
        "disposal": "disposal-000000000001",
        "destroyed_on": "2026-12-12",
        "certificate_sha256": "c" * 64,
    }
    rows = [(number, "destroyed", body) for number in numbers_of(journal, identities)]
    journal.add_changes(rows, now)


def _body(
    name: str, number: int, placed_at: float, released_at: float | None = None
) -> dict[str, object]:
    return {
        "hold": name,
        "matter": f"M-{number}",
        "mandate": "",
        "placed_on": _day(placed_at),
        "released_on": None if released_at is None else _day(released_at),
    }


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).date().isoformat()
