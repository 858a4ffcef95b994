"""What ArchivesSpace is to be told of documents: in order, of those that it has, once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from hotfolder.core.changes import ToldChanges
from hotfolder.journal import updates
from hotfolder.journal.journal import SqliteJournal
from tests.support.changes import decide_end, destroy, place_hold
from tests.support.journals import plan, store_many, uris


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    found = SqliteJournal(os.fsencode(tmp_path / "journal.db"))
    yield found
    found.close()


def told(number: int) -> ToldChanges:
    return ToldChanges(
        business_unit="RETAIL",
        subject="hold-1",
        details={"documents": 1},
        outcomes=((number, "changed"),),
        event=None,
    )


def deliver(journal: SqliteJournal, count: int) -> list[str]:
    """Documents that ArchivesSpace has."""
    identities = store_many(journal, range(count))
    unit = plan(journal, limit=count)
    journal.mark_sent(unit.ref_id, 7)
    journal.confirm_unit(unit.ref_id, "/ao", uris(unit.identities), 9)
    return list(identities)


def test_what_is_done_twice_is_done_once(journal: SqliteJournal) -> None:
    destroy(journal, deliver(journal, 1))
    for moment in (20, 21):
        journal.record_told([told(1)], moment)
    links = [row for row in journal.audit() if row.action == "archive.told"]
    assert [row.at for row in links] == [20.0]
    assert journal.count_changes() == (0, 0)


def test_looking_goes_on_behind_a_page_and_begins_again_at_its_end(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "_SCAN", 4)
    identities = deliver(journal, 8)
    destroy(journal, identities)
    seen: list[str] = []
    after, looks = 0, 0
    while True:
        found, after = journal.waiting_changes(after=after, limit=3, due_at=30)
        seen += [changes.amendment.row.document.identity for changes in found]
        looks += 1
        if not after:
            break
    assert (seen, looks) == (identities, 3), "3, 3, and 2 of a page that is not full"


def test_a_document_that_archivesspace_has_not_waits(journal: SqliteJournal) -> None:
    identities = store_many(journal, range(2))
    place_hold(journal, 1, identities)
    assert journal.waiting_changes(after=0, limit=5, due_at=30) == ([], 0)
    assert not journal.has_changes_due(30)
    unit = plan(journal, limit=2)
    request = journal.unit_request(unit.ref_id)
    assert {name: marks[0].matter for name, marks in request.holds.items()} == dict.fromkeys(
        identities, "M-1"
    )
    journal.mark_sent(unit.ref_id, 7)
    journal.confirm_unit(unit.ref_id, "/ao", uris(unit.identities), 9)
    found, _ = journal.waiting_changes(after=0, limit=5, due_at=30)
    assert [changes.numbers for changes in found] == [(1,), (2,)]
    assert all(changes.amendment.held for changes in found)


def test_what_was_sent_is_what_was_delivered_until_something_is_told(
    journal: SqliteJournal,
) -> None:
    identities = store_many(journal, range(1))
    (identity,) = identities
    unit = plan(journal, limit=1)
    decide_end(journal, identity, date(2030, 1, 1), 5)  # while it is on its way
    journal.mark_sent(unit.ref_id, 7)
    journal.confirm_unit(unit.ref_id, "/ao", uris(unit.identities), 9)
    decide_end(journal, identity, date(2031, 1, 1), 12)
    (changes,), _ = journal.waiting_changes(after=0, limit=5, due_at=30)
    delivered = {end.retain_until for end in changes.amendment.sent}
    assert date(2030, 1, 1) in delivered
    assert date(2031, 1, 1) not in delivered
    assert len(delivered) == 2, "as it was planned, or as it was when it was sent"
    journal.record_told([told(number) for number in changes.numbers], 40)
    decide_end(journal, identity, date(2032, 1, 1), 50)
    (changes,), _ = journal.waiting_changes(after=0, limit=5, due_at=60)
    assert [end.retain_until for end in changes.amendment.sent] == [date(2031, 1, 1)]
