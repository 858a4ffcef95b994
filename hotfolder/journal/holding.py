"""Which holds are upon a document, and how a document becomes a member of one.

The holds in force are read once and kept while the token of ``holds_token`` stays: with
none in force a document costs nothing, with thousands it costs a look into an index.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from threading import Lock

from hotfolder.core.errors import Corrupt
from hotfolder.core.holds import Criteria, HoldIndex, OpenHold, load_criteria
from hotfolder.journal.holdfacts import Matcher, columns, facts_from
from hotfolder.journal.identities import WORDS
from hotfolder.journal.reasons import because
from hotfolder.journal.updates import add_updates

PAGE = 1000  # documents that are looked at, and written, at once
_REMEMBERED = 4  # sets of holds in force
_NAMES = "d.number, d.role, d.spool, d.disposition"
_THESE = "d.number = j.value"
_IN_SPOOLS = "d.spool = j.value"
_lock = Lock()
_known: dict[bytes, HoldIndex] = {}


def holds_upon(conn: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """The ids of the holds in force upon each of these documents; those that none is upon
    are left out. By membership, and by the criteria of the holds, looked at now. Upon what
    stands for a whole spool are those upon any document in it.

    Raises ``Corrupt`` if the criteria of a hold cannot be read: nothing may be decided then.
    """
    found: dict[int, set[str]] = {}
    for document, hold in conn.execute(
        "SELECT m.document, h.id FROM json_each(?) AS j"
        " CROSS JOIN hold_members AS m ON m.document = j.value"
        " JOIN holds AS h ON h.number = m.hold WHERE h.released_at IS NULL",
        (json.dumps(list(numbers)),),
    ):
        found.setdefault(document, set()).add(hold)
    index = open_holds(conn)
    if index:
        for number, holds in _matching(conn, index, _THESE, numbers):
            found.setdefault(number, set()).update(hold.id for hold in holds)
        if _is_gathering(conn):
            for carrier, carried in _carried(conn, numbers):
                for _, holds in _matching(conn, index, _THESE, carried):
                    found.setdefault(carrier, set()).update(hold.id for hold in holds)
    return {number: tuple(sorted(holds)) for number, holds in found.items()}


def holds_upon_spool(
    conn: sqlite3.Connection, spool: int, *, every: bool = False
) -> tuple[str, ...]:
    """The ids of the holds in force upon any document of a spool (``spools.number``), with
    ``every`` also upon those that count in another spool now."""
    found: set[str] = set()
    for page in _numbers_of(conn, spool, every=every):
        found.update(hold for holds in holds_upon(conn, page).values() for hold in holds)
    return tuple(sorted(found))


def admit_newcomers(conn: sqlite3.Connection, spools: Sequence[int], now: float) -> int:
    """Make the documents of these spools members of the holds in force that hold them;
    within the transaction that journals them. Returns how many memberships are new."""
    index = open_holds(conn)
    if not index.holds:
        return 0
    admitted = _take_over(conn, spools, now)
    if not index:
        return admitted
    wanted: dict[int, list[int]] = {}
    for number, holds in _matching(conn, index, f"{_IN_SPOOLS} AND d.kept = 1", spools):
        for hold in holds:
            waiting = wanted.setdefault(hold.number, [])
            waiting.append(number)
            if len(waiting) >= PAGE:
                admitted += join_hold(conn, hold.number, wanted.pop(hold.number), now)
    for hold_number in sorted(wanted):
        admitted += join_hold(conn, hold_number, wanted[hold_number], now)
    return admitted


def _take_over(conn: sqlite3.Connection, spools: Sequence[int], now: float) -> int:
    """A document that comes again, because its spool is CORRUPT or was rejected, is the same
    document: it is under the holds that it was under, whatever their criteria say now."""
    rows = conn.execute(
        "SELECT DISTINCT m.hold, d.number FROM json_each(?) AS j CROSS JOIN documents AS d"
        " ON d.spool = j.value AND d.role <> 'carrier' CROSS JOIN documents AS o"
        " ON o.identity = d.identity AND o.live = 0 AND o.number <> d.number"
        " CROSS JOIN hold_members AS m ON m.document = o.number"
        " CROSS JOIN holds AS h ON h.number = m.hold WHERE h.released_at IS NULL"
        " ORDER BY m.hold, d.number",
        (json.dumps(list(spools)),),
    ).fetchall()
    wanted: dict[int, list[int]] = {}
    for hold, number in rows:
        wanted.setdefault(hold, []).append(number)
    return sum(join_hold(conn, hold, numbers, now) for hold, numbers in wanted.items())


def join_hold(conn: sqlite3.Connection, hold: int, numbers: Sequence[int], now: float) -> int:
    """Make documents members of a hold, and what stands for their spools; returns how many
    documents are new. Those that are being destroyed, or were, are left out.

    What ArchivesSpace is to be told waits in the same transaction. A document that was
    withheld from retrieval is kept again: whoever asked for the hold will ask for it.
    """
    rows = conn.execute(
        f"SELECT {_NAMES} FROM json_each(?) AS j CROSS JOIN documents AS d ON d.number = j.value"
        " WHERE d.disposition IN ('kept', 'withheld')",
        (json.dumps(list(numbers)),),
    ).fetchall()
    carried = sorted({spool for _, role, spool, _ in rows if role == "carried"})
    rows += conn.execute(
        f"SELECT {_NAMES} FROM json_each(?) AS j CROSS JOIN documents AS d ON d.spool = j.value"
        " WHERE d.role = 'carrier' AND d.kept = 1 AND d.disposition IN ('kept', 'withheld')",
        (json.dumps(carried),),
    ).fetchall()
    roles = {number: role for number, role, _, _ in rows}
    new = [
        document
        for (document,) in conn.execute(
            "INSERT INTO hold_members SELECT ?, j.value, ? FROM json_each(?) AS j"
            " WHERE NOT EXISTS (SELECT 1 FROM hold_members AS m"
            "  WHERE m.hold = ? AND m.document = j.value) RETURNING document",
            (hold, now, json.dumps(sorted(roles)), hold),
        ).fetchall()
    ]
    withheld = [number for number, _, _, disposition in rows if disposition == "withheld"]
    if withheld:
        with because(conn, "a legal hold was placed", now):
            conn.executemany(
                "UPDATE documents SET disposition = 'kept', disposed_at = NULL WHERE number = ?",
                [(number,) for number in withheld],
            )
    tell(conn, hold, [number for number in new if roles[number] in ("own", "carrier")], now)
    return sum(roles[number] != "carrier" for number in new)


def tell(conn: sqlite3.Connection, hold: int, numbers: Sequence[int], now: float) -> None:
    """Let what is to be told of a hold wait for each of these documents."""
    if not numbers:
        return
    name, matter, mandate, placed_at, released_at = conn.execute(
        "SELECT id, matter, mandate, placed_at, released_at FROM holds WHERE number = ?", (hold,)
    ).fetchone()
    body = {
        "hold": name,
        "matter": matter,
        "mandate": mandate,
        "placed_on": _day_of(placed_at),
        "released_on": None if released_at is None else _day_of(released_at),
    }
    add_updates(conn, [(number, "hold", body) for number in numbers], now)


def _day_of(moment: float) -> str:
    return datetime.fromtimestamp(moment, tz=UTC).date().isoformat()


# -- holds in force -----------------------------------------------------------------
def open_holds(conn: sqlite3.Connection) -> HoldIndex:
    """The holds in force, as the transaction of ``conn`` sees them."""
    (token,) = conn.execute("SELECT token FROM holds_token WHERE one = 1").fetchone()
    with _lock:
        known = _known.get(token)
    if known is None:
        known = HoldIndex(tuple(_read_open(conn)))
        with _lock:
            while len(_known) >= _REMEMBERED:
                _known.pop(next(iter(_known)))
            _known[token] = known
    return known


def _read_open(conn: sqlite3.Connection) -> Iterator[OpenHold]:
    for number, name, criteria in conn.execute(
        "SELECT number, id, criteria FROM holds INDEXED BY holds_in_force"
        " WHERE released_at IS NULL ORDER BY number"
    ):
        yield OpenHold(number=number, id=name, criteria=read_criteria(name, criteria))


def read_criteria(name: str, text: str) -> Criteria:
    """The criteria of a hold; ``Corrupt`` if this release does not understand them."""
    try:
        return load_criteria(text)
    except ValueError as error:
        raise Corrupt(
            f"the criteria of {name} are not understood: {error}",
            hint="run the release that placed it; nothing is destroyed meanwhile",
            code="hold.criteria",
        ) from error


def _is_gathering(conn: sqlite3.Connection) -> bool:
    rows = conn.execute("SELECT phase FROM hold_progress WHERE phase NOT IN ('PLACED', 'LIFTED')")
    return any(phase == "GATHERING" for (phase,) in rows)


# -- documents ----------------------------------------------------------------------
def _numbers_of(
    conn: sqlite3.Connection, spool: int, *, every: bool = False
) -> Iterator[list[int]]:
    """The documents of a spool that count, or all of them, a page at a time."""
    ordinal = 0
    while True:
        rows = conn.execute(
            "SELECT ordinal, number, kept FROM documents WHERE spool = ? AND ordinal > ?"
            " ORDER BY ordinal LIMIT ?",
            (spool, ordinal, PAGE),
        ).fetchall()
        if not rows:
            return
        ordinal = rows[-1][0]
        yield [number for _, number, kept in rows if kept or every]


def _carried(conn: sqlite3.Connection, numbers: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """(what stands for a spool, a page of the documents in it), of those in ``numbers``."""
    for number, spool in conn.execute(
        "SELECT d.number, d.spool FROM json_each(?) AS j"
        " CROSS JOIN documents AS d ON d.number = j.value WHERE d.role = 'carrier'",
        (json.dumps(list(numbers)),),
    ).fetchall():
        for page in _numbers_of(conn, spool):
            yield number, page


def _matching(
    conn: sqlite3.Connection, index: HoldIndex, which: str, values: Sequence[int]
) -> Iterator[tuple[int, list[OpenHold]]]:
    """The holds that hold each of these documents, by their criteria; of what stands for a
    spool none. In flat memory."""
    cursor = conn.execute(
        f"SELECT {columns(references=index.asks_references)} FROM json_each(?) AS j"
        f" CROSS JOIN documents AS d ON {which} CROSS JOIN spools AS s ON s.number = d.spool"
        " WHERE d.role <> 'carrier'",
        (json.dumps(list(values)),),
    )
    with Matcher() as matcher:
        while rows := cursor.fetchmany(PAGE):
            for facts in map(facts_from, rows):
                fitting = list(index.fitting(facts))
                if any(hold.criteria.words for hold in fitting):
                    (text,) = conn.execute(
                        f"SELECT {WORDS} FROM documents WHERE number = ?", (facts.number,)
                    ).fetchone()
                    fitting = [
                        hold for hold in fitting if matcher.has_words(text, hold.criteria.words)
                    ]
                if fitting:
                    yield facts.number, fitting
