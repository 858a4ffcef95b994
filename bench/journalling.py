"""The parts of ``bench_journal`` that are measured, each in a process of its own."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from itertools import cycle
from pathlib import Path

from bench.common import answer, own_peak
from hotfolder.core.identity import business_key_of, document_identity, source_of
from hotfolder.core.lifecycle import OPEN_SPOOL_STATES, UnitState
from hotfolder.core.lifecycle import SpoolState as S
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
    """What transactions take, by the name of the method."""

    def __init__(self) -> None:
        self.calls: dict[str, int] = defaultdict(int)
        self.seconds: dict[str, float] = defaultdict(float)
        self.longest: dict[str, float] = defaultdict(float)

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        """Add what the block takes."""
        started = time.perf_counter()
        yield
        taken = time.perf_counter() - started
        self.calls[name] += 1
        self.seconds[name] += taken
        self.longest[name] = max(self.longest[name], taken)

    def answer(self, **more: float) -> None:
        """Say it all."""
        found: dict[str, Mapping[str, float]] = {
            "s": self.seconds,
            "longest": self.longest,
            "calls": self.calls,
        }
        answer(
            **{
                f"{name} {what}": value
                for what, part in found.items()
                for name, value in part.items()
            },
            **more,
        )


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
            inventory_sha256=hashlib.sha256(item.spool_id.encode()).hexdigest(),
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
    """``count`` new spools in batches, then their units: seconds for each method, and
    the bytes that were written for each transaction."""
    journal = SqliteJournal(os.fsencode(path))
    timed = Timed()
    before = bytes_written()
    for first in range(0, count, batch):
        take(journal, range(first, min(first + batch, count)), timed)
    written = (bytes_written() - before) / sum(timed.calls.values())
    deliver(journal, timed)
    journal.close()
    timed.answer(written=written)


def bytes_written() -> int:
    """What this process has handed to ``write`` so far (proc(5))."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("wchar:")).split()[1])


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


def restart(path: Path, rounds: int, last: int) -> None:
    """Open and look, as a daemon that starts; then the looks that it repeats, and those
    of a person. ``last`` is the number of the last spool that is done."""
    started = time.perf_counter()
    journal = SqliteJournal(os.fsencode(path))
    journal.status()
    for state in OPEN_SPOOL_STATES:
        journal.spools([state], limit=256)
    journal.units([UnitState.PLANNED, UnitState.SENT])
    journal.backlogs()
    seconds = time.perf_counter() - started
    peak = own_peak()
    some = [spool_id(last * number // rounds) for number in range(1, rounds + 1)]
    ids = cycle(some)
    documents = cycle([journal.documents_of(name)[0] for name in some])
    looks: dict[str, Callable[[], object]] = {
        "status": journal.status,
        "backlogs": journal.backlogs,
        "open units": lambda: journal.units([UnitState.PLANNED, UnitState.SENT]),
        "due spools": lambda: journal.spools(list(OPEN_SPOOL_STATES), due_at=1e10, limit=256),
        "server_state": journal.server_state,
        "get_spool": lambda: journal.get_spool(next(ids)),
        "get_spool by a prefix": lambda: journal.get_spool(next(ids)[:-4]),
        "get_document": lambda: journal.get_document(next(documents).document.identity),
        "documents_of": lambda: journal.documents_of(next(ids)),
        "history": lambda: journal.history(next(ids)),
        "states_of 1,000": lambda: journal.states_of([next(ids) for _ in range(1000)]),
        "newest 100": lambda: journal.spools([], limit=100, newest_first=True),
        "newest 100 DONE": lambda: journal.spools([S.DONE], limit=100, newest_first=True),
        "1,000 after one": lambda: journal.spools([], after=next(ids), limit=1000),
        "none in a folder": lambda: journal.spools([], folder="nowhere", limit=100),
        "unit": lambda: journal.get_unit(next(documents).unit_ref_id or ""),
        "request of a unit": lambda: journal.unit_request(next(documents).unit_ref_id or ""),
    }
    taken: dict[str, float] = {}
    for name, look in looks.items():
        started = time.perf_counter()
        for _ in range(rounds):
            look()
        taken[f"{name} ms"] = (time.perf_counter() - started) / rounds * 1000
    journal.close()
    answer(seconds=seconds, peak=peak, **taken)


if __name__ == "__main__":
    parts: dict[str, Callable[..., None]] = {
        "burst": burst,
        "fill": fill,
        "restart": restart,
    }
    parts[sys.argv[1]](Path(sys.argv[2]), *(int(text) for text in sys.argv[3:]))
