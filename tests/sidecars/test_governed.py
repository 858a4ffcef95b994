"""Documents under a governance file: filled, classed, and refused with everything at once."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.governancefile import Around, read_governance
from hotfolder.core.indexed import IndexedDocument
from hotfolder.core.profiles import FolderProfile, OnUnknown, Rules, Vocabularies
from hotfolder.core.records import Document, DocumentMetadata, DocumentRange, Inspection
from hotfolder.sidecars.interpretation import interpret
from hotfolder.sidecars.spooldocuments import SpoolInterpreter
from hotfolder.sidecars.unknowns import adapt, unknown_values
from tests.sidecars.test_sidecars import RULES, SHA
from tests.support.journals import make_row

FILE = """
[vocabularies]
document_type = ["Statement", "policy"]
channel = ["print", "email"]
jurisdiction = ["DE", "FR"]
[units.LIFE.vocabularies]
channel = ["branch"]

[[rules]]
name = "german"
when = { jurisdiction = "DE" }
default = { language = "de" }

[[rules]]
name = "policies are paper"
when = { document_type = "policy" }
require = ["policy_number", "customer_id"]
allow = { channel = ["print", "branch"] }

[[rules]]
name = "german statements"
when = { document_type = "statement", jurisdiction = "DE" }
class = "POL-10Y"
"""
GOVERNANCE, FAULTS = read_governance(
    tomllib.loads(FILE), Around(classes=tuple(RULES.retention_classes), units=("RETAIL", "LIFE"))
)
GOVERNED = replace(RULES, governance=GOVERNANCE, vocabularies=Vocabularies())
SERIES_CLASS = replace(RULES.series[0], retention_class="FIN-7Y")
WITH_SERIES = replace(GOVERNED, series=(SERIES_CLASS, RULES.series[1]))


def one(rules: Rules, unit: str, fields: dict[str, str]) -> Document:
    row = replace(make_row(1), name=b"a.pdf", folder="hot", business_unit=unit)
    reading = interpret(
        spool=row,
        profile=FolderProfile(name="hot", path="/hot", business_unit=unit),
        rules=rules,
        sha256=SHA,
        size=1000,
        inspection=Inspection(format_name="pdf", media_type="application/pdf", pages=2),
        sidecars=[(b"a.pdf.json", json.dumps(fields).encode())],
        shared=(),
        received_on=date(2026, 10, 1),
    )
    (document,) = reading.documents
    return document


def of_many(rules: Rules, unit: str, fields: dict[str, str]) -> Document:
    interpreter = SpoolInterpreter(
        spool=replace(make_row(1), name=b"a.afp", folder="hot", business_unit=unit),
        profile=FolderProfile(name="hot", path="/hot", business_unit=unit, sidecar_required=False),
        rules=rules,
        sidecars=(),
        shared=(),
        received_on=date(2026, 10, 1),
        index="a.afp.ind",
    )
    assert not interpreter.check_spool(SHA, 1000, Inspection(format_name="afp", media_type=""))
    found = IndexedDocument(
        ordinal=1, offset=0, length=10, place="line 1", fields=tuple(fields.items())
    )
    return interpreter.interpret(found, DocumentRange(ordinal=1, offset=0, length=10, sha256=SHA))


@pytest.fixture(params=[one, of_many])
def read(request: pytest.FixtureRequest) -> Any:
    return request.param


def refused(read: Any, rules: Rules, unit: str, fields: dict[str, str]) -> list[Fault]:
    with pytest.raises(InputFault) as caught:
        read(rules, unit, fields)
    return list(caught.value.faults)


GERMAN = {
    "customer_id": "C-1",
    "document_type": "statement",
    "issue_date": "2024-02-29",
    "jurisdiction": "de",
}


def test_the_file_is_sound() -> None:
    assert not FAULTS


def test_rules_fill_and_class(read: Any) -> None:
    document = read(WITH_SERIES, "RETAIL", GERMAN)
    known = document.metadata
    assert (known.jurisdiction, known.language, known.retention_class) == ("DE", "de", "POL-10Y")
    # A document's own word comes first, and the series' class last.
    own = read(WITH_SERIES, "RETAIL", {**GERMAN, "retention_class": "fin-7y", "language": "en"})
    assert (own.metadata.retention_class, own.metadata.language) == ("FIN-7Y", "en")
    french = read(WITH_SERIES, "RETAIL", {**GERMAN, "jurisdiction": "fr"})
    assert (french.metadata.retention_class, french.metadata.language) == ("FIN-7Y", None)


def test_everything_is_told_at_once(read: Any) -> None:
    fields = {
        "document_type": "policy",
        "issue_date": "2024-02-29",
        "jurisdiction": "XX",
        "channel": "email",
    }
    faults = refused(read, GOVERNED, "RETAIL", fields)
    assert {fault.code for fault in faults} == {
        "vocabulary.jurisdiction",
        "rule.require",
        "rule.allow",
    }
    assert sum(fault.code == "rule.require" for fault in faults) == 2
    assert all("'policies are paper'" in fault.message for fault in faults[1:])
    assert all(fault.remedy and fault.file for fault in faults)


def test_a_unit_has_values_of_its_own(read: Any) -> None:
    fields = {**GERMAN, "channel": "branch"}
    assert read(GOVERNED, "LIFE", fields).metadata.channel == "branch"
    (fault,) = refused(read, GOVERNED, "RETAIL", fields)
    assert fault.code == "vocabulary.channel"


def test_a_type_that_the_list_lacks_is_told_once(read: Any) -> None:
    (fault,) = refused(read, GOVERNED, "RETAIL", {**GERMAN, "document_type": "Bill"})
    assert (fault.code, fault.remedy) == ("vocabulary.document_type", "one of: Statement, policy")


def test_without_a_file_everything_is_as_before(read: Any) -> None:
    fields = {**GERMAN, "channel": "EMAIL"}
    series = replace(RULES, series=(SERIES_CLASS, RULES.series[1]))
    document = read(series, "RETAIL", fields)
    known = document.metadata
    assert (known.channel, known.retention_class, known.language) == ("email", "FIN-7Y", None)
    # An identity does not depend on it either.
    assert document.identity == read(WITH_SERIES, "RETAIL", fields).identity


def test_values_of_an_old_archive_are_judged_by_the_lists_of_the_file() -> None:
    """Those of its business unit, so that what a plan tells is what a run rejects."""

    def said(unit: str, on_unknown: OnUnknown, **fields: Any) -> tuple[Any, set[tuple[str, str]]]:
        found: set[tuple[str, str]] = set()
        profile = FolderProfile(
            name="old",
            path="/old",
            business_unit=unit,
            defaults={"channel": "email"},
            on_unknown=on_unknown,
        )
        adapted = adapt(
            DocumentMetadata(**fields),
            profile,
            GOVERNED,
            lambda metadata: found.update(unknown_values(metadata, unit, GOVERNED)),
        )
        return adapted, found

    telex, found = said("RETAIL", OnUnknown.DEFAULT, channel="TELEX", document_type="statement")
    assert found == {("channel", "TELEX")}
    assert (telex.channel, telex.extra["original channel"]) == ("email", ("TELEX",))

    branch, found = said("RETAIL", OnUnknown.REJECT, channel="branch")
    assert (branch.channel, found) == ("branch", {("channel", "branch")})
    _, found = said("LIFE", OnUnknown.REJECT, channel="BRANCH", language="tlh")
    assert not found  # added by the unit; what has no list may be anything

    # A type is in the file's list and in a series; a class in the schedule.
    _, found = said("LIFE", OnUnknown.REJECT, document_type="bill", retention_class="NOPE")
    assert found == {("document_type", "bill"), ("retention_class", "NOPE")}
    _, found = said("LIFE", OnUnknown.REJECT, document_type="POLICY", retention_class="fin-7y")
    assert not found
