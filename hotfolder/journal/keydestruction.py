"""Which documents go by themselves, out of a spool that stays: by destroying their keys.

Asked inside the transaction that decides a disposal. A hold on one document of a spool does
not save the others here; whatever could be upon all of them does.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence

from hotfolder.core.disposals import Standing
from hotfolder.core.records import Encryption
from hotfolder.journal.holding import holds_upon, open_holds
from hotfolder.journal.judging import PAGE, Judged
from hotfolder.journal.repeats import has_twice


def spools_by_key(
    conn: sqlite3.Connection,
    members: Sequence[Judged],
    whole: Collection[int],
    divisible: Collection[str],
    marked: Mapping[str, Sequence[str]],
) -> frozenset[int]:
    """The spools (``spools.number``) out of which the documents that are DUE go by their
    keys: not those that could go as a whole, now or when what forbids that is over."""
    found = {
        item.spool: item.spool_id
        for item in members
        if item.standing is Standing.DUE
        and item.spool not in whole
        and item.spool_id in divisible
        and _are_known(conn, marked.get(item.spool_id, ()))
    }
    return frozenset(spool for spool in found if _may_lose_parts(conn, spool, members))


def stop_under_way(conn: sqlite3.Connection, members: Sequence[Judged]) -> None:
    """Documents of spools out of which others are being destroyed wait for their end: what
    is left of a spool is decided when that is known."""
    busy = {
        spool
        for (spool,) in conn.execute(
            "SELECT DISTINCT d.spool FROM json_each(?) AS j CROSS JOIN documents AS d"
            " ON d.spool = j.value WHERE d.disposition = 'destroying'",
            (json.dumps(sorted({item.spool for item in members})),),
        )
    }
    for item in members:
        if item.spool in busy:
            item.stop(Standing.BLOCKED, "others of its spool are being destroyed")


def is_divisible(conn: sqlite3.Connection, spool: int) -> bool:
    """Whether documents of a spool may go while it stays."""
    row = conn.execute(
        "SELECT 1 FROM spools WHERE number = ? AND encryption = ?", (spool, Encryption.DOCUMENTS)
    ).fetchone()
    return row is not None and not has_twice(conn, spool) and not _holds_upon_all(conn, spool)


def _may_lose_parts(conn: sqlite3.Connection, spool: int, members: Sequence[Judged]) -> bool:
    """Also whether others stay: a spool that lost all of its documents would be on no list
    any more, and never go."""
    if not is_divisible(conn, spool):
        return False
    due = sum(item.spool == spool and item.standing is Standing.DUE for item in members)
    (left,) = conn.execute(
        "SELECT count(*) FROM documents WHERE spool = ? AND role <> 'carrier'"
        " AND disposition <> 'destroyed'",
        (spool,),
    ).fetchone()
    return due < int(left)


def _are_known(conn: sqlite3.Connection, holds: Sequence[str]) -> bool:
    """Whether the journal has all of these holds: of one that it lost nobody can say upon
    which document of the spool it is."""
    known = conn.execute(
        "SELECT count(*) FROM holds WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(holds)),),
    ).fetchone()[0]
    return bool(known == len(set(holds)))


def _holds_upon_all(conn: sqlite3.Connection, spool: int) -> set[str]:
    """Holds upon what stands for a spool as a whole that came there by none of its
    documents, or that name it."""
    row = conn.execute(
        "SELECT number, identity FROM documents WHERE spool = ? AND role = 'carrier'", (spool,)
    ).fetchone()
    if row is None:
        return set()
    upon = set(holds_upon(conn, [row[0]]).get(row[0], ()))
    if not upon:
        return upon
    naming = {hold.id for hold in open_holds(conn).holds if row[1] in hold.criteria.identities}
    numbers = [
        number
        for (number,) in conn.execute(
            "SELECT number FROM documents WHERE spool = ? AND role <> 'carrier' ORDER BY number",
            (spool,),
        )
    ]
    parts: set[str] = set()
    for start in range(0, len(numbers), PAGE):
        for holds in holds_upon(conn, numbers[start : start + PAGE]).values():
            parts.update(holds)
    return (upon - parts) | (upon & naming)
