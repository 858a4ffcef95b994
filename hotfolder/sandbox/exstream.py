"""Exstream output with what a correct hot folder must make of it.

Each ``Output`` is one drop: a spool, its sidecar, and an ``Expected`` that says
whether it is to be archived, is a duplicate or a new version, or is to be rejected
and why. Nothing here touches a disk; ``writers`` puts outputs into folders.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from hotfolder.core.references import REFERENCE_FIELDS
from hotfolder.sandbox.afpwriter import AfpShape, write_afp
from hotfolder.sandbox.communications import Communication, make_communication
from hotfolder.sandbox.layout import Line, compose_pages
from hotfolder.sandbox.pdfwriter import write_bare_pdf, write_pdf
from hotfolder.sandbox.sidecarwriter import Fields, SidecarKind, fields_of, write_sidecar

_SUFFIXES = {
    SidecarKind.JSON: b".json",
    SidecarKind.XML: b".xml",
    SidecarKind.XML_PAIRS: b".xml",
}


class Outcome(StrEnum):
    """What must become of an output."""

    ARCHIVED = "archived"
    DUPLICATE = "duplicate"  # same key, same bytes: archived already
    VERSION = "version"  # same key, other bytes: archived, supersedes
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a correct hot folder must make of one output.

    ``reason_codes`` are the fault codes of a rejection, in the order in which they
    are found; the document's fields are those that the catalogue must show, None
    where nobody told.
    """

    name: bytes
    outcome: Outcome
    sha256: str
    size: int
    pages: int | None
    reason_codes: tuple[str, ...] = ()
    document_type: str | None = None
    customer_id: str | None = None
    account_number: str | None = None
    issue_date: str | None = None
    channel: str | None = None
    retention_class: str | None = None
    title: str | None = None
    references: tuple[tuple[str, str], ...] = ()  # (kind, reference)

    @property
    def reason_code(self) -> str:
        """The first of the reasons; empty unless rejected."""
        return self.reason_codes[0] if self.reason_codes else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One drop as the producer has it in memory. A ``sidecar_name`` of None means none;
    ``communication`` is None where a person wrote the file."""

    name: bytes
    data: bytes
    expected: Expected
    sidecar_name: bytes | None = None
    sidecar: bytes = b""
    kind: SidecarKind = SidecarKind.NONE
    fields: Fields = field(default_factory=dict)
    communication: Communication | None = None


def make_output(
    communication: Communication,
    *,
    kind: SidecarKind = SidecarKind.JSON,
    spool: str = "pdf",
    short_sidecar_name: bool = False,
    name: bytes | None = None,
) -> Output:
    """A whole drop, to be archived. ``spool`` is ``pdf`` or ``afp``; the sidecar is
    ``name.pdf.json``, or ``name.json`` with ``short_sidecar_name``."""
    data = write_afp([communication]) if spool == "afp" else write_pdf(communication)
    name = name or _name_of(communication, spool)
    fields = fields_of(communication)
    described = fields if kind is not SidecarKind.NONE else {}
    return _with_sidecar(
        Output(
            name=name,
            data=data,
            communication=communication,
            expected=_expect(name, data, described, pages=len(compose_pages(communication))),
        ),
        kind,
        fields,
        short=short_sidecar_name,
    )


def make_run(communications: Sequence[Communication], name: bytes) -> Output:
    """One AFP spool for many customers, each a page group with its tags; no sidecar."""
    data = write_afp(communications, AfpShape(resources=True))
    pages = sum(len(compose_pages(communication)) for communication in communications)
    return Output(name=name, data=data, expected=_expect(name, data, {}, pages=pages))


def make_resent(output: Output, name: bytes) -> Output:
    """The same bytes and metadata again under another name: a duplicate."""
    expected = replace(output.expected, name=name, outcome=Outcome.DUPLICATE)
    return replace(
        output, name=name, expected=expected, sidecar_name=_sidecar_name(name, output.kind)
    )


def make_corrected(output: Output, name: bytes | None = None) -> Output:
    """The same communication composed anew with a correction: a version. It keeps its
    name unless another is given, as names mean nothing."""
    if output.communication is None:
        raise ValueError("only what was composed can be composed anew")
    before = output.communication
    communication = replace(
        make_communication(
            before.seed,
            before.number,
            document_type=before.document_type,
            revision=before.revision + 1,
        )
    )
    spool = "afp" if output.name.endswith(b".afp") else "pdf"
    made = make_output(communication, kind=output.kind, spool=spool, name=name or output.name)
    return replace(made, expected=replace(made.expected, outcome=Outcome.VERSION))


def make_truncated(output: Output, keep: float = 0.6) -> Output:
    """A spool whose producer died in the middle: never completed, to be rejected."""
    data = output.data[: int(len(output.data) * keep)]
    code = "afp.truncated" if output.name.endswith(b".afp") else "pdf.truncated"
    expected = _reject(output.expected, code)
    return replace(
        output,
        data=data,
        expected=replace(
            expected, sha256=hashlib.sha256(data).hexdigest(), size=len(data), pages=None
        ),
    )


def make_misdescribed(output: Output) -> Output:
    """A sidecar with several faults at once: a date that two readers read as two days,
    a channel that does not exist, a class that is not in the schedule, a wrong size."""
    fields = dict(output.fields)
    fields |= {
        "issue_date": "03/04/2026",
        "channel": "pigeon",
        "retention_class": "FOREVER-AND-A-DAY",
        "declared_size": len(output.data) + 1,
    }
    expected = _reject(
        output.expected,
        "field.date",
        "fixity.size",
        "vocabulary.channel",
        "vocabulary.retention_class",
    )
    return _with_sidecar(replace(output, expected=expected), output.kind, fields)


def make_unreadable_sidecar(output: Output) -> Output:
    """A sidecar that stops in the middle of a value: no field of it can be used."""
    code = "sidecar.json" if output.kind is SidecarKind.JSON else "sidecar.xml"
    expected = _reject(output.expected, code, "field.missing")
    return replace(output, sidecar=output.sidecar[: len(output.sidecar) // 2], expected=expected)


def make_unscheduled(output: Output, retention_class: str = "OLD-99Y") -> Output:
    """A retention class that the schedule does not have."""
    expected = _reject(output.expected, "vocabulary.retention_class")
    fields = {**output.fields, "retention_class": retention_class}
    return _with_sidecar(replace(output, expected=expected), output.kind, fields)


def make_undescribed(output: Output) -> Output:
    """A spool whose sidecar never comes, where one is needed."""
    expected = _reject(output.expected, "sidecar.missing")
    return replace(output, sidecar_name=None, sidecar=b"", kind=SidecarKind.NONE, expected=expected)


def make_manual(
    name: bytes, words: str, *, defaults: Mapping[str, str], fields: Fields | None = None
) -> Output:
    """A letter that a clerk exported and dropped by hand, with or without a sidecar.

    ``defaults`` are the folder's; what ``fields`` says counts more."""
    data = write_bare_pdf(words, (Line(57, 760, "plain", 11, words),))
    known = {**defaults, **(fields or {})}
    output = Output(name=name, data=data, expected=_expect(name, data, known, pages=1))
    return _with_sidecar(output, SidecarKind.JSON, fields) if fields else output


def _expect(name: bytes, data: bytes, fields: Mapping[str, Any], *, pages: int | None) -> Expected:
    return Expected(
        name=name,
        outcome=Outcome.ARCHIVED,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        pages=pages,
        document_type=fields.get("document_type"),
        customer_id=fields.get("customer_id"),
        account_number=fields.get("account_number"),
        issue_date=fields.get("issue_date"),
        channel=fields.get("channel"),
        retention_class=fields.get("retention_class"),
        title=fields.get("title"),
        references=references_in(fields),
    )


def references_in(fields: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """(kind, reference) of what a sidecar says, in the order of ``core.references``."""
    return tuple(
        (kind, reference)
        for kind, name in REFERENCE_FIELDS.items()
        for reference in fields.get(name, ())
    )


def _reject(expected: Expected, *codes: str) -> Expected:
    return replace(expected, outcome=Outcome.REJECTED, reason_codes=codes)


def _with_sidecar(
    output: Output, kind: SidecarKind, fields: Fields, *, short: bool = False
) -> Output:
    return replace(
        output,
        kind=kind,
        fields=fields,
        sidecar_name=_sidecar_name(output.name, kind, short=short),
        sidecar=write_sidecar(kind, fields),
    )


def _sidecar_name(name: bytes, kind: SidecarKind, *, short: bool = False) -> bytes | None:
    suffix = _SUFFIXES.get(kind)
    if suffix is None:
        return None
    return (os.path.splitext(name)[0] if short else name) + suffix


def _name_of(communication: Communication, spool: str) -> bytes:
    """Queue, job and a counter, as an output queue that splits per customer names files."""
    return (
        f"{communication.queue}_{communication.job_number}_{communication.number:07d}.{spool}"
    ).encode()
