"""Spools with more documents than one look-up takes, and those with one record for all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hotfolder.core.lifecycle import SpoolState, UnitState
from hotfolder.core.records import Document, DocumentRange, Reading, Role
from hotfolder.journal.journal import SqliteJournal
from tests.support.journals import (
    FAULT,
    claim,
    confirm,
    make_document,
    make_object,
    make_reading,
    make_row,
    plan,
    spool_id,
)

MANY = 2_345  # documents: more than two look-ups


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    made = SqliteJournal(os.fsencode(tmp_path / "j.db"))
    yield made
    made.close()


def documents_of(count: int, text: str = "") -> list[Document]:
    return [make_document(f"k{n}", text, ordinal=n + 1) for n in range(count)]


def carried(count: int) -> tuple[Document, ...]:
    documents = [replace(item, role=Role.CARRIED) for item in documents_of(count)]
    carrier = replace(make_document("spool", ordinal=count + 1), role=Role.CARRIER)
    return (*documents, carrier)


def take(journal: SqliteJournal, number: int, reading: Reading) -> SpoolState:
    claim(journal, number)
    return journal.record_readings([reading], 2)[0].state


def store(journal: SqliteJournal, number: int, *documents: Document, **more: object) -> None:
    reading = replace(make_reading(number, *documents), **more)  # type: ignore[arg-type]
    assert take(journal, number, reading) is SpoolState.READ
    journal.record_stored([make_object(number)], 3)


def uris_of(journal: SqliteJournal, number: int) -> set[str | None]:
    return {row.record_uri for row in journal.iterate_documents(spool_id(number))}


def state_of(journal: SqliteJournal, number: int) -> SpoolState:
    row = journal.get_spool(spool_id(number))
    assert row is not None
    return row.state


def test_all_of_them_are_journalled_in_order(journal: SqliteJournal) -> None:
    documents = documents_of(MANY)
    store(journal, 1, *documents)
    assert [row.document for row in journal.iterate_documents(spool_id(1))] == documents
    row = journal.get_spool(spool_id(1))
    assert row is not None
    assert (row.documents, row.left_out) == (MANY, 0)
    assert journal.unconfirmed([spool_id(1)]) == {spool_id(1): MANY}
    assert journal.status().documents == MANY


def test_delivered_in_many_units_it_is_delivered_with_the_last(journal: SqliteJournal) -> None:
    store(journal, 1, *documents_of(MANY))
    left = MANY
    while left:
        unit = plan(journal, limit=500)
        left -= len(unit.identities)
        assert confirm(journal, unit) == ([] if left else [spool_id(1)])
        assert journal.unconfirmed([spool_id(1)]) == {spool_id(1): left}
    assert journal.backlogs() == []


def test_one_that_comes_again_far_behind_is_left_out(journal: SqliteJournal) -> None:
    documents = documents_of(MANY)
    again = replace(documents[3], range=replace(documents[3].range, ordinal=MANY + 1))
    store(journal, 1, *documents, again)
    row = journal.get_spool(spool_id(1))
    assert row is not None
    assert (row.documents, row.left_out) == (MANY, 1)
    (link,) = (item for item in journal.audit(limit=10_000) if item.action == "document.repeated")
    assert (link.subject, link.details) == (again.identity, {"spool": spool_id(1)})


def test_the_same_spool_again_is_a_duplicate_of_the_first(journal: SqliteJournal) -> None:
    store(journal, 1, *documents_of(MANY))
    assert take(journal, 2, make_reading(2, *documents_of(MANY))) is SpoolState.DUPLICATE
    row = journal.get_spool(spool_id(2))
    assert row is not None
    assert row.first_spool_id == spool_id(1)
    assert list(journal.iterate_documents(spool_id(2))) == []


def test_a_run_sent_again_adds_what_is_new_and_versions_what_changed(
    journal: SqliteJournal,
) -> None:
    old = documents_of(MANY)
    store(journal, 1, *old)
    changed = make_document("k7", "other", ordinal=8)
    new = make_document("new", ordinal=MANY + 1)
    store(journal, 2, *old[:7], changed, *old[8:], new)
    found = list(journal.iterate_documents(spool_id(2)))
    assert [(row.document.range.ordinal, row.document.version) for row in found] == [
        (8, 2),
        (MANY + 1, 1),
    ]
    assert found[0].document.supersedes == old[7].identity


def test_what_was_noticed_is_kept_with_it(journal: SqliteJournal) -> None:
    store(journal, 1, *documents_of(2), warnings=(FAULT,), skipped=3)
    row = journal.get_spool(spool_id(1))
    assert row is not None
    assert (row.skipped, row.remarks) == (3, (FAULT,))


# -- one record for all ------------------------------------------------------------------
def test_only_the_carrier_is_delivered(journal: SqliteJournal) -> None:
    store(journal, 1, *carried(MANY), has_carrier=True)
    status = journal.status()
    assert (status.documents, status.documents_confirmed) == (MANY, 0)
    unit = plan(journal)
    assert len(unit.identities) == 1
    assert journal.unconfirmed([spool_id(1)]) == {spool_id(1): MANY}
    assert confirm(journal, unit) == [spool_id(1)]
    (uri,) = uris_of(journal, 1)
    assert uri is not None
    assert journal.status().documents_confirmed == MANY
    assert journal.backlogs() == []


@pytest.mark.parametrize("how", ["unit", "document"])
def test_with_the_carriers_record_all_are_lost(journal: SqliteJournal, how: str) -> None:
    store(journal, 1, *carried(5), has_carrier=True)
    unit = plan(journal)
    confirm(journal, unit)
    if how == "unit":
        journal.lose_unit(unit.ref_id, "gone", 7)
    else:
        journal.lose_documents(unit.identities)
    assert uris_of(journal, 1) == {None}
    assert journal.status().documents_confirmed == 0
    (again,) = journal.units([UnitState.PLANNED]) or [plan(journal)]
    confirm(journal, again)
    assert None not in uris_of(journal, 1)
    assert journal.status().documents_confirmed == 5


def test_held_and_released_it_is_as_before(journal: SqliteJournal) -> None:
    store(journal, 1, *carried(5), has_carrier=True)
    journal.set_aside(spool_id(1), SpoolState.HELD, [FAULT], 5)
    assert journal.backlogs() == []
    assert journal.release(spool_id(1), "mended", 6) is SpoolState.STORED
    assert [backlog.waiting for backlog in journal.backlogs()] == [1]
    assert confirm(journal, plan(journal)) == [spool_id(1)]


def test_rejected_it_leaves_room_for_the_next(journal: SqliteJournal) -> None:
    store(journal, 1, *carried(5), has_carrier=True)
    journal.set_aside(spool_id(1), SpoolState.REJECTED, [FAULT], 5)
    assert journal.status().documents == 0
    store(journal, 2, *carried(5), has_carrier=True)
    assert confirm(journal, plan(journal)) == [spool_id(2)]


def test_a_carrier_has_nothing_to_stand_for_when_all_are_known(journal: SqliteJournal) -> None:
    store(journal, 1, *documents_of(5))
    reading = replace(make_reading(2, *carried(5)), has_carrier=True)
    assert take(journal, 2, reading) is SpoolState.DUPLICATE
    assert list(journal.iterate_documents(spool_id(2))) == []


def test_without_a_carrier_of_their_own_they_stand_for_themselves(
    journal: SqliteJournal,
) -> None:
    first = carried(3)
    store(journal, 1, *first, has_carrier=True)
    confirm(journal, plan(journal))
    others = [replace(make_document(f"o{n}", ordinal=n + 1), role=Role.CARRIED) for n in range(3)]
    store(journal, 2, *others, replace(first[-1]), has_carrier=True)
    roles = [row.document.role for row in journal.iterate_documents(spool_id(2))]
    assert roles == [Role.OWN] * 3
    assert confirm(journal, plan(journal)) == [spool_id(2)]


class Lines:
    """Documents that are made anew each time, as those of the store are."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = documents

    def __len__(self) -> int:
        return len(self._documents)

    def __iter__(self) -> Iterator[Document]:
        return iter(self._documents)


@pytest.mark.parametrize("with_carrier", [False, True])
def test_it_is_restored_from_the_store(journal: SqliteJournal, with_carrier: bool) -> None:
    documents = carried(MANY) if with_carrier else tuple(documents_of(MANY))
    reading = replace(make_reading(1), documents=Lines(documents))
    assert journal.restore_spool(make_row(1), reading, make_object(1), 1)
    assert not journal.restore_spool(make_row(1), reading, make_object(1), 1)
    found = [row.document for row in journal.iterate_documents(spool_id(1))]
    assert found == list(documents)
    row = journal.get_spool(spool_id(1))
    assert row is not None
    assert (row.state, row.documents) == (SpoolState.STORED, MANY)
    (backlog,) = journal.backlogs()
    assert backlog.waiting == (1 if with_carrier else MANY)
    assert journal.restore_spool(
        replace(make_row(2), id=spool_id(2)),
        replace(reading, spool_id=spool_id(2), sha256=make_object(2).content_sha256),
        make_object(2),
        1,
    )
    assert state_of(journal, 2) is SpoolState.DUPLICATE


def test_pages_are_told_from_bytes(journal: SqliteJournal) -> None:
    place = DocumentRange(
        ordinal=1, offset=0, length=10, sha256="ab" * 32, first_page=3, pages=2, by_pages=True
    )
    store(journal, 1, replace(make_document("a"), range=place))
    (row,) = journal.documents_of(spool_id(1))
    assert row.document.range == place
    assert row.file_fixity == (make_object(1).content_sha256, 10)
