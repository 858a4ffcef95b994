"""What every ``Archive`` must do. A test class inherits ``ArchiveSuite`` and gives the
fixture ``connect``: each call makes another client (another daemon) of one and the same
empty server, which has the repository of ``tests.support.units.RULES``.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest

from hotfolder.core.errors import Corrupt
from hotfolder.core.ports import Archive
from hotfolder.core.records import DocumentMetadata, UnitAnswer, UnitRequest
from tests.support.units import (
    BUSINESS_UNIT,
    CYCLE,
    SERIES,
    altered,
    make_request,
    make_row,
)

Connect = Callable[[], Archive]

HOSTILE = DocumentMetadata(
    customer_id="C <b>&amp; \U0001f600\x00" + "x" * 400,
    account_number="  \n ",
    document_type="statement",
    issue_date=date(1, 1, 1),
    channel="email\ud800",
    case_refs=tuple(f"K-{number % 7}" for number in range(30)),
    job_number="'; DROP TABLE event; --",
    retention_class="unheard of",
)


def check_there(archive: Archive, request: UnitRequest, answer: UnitAnswer) -> None:
    """The server has the unit with exactly its documents, each as it was catalogued."""
    ref_id = request.unit.ref_id
    found = archive.find_units(BUSINESS_UNIT, [ref_id, "hf-unit-absent"])
    assert list(found) == [ref_id]
    unit = found[ref_id]
    assert unit.documents.keys() == set(request.unit.identities)
    assert answer.outcome == "confirmed"
    assert answer.unit_uri == unit.uri
    assert answer.uris == {name: there.uri for name, there in unit.documents.items()}
    documents = archive.find_documents(BUSINESS_UNIT, request.unit.identities)
    for row in request.documents:
        for there in (
            unit.documents[row.document.identity],
            documents[row.document.identity],
        ):
            assert there.sha256 == row.document.range.sha256
            assert there.size == row.document.range.length
            assert there.identity == row.document.identity
            assert ref_id in there.unit_ref_ids


class ArchiveSuite:
    """Inherit and give ``connect``."""

    @pytest.fixture
    def archive(self, connect: Connect) -> Archive:
        return connect()

    def test_empty_server_has_nothing(self, archive: Archive) -> None:
        archive.probe()
        assert archive.find_units(BUSINESS_UNIT, ["hf-unit-absent"]) == {}
        assert archive.find_documents(BUSINESS_UNIT, ["hf-absent"]) == {}
        assert archive.find_units(BUSINESS_UNIT, []) == {}
        assert archive.find_documents(BUSINESS_UNIT, []) == {}

    def test_unit_is_found_as_it_was_sent(self, archive: Archive) -> None:
        request = make_request(*(make_row(number) for number in range(5)))
        archive.prepare_series(BUSINESS_UNIT, SERIES, CYCLE)
        check_there(archive, request, archive.send_unit(request))

    def test_unit_sent_twice_is_there_once(self, connect: Connect) -> None:
        archive = connect()
        request = make_request(make_row(1), make_row(2))
        first = archive.send_unit(request)
        again = connect().send_unit(request)
        # A repetition may be recognised or refused; it may not make new records.
        assert again.outcome == "refused" or again.uris == first.uris
        check_there(archive, request, first)

    def test_document_sent_twice_is_there_once(self, connect: Connect) -> None:
        archive = connect()
        request = make_request(make_row(1))
        first = archive.send_document(request)
        again = connect().send_document(request)
        assert again.uris == first.uris
        assert again.unit_uri == first.unit_uri
        check_there(archive, request, again)

    def test_document_of_an_earlier_unit_is_adopted(self, archive: Archive) -> None:
        unit = make_request(make_row(1), make_row(2))
        sent = archive.send_unit(unit)
        alone = archive.send_document(make_request(make_row(1)))
        identity = unit.unit.identities[0]
        assert alone.uris == {identity: sent.uris[identity]}

    def test_other_content_under_our_key_is_never_adopted(self, archive: Archive) -> None:
        row = make_row(1)
        first = archive.send_document(make_request(row))
        forged = make_request(altered(row, b"something else"))
        with pytest.raises(Corrupt):
            archive.send_document(forged)
        check_there(archive, make_request(row), first)

    def test_hostile_metadata_is_taken(self, archive: Archive) -> None:
        rows = (
            make_row(1, metadata=HOSTILE, title="<i>\U0001f600 & \x00<", format_name="afp"),
            make_row(2, metadata=DocumentMetadata(), title="", retain_until=None),
            make_row(3, title="&" * 20_000, content=b""),
        )
        request = make_request(*rows)
        check_there(archive, request, archive.send_unit(request))

    def test_find_tells_apart_what_is_there(self, archive: Archive) -> None:
        there = [make_request(make_row(number)) for number in range(3)]
        for request in there:
            archive.send_unit(request)
        absent = [make_request(make_row(number)) for number in range(3, 150)]
        found = archive.find_units(BUSINESS_UNIT, [item.unit.ref_id for item in there + absent])
        assert found.keys() == {item.unit.ref_id for item in there}
        documents = archive.find_documents(
            BUSINESS_UNIT, [item.unit.identities[0] for item in there + absent]
        )
        assert documents.keys() == {item.unit.identities[0] for item in there}

    def test_two_daemons_make_one_series(self, connect: Connect) -> None:
        clients = [connect() for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            list(
                pool.map(
                    lambda client: client.prepare_series(BUSINESS_UNIT, SERIES, CYCLE), clients
                )
            )
        for number, client in enumerate(clients):
            request = make_request(make_row(number))
            check_there(clients[0], request, client.send_unit(request))

    def test_importers_work_side_by_side(self, archive: Archive) -> None:
        requests = [cycle_request(number, f"2026-{number + 1:02}") for number in range(8)]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(archive.send_unit, requests))
        for request, answer in zip(requests, answers, strict=True):
            check_there(archive, request, answer)

    def test_forgetting_changes_nothing_on_the_server(self, archive: Archive) -> None:
        first, second = make_request(make_row(1)), make_request(make_row(2))
        answer = archive.send_unit(first)
        archive.forget()
        check_there(archive, second, archive.send_unit(second))
        check_there(archive, first, answer)

    def test_series_that_the_configuration_has_no_more(self, archive: Archive) -> None:
        request = cycle_request(1, CYCLE, series="OLD")
        check_there(archive, request, archive.send_unit(request))


def cycle_request(number: int, cycle: str, series: str = SERIES) -> UnitRequest:
    """A unit of two documents in another cycle or series."""
    rows = tuple(
        replace(row, document=replace(row.document, cycle=cycle, series=series))
        for row in (make_row(2 * number), make_row(2 * number + 1))
    )
    request = make_request(*rows)
    return replace(request, unit=replace(request.unit, cycle=cycle, series=series))
