"""What the generator expects is what hotfolder's own readers make of each output."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import replace
from datetime import date

import pytest

from hotfolder.core.errors import InputFault
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.profiles import (
    BusinessUnit,
    FolderProfile,
    Rules,
    SeriesProfile,
    Vocabularies,
)
from hotfolder.core.records import Reading, SpoolRow
from hotfolder.core.references import references_of
from hotfolder.core.retention import Period, RetentionClass, RetentionTrigger
from hotfolder.formats.registry import inspect_spool
from hotfolder.sandbox import exstream
from hotfolder.sandbox.communications import (
    CHANNELS,
    DOCUMENT_TYPES,
    RETENTION_CLASSES,
    make_communication,
)
from hotfolder.sandbox.exstream import Outcome, Output, make_output
from hotfolder.sandbox.sidecarwriter import SidecarKind, write_csv
from hotfolder.sidecars.interpretation import interpret

_RULES = Rules(
    series=(SeriesProfile(code="ALL", title="All", document_types=DOCUMENT_TYPES),),
    business_units=(BusinessUnit(code="RETAIL", name="Retail", repository="RETAIL"),),
    retention_classes={
        code: RetentionClass(
            code=code, title=code, trigger=RetentionTrigger.ISSUE_DATE, period=Period(years=7)
        )
        for code in RETENTION_CLASSES.values()
    },
    vocabularies=Vocabularies(channel=CHANNELS),
)
_FOLDER = FolderProfile(name="hot", path="/hot", business_unit="RETAIL")


def _interpret(
    output: Output, profile: FolderProfile = _FOLDER, shared: bytes | None = None
) -> Reading:
    digest, size = hashlib.sha256(output.data).hexdigest(), len(output.data)
    sidecars = [] if output.sidecar_name is None else [(output.sidecar_name, output.sidecar)]
    row = SpoolRow(
        id="s1",
        folder=profile.name,
        business_unit=profile.business_unit,
        name=output.name,
        sidecars=tuple(name for name, _ in sidecars),
        trigger=None,
        shared=(),
        state=SpoolState.CLAIMED,
        size=size,
        mtime_ns=0,
        inode=1,
        sha256=None,
        format_name=None,
        pages=None,
        settled_by="quiet",
        created_at=0.0,
        updated_at=0.0,
        attempts=0,
        next_at=None,
        last_error=None,
        first_spool_id=None,
        faults=(),
        held_from=None,
    )
    return interpret(
        spool=row,
        profile=profile,
        rules=_RULES,
        sha256=digest,
        size=size,
        inspection=inspect_spool(io.BytesIO(output.data), size, output.name),
        sidecars=sidecars,
        shared=[] if shared is None else [(b"metadata.csv", shared)],
        received_on=date(2026, 6, 30),
    )


def _check(output: Output, reading: Reading) -> None:
    expected = output.expected
    document = next(iter(reading.documents))
    metadata = document.metadata
    assert (reading.sha256, reading.size) == (expected.sha256, expected.size)
    assert reading.inspection.pages == expected.pages
    assert metadata.document_type == expected.document_type
    assert metadata.customer_id == expected.customer_id
    assert metadata.account_number == expected.account_number
    assert metadata.issue_date is not None
    assert metadata.issue_date.isoformat() == expected.issue_date
    assert metadata.channel == expected.channel
    assert metadata.retention_class == expected.retention_class
    assert metadata.title == expected.title
    assert tuple(references_of(metadata)) == expected.references
    assert not reading.warnings


@pytest.mark.parametrize("spool", ["pdf", "afp"])
@pytest.mark.parametrize(
    "kind", [SidecarKind.JSON, SidecarKind.XML, SidecarKind.XML_PAIRS], ids=str
)
def test_archived_as_expected(kind: SidecarKind, spool: str) -> None:
    for number in range(40):
        output = make_output(make_communication(1, number), kind=kind, spool=spool)
        assert output.expected.outcome is Outcome.ARCHIVED
        _check(output, _interpret(output))


def test_table_describes_as_well() -> None:
    outputs = [
        make_output(make_communication(1, number), kind=SidecarKind.CSV) for number in range(20)
    ]
    table = write_csv([(os.fsdecode(output.name), output.fields) for output in outputs])
    for output in outputs:
        assert output.sidecar_name is None
        _check(output, _interpret(output, shared=table))


def test_short_sidecar_name() -> None:
    output = make_output(make_communication(1, 1), short_sidecar_name=True)
    assert output.sidecar_name == output.name.replace(b".pdf", b".json")
    _check(output, _interpret(output))


def test_resent_has_the_same_identity() -> None:
    first = make_output(make_communication(1, 1))
    again = exstream.make_resent(first, b"again.pdf")
    assert again.expected.outcome is Outcome.DUPLICATE
    assert again.sidecar_name == b"again.pdf.json"
    assert (
        next(iter(_interpret(first).documents)).identity
        == next(iter(_interpret(again).documents)).identity
    )


@pytest.mark.parametrize("spool", ["pdf", "afp"])
def test_corrected_has_the_same_key_and_another_identity(spool: str) -> None:
    first = make_output(make_communication(1, 1), spool=spool)
    second = exstream.make_corrected(first)
    assert (second.expected.outcome, second.name) == (Outcome.VERSION, first.name)
    _check(second, _interpret(second))
    one, two = next(iter(_interpret(first).documents)), next(iter(_interpret(second).documents))
    assert one.business_key == two.business_key
    assert one.identity != two.identity
    third = exstream.make_corrected(second, b"third.pdf")
    assert third.expected.sha256 not in (first.expected.sha256, second.expected.sha256)


def test_nobody_corrects_what_was_never_composed() -> None:
    with pytest.raises(ValueError, match="composed"):
        exstream.make_corrected(exstream.make_manual(b"a.pdf", "x", defaults={}))


@pytest.mark.parametrize("kind", [SidecarKind.JSON, SidecarKind.XML], ids=str)
@pytest.mark.parametrize(
    "spoil",
    [
        exstream.make_truncated,
        exstream.make_misdescribed,
        exstream.make_unreadable_sidecar,
        exstream.make_unscheduled,
    ],
)
def test_rejected_for_the_expected_reasons(spoil: object, kind: SidecarKind) -> None:
    assert callable(spoil)
    output = spoil(make_output(make_communication(1, 3), kind=kind))
    assert output.expected.outcome is Outcome.REJECTED
    with pytest.raises(InputFault) as caught:
        _interpret(output)
    assert tuple(fault.code for fault in caught.value.faults) == output.expected.reason_codes
    assert caught.value.code == output.expected.reason_code


def test_undescribed_is_rejected_for_its_missing_sidecar() -> None:
    output = exstream.make_undescribed(make_output(make_communication(1, 3)))
    with pytest.raises(InputFault) as caught:
        _interpret(output)
    assert caught.value.code == output.expected.reason_code == "sidecar.missing"


def test_manual_drop_takes_the_folders_defaults() -> None:
    defaults = {"document_type": "letter", "channel": "print", "retention_class": "CORR-6Y"}
    profile = replace(_FOLDER, manual=True, sidecar_required=False, defaults=defaults)
    bare = exstream.make_manual(b"a letter.pdf", "Dear Sir", defaults=defaults)
    document = next(iter(_interpret(bare, profile).documents))
    assert document.metadata.issue_date == date(2026, 6, 30)
    assert document.metadata.retention_class == bare.expected.retention_class == "CORR-6Y"
    described = exstream.make_manual(
        b"a letter.pdf",
        "Dear Madam",
        defaults=defaults,
        fields={"customer_id": "C1", "issue_date": "2026-05-04", "channel": "email"},
    )
    _check(described, _interpret(described, profile))
    assert described.expected.channel == "email"


def test_manual_drops_of_one_day_are_not_versions_of_each_other() -> None:
    """Nothing says whose they are, so nothing says that they are the same letter."""
    defaults = {"document_type": "letter", "retention_class": "CORR-6Y"}
    profile = replace(_FOLDER, manual=True, sidecar_required=False, defaults=defaults)
    one, two = (
        _interpret(exstream.make_manual(b"x.pdf", words, defaults=defaults), profile)
        for words in ("Dear Sir", "Dear Madam")
    )
    assert next(iter(one.documents)).business_key != next(iter(two.documents)).business_key
