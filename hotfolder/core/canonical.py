"""The canonical metadata of a spool, as JSON: what the store keeps beside the bytes.

From this alone (and the bytes) the journal can be made again, so everything that
identifies, dates or classifies a document is in it. Keys are sorted and the text
is UTF-8 without escapes, so the same spool always yields the same bytes. File
names are written twice: readable, and exact in hexadecimal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from hotfolder.core.errors import Corrupt
from hotfolder.core.records import (
    Document,
    DocumentMetadata,
    DocumentRange,
    Inspection,
    Reading,
    Role,
    SpoolRow,
)
from hotfolder.core.templates import template_from_dict, template_to_dict

FORMAT = "hotfolder-spool/1"
FORMAT_MANY = "hotfolder-spool/2"  # the documents are lines of documents.jsonl beside it
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_NAMES = tuple(item.name for item in fields(DocumentMetadata))
_DATES = ("issue_date", "trigger_date", "legacy_date")
_MANY = ("case_refs", "claim_refs", "dispute_refs", "change_refs", "access")


def metadata_to_dict(metadata: DocumentMetadata) -> dict[str, Any]:
    """The fields that have a value, as JSON types; dates in ISO 8601."""
    found: dict[str, Any] = {}
    for name in _NAMES:
        value = getattr(metadata, name)
        if value is None:
            continue
        # Nearly all are texts; asked first, because it is asked for every field of a spool
        # with a hundred thousand documents.
        if isinstance(value, (str, int)):
            found[name] = value
        elif isinstance(value, date):
            found[name] = value.isoformat()
        elif isinstance(value, tuple):
            if value:
                found[name] = list(value)
        elif value:
            found[name] = {key: list(texts) for key, texts in value.items()}
    return found


def metadata_from_dict(found: Mapping[str, Any]) -> DocumentMetadata:
    """The inverse of ``metadata_to_dict``; ``ValueError`` or ``TypeError`` on other input."""
    values = dict(found)
    for name in _DATES:
        if name in values:
            values[name] = date.fromisoformat(values[name])
    for name in _MANY:
        if name in values:
            values[name] = tuple(values[name])
    if "extra" in values:
        values["extra"] = {key: tuple(texts) for key, texts in values["extra"].items()}
    return DocumentMetadata(**values)


def document_to_dict(document: Document) -> dict[str, Any]:
    """A document with its range and metadata."""
    place = document.range
    many: dict[str, Any] = {} if document.role is Role.OWN else {"role": document.role.value}
    pages: dict[str, Any] = {"by_pages": True} if place.by_pages else {}
    clock: dict[str, Any] = {}
    if document.class_version is not None:
        clock["class_version"] = document.class_version
    if document.cutoff is not None:
        clock["cutoff"] = document.cutoff.isoformat()
    return {
        **many,
        **clock,
        "identity": document.identity,
        "source": document.source,
        "business_key": document.business_key,
        "series": document.series,
        "cycle": document.cycle,
        "title": document.title,
        "version": document.version,
        "supersedes": document.supersedes,
        "retain_until": document.retain_until.isoformat() if document.retain_until else None,
        "range": {
            "ordinal": place.ordinal,
            "offset": place.offset,
            "length": place.length,
            "sha256": place.sha256,
            "first_page": place.first_page,
            "pages": place.pages,
            **pages,
        },
        "metadata": metadata_to_dict(document.metadata),
    }


def document_from_dict(found: Mapping[str, Any]) -> Document:
    """The inverse of ``document_to_dict``."""
    values = dict(found)
    values["range"] = DocumentRange(**values["range"])
    values["metadata"] = metadata_from_dict(values["metadata"])
    values["role"] = Role(values.get("role", Role.OWN))
    for name in ("retain_until", "cutoff"):
        if values.get(name) is not None:
            values[name] = date.fromisoformat(values[name])
    return Document(**values)


def document_line(document: Document) -> bytes:
    """A document as a line of documents.jsonl."""
    return (dump(document_to_dict(document)) + "\n").encode()


_BARE = ("document_type", "issue_date", "retention_class", "trigger_date", "jurisdiction")


def bare_line(line: bytes) -> bytes:
    """A line of documents.jsonl without all that a customer is known by: ids, digests,
    classes and dates stay. It is what is left of a document that was destroyed; the
    identity stands for its business key. Raises ``Corrupt`` if it is no such line."""
    try:
        found = json.loads(line)
        known = found["metadata"]
        bare = {
            **found,
            "business_key": found["identity"],
            "title": "",
            "metadata": {name: known[name] for name in _BARE if name in known},
        }
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _unreadable(error) from error
    return (dump(bare) + "\n").encode()


def read_document_line(line: bytes) -> Document:
    """The inverse of ``document_line``; raises ``Corrupt`` if it is none."""
    try:
        return document_from_dict(json.loads(line))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _unreadable(error) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLines:
    """Documents that lie as lines somewhere; they are read again whenever they are gone
    through."""

    count: int
    read: Callable[[], Iterator[bytes]]

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Document]:
        return map(read_document_line, self.read())


def dump(value: object) -> str:
    """JSON in the one way that hotfolder writes it: sorted, unescaped, no blanks."""
    return _ENCODER.encode(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolDescription:
    """What ``spool_from_json`` gives back: enough for a new journal."""

    spool_id: str
    folder: str
    business_unit: str
    name: bytes
    sidecars: tuple[bytes, ...]
    mtime_ns: int
    settled_by: str
    created_at: float
    reading: Reading


def spool_to_json(spool: SpoolRow, reading: Reading, *, many: bool = False) -> bytes:
    """The canonical metadata of ``spool``, UTF-8 with a final newline. With ``many`` it
    tells only how many documents there are: they lie beside it (``document_line``)."""
    template = {} if reading.template is None else {"template": template_to_dict(reading.template)}
    return (
        dump(
            {
                "format": FORMAT_MANY if many else FORMAT,
                "spool_id": spool.id,
                "folder": spool.folder,
                "business_unit": spool.business_unit,
                "name": spool.name.decode("utf-8", "replace"),
                "name_hex": spool.name.hex(),
                "sidecars_hex": [name.hex() for name in spool.sidecars],
                "mtime_ns": spool.mtime_ns,
                "settled_by": spool.settled_by,
                "created_at": spool.created_at,
                "sha256": reading.sha256,
                "size": reading.size,
                "format_name": reading.inspection.format_name,
                "format_version": reading.inspection.format_version,
                "media_type": reading.inspection.media_type,
                "pages": reading.inspection.pages,
                "documents": len(reading.documents)
                if many
                else [document_to_dict(document) for document in reading.documents],
                **template,
            }
        )
        + "\n"
    ).encode()


def spool_from_json(
    data: bytes, read_lines: Callable[[], Iterator[bytes]] = lambda: iter(())
) -> SpoolDescription:
    """Read canonical metadata back; raises ``Corrupt`` if it is not such.

    ``read_lines`` gives the lines of documents.jsonl, for metadata that says that the
    documents are there.
    """
    try:
        found = json.loads(data)
        if found["format"] not in (FORMAT, FORMAT_MANY):
            raise Corrupt(
                f"canonical metadata of an unknown format {found['format']!r}",
                hint="read it with the release of hotfolder that wrote it",
            )
        return SpoolDescription(
            spool_id=found["spool_id"],
            folder=found["folder"],
            business_unit=found["business_unit"],
            name=bytes.fromhex(found["name_hex"]),
            sidecars=tuple(bytes.fromhex(name) for name in found["sidecars_hex"]),
            mtime_ns=found["mtime_ns"],
            settled_by=found["settled_by"],
            created_at=found["created_at"],
            reading=Reading(
                spool_id=found["spool_id"],
                sha256=found["sha256"],
                size=found["size"],
                inspection=Inspection(
                    format_name=found["format_name"],
                    format_version=found["format_version"],
                    media_type=found["media_type"],
                    pages=found["pages"],
                ),
                documents=DocumentLines(count=int(found["documents"]), read=read_lines)
                if found["format"] == FORMAT_MANY
                else tuple(document_from_dict(item) for item in found["documents"]),
                template=template_from_dict(found["template"]) if "template" in found else None,
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> Corrupt:
    return Corrupt(
        f"canonical metadata cannot be read: {type(error).__name__}",
        hint="the object in the store was damaged or written by another program",
    )
