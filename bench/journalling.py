"""The parts of ``bench_journal`` that are measured, each in a process of its own."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from bench.common import answer
from hotfolder.core.identity import business_key_of, document_identity, source_of
from hotfolder.core.lifecycle import OPEN_SPOOL_STATES, UnitState
from hotfolder.core.records import (
    Document,
    DocumentMetadata,
    DocumentRange,
    Drop,
    Inspection,
    Reading,
    Sighting,
    StoredObject,
)
from hotfolder.journal.journal import SqliteJournal

SERIES = ("statements", "bills", "notices", "policies")
FIRST_DAY = date(2026, 1, 1)
UNIT_SIZE = 200


def make_drop(number: int) -> Drop:
    """A spool with a sidecar, as a folder of an Exstream job has them."""
    name = b"job0417/STMT_%010d.pdf" % number
    seen = Sighting(
        folder="statements", name=name, size=81_234, mtime_ns=10**18, inode=number, device=1
    )
    return Drop(folder="statements", spool=seen, sidecars=(replace(seen, name=name + b".json"),))


def make_reading(number: int) -> Reading:
    """One document, with the fields that a statement has."""
    sha256 = hashlib.sha256(b"%d" % number).hexdigest()
    series = SERIES[number % len(SERIES)]
    issued = FIRST_DAY + timedelta(days=number // 1000 % 180)
    source = source_of("retail", series)
    key = business_key_of([("account_number", str(number)), ("issue_date", str(issued))])
    document = Document(
        identity=document_identity(source, key, sha256),
        source=source,
        business_key=key,
        series=series,
        cycle=f"{issued:%Y-%m}",
        range=DocumentRange(ordinal=1, offset=0, length=81_234, sha256=sha256, pages=3),
        metadata=DocumentMetadata(
            customer_id=f"C-{number % 400_000:08}",
            customer_name="Customer of the Bank",
            account_number=f"A-{number:010}",
            document_type="statement",
            issue_date=issued,
            channel="print",
            job_number=f"J-{number // 20_000}",
            retention_class="FIN-7",
            extra={"Region": ("North",)},
        ),
        retain_until=issued.replace(year=issued.year + 7),
        title=f"Statement, {issued}",
    )
    return Reading(
        spool_id=spool_id(number),
        sha256=sha256,
        size=81_234,
        inspection=Inspection(format_name="pdf", pages=3),
        documents=(document,),
    )


def spool_id(number: int) -> str:
    """As the daemon makes them: they sort by arrival."""
    return f"{number:012x}{number * 2654435761 % 2**80:020x}"


class Timed:
    """The journal, its methods timed by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.longest: dict[str, float] = defaultdict(float)

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        """Add what the block takes."""
        started = time.perf_counter()
        yield
        taken = time.perf_counter() - started
        self.seconds[name] += taken
        self.longest[name] = max(self.longest[name], taken)


def take(journal: SqliteJournal, numbers: range, timed: Timed) -> None:
    """Bring one batch of new spools to STORED."""
    ids = [spool_id(number) for number in numbers]
    claims = [(spool_id(number), "retail", make_drop(number)) for number in numbers]
    readings = [make_reading(number) for number in numbers]
    objects = [
        StoredObject(
            spool_id=item.spool_id,
            object_path="ab/cd",
            content_sha256=item.sha256,
            content_size=item.size,
        )
        for item in readings
    ]
    with timed.time("begin_claims"):
        journal.begin_claims(claims, 1.0)
    with timed.time("finish_claims"):
        journal.finish_claims(ids, 2.0)
    with timed.time("record_readings"):
        journal.record_readings(readings, 3.0)
    with timed.time("record_stored"):
        journal.record_stored(objects, 4.0)


def deliver(journal: SqliteJournal, timed: Timed) -> None:
    """Confirm everything that waits, in units, and finish the spools."""
    for backlog in journal.backlogs():
        place = (backlog.business_unit, backlog.series, backlog.cycle)
        while True:
            with timed.time("plan_unit"):
                unit = journal.plan_unit(*place, UNIT_SIZE, 5.0)
            if unit is None:
                break
            uris = {name: f"/repositories/2/digital_objects/{name}" for name in unit.identities}
            with timed.time("mark_sent"):
                journal.mark_sent(unit.ref_id, 6.0)
            with timed.time("unit_request"):
                journal.unit_request(unit.ref_id)
            with timed.time("confirm_unit"):
                done = journal.confirm_unit(unit.ref_id, "/ao/1", uris, 7.0)
            with timed.time("record_receipted"):
                journal.record_receipted(done, 8.0)


def burst(path: Path, count: int, batch: int) -> None:
    """``count`` new spools in batches, then their units: seconds for each method."""
    journal = SqliteJournal(os.fsencode(path))
    timed = Timed()
    for first in range(0, count, batch):
        take(journal, range(first, min(first + batch, count)), timed)
    taken = sum(timed.seconds.values())
    deliver(journal, timed)
    journal.close()
    answer(
        taken=taken,
        **{f"{name} s": value for name, value in timed.seconds.items()},
        **{f"{name} longest": value for name, value in timed.longest.items()},
    )


def fill(path: Path, first: int, count: int, finish: int) -> None:
    """``count`` more spools, delivered and done if ``finish``. Not what is measured, so
    not synced; a fill that dies is done again."""
    journal = SqliteJournal(os.fsencode(path))
    journal._db._writer.execute("PRAGMA synchronous = OFF")  # noqa: SLF001
    for start in range(first, first + count, 5000):
        take(journal, range(start, min(start + 5000, first + count)), Timed())
        if finish:
            deliver(journal, Timed())
    journal.close()
    answer(bytes=path.stat().st_size)


def restart(path: Path, rounds: int) -> None:
    """Open and look, as a daemon that starts; then the looks that it repeats."""
    started = time.perf_counter()
    journal = SqliteJournal(os.fsencode(path))
    journal.status()
    for state in OPEN_SPOOL_STATES:
        journal.spools([state], limit=256)
    journal.units([UnitState.PLANNED, UnitState.SENT])
    journal.backlogs()
    seconds = time.perf_counter() - started
    looks: dict[str, Callable[[], object]] = {
        "status": journal.status,
        "backlogs": journal.backlogs,
        "open units": lambda: journal.units([UnitState.PLANNED, UnitState.SENT]),
        "due spools": lambda: journal.spools(list(OPEN_SPOOL_STATES), due_at=1e10, limit=256),
        "server_state": journal.server_state,
    }
    taken: dict[str, float] = {}
    for name, look in looks.items():
        started = time.perf_counter()
        for _ in range(rounds):
            look()
        taken[f"{name} ms"] = (time.perf_counter() - started) / rounds * 1000
    journal.close()
    answer(seconds=seconds, **taken)


def bare(path: Path, count: int, batch: int) -> None:
    """The floor: the same fields in one plain table, inserted once and never moved."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = FULL")
    conn.execute("CREATE TABLE spools (id TEXT PRIMARY KEY, name BLOB, identity TEXT, key TEXT)")
    rows = [
        (item.spool_id, b"name", item.documents[0].identity, item.documents[0].business_key)
        for item in (make_reading(number) for number in range(count))
    ]
    started = time.perf_counter()
    for first in range(0, count, batch):
        conn.execute("BEGIN IMMEDIATE")
        conn.executemany("INSERT INTO spools VALUES (?, ?, ?, ?)", rows[first : first + batch])
        conn.execute("COMMIT")
    seconds = time.perf_counter() - started
    conn.close()
    answer(seconds=seconds)


if __name__ == "__main__":
    parts: dict[str, Callable[..., None]] = {
        "burst": burst,
        "fill": fill,
        "restart": restart,
        "bare": bare,
    }
    parts[sys.argv[1]](Path(sys.argv[2]), *(int(text) for text in sys.argv[3:]))
