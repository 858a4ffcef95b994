"""What is told of a record that archivists have edited."""

from __future__ import annotations

from typing import Any

import pytest

from hotfolder.archivesspace.comparison import differences, withhold_notes
from hotfolder.archivesspace.eventids import own_id
from hotfolder.core.records import CatalogueRow
from tests.support import bags


@pytest.fixture(scope="module")
def row(tmp_path_factory: pytest.TempPathFactory) -> CatalogueRow:
    world = bags.letter_world(tmp_path_factory.mktemp("world"), title="A letter", case_refs="K-1")
    (found,) = bags.documents(world)
    world.stop()
    return found


def as_sent(row: CatalogueRow) -> dict[str, Any]:
    sha256, size = row.file_fixity
    return {
        "digital_object_id": row.document.identity,
        "title": "A letter",
        "dates": [{"label": "issued", "begin": "2026-06-30"}],
        "file_versions": [
            {"checksum": sha256, "checksum_method": "sha-256", "file_size_bytes": size}
        ],
        "external_ids": [{"external_id": "case:K-1"}, {"external_id": "cust:c1"}],
    }


def test_what_was_sent_does_not_differ(row: CatalogueRow) -> None:
    assert differences(row, as_sent(row)) == []


@pytest.mark.parametrize(
    ("change", "field", "theirs"),
    [
        ({"title": "Another"}, "title", "Another"),
        ({"digital_object_id": "hf-1"}, "digital_object_id", "hf-1"),
        ({"dates": []}, "dates", None),
        ({"dates": [{"label": "issued", "expression": "June"}]}, "dates", "June"),
        ({"external_ids": [{"external_id": "cust:c1"}]}, "external_ids", ["cust:c1"]),
    ],
)
def test_each_field_is_told(
    row: CatalogueRow, change: dict[str, Any], field: str, theirs: object
) -> None:
    (found,) = differences(row, as_sent(row) | change)
    assert (found["field"], found["archivesspace"]) == (field, theirs)
    assert found["hotfolder"] != theirs


def test_a_rendition_that_was_added_is_not_ours(row: CatalogueRow) -> None:
    record = as_sent(row)
    record["file_versions"].insert(0, {"checksum": "0" * 64, "checksum_method": "sha-256"})
    assert differences(row, record) == []
    del record["file_versions"][1]
    assert {item["field"] for item in differences(row, record)} == {"checksum", "file_size_bytes"}


@pytest.mark.parametrize("shape", [None, "text", 7, [None], [["x"]], {}])
def test_a_record_of_any_shape_is_compared(row: CatalogueRow, shape: object) -> None:
    fields = ("dates", "file_versions", "external_ids", "title")
    assert differences(row, dict.fromkeys(fields, shape))
    withheld, _ = withhold_notes({"events": shape, "archival_objects": shape}, "/x")
    assert withheld["events"] == []


def test_notes_of_this_document_alone_stay() -> None:
    events = [
        {"uri": "/e/1", "outcome_note": "mine", "linked_records": [{"ref": "/d/1"}]},
        {"uri": "/e/2", "outcome_note": "ours", "linked_records": [{"ref": "/a/1"}]},
        {"uri": "/e/3", "linked_records": [{"ref": "/a/1"}]},
    ]
    withheld, left_out = withhold_notes({"events": events, "other": 1}, "/d/1")
    assert [event.get("outcome_note") for event in withheld["events"]] == ["mine", None, None]
    assert left_out == [{"record": "/e/2", "field": "outcome_note"}]
    assert withheld["other"] == 1


def test_of_external_ids_of_an_event_only_ours_stays() -> None:
    linked = {"refid": "hf:1", "linked_records": [{"ref": "/a/1"}]}
    theirs = {"source": "court", "external_id": "M-77"}
    events = [
        {"uri": "/e/1", **linked, "external_ids": [own_id("hf:1")]},
        {"uri": "/e/2", **linked, "external_ids": [own_id("hf:1"), theirs]},
        {"uri": "/e/3", **linked, "external_ids": [own_id("Ada Lovelace")]},
    ]
    withheld, left_out = withhold_notes({"events": events}, "/d/1")
    assert withheld["events"][0]["external_ids"] == [own_id("hf:1")]
    assert left_out == [{"record": f"/e/{n}", "field": "external_ids"} for n in (2, 3)]
