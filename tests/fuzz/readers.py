"""What is fuzzed: each reader with its samples, and what must hold whatever it reads.

A reader answers, or says ``InputFault`` with words for a person. Everything else is a
finding: another exception, a fault without a remedy, two looks that contradict.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from hotfolder.core.canonical import spool_from_json, spool_to_json
from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.eventfile import read_events
from hotfolder.core.manifest import read_manifest
from hotfolder.core.notes import error_note
from hotfolder.core.profiles import FolderProfile, TemplatesProfile
from hotfolder.core.records import Inspection, SpoolRow
from hotfolder.core.requestfile import is_whole, read_request
from hotfolder.core.templates import template_from_dict, template_to_dict, version_key
from hotfolder.formats import inspect_spool, inspect_trailer
from hotfolder.formats.templatepackage import read_package
from hotfolder.sandbox.communications import make_communication
from hotfolder.sandbox.exstream import make_output
from hotfolder.sandbox.sidecarwriter import (
    SidecarKind,
    fields_of,
    write_csv,
    write_json,
    write_sidecar,
    write_xml,
)
from hotfolder.sidecars.interpretation import interpret
from hotfolder.sidecars.templatemanifest import read_template_manifest
from tests.support.formatsamples import make_format_samples
from tests.support.journals import make_row
from tests.support.line import RULES
from tests.support.templates import make_manifest, make_package, pack

_SAMPLES = Path(__file__).parent.parent / "samples"
_PROFILE = FolderProfile(name="hot", path="/hot", business_unit="RETAIL")
_WHOLE = Inspection(format_name="pdf", media_type="application/pdf", pages=1)
_DIGEST = "0" * 64
_NOW = datetime(2026, 10, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One reader: its samples, and one reading of one input."""

    samples: Sequence[bytes]
    read: Callable[[bytes], object]


def _read_spool(name: bytes) -> Callable[[bytes], object]:
    def read(data: bytes) -> object:
        quick = inspect_trailer(io.BytesIO(data), len(data), name)
        whole = inspect_spool(io.BytesIO(data), len(data), name)
        for inspection in (quick, whole):
            if inspection.fault is not None:
                _check_fault(inspection.fault)
        # Otherwise a sound file would be waited for until it is called broken.
        assert whole.fault is not None or quick.fault is None, "sound, but its end is not seen"
        assert whole.pages is None or whole.pages >= 0
        return whole

    return read


def _read_sidecar(name: bytes) -> Callable[[bytes], object]:
    row = replace(make_row(1), name=b"spool.pdf", sidecars=(name,), folder="hot")

    def read(data: bytes) -> object:
        return _interpret(row, sidecars=[(name, data)], shared=[])

    return read


def _read_table(data: bytes) -> object:
    row = replace(make_row(1), name=b"spool.pdf", shared=(b"metadata.csv",), folder="hot")
    return _interpret(row, sidecars=[], shared=[(b"metadata.csv", data)])


def _interpret(
    row: SpoolRow, sidecars: Sequence[tuple[bytes, bytes]], shared: Sequence[tuple[bytes, bytes]]
) -> object:
    try:
        reading = interpret(
            spool=row,
            profile=_PROFILE,
            rules=RULES,
            sha256=_DIGEST,
            size=row.size,
            inspection=_WHOLE,
            sidecars=sidecars,
            shared=shared,
            received_on=date(2026, 10, 1),
        )
    except InputFault as error:
        for fault in error.faults:
            _check_fault(fault)
        error_note(row, error.faults, profile=_PROFILE, rejected_at=_NOW).encode()
        raise
    # What is accepted can be kept, and read back as it was.
    kept = spool_from_json(spool_to_json(row, reading))
    assert kept.reading.documents == reading.documents
    return reading


def _read_manifest(data: bytes) -> object:
    try:
        found = read_manifest(data, b"in/batch.manifest")
    except InputFault as error:
        for fault in error.faults:
            _check_fault(fault)
        raise
    assert all(name.startswith(b"in/") and b"/" not in name[3:] for name in found)
    return found


def _read_request(name: bytes) -> Callable[[bytes], object]:
    def read(data: bytes) -> object:
        is_whole(data, name)
        try:
            found = read_request(data, name)
        except InputFault as error:
            for fault in error.faults:
                _check_fault(fault)
            raise
        assert all(bool(line.id) != (line.query is not None) for line in found.lines)
        assert all(line.asked.isprintable() for line in found.lines)
        return found

    return read


def _read_events(data: bytes) -> object:
    known = ("contract-end",)
    try:
        found = read_events(data, b"night.csv", source="f1", actor="me", known=known)
    except InputFault as error:
        for fault in error.faults:
            _check_fault(fault)
        raise
    assert found
    assert all(event.subject.isprintable() and event.event in known for event in found)
    return found


def _read_template(data: bytes) -> object:
    try:
        found = read_template_manifest(data, "manifest.json")
    except InputFault as error:
        for fault in error.faults:
            _check_fault(fault)
        raise
    template = found.template
    assert template_from_dict(template_to_dict(template)) == template
    texts = (template.name, template.family, template.version, template.title, template.author)
    assert all(text.isprintable() for text in texts)
    assert template.parent is None or version_key(template.parent) < version_key(template.version)
    return found


def _read_package(data: bytes) -> object:
    try:
        found = read_package(io.BytesIO(data), len(data), TemplatesProfile(members=50), "x.zip")
    except InputFault as error:
        for fault in error.faults:
            _check_fault(fault)
        raise
    assert 0 < len(found.members) <= 50
    names = [item.name for item in found.members]
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert name.isprintable()
        assert not {"", ".", ".."} & set(name.split("/"))
    return found


def _check_fault(fault: Fault) -> None:
    assert fault.code, fault
    assert fault.message, fault
    assert fault.remedy, fault
    str(fault).encode()


def _sidecars(kind: SidecarKind) -> list[bytes]:
    return [write_sidecar(kind, fields_of(make_communication(1, number))) for number in range(4)]


def make_readers() -> Mapping[str, Reader]:
    """All readers by name."""
    outputs = {
        kind: [make_output(make_communication(1, number), spool=kind).data for number in range(4)]
        for kind in ("pdf", "afp")
    }
    rows = [(f"{name}.pdf", fields_of(make_communication(1, 1))) for name in ("spool", "other")]
    extra = {"spool": 1, "nested": {"list": [1, 2.5, None, True]}, "note": "ü\u2028"}
    return {
        "pdf": Reader(
            samples=[*outputs["pdf"], (_SAMPLES / "statements-8.pdf").read_bytes()],
            read=_read_spool(b"spool.pdf"),
        ),
        "afp": Reader(
            samples=[*outputs["afp"], (_SAMPLES / "statements-40.afp").read_bytes()[:60_000]],
            read=_read_spool(b"spool.afp"),
        ),
        "plain": Reader(samples=[b"Dear Sir\n", b"\x89PNG\r\n"], read=_read_spool(b"spool.txt")),
        **{
            name: Reader(samples=samples, read=_read_spool(b"spool"))
            for name, samples in make_format_samples().items()
        },
        "json": Reader(
            samples=[
                *_sidecars(SidecarKind.JSON),
                write_json({**fields_of(make_communication(1, 1)), **extra}),
            ],
            read=_read_sidecar(b"spool.pdf.json"),
        ),
        "xml": Reader(
            samples=[
                *_sidecars(SidecarKind.XML),
                *_sidecars(SidecarKind.XML_PAIRS),
                write_xml(fields_of(make_communication(1, 1))),
            ],
            read=_read_sidecar(b"spool.pdf.xml"),
        ),
        "csv": Reader(
            samples=[write_csv(rows), write_csv(rows, delimiter=";")],
            read=_read_table,
        ),
        "manifest": Reader(
            samples=[
                b"# batch\n" + b"0" * 64 + b" 123 spool.pdf\n- 5 other name.pdf\n",
                b"spool.pdf,123\r\nother.pdf, 5\r\n",
            ],
            read=_read_manifest,
        ),
        "request-json": Reader(
            samples=[
                b'["hf-1", {"id": "/repositories/2/digital_objects/7"}]',
                b'{"reason": "x", "documents": [{"customer": "C1", "from": "2026-01-01"}]}',
                b'[{"account": "1", "type": "bill", "case": "K", "text": "a b"}]',
            ],
            read=_read_request(b"ask.json"),
        ),
        "request-csv": Reader(
            samples=[
                b'id,customer,from\r\nhf-1,,\r\n,"C,1",2026-01-01\r\n',
                b"account;type;case;to;text\n1;bill;K;2026-06-30;a b\n",
            ],
            read=_read_request(b"ask.csv"),
        ),
        "template-manifest": Reader(
            samples=[
                json.dumps(make_manifest()).encode(),
                json.dumps(
                    make_manifest(
                        version=2,
                        parent="1",
                        effective_until="2026-01-01",
                        members=[{"name": "a", "size": 1, "sha256": "0" * 64}],
                    )
                ).encode(),
            ],
            read=_read_template,
        ),
        "template-package": Reader(
            samples=[make_package(), pack({"a/b": b"x" * 100, "ü": b""}, method=0)],
            read=_read_package,
        ),
        "events": Reader(
            samples=[
                b"kind,subject,event,day\r\npolicy,P-77,contract-end,2026-03-31\r\n",
                b'day;event;subject;kind;reason\n2026-03-31;contract-end;"C;1";case;x\n',
            ],
            read=_read_events,
        ),
    }
