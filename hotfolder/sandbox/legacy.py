"""An old archive, as an export of it might lie on a share: four kinds of it, with what must
become of each of its items.

The same seed makes the same bytes. Field names and values are those of an archive that was
set up by other people long ago: ``legacy_tables`` is the configuration that translates them.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from xml.sax.saxutils import escape

from hotfolder.sandbox.afpwriter import write_afp
from hotfolder.sandbox.communications import Communication, make_communication
from hotfolder.sandbox.layout import compose_pages
from hotfolder.sandbox.pdfwriter import write_pdf
from hotfolder.sandbox.sidecarwriter import fields_of

NAMES: Mapping[str, str] = {
    "customer_id": "CustNo",
    "customer_name": "CustName",
    "account_number": "AcctNo",
    "policy_number": "PolNo",
    "document_type": "DocClass",
    "issue_date": "DocDate",
    "channel": "Medium",
    "title": "Subject",
    "case_refs": "CaseNo",
    "claim_refs": "ClaimNo",
    "dispute_refs": "DisputeNo",
    "change_refs": "ChangeNo",
    "retention_class": "RetCode",
    "legacy_id": "DocId",
    "legacy_date": "ArchDate",
}
TYPES: Mapping[str, str] = {
    "statement": "KTOAUSZ",
    "bill": "RECHNG",
    "policy": "POLICE",
    "notice": "MITTLG",
    "letter": "BRIEF",
}
CODES: Mapping[str, str] = {
    "FIN-7Y": "R07", "POL-10Y": "R10E", "CORR-6Y": "R06", "REG-PERM": "RXX",
}  # fmt: skip
MEDIA: Mapping[str, str] = {"print": "PAPIER", "email": "EMAIL", "portal": "PORTAL"}
_UNKNOWN_MEDIUM = "TELEX"
_SIP = "urn:x-emc:ia:schema:sip:1.0"
_PDI = "urn:example:legacy:letters:1.0"
KINDS = ("folder", "cmod", "csv", "sip")

File = tuple[str, bytes]  # path below the export, bytes


@dataclass(slots=True)
class Expected:
    """What must become of an export's items."""

    outcomes: Counter[str] = field(default_factory=Counter)  # archived, duplicate, rejected
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: str, reason: str = "") -> None:
        """One item."""
        self.outcomes[outcome] += 1
        if reason:
            self.reasons[reason] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyExport:
    """One export: its files in the order in which they are written."""

    kind: str
    files: tuple[File, ...]
    expected: Expected
    documents: int


def make_export(kind: str, seed: int, count: int) -> LegacyExport:
    """An export with about ``count`` documents in it, some of which are trouble."""
    makers = {"folder": _folder, "cmod": _loads, "csv": _list, "sip": _packages}
    # Years apart, and each some years long: 5,000 numbers are a month.
    start = 300_000 * (1 + KINDS.index(kind))
    letters = [_document(seed, start + 97 * place) for place in range(count)]
    expected = Expected()
    files = tuple(makers[kind](letters, expected))
    return LegacyExport(kind=kind, files=files, expected=expected, documents=count)


def write_export(export: LegacyExport, place: str) -> None:
    """Put the files of an export below ``place``, which is made."""
    for name, data in export.files:
        path = os.path.join(place, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(data)
        # Archived long ago: a copy must keep it.
        moment = 1_000_000_000 + int(hashlib.sha256(name.encode()).hexdigest()[:6], 16)
        os.utime(path, (moment, moment))


# -- documents ---------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    number: int
    communication: Communication
    fields: Mapping[str, Sequence[str]]

    @property
    def name(self) -> str:
        return f"{self.communication.issue_date:%Y/%m}/D{self.number:07}"


def _document(seed: int, number: int) -> _Document:
    communication = make_communication(seed, number)
    known = fields_of(communication)
    issued = communication.issue_date
    known |= {
        "legacy_id": f"OLD-{number:08}",
        "legacy_date": issued.isoformat(),
        "issue_date": f"{issued:%d.%m.%Y}",
        "document_type": TYPES[communication.document_type],
        "retention_class": CODES[communication.retention_class],
        "channel": MEDIA[communication.channel],
    }
    fields: dict[str, list[str]] = {}
    for name, theirs in NAMES.items():
        value: Any = known.get(name)
        if value:
            fields[theirs] = list(value) if isinstance(value, list) else [str(value)]
    return _Document(number=number, communication=communication, fields=fields)


def _pdf(document: _Document) -> bytes:
    return write_pdf(document.communication)


def _text(document: _Document) -> bytes:
    pages = compose_pages(document.communication)
    lines = [line.text for page in pages for line in page]
    return ("\n".join(lines) + "\n").encode("ascii", "replace")


def _changed(document: _Document, **changes: str | None) -> _Document:
    fields = {name: values for name, values in document.fields.items() if name not in changes}
    fields |= {name: [value] for name, value in changes.items() if value is not None}
    return replace(document, fields=fields)


# -- folders -----------------------------------------------------------------------------
def _folder(letters: Sequence[_Document], expected: Expected) -> Iterator[File]:
    for place, letter in enumerate(letters):
        yield from _beside(letter, expected, place % 10)
    first = letters[0]
    # Under another name: the same bytes and the same key.
    yield from _pair("kopie/K1.pdf", _pdf(first), first)
    expected.add("duplicate")
    yield "kopie/verwaist.pdf.json", json.dumps(_flat(first)).encode()
    expected.add("rejected", "migration.content_missing")
    yield "kopie/unbekannt.pdf", _pdf(letters[1])
    expected.add("rejected", "migration.sidecar_missing")
    bare = _changed(letters[2], DocDate=None)
    yield from _pair("kopie/ohne-datum.pdf", _pdf(letters[2]), bare)
    expected.add("rejected", "field.missing")
    odd = _changed(letters[3], Medium=_UNKNOWN_MEDIUM)
    yield from _pair("kopie/telex.pdf", _pdf(letters[3]) + b"\n", odd)
    expected.add("rejected", "vocabulary.channel")


def _beside(letter: _Document, expected: Expected, shape: int) -> Iterator[File]:
    """PDF with JSON mostly; text with XML, and AFP, now and then; the odd one cut off."""
    if shape in (3, 6):
        data = _text(letter)
        yield f"{letter.name}.txt", data
        yield f"{letter.name}.xml", _xml(letter)
    elif shape == 8:
        yield from _pair(f"{letter.name}.afp", write_afp([letter.communication]), letter)
    elif letter.number % (97 * 89) == 0:
        data = _pdf(letter)
        yield from _pair(f"{letter.name}.pdf", data[: len(data) // 2], letter)
        expected.add("rejected", "pdf.truncated")
        return
    else:
        yield from _pair(f"{letter.name}.pdf", _pdf(letter), letter)
    expected.add("archived")


def _flat(letter: _Document) -> dict[str, Any]:
    return {
        name: values[0] if len(values) == 1 else list(values)
        for name, values in letter.fields.items()
    }


def _pair(name: str, data: bytes, letter: _Document) -> Iterator[File]:
    yield name, data
    yield f"{name}.json", json.dumps(_flat(letter), ensure_ascii=False).encode()


def _xml(letter: _Document) -> bytes:
    leaves = "".join(
        f"<{name}>{escape(value)}</{name}>"
        for name, values in letter.fields.items()
        for value in values
    )
    return f"<document>{leaves}</document>".encode()


# -- loads -------------------------------------------------------------------------------
_IN_LOAD = 250


def _loads(letters: Sequence[_Document], expected: Expected) -> Iterator[File]:
    """Loads of text with many statements each, and one whose index names a file for each
    document, by its whole path."""
    whole = len(letters) * 9 // 10
    by_type: dict[str, list[_Document]] = {}
    for letter in letters[:whole]:
        by_type.setdefault(letter.communication.document_type, []).append(letter)
    for kind, found in sorted(by_type.items()):
        for start in range(0, len(found), _IN_LOAD):
            name = f"{TYPES[kind]}.{start // _IN_LOAD:04}"
            yield from _load(name, found[start : start + _IN_LOAD])
            expected.add("archived")
    index = [b"COMMENT: one file each", b"CODEPAGE:1208"]
    for letter in letters[whole:]:
        file = f"P{letter.number:07}.pdf"
        yield f"einzeln/{file}", _pdf(letter)
        index += _group(letter, 0, 0, f"/arsload/out/{file}")
        expected.add("archived")
    index += _group(letters[0], 0, 0, "/arsload/out/fehlt.pdf")
    expected.add("rejected", "migration.content_missing")
    yield "einzeln/export.ind", b"\n".join(index) + b"\n"
    yield "einzeln/rest.pdf", _pdf(letters[1])
    expected.add("rejected", "migration.not_described")


def _load(name: str, letters: Sequence[_Document]) -> Iterator[File]:
    data = bytearray()
    index = [b"CODEPAGE:1208"]
    for letter in letters:
        text = _text(letter)
        index += _group(letter, len(data), len(text), f"{name}.out")
        data += text
    yield f"{name}.out", bytes(data)
    yield f"{name}.ind", b"\n".join(index) + b"\n"


def _group(letter: _Document, offset: int, length: int, file: str) -> list[bytes]:
    lines: list[str] = []
    for name, values in letter.fields.items():
        lines += [
            line
            for value in values
            for line in (f"GROUP_FIELD_NAME:{name}", f"GROUP_FIELD_VALUE:{value}")
        ]
    lines += [f"GROUP_OFFSET:{offset}", f"GROUP_LENGTH:{length}", f"GROUP_FILENAME:{file}"]
    return [line.encode() for line in lines]


# -- a list ------------------------------------------------------------------------------
def _list(letters: Sequence[_Document], expected: Expected) -> Iterator[File]:
    rows: list[tuple[str, Mapping[str, Sequence[str]]]] = []
    for letter in letters:
        name = f"dateien/{letter.number % 10}/L{letter.number:07}.pdf"
        yield name, _pdf(letter)
        rows.append((name, letter.fields))
        expected.add("archived")
    rows.append((rows[0][0], rows[0][1]))
    expected.add("rejected", "migration.twice")
    rows.append(("dateien/fehlt.pdf", letters[0].fields))
    expected.add("rejected", "migration.content_missing")
    rows.append(("../geheim.pdf", letters[0].fields))
    expected.add("rejected", "migration.name")
    yield "dateien/zuviel.pdf", _pdf(letters[0])
    expected.add("rejected", "migration.not_described")
    titles = ["Datei", *NAMES.values()]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(titles)
    for name, fields in rows:
        writer.writerow([name, *(",".join(fields.get(title, ())) for title in titles[1:])])
    yield "liste.csv", text.getvalue().encode("utf-8-sig")


# -- packages ----------------------------------------------------------------------------
_IN_PACKAGE = 200


def _packages(letters: Sequence[_Document], expected: Expected) -> Iterator[File]:
    for start in range(0, len(letters), _IN_PACKAGE):
        number = start // _IN_PACKAGE + 1
        some = letters[start : start + _IN_PACKAGE]
        yield f"sip-{number:03}.zip", _package(number, some)
        for _ in some:
            expected.add("archived")
    spoiled = _package(999, letters[:1], spoiled=True)
    yield "sip-999.zip", spoiled
    expected.add("rejected", "migration.pdi_hash")


def _package(number: int, letters: Sequence[_Document], *, spoiled: bool = False) -> bytes:
    """The files first, as OpenText's SDK writes them, then both descriptions."""
    aius: list[str] = []
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as package:
        for letter in letters:
            name = f"content-{letter.number:07}.pdf"
            _put(package, name, _pdf(letter))
            leaves = "".join(
                f"<{title}>{escape(value)}</{title}>"
                for title, values in letter.fields.items()
                for value in values
            )
            aius.append(f"<letter>{leaves}<attachment><file>{name}</file></attachment></letter>")
        pdi = f'<letters xmlns="{_PDI}">{"".join(aius)}</letters>'.encode()
        digest = base64.b64encode(hashlib.sha256(pdi + b"x" * spoiled).digest()).decode()
        _put(package, "eas_pdi.xml", pdi)
        _put(package, "eas_sip.xml", _packaging(number, len(letters), digest))
    return data.getvalue()


def _put(package: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, (2015, 6, 30, 12, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    package.writestr(info, data)


def _packaging(number: int, count: int, digest: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<sip xmlns="{_SIP}"><dss><holding>Letters</holding><id>letters-{number}</id>'
        f"<pdi_schema>{_PDI}</pdi_schema><production_date>2015-06-30T12:00:00Z</production_date>"
        "<base_retention_date>2015-06-30T12:00:00Z</base_retention_date>"
        "<producer>Exporter</producer><entity>Retail</entity><priority>0</priority>"
        "<application>Letters</application></dss>"
        "<production_date>2015-06-30T12:00:00Z</production_date><seqno>1</seqno>"
        f"<is_last>true</is_last><aiu_count>{count}</aiu_count>"
        f'<pdi_hash algorithm="SHA-256" encoding="base64">{digest}</pdi_hash></sip>'
    ).encode()


# -- the configuration -------------------------------------------------------------------
def legacy_tables(
    exports: str, inboxes: str, *, business_unit: str = "RETAIL", extra: str = ""
) -> str:
    """The tables ``[migrations.…]`` for exports below ``exports``; ``extra`` lines go into
    each. The inboxes must be made."""
    return "\n".join(_table(kind, exports, inboxes, business_unit, extra) for kind in KINDS)


def _table(kind: str, exports: str, inboxes: str, business_unit: str, extra: str) -> str:
    path = os.path.join(exports, kind, "liste.csv" if kind == "csv" else "")
    lines = [
        f"[migrations.{kind}]",
        f"kind = {json.dumps(kind)}",
        f"path = {json.dumps(path.rstrip('/'))}",
        f"inbox = {json.dumps(os.path.join(inboxes, kind))}",
        f"business_unit = {json.dumps(business_unit)}",
        f'system = "Altarchiv {kind}"',
    ]
    if kind == "csv":
        lines += ['file_field = "Datei"']
    lines += [extra] if extra else []
    lines += [f"[migrations.{kind}.field_map]"]
    lines += [f"{json.dumps(theirs)} = {json.dumps(ours)}" for ours, theirs in NAMES.items()]
    for name, values in (("document_type", TYPES), ("retention_class", CODES), ("channel", MEDIA)):
        lines += [f"[migrations.{kind}.values.{name}]"]
        lines += [f"{json.dumps(theirs)} = {json.dumps(ours)}" for ours, theirs in values.items()]
    if kind == "cmod":
        lines += ["[migrations.cmod.documents]", 'describe = "spool"']
    return "\n".join(lines) + "\n"
