"""Orders and requests in the journal: legal moves only, and the chain in the same commit."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hotfolder.core.orders import (
    Fate,
    Fated,
    NewAsked,
    NewOrder,
    OrderState,
    RequestState,
    Staged,
)
from hotfolder.core.records import Drop
from hotfolder.journal.journal import SqliteJournal
from tests.support.journals import make_sighting

ID = "hf-" + "0" * 64
STAGED = Staged(
    form="exact",
    derived=False,
    sha256="0" * 64,
    size=10,
    folder="/back",
    device=1,
    inode=2,
    files=(("a.tmp", "a"),),
)
ORDER = NewOrder(id="order-1", identity=ID, to="back", reason="why", actor="clerk")
ASKED = NewAsked(
    id="request-1",
    business_unit="RETAIL",
    uri="/repositories/2/events/7",
    note="to: back",
    to="back",
    fates=(Fated(line=1, asked="x", fate=Fate.UNKNOWN),),
    orders=(NewOrder(id="order-2", identity=ID, to="back", reason="", actor="hotfolder"),),
)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    made = SqliteJournal(os.fsencode(tmp_path / "journal.db"))
    yield made
    made.close()


def actions(journal: SqliteJournal) -> list[str]:
    return [row.action for row in journal.audit()]


def test_an_order_goes_its_way(journal: SqliteJournal) -> None:
    journal.add_order(ORDER, 1)
    journal.defer_order("order-1", "nobody there", 50, 2)
    journal.defer_order("order-1", "who knows", 60, 3, unknown=True)
    (waiting,) = journal.open_orders()
    assert (waiting.attempts, waiting.unknown, waiting.next_at) == (2, 1, 60)
    assert journal.open_orders(due_at=59) == []
    assert journal.hasten_orders(4) == 1
    assert len(journal.open_orders(due_at=5)) == 1
    journal.stage_order("order-1", STAGED, 6)
    staged = journal.get_order("order-1")
    assert staged is not None
    assert (staged.state, staged.staged, staged.attempts) == (OrderState.STAGED, STAGED, 0)
    assert actions(journal) == []
    journal.give_order("order-1", "", 7)
    given = journal.get_order("order-")
    assert given is not None
    assert (given.state, given.fate) == (OrderState.GIVEN, Fate.GIVEN)
    (link,) = journal.audit()
    assert (link.actor, link.action, link.subject) == ("clerk", "document.returned", ID)
    assert [step.new for step in journal.steps("order-1")] == ["ORDERED", "STAGED", "GIVEN"]
    assert journal.open_orders() == []
    assert [row.id for row in journal.orders(identity=ID)] == ["order-1"]


@pytest.mark.parametrize(
    "move",
    [
        lambda journal: journal.give_order("order-1", "", 9),
        lambda journal: journal.give_order("order-9", "", 9),
        lambda journal: journal.stage_order("order-9", STAGED, 9),
        lambda journal: journal.close_request("request-1", "", 9),
        lambda journal: journal.receive_request("request-1", 9),
        lambda journal: journal.close_request("request-9", "", 9),
    ],
)
def test_an_illegal_move_changes_nothing(
    journal: SqliteJournal, move: Callable[[SqliteJournal], None]
) -> None:
    journal.add_order(ORDER, 1)
    assert journal.ask_request(ASKED, 1)
    before = (journal.orders(), journal.requests(), actions(journal))
    with pytest.raises(ValueError):  # noqa: PT011  SQLite's words are not ours
        move(journal)
    assert (journal.orders(), journal.requests(), actions(journal)) == before


def test_what_is_at_its_end_stays_there(journal: SqliteJournal) -> None:
    journal.add_order(ORDER, 1)
    journal.fail_order("order-1", Fate.CORRUPT, "other bytes", 2)
    with pytest.raises(ValueError):  # noqa: PT011
        journal.stage_order("order-1", STAGED, 3)
    with pytest.raises(ValueError):  # noqa: PT011
        journal.fail_order("order-1", Fate.FORM, "", 3)
    journal.defer_order("order-1", "x", 9, 3)
    (row,) = journal.orders()
    assert (row.fate, row.last_error, row.attempts) == (Fate.CORRUPT, "other bytes", 0)
    assert actions(journal) == ["retrieval.refused"]


def test_an_event_is_journalled_once(journal: SqliteJournal) -> None:
    assert journal.ask_request(ASKED, 1)
    assert not journal.ask_request(ASKED, 2)
    assert not journal.ask_request(replace(ASKED, id="request-2", version=3), 2), "still open"
    assert [row.id for row in journal.orders(request="request-1")] == ["order-2"]
    assert actions(journal) == ["request.received"]
    row = journal.get_request(ASKED.uri)
    assert row is not None
    assert (row.state, row.fates, row.source) == (RequestState.RECEIVED, ASKED.fates, "")
    assert journal.open_requests("") == [row]
    assert journal.open_requests("desk") == []


def test_an_event_that_was_changed_after_its_answer_is_journalled_again(
    journal: SqliteJournal,
) -> None:
    asked = replace(ASKED, version=1, orders=())
    assert journal.ask_request(asked, 1)
    journal.stage_request("request-1", ASKED.fates, "[]", 2)
    journal.close_request("request-1", "", 3)
    assert not journal.ask_request(replace(asked, id="request-2"), 4), "as it was before"
    other = replace(asked, id="request-3", uri=ASKED.uri + "0")
    assert journal.ask_request(other, 4), "another event, whose uri begins alike"
    assert journal.ask_request(replace(asked, id="request-4", version=3), 4)
    found = journal.get_request(ASKED.uri)
    assert found is not None
    assert (found.id, found.uri) == ("request-4", ASKED.uri)


def test_what_an_answer_gave_is_on_the_chain_once(journal: SqliteJournal) -> None:
    drop = Drop(folder="ask", spool=make_sighting(b"ask.json", inode=2**63 + 5))
    journal.begin_requests("ask", [("request-2", drop)], 1)
    (row,) = journal.open_requests("ask")
    assert (row.inode, row.name, row.state) == (2**63 + 5, b"ask.json", RequestState.CLAIMING)
    journal.receive_request("request-2", 2)
    given = Fated(line=1, asked=ID, fate=Fate.GIVEN, identity=ID, sha256="0" * 64, form="exact")
    twice = Fated(line=2, asked=ID, fate=Fate.GIVEN, identity=ID, sha256="0" * 64, form="exact")
    journal.stage_request("request-2", [given, twice], "ask.answer", 3)
    journal.close_request("request-2", "", 4)
    assert actions(journal) == ["request.received", "document.returned", "request.answered"]
    assert journal.audit()[1].details["to"] == "requests.ask"
    assert journal.audit()[2].details == {"given": 2}


def test_history_cannot_be_changed(journal: SqliteJournal, tmp_path: Path) -> None:
    journal.add_order(ORDER, 1)
    conn = sqlite3.connect(tmp_path / "journal.db")
    for statement in (
        "UPDATE steps SET new = 'GIVEN'",
        "DELETE FROM steps",
        "DELETE FROM orders",
        "DELETE FROM requests",
    ):
        if "requests" in statement:
            assert journal.ask_request(ASKED, 1)
        with pytest.raises(sqlite3.IntegrityError):
            conn.execute(statement)
        conn.rollback()
    conn.close()
