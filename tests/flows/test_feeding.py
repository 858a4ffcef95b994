"""The feed: every fact in one file, files whole and without gaps, a callback that may be
away for days."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.errors import OperatorFault, Transient
from hotfolder.core.facts import (
    FactKind,
    FactRow,
    FactState,
    FeedFact,
    FeedProfile,
    NewFact,
)
from hotfolder.core.feedlines import csv_rows, json_lines, keys_of
from hotfolder.core.profiles import ReturnKind, ReturnProfile
from hotfolder.core.records import DocumentMetadata
from hotfolder.files.durability import sync_files
from hotfolder.flows.feeding import Feeding
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.parts import make_feeding
from tests.support.doomed import doom
from tests.support.feedback import KEY
from tests.support.flow_world import FixedClock
from tests.support.journals import make_document, store

DAY = date(2026, 7, 1)


def facts(*numbers: int, kind: FactKind = FactKind.RECORD_SUPPRESSED) -> list[NewFact]:
    return [
        NewFact(
            key=f"{kind}|{number}",
            kind=kind,
            business_unit="RETAIL",
            actor="archivesspace:anna",
            at=1_782_000_000.0 + number,
            uri=f"/repositories/2/digital_objects/{number}",
        )
        for number in numbers
    ]


class Bench:
    """A journal and a folder that somebody reads."""

    def __init__(self, root: Path, **changes: Any) -> None:
        self.folder = root / "feed"
        self.folder.mkdir()
        self.journal = SqliteJournal(os.fsencode(root / "journal.db"))
        self.events: list[tuple[str, dict[str, object]]] = []
        self.clock = FixedClock()
        self.profile = FeedProfile(
            path=str(self.folder),
            fields=("document_type", "customer_id"),
            signing_key=KEY,
            **{"every": 60.0, **changes},
        )
        self.feeding = self.make()

    def make(self, **changes: Any) -> Feeding:
        """As after a start."""

        def emit(event: str, /, **fields: object) -> None:
            self.events.append((event, fields))

        return make_feeding(
            journal=self.journal,
            profile=replace(self.profile, **changes),
            clock=self.clock,
            emit=emit,
            jitter=lambda: 0.5,
        )

    def add(self, *new: NewFact) -> None:
        self.journal.record_look("test", {}, self.clock.now(), facts=new)

    def names(self) -> list[str]:
        return sorted(item.name for item in self.folder.iterdir())

    def lines(self, number: int) -> list[dict[str, Any]]:
        path = self.folder / f"hotfolder-facts-{number:010d}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.feeding.close()
    made.journal.close()


def test_a_file_has_what_is_new(bench: Bench) -> None:
    assert not bench.feeding.write(), "no empty files"
    bench.add(*facts(1, 2))
    assert bench.feeding.write()
    assert not bench.feeding.write()
    bench.add(*facts(2, 3))
    assert bench.feeding.write()
    assert bench.names() == [
        f"hotfolder-facts-{number:010d}.{kind}" for number in (1, 2) for kind in ("csv", "jsonl")
    ]
    assert [line["fact"] for line in bench.lines(1)] == [1, 2]
    assert [line["fact"] for line in bench.lines(2)] == [3]
    (line,) = bench.lines(2)
    assert list(line) == keys_of(bench.profile.fields)
    assert (line["schema"], line["file"], line["line"]) == ("hotfolder-feed/1", 2, 1)
    assert (line["kind"], line["actor"]) == ("record.suppressed", "archivesspace:anna")
    assert line["identity"] is None
    with (bench.folder / "hotfolder-facts-0000000002.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row == {key: "" if value is None else str(value) for key, value in line.items()}


def test_a_limit_and_kinds(bench: Bench) -> None:
    some = bench.make(limit=2, kinds=frozenset({"record.back"}))
    bench.add(*facts(1), *facts(2, 3, 4, kind=FactKind.RECORD_BACK))
    while some.write():
        pass
    assert [line["fact"] for line in bench.lines(1)] == [2, 3]
    assert [line["fact"] for line in bench.lines(2)] == [4]
    assert not bench.feeding.write(), "what was passed over stays so"


def test_what_waits_is_in_no_file_before_its_end(bench: Bench) -> None:
    hold = NewFact(
        key="k", kind=FactKind.HOLD_PLACED, business_unit="RETAIL", actor="a", at=0.0,
        body={"reference": "r", "matter": "m"},
    )  # fmt: skip
    bench.add(hold, *facts(1))
    assert bench.feeding.write()
    assert [line["fact"] for line in bench.lines(1)] == [2]
    bench.journal.settle_fact(1, FactState.REFUSED, 5.0, reason="too late")
    assert bench.feeding.write()
    assert [(line["fact"], line["reason"]) for line in bench.lines(2)] == [(1, "too late")]


def test_what_happens_here_is_told(bench: Bench) -> None:
    document = make_document(
        "p",
        metadata=DocumentMetadata(
            document_type="statement", customer_id="C-1", issue_date=date(2000, 1, 1)
        ),
    )
    late = replace(make_document("q"), retain_until=date(2020, 1, 1))
    (identity,) = store(bench.journal, 1, document)
    (other,) = store(bench.journal, 2, late)
    with bench.journal._db.writing() as conn:
        conn.execute(
            "UPDATE documents SET cutoff = '2000-01-01', retain_until = '2010-01-01'"
            " WHERE identity = ?",
            (identity,),
        )
    while bench.feeding.gather():
        pass
    assert bench.feeding.write()
    told = [(line["kind"], line["identity"], line["new"]) for line in bench.lines(1)]
    assert sorted(told) == [
        ("clock.started", identity, "2000-01-01"),
        ("date.changed", identity, "2010-01-01"),
        *sorted([("document.due", identity, None), ("document.due", other, None)]),
    ]
    customers = {line["identity"]: line["document_customer_id"] for line in bench.lines(1)}
    assert customers[identity] == "C-1"
    assert {line["source"] for line in bench.lines(1)} == {"hotfolder"}
    with bench.journal._db.writing() as conn:
        conn.execute("UPDATE documents SET retain_until = '2011-01-01' WHERE identity = ?",
                     (identity,))  # fmt: skip
    bench.clock.at += 86_400
    while bench.feeding.gather():
        pass
    assert bench.feeding.write()
    assert [line["kind"] for line in bench.lines(2)] == ["date.changed", "document.due"]
    assert bench.feeding.gather() == 0


def test_a_destruction_is_told_with_its_certificate(bench: Bench) -> None:
    (identity,) = store(bench.journal, 1, make_document("p"))
    text = '{"certificate": 1}'
    with bench.journal._db.writing() as conn:
        doom(conn, 1)
        conn.execute("UPDATE documents SET disposition = 'destroyed' WHERE number = 1")
    while bench.feeding.gather():
        pass
    assert bench.feeding.write()
    assert [line["kind"] for line in bench.lines(1)] == ["date.changed"]
    assert not bench.feeding.write(), "the certificate is still to come"
    with bench.journal._db.writing() as conn:
        conn.execute(
            "UPDATE disposals SET certificate = ?, certificate_sha256 = ?, state = 'DONE'",
            (text, hashlib.sha256(text.encode()).hexdigest()),
        )
    while bench.feeding.gather():
        pass
    assert bench.feeding.write()
    (line,) = bench.lines(2)
    assert (line["kind"], line["identity"]) == ("document.destroyed", identity)
    assert line["disposal"] == "disposal-0123456789ab"
    assert line["certificate_sha256"] == hashlib.sha256(text.encode()).hexdigest()


# -- the folder ----------------------------------------------------------------------------
def test_a_consumer_sees_no_half_of_a_file(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.add(*facts(*range(50)))
    seen: list[list[str]] = []

    def look(paths: list[bytes]) -> None:
        seen.append([name for name in bench.names() if not name.startswith(".")])
        sync_files(paths)

    monkeypatch.setattr("hotfolder.files.giving.sync_files", look)
    assert bench.feeding.write()
    assert seen == [[]], "before it is on disk nothing has its name"


def test_a_folder_that_is_away_loses_nothing(bench: Bench) -> None:
    bench.add(*facts(1))
    bench.folder.rename(bench.folder.with_name("away"))
    with pytest.raises((OperatorFault, Transient)):
        bench.feeding.write()
    bench.folder.with_name("away").rename(bench.folder)
    bench.add(*facts(2))
    while bench.feeding.write():
        pass
    assert [line["fact"] for line in bench.lines(1)] == [1], "what was planned stays planned"
    assert [line["fact"] for line in bench.lines(2)] == [2]


def test_a_file_is_written_again_for_who_has_lost_it(bench: Bench) -> None:
    bench.add(*facts(1, 2))
    assert bench.feeding.write()
    before = {name: (bench.folder / name).read_bytes() for name in bench.names()}
    with pytest.raises(OperatorFault):
        bench.feeding.replay(1)
    for name in before:
        (bench.folder / name).unlink()
    bench.add(*facts(3))
    bench.make(fields=("source",)).replay(1)
    assert {name: (bench.folder / name).read_bytes() for name in before} == before
    with pytest.raises(OperatorFault):
        bench.feeding.replay(2)


def test_what_one_consumer_took_is_not_there_again_beside_what_the_other_left(
    bench: Bench,
) -> None:
    bench.add(*facts(1))
    assert bench.feeding.write()
    (bench.folder / "hotfolder-facts-0000000001.csv").unlink()
    with pytest.raises(OperatorFault) as refused:
        bench.feeding.replay(1)
    assert refused.value.code == "feed.there"
    assert bench.names() == ["hotfolder-facts-0000000001.jsonl"]


def test_a_file_that_is_only_planned_is_settled_by_nobody(bench: Bench) -> None:
    bench.add(*facts(1))
    away = bench.folder.with_name("away")
    bench.folder.rename(away)
    with pytest.raises((OperatorFault, Transient)):
        bench.feeding.write()
    away.rename(bench.folder)
    with pytest.raises(OperatorFault) as refused:
        bench.feeding.replay(1, settle=True)
    assert refused.value.code == "feed.unknown"
    assert bench.names() == []
    assert bench.feeding.write()
    assert [line["fact"] for line in bench.lines(1)] == [1]


# -- the format ------------------------------------------------------------------------------
texts = st.text(st.characters(codec=None), max_size=20)


@given(texts, texts, texts)
def test_no_text_breaks_a_line_or_runs_as_a_formula(actor: str, reason: str, matter: str) -> None:
    fact = FactRow(
        number=1, key="k", kind=FactKind.HOLD_PLACED, source="archivesspace", business_unit="U",
        identity="", uri="", actor=actor, at=0.0, recorded_at=0.0, state=FactState.REFUSED,
        body={"matter": matter, "documents": ["hf-1", "hf-2"]}, reason=reason,
    )  # fmt: skip
    told = FeedFact(fact=fact, references={"customer_id": matter})
    fields = ("customer_id",)
    (line,) = json_lines(7, [told], fields)
    assert line.endswith(b"\n")
    found = json.loads(line)
    assert found["document_customer_id"] == matter or not matter.isprintable()
    rows = b"".join(csv_rows(7, [told], fields)).decode()
    header, row = csv.reader(io.StringIO(rows, newline=""))
    assert header == keys_of(fields) == list(found)
    for cell in row:
        assert not cell or cell[0] not in "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
    cells = dict(zip(header, row, strict=True))
    assert cells["document_customer_id"].removeprefix("'") == (
        matter.encode("utf-8", "backslashreplace").decode().removeprefix("'")
    )


# -- the callback ------------------------------------------------------------------------------
class Consumer:
    """Takes change sets, or does not."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.order: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[int] = []  # for the next requests; 0 takes it and hangs up
        self.url = ""


@contextmanager
def consuming() -> Iterator[Consumer]:
    consumer = Consumer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = consumer.answers.pop(0) if consumer.answers else 200
            if status in (0, 200):
                key = str(self.headers["Idempotency-Key"])
                if key not in consumer.bodies:
                    consumer.order.append(key)
                assert consumer.bodies.setdefault(key, body) == body
                consumer.headers.append(dict(self.headers.items()))
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing is said."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    consumer.url = f"http://127.0.0.1:{server.server_address[1]}/facts"
    try:
        yield consumer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def calling(url: str) -> dict[str, Any]:
    return {
        "callback": ReturnProfile(
            name="feed.callback", kind=ReturnKind.HTTP, url=url, secret="s",
            read_timeout=5, total_timeout=10,
        )
    }  # fmt: skip


@pytest.fixture
def called(tmp_path: Path) -> Iterator[tuple[Bench, Consumer]]:
    with consuming() as consumer:
        made = Bench(tmp_path, **calling(consumer.url))
        yield made, consumer
        made.feeding.close()
        made.journal.close()


def test_who_is_called_has_the_same_lines(called: tuple[Bench, Consumer]) -> None:
    bench, consumer = called
    bench.add(*facts(1, 2))
    assert not bench.feeding.post()
    assert bench.feeding.write()
    assert bench.feeding.post()
    assert not bench.feeding.post()
    (body,) = consumer.bodies.values()
    assert body == (bench.folder / "hotfolder-facts-0000000001.jsonl").read_bytes()
    (headers,) = consumer.headers
    key = headers["Idempotency-Key"]
    assert key == f"{bench.journal.log_id()}-1"
    signed = hmac.new(KEY.encode(), key.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["Hotfolder-Signature"] == f"v1={signed}"
    assert headers["Hotfolder-Schema"] == "hotfolder-feed/1"


@pytest.mark.parametrize("answer", [0, 400, 401, 409, 429, 500, 503])
def test_a_consumer_that_does_not_take_it_is_asked_again_in_order(
    called: tuple[Bench, Consumer], answer: int
) -> None:
    bench, consumer = called
    for number in range(3):
        bench.add(*facts(number))
        assert bench.feeding.write(), "files go on"
    consumer.answers = [answer] * 3
    for _ in range(3):
        assert not bench.feeding.post()
        assert not bench.feeding.post(), "it waits"
        waiting = bench.journal.unposted_feed_file()
        assert waiting is not None
        assert waiting.number == 1
        assert waiting.next_at is not None
        bench.clock.at = waiting.next_at
    while bench.feeding.post():
        pass
    assert [key.rpartition("-")[2] for key in consumer.order] == ["1", "2", "3"]
    assert len(consumer.bodies) == 3
    told = [event for event, _ in bench.events]
    assert told.count("feed.deferred") == 3


def test_a_consumer_that_is_away_for_days_catches_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path, **calling("http://127.0.0.1:9/facts"))
    for number in range(5):
        bench.add(*facts(number))
        assert bench.feeding.write()
        assert not bench.feeding.post()
        bench.clock.at += 86_400
    with consuming() as consumer:
        back = bench.make(**calling(consumer.url))
        while back.post():
            pass
        back.close()
    assert [key.rpartition("-")[2] for key in consumer.order] == list("12345")
    assert len([line for body in consumer.bodies.values() for line in body.splitlines()]) == 5
    bench.feeding.close()
    bench.journal.close()
