"""The parts of ``bench_find`` that are measured, each in a process of its own."""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from bench.common import answer, own_peak
from bench.journalling import make_drop
from hotfolder.core.identity import business_key_of, document_identity, source_of
from hotfolder.core.query import DocumentQuery
from hotfolder.core.records import (
    Document,
    DocumentMetadata,
    DocumentRange,
    Inspection,
    Reading,
    StoredObject,
)
from hotfolder.journal.journal import SqliteJournal
from hotfolder.journal.rows import INSERT_DOCUMENT, document_values

PAGE = 51  # `hotfolder find` shows 50 and looks whether there is one more
# What the journal writes of a document, into a table without checks.
COLUMNS = INSERT_DOCUMENT.partition("(")[2].partition(")")[0]
_INSERT_BARE = INSERT_DOCUMENT.replace("documents", "bare", 1)
_ENOUGH = 5.0  # seconds of one question: those that take seconds are not asked so often
_MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Some:
    """A document chosen by chance, and what is asked for because of it."""

    customer: str
    account: str
    kind: str
    day: date
    spool: str
    case: str
    name: str  # the customer's: a given name, and a surname that 750 or so have

    @property
    def days(self) -> DocumentQuery:
        """Two months around the day."""
        return DocumentQuery(issued_from=self.day - _MONTH, issued_to=self.day + _MONTH)


QUESTIONS: dict[str, Callable[[Some], DocumentQuery]] = {
    "customer and days": lambda it: replace(it.days, customer_id=it.customer),
    "customer": lambda it: DocumentQuery(customer_id=it.customer),
    "account": lambda it: DocumentQuery(account_number=it.account),
    "account and days": lambda it: replace(it.days, account_number=it.account),
    "customer of 5,000, and days": lambda it: replace(it.days, customer_id=_large(it)),
    "customer of 5,000": lambda it: DocumentQuery(customer_id=_large(it)),
    "customer of 5,000, and type": lambda it: DocumentQuery(
        customer_id=_large(it), document_type=it.kind
    ),
    "type and days": lambda it: replace(it.days, document_type=it.kind),
    "type": lambda it: DocumentQuery(document_type=it.kind),
    "rare type": lambda _: DocumentQuery(document_type="claim_letter"),
    "rare type and days": lambda it: replace(it.days, document_type="claim_letter"),
    "type of none": lambda it: DocumentQuery(document_type=f"no_{it.kind}"),
    "case": lambda it: DocumentQuery(case_ref=it.case),
    "days": lambda it: it.days,
    "spool": lambda it: DocumentQuery(spool_id=it.spool),
    "spool and days": lambda it: replace(it.days, spool_id=it.spool),
    "name": lambda it: DocumentQuery(words=tuple(it.name.split())),
    "name and days": lambda it: replace(it.days, words=tuple(it.name.split())),
    "beginning of a surname": lambda it: DocumentQuery(words=(it.name.split()[1][:5],)),
    "the same and days": lambda it: replace(it.days, words=(it.name.split()[1][:5],)),
    "given name (one in ten)": lambda it: DocumentQuery(words=(it.name.split()[0],)),
    "the same, and days": lambda it: replace(it.days, words=(it.name.split()[0],)),
    "word of a type and days": lambda it: replace(it.days, words=(it.kind.split("_")[0],)),
    "year (one in seven)": lambda it: DocumentQuery(words=(str(it.day.year),)),
    "word of none": lambda it: DocumentQuery(words=(f"x{it.account}",)),
    "newest of all": lambda _: DocumentQuery(),
}
# Pages are told apart by the document after which they begin.
PAGED = ("newest of all", "type and days", "customer of 5,000", "spool", "given name (one in ten)")


def _large(it: Some) -> str:
    return f"C{int(it.customer[1:]) % 4:08}"


def choose(path: Path, count: int, seed: int) -> list[Some]:
    """Documents by chance, of the whole catalogue."""
    chance = random.Random(seed)
    with closing(sqlite3.connect(path)) as conn:
        (last,) = conn.execute(
            "SELECT max(number) FROM documents WHERE unit IS NOT NULL"
        ).fetchone()
        found = []
        for _ in range(count):
            row = conn.execute(
                "SELECT d.customer_id, d.account_number, d.document_type, d.issue_date, s.id,"
                " d.metadata ->> '$.customer_name' FROM documents AS d"
                " JOIN spools AS s ON s.number = d.spool WHERE d.number = ?",
                (chance.randint(1, last),),
            ).fetchone()
            found.append(
                Some(
                    customer=row[0],
                    account=row[1],
                    kind=row[2],
                    day=date.fromisoformat(row[3]),
                    spool=row[4],
                    case=f"CASE-{chance.randint(0, last // 300):07}",
                    name=row[5],
                )
            )
    return found


def forget(path: Path) -> None:
    """Take the file out of the page cache (posix_fadvise(2)): what is read next comes from
    the disk. Of what lies below a loop device that says nothing: give it ``--direct-io``."""
    for name in (path, Path(f"{path}-wal")):
        if name.exists():
            with name.open("rb") as file:
                os.fdatasync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def ask(path: Path, name: str, rounds: int, cold: int, pages: int) -> None:
    """A question ``rounds`` times with other values, each warm after an earlier run or each
    cold; ``pages`` pages on. Milliseconds of the find, and of the count if warm."""
    # To come to a hundredth page takes as long as a hundred pages.
    chosen = choose(path, rounds if pages < 10 else min(rounds, 10), seed=pages * 2 + cold)
    journal = SqliteJournal(os.fsencode(path))
    queries = [_go_on(journal, QUESTIONS[name](it), pages) for it in chosen]
    found, counted, rows = list[float](), list[float](), 0
    for query in queries:
        if cold:
            journal.close()
            forget(path)
            journal = SqliteJournal(os.fsencode(path))
        else:
            journal.find_documents(query, PAGE)
        started = time.perf_counter()
        rows += len(journal.find_documents(query, PAGE))
        found.append(time.perf_counter() - started)
        if sum(found) > _ENOUGH:
            break
    for query in queries if not cold and not pages else ():
        started = time.perf_counter()
        journal.count_documents(query)
        counted.append(time.perf_counter() - started)
        if sum(counted) > _ENOUGH:
            break
    journal.close()
    answer(
        rows=rows / len(found),
        asked=len(found),
        peak=own_peak(),
        **_spread("find", found),
        **_spread("count", counted),
    )


def _go_on(journal: SqliteJournal, query: DocumentQuery, pages: int) -> DocumentQuery:
    if not pages:
        return query
    rows = journal.find_documents(query, pages * (PAGE - 1))
    return replace(query, after=rows[-1].document.identity)


def _spread(name: str, seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {}
    inorder = sorted(seconds)
    return {
        f"{name} p50": inorder[len(inorder) // 2] * 1000,
        f"{name} p99": inorder[min(len(inorder) - 1, len(inorder) * 99 // 100)] * 1000,
    }


def ask_floor(path: Path, rounds: int, cold: int) -> None:
    """A customer's documents of two months: the same rows through the same index, by one
    statement of the bare sqlite3 module, without spools, units and records."""
    chosen = choose(path, rounds, seed=cold)
    conn = sqlite3.connect(path)
    found, rows = list[float](), 0
    for again in range(1 if cold else 2):
        for it in chosen:
            if cold:
                conn.close()
                forget(path)
                conn = sqlite3.connect(path)
                conn.execute("SELECT 1 FROM documents LIMIT 1").fetchone()
            days = (str(it.day - _MONTH), str(it.day + _MONTH))
            started = time.perf_counter()
            rows += len(
                conn.execute(
                    f"SELECT {COLUMNS} FROM documents WHERE customer_id = ?"
                    " AND issue_date BETWEEN ? AND ? ORDER BY issue_date DESC, number DESC LIMIT ?",
                    (it.customer, *days, PAGE),
                ).fetchall()
            )
            if cold or again:
                found.append(time.perf_counter() - started)
    conn.close()
    answer(rows=rows, **_spread("find", found))


def _documents(first: int, count: int) -> Iterator[Document]:
    """Of customers whom the catalogue has, in no order."""
    chance = random.Random(first)
    source, day = source_of("retail", "statements"), date(2026, 7, 1)
    for number in range(count):
        customer = chance.randrange(2_000_000)
        sha256 = hashlib.sha256(b"%d" % (first + number)).hexdigest()
        key = business_key_of([("account_number", str(first + number))])
        yield Document(
            identity=document_identity(source, key, sha256),
            source=source,
            business_key=key,
            series="statements",
            cycle="2026-07",
            range=DocumentRange(
                ordinal=number + 1,
                offset=number * 48211,
                length=48211,
                sha256=sha256,
                first_page=number * 3 + 1,
                pages=3,
            ),
            metadata=DocumentMetadata(
                customer_id=f"C{customer:08}",
                customer_name=f"{chance.choice(('Anna', 'Ben'))} Berg{customer % 1331}",
                account_number=f"DE{customer * 10:018}",
                document_type="statement",
                issue_date=day,
                channel="print",
                application="RetailOutput",
                language="de",
                period="2026-07",
                job_number=f"J{first}",
                retention_class="FIN-7",
                extra={"Branch": (f"B{customer % 400}",), "Region": ("North",)},
            ),
            retain_until=day.replace(year=day.year + 7),
            title=f"Statement, {day}",
        )


def load(path: Path, bare: Path, count: int) -> None:
    """One more spool of ``count`` documents through the journal's own methods, and the same
    rows into an empty bare table with one index, as durably."""
    with closing(sqlite3.connect(path)) as conn:
        (first,) = conn.execute("SELECT max(number) + 1 FROM documents").fetchone()
    documents = tuple(_documents(first, count))
    name, sha256 = uuid.uuid4().hex, hashlib.sha256(b"%d" % first).hexdigest()
    reading = Reading(
        spool_id=name,
        sha256=sha256,
        size=48211 * count,
        inspection=Inspection(format_name="afp", pages=3 * count),
        documents=documents,
    )
    stored = StoredObject(
        spool_id=name, object_path="ab/cd", content_sha256=sha256, content_size=48211 * count
    )
    forget(path)
    size = path.stat().st_size
    journal = SqliteJournal(os.fsencode(path))
    journal.begin_claims([(name, "retail", make_drop(first))], 1.0)
    journal.finish_claims([name], 2.0)
    times = [time.perf_counter()]
    journal.record_readings([reading], 3.0)
    times.append(time.perf_counter())
    journal.record_stored([stored], 4.0)
    times.append(time.perf_counter())
    peak = own_peak()
    journal.close()
    conn = sqlite3.connect(bare, isolation_level=None)
    conn.execute(f"CREATE TABLE bare (number INTEGER PRIMARY KEY, {COLUMNS})")
    conn.execute("CREATE INDEX by_customer ON bare (customer_id, issue_date)")
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = FULL")
    rows = [document_values(document, 0, "retail") for document in documents]
    started = time.perf_counter()
    conn.execute("BEGIN IMMEDIATE")
    conn.executemany(_INSERT_BARE, rows)
    conn.execute("COMMIT")
    floor = time.perf_counter() - started
    conn.close()
    answer(
        read=count / (times[1] - times[0]),
        stored=count / (times[2] - times[1]),
        floor=count / floor,
        grown=(path.stat().st_size - size) / count,
        peak=peak,
    )


if __name__ == "__main__":
    parts: dict[str, Callable[..., None]] = {
        "ask": ask,
        "ask_floor": ask_floor,
        "load": load,
    }
    convert = [int if text.isdigit() else (Path if "/" in text else str) for text in sys.argv[2:]]
    parts[sys.argv[1]](*(kind(text) for kind, text in zip(convert, sys.argv[2:], strict=True)))
