"""Records as sent: against the recorded unit, the recorded schemas, and hostile text."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.archivesspace.calls import encode
from hotfolder.archivesspace.mapping import Place, UnitRecords, build_unit
from hotfolder.archivesspace.neededvalues import FIXED_VALUES, needed_values
from hotfolder.archivesspace.series import agent_record, identifier_of, resource_record
from hotfolder.archivesspace.vocabulary import Vocabulary, values_in
from hotfolder.archivesspace.wording import clean_title, clean_value
from hotfolder.core.errors import OperatorFault
from hotfolder.core.profiles import ArchiveProfile, ArchiveSlots, Rules, SeriesProfile
from hotfolder.core.records import CatalogueRow, DocumentMetadata, DocumentRange
from hotfolder.core.shielding import Shield
from tests.support import recorded
from tests.support.jsonmodel import faults_in
from tests.support.units import METADATA, RULES, make_request, make_row

UNIT = recorded.sent(146)
SCHEMAS, LISTS = recorded.schemas(), recorded.lists()
PLACE = Place(
    repository="/repositories/2",
    resource="/repositories/2/resources/2",
    cycle="/repositories/2/archival_objects/103",
    agent="/agents/software/3",
    series_title="Statements",
)
PROFILE = ArchiveProfile(url="http://localhost:8089", username="hotfolder")


def allows(name: str, value: str) -> bool:
    return value in LISTS.get(name, ["known"])


def build(
    *rows: CatalogueRow, profile: ArchiveProfile = PROFILE, rules: Rules = RULES
) -> UnitRecords:
    return build_unit(make_request(*rows), PLACE, profile=profile, rules=rules, allows=allows)


def only(records: UnitRecords) -> dict[str, Any]:
    (record,) = records.documents.values()
    return record


def document(profile: ArchiveProfile = PROFILE, rules: Rules = RULES, **row: Any) -> dict[str, Any]:
    return only(build(make_row(**row), profile=profile, rules=rules))


# -- against what the server took -----------------------------------------------------
def recorded_row() -> CatalogueRow:
    """The first document of the recorded unit."""
    row = make_row(
        metadata=DocumentMetadata(
            customer_id="C-1",
            case_refs=("K-1",),
            document_type="statement",
            channel="email",
            issue_date=date(2026, 11, 1),
            retention_class="R7",
        ),
        retain_until=date(2033, 11, 1),
    )
    checksum = f"{1:064}"
    place = DocumentRange(ordinal=0, offset=0, length=1001, sha256=checksum)
    identity = f"hf-{1:040}"
    return replace(row, document=replace(row.document, identity=identity, range=place))


def test_document_is_the_recorded_one_field_by_field() -> None:
    slots = ArchiveSlots(retention_class="")  # the recorded unit did not fill this one
    sent = only(build(recorded_row(), profile=replace(PROFILE, slots=slots)))
    expected = dict(UNIT[0])
    uri = r"/repositories/2/digital_objects/import_[a-f0-9-]+"
    assert re.fullmatch(uri, sent.pop("uri"))
    assert re.fullmatch(uri, expected.pop("uri"))
    assert sent.pop("is_slug_auto") is False
    assert sent == expected


def test_unit_and_event_are_the_recorded_ones_but_for_their_names() -> None:
    records = build(make_row(1), make_row(2), make_row(3))
    unit, event = dict(records.unit), dict(records.event)
    unit_uri = unit.pop("uri")
    assert event["linked_records"] == [{"role": "outcome", "ref": unit_uri}]
    expected_unit, expected_event = (dict(record) for record in UNIT[3:])
    assert unit.pop("title") == "Statements 2026-06, 3 documents"
    assert [item.pop("digital_object")["ref"] for item in unit["instances"]] == [
        record["uri"] for record in records.documents.values()
    ]
    for item in expected_unit["instances"]:
        item.pop("digital_object")
    for name in ("uri", "title", "ref_id"):
        expected_unit.pop(name)
    ref_id = unit.pop("ref_id")
    assert unit.pop("is_slug_auto") is False
    assert unit == expected_unit
    assert event.pop("refid") == f"hf:{ref_id}:ingestion"
    (own,) = event.pop("external_ids")
    assert (own["source"], own["external_id"]) == ("hotfolder", f"hf:{ref_id}:ingestion")
    assert event.pop("timestamp") == "2026-07-01T10:00:00Z"
    for name in ("uri", "linked_records"):
        event.pop(name)
        expected_event.pop(name)
    for name in ("refid", "timestamp"):
        expected_event.pop(name)
    assert event == expected_event


def test_the_unit_of_a_template_shows_no_title_that_is_kept_back() -> None:
    request = make_request(make_row(title="For Mustermann Bank"))
    request = replace(request, unit=replace(request.unit, series="template:STMT"))
    for shield, shown in ((Shield(), True), (Shield(withhold=("title",)), False)):
        profile = replace(PROFILE, shield=shield)
        made = build_unit(request, PLACE, profile=profile, rules=RULES, allows=allows)
        assert made.unit["title"] == only(made)["title"]
        assert ("Mustermann" in made.unit["title"]) == shown


def test_list_order_is_documents_unit_event() -> None:
    listed = build(make_row(1), make_row(2)).listed()
    assert [record["jsonmodel_type"] for record in listed] == [
        "digital_object",
        "digital_object",
        "archival_object",
        "event",
    ]
    assert encode(listed)[:1] == b"["
    assert len({record["uri"] for record in listed}) == len(listed)
    assert "position" not in encode(listed).decode()


def check(record: Mapping[str, Any]) -> None:
    kind = record["jsonmodel_type"]
    assert list(faults_in(record, kind, SCHEMAS, LISTS)) == []


def test_all_records_fit_the_recorded_schemas() -> None:
    for record in build(make_row(1), make_row(2, format_name="afp")).listed():
        check(record)


def test_the_check_itself_finds_faults() -> None:
    good = UNIT[0]
    assert list(faults_in(good, "digital_object", SCHEMAS, LISTS)) == []
    changes: tuple[dict[str, Any], ...] = (
        {"title": None},
        {"title": ""},
        {"digital_object_id": "x" * 256},
        {"publish": "false"},
        {"colour": "red"},
        {"digital_object_type": "hologram"},
        {"suppressed": True},
        {"file_versions": [{"jsonmodel_type": "file_version", "publish": False}]},
        {"file_versions": {}},
        {"user_defined": {"jsonmodel_type": "user_defined", "date_1": "30/06/2026"}},
    )
    for change in changes:
        assert list(faults_in({**good, **change}, "digital_object", SCHEMAS, LISTS)), change
    assert list(faults_in({}, "event", SCHEMAS, LISTS))


def vocabulary() -> Vocabulary:
    return Vocabulary(lambda name: frozenset(LISTS[name]) if name in LISTS else None)


@pytest.mark.parametrize("statements", ["always", "exceptions"])
@pytest.mark.parametrize("described", [RULES.series[0], None])
def test_series_and_agent_fit_the_recorded_schemas(
    statements: str, described: SeriesProfile | None
) -> None:
    record = resource_record(
        "STMT",
        described,
        profile=replace(PROFILE, rights_statements=statements),
        rules=RULES,
        vocabulary=vocabulary(),
        today=date(2026, 7, 1),
    )
    check(record)
    assert set(values_in(record)) <= FIXED_VALUES
    assert record["publish"] is False
    assert ("rights_statements" in record) is (statements == "exceptions" and described is not None)
    check(agent_record("0.1.0"))
    assert agent_record("0.1.0") == recorded.sent(144)


def test_series_code_that_the_server_cannot_hold_is_refused() -> None:
    with pytest.raises(OperatorFault):
        resource_record(
            "s\U0001f600",
            None,
            profile=PROFILE,
            rules=RULES,
            vocabulary=vocabulary(),
            today=date(2026, 7, 1),
        )


def test_series_code_is_cut_where_the_server_refuses_it_and_stays_its_own() -> None:
    assert identifier_of("template:" + "f" * 41) == "template:" + "f" * 41
    long = [identifier_of("template:" + "f" * 41 + end) for end in ("a", "b")]
    assert len(set(long)) == 2
    for code in long:
        assert code.startswith("template:ffff")
        assert len(code) == 50


# -- single fields ---------------------------------------------------------------------
def test_external_ids_are_prefixed_and_unique() -> None:
    metadata = replace(
        METADATA,
        policy_number="P-1",
        case_refs=("K-1", "K-2", "K-1"),
        external_job_id="X-1",
        tracker_id="T-1",
    )
    found = document(metadata=metadata, supersedes="hf-before")["external_ids"]
    assert [(item["source"], item["external_id"]) for item in found] == [
        ("customer", "cust:C-1"),
        ("account", "acct:A-1"),
        ("policy", "pol:P-1"),
        ("case", "case:K-1"),
        ("case", "case:K-2"),
        ("job", "job:J-9"),
        ("external job", "xjob:X-1"),
        ("tracker", "track:T-1"),
        ("supersedes", "supersedes:hf-before"),
    ]


def test_references_of_every_kind_have_their_own_prefix() -> None:
    metadata = replace(
        METADATA,
        case_refs=("K-1",),
        claim_refs=("K-1", "L-2"),
        dispute_refs=("D-3",),
        change_refs=("P-4",),
    )
    found = document(metadata=metadata)["external_ids"]
    assert [(item["source"], item["external_id"]) for item in found][2:-1] == [
        ("case", "case:K-1"),
        ("claim", "claim:K-1"),
        ("claim", "claim:L-2"),
        ("dispute", "dispute:D-3"),
        ("change", "change:P-4"),
    ]


def test_no_more_references_than_a_record_can_bear() -> None:
    many = tuple(f"K-{number}" for number in range(5000))
    for metadata in (
        replace(METADATA, case_refs=many, claim_refs=many),
        replace(METADATA, dispute_refs=many),
        replace(METADATA, change_refs=many),
    ):
        assert len(document(metadata=metadata)["external_ids"]) < 100


def test_format_that_the_list_lacks_becomes_a_caption() -> None:
    (version,) = document(format_name="afp")["file_versions"]
    assert "file_format_name" not in version
    assert version["caption"] == "format: afp"
    (version,) = document(format_name="unknown")["file_versions"]
    assert not version.keys() & {"file_format_name", "caption"}


def test_slots_hold_what_their_kind_can() -> None:
    slots = ArchiveSlots(
        document_type="enum_1",
        channel="enum_2",
        retention_class="text_5",
        retain_until="date_3",
        hold="boolean_2",
    )
    profile = replace(PROFILE, slots=slots)
    metadata = replace(METADATA, channel="known")
    assert document(profile=profile, metadata=metadata)["user_defined"] == {
        "jsonmodel_type": "user_defined",
        "enum_2": "known",  # "statement" is not in the list and would be added by an import
        "text_5": "R7",
        "date_3": "2033-06-30",
        "boolean_2": False,
    }
    assert ("user_defined_enum_1", "statement") in needed_values(profile, RULES)
    assert ("user_defined_enum_2", "post") in needed_values(profile, RULES)
    empty = ArchiveSlots(document_type="", channel="", retention_class="", retain_until="", hold="")
    assert "user_defined" not in document(profile=replace(PROFILE, slots=empty))
    assert needed_values(PROFILE, RULES) == FIXED_VALUES


def test_document_without_date_or_names() -> None:
    record = document(metadata=DocumentMetadata(), title="", retain_until=None)
    check(record)
    assert record["title"] == "STMT 2026-06"
    assert not record.keys() & {"dates", "external_ids"}
    # The series' class applies; its clock starts, for want of better, with the unit.
    assert record["rights_statements"][0]["start_date"] == "2026-07-01"


# -- retention ----------------------------------------------------------------------------
def statement(**options: Any) -> Any:
    found = document(**options).get("rights_statements")
    if found is None:
        return None
    (only_one,) = found
    (act,) = only_one["acts"]
    assert act["act_type"] == "delete"
    assert act["restriction"] == "disallow"
    assert act.get("start_date") == only_one["start_date"]
    assert act.get("end_date") == only_one.get("end_date")
    assert only_one["identifier"] == "retention"
    return only_one["start_date"], only_one.get("end_date")


def test_statement_runs_from_issue_to_the_end_of_retention() -> None:
    assert statement() == ("2026-06-30", "2033-06-30")


@pytest.mark.parametrize("code", ["EVER", "CLAIM"])
def test_statement_without_a_known_end(code: str) -> None:
    metadata = replace(METADATA, retention_class=code)
    assert statement(metadata=metadata, retain_until=None) == ("2026-06-30", None)


def test_end_before_the_issue_still_makes_a_valid_statement() -> None:
    assert statement(retain_until=date(2020, 1, 1)) == ("2020-01-01", "2020-01-01")


def test_no_class_no_statement() -> None:
    rules = replace(RULES, series=(replace(RULES.series[0], retention_class=None),))
    metadata = replace(METADATA, retention_class=None)
    assert statement(metadata=metadata, retain_until=None, rules=rules) is None


def test_exceptions_only() -> None:
    profile = replace(PROFILE, rights_statements="exceptions")

    def exceptional(code: str | None, until: date | None, rules: Rules = RULES) -> bool:
        metadata = replace(METADATA, retention_class=code)
        found = statement(profile=profile, metadata=metadata, retain_until=until, rules=rules)
        return found is not None

    assert not exceptional("R7", date(2033, 6, 30))
    assert not exceptional(None, date(2033, 6, 30))  # the series' class
    assert exceptional("R7", date(2040, 1, 1))  # an override
    assert exceptional("EVER", None)  # another class
    claims = replace(RULES, series=(replace(RULES.series[0], retention_class="CLAIM"),))
    assert not exceptional("CLAIM", None, claims)
    assert exceptional("CLAIM", date(2036, 5, 1), claims)  # its event has happened


# -- text ------------------------------------------------------------------------------------
def test_title_is_escaped_cleaned_and_cut() -> None:
    assert clean_title("Bill < 10 & <b>more", "x") == "Bill &lt; 10 &amp; &lt;b>more"
    assert clean_title("a\x00b\tc\nd\U0001f600\ud800", "x") == "ab c d\ufffd\ufffd"
    assert clean_title(" \x01\n ", "fall<back") == "fall&lt;back"
    assert clean_title("", "\x02") == "Untitled"
    cut = clean_title("&" * 5000, "x")
    assert cut == "&amp;" * 1600
    assert len(clean_title("é" * 9000, "x")) == 8000


def test_values_that_had_to_be_changed_stay_distinct() -> None:
    assert clean_value(" C-1 ", prefix="cust:") == "cust:C-1"
    assert clean_value("  ", prefix="cust:") == ""
    smile, frown = clean_value("a\U0001f600"), clean_value("a\U0001f641")
    assert smile != frown
    assert smile.startswith("a\ufffd~")
    long = clean_value("x" * 300, prefix="case:")
    assert len(long) == 255
    assert long != clean_value("x" * 301, prefix="case:")
    assert clean_value("\x01") not in ("", clean_value("\x02"))


texts = st.text(alphabet=st.characters(exclude_categories=()), max_size=400)
hostile = st.builds(
    DocumentMetadata,
    customer_id=st.none() | texts,
    account_number=st.none() | texts,
    document_type=st.none() | texts,
    issue_date=st.none() | st.dates(),
    channel=st.none() | texts,
    title=st.none() | texts,
    case_refs=st.lists(texts, max_size=4).map(tuple),
    job_number=st.none() | texts,
    retention_class=st.none() | texts | st.sampled_from(["R7", "CLAIM", "EVER"]),
)
TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U00010000-\U0010ffff]*\Z")


def texts_in(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_in(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    return []


@given(
    metadata=hostile,
    title=texts,
    until=st.none() | st.dates(),
    format_name=texts,
    statements=st.sampled_from(["always", "exceptions"]),
)
def test_any_metadata_makes_records_that_the_server_takes(
    metadata: DocumentMetadata,
    title: str,
    until: date | None,
    format_name: str,
    statements: str,
) -> None:
    row = make_row(metadata=metadata, title=title, retain_until=until, format_name=format_name)
    profile = replace(PROFILE, rights_statements=statements)
    records = build(row, make_row(2), profile=profile)
    for record in records.listed():
        check(record)
        assert all(TEXT.match(text) for text in texts_in(record))
        assert all(allows(name, value) for name, value in values_in(record))
    sent = records.documents[row.document.identity]
    assert html.unescape(sent["title"].replace("&amp;", "").replace("&lt;", "")).count("<") == 0
    assert not re.search(r"<|&(?!amp;|lt;)", sent["title"])
    ids = [item["external_id"] for item in sent.get("external_ids", [])]
    assert len(ids) == len(set(ids))
    again = build(row, make_row(2), profile=profile)
    assert encode(records.listed()) == encode(again.listed())


def test_the_fixed_values_are_those_that_are_sent() -> None:
    sent = {pair for record in build().listed() for pair in values_in(record)}
    assert sent - {("file_version_file_format_name", "pdf")} <= FIXED_VALUES
    for name, value in FIXED_VALUES:
        assert value in LISTS.get(name, [value])


def test_controlled_values_are_found_however_deep() -> None:
    record = UNIT[0]
    assert set(values_in(record)) == {
        ("digital_object_digital_object_type", "text"),
        ("date_label", "issued"),
        ("date_type", "single"),
        ("file_version_checksum_methods", "sha-256"),
        ("file_version_file_format_name", "pdf"),
        ("rights_statement_rights_type", "other"),
        ("rights_statement_other_rights_basis", "policy"),
        ("rights_statement_act_type", "delete"),
        ("rights_statement_act_restriction", "disallow"),
    }
    assert ("linked_agent_event_roles", "executing_program") in set(values_in(UNIT))


def test_missing_value_is_asked_for_twice_and_then_named() -> None:
    lists = {"event_event_type": frozenset({"validation"})}
    asked: list[str] = []

    def read(name: str) -> frozenset[str] | None:
        asked.append(name)
        return lists.get(name)

    words = Vocabulary(read)
    record = {"jsonmodel_type": "event", "event_type": "ingestion"}
    with pytest.raises(OperatorFault) as caught:
        words.check([record])
    assert asked == ["event_event_type"] * 2
    assert caught.value.faults[0].code == "archive.vocabulary"
    lists["event_event_type"] = frozenset({"ingestion"})
    words.check([record])  # an administrator has added it meanwhile
    words.check([record])
    assert len(asked) == 3
