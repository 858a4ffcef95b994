"""Collect: many documents into one folder, each with its description, and a manifest.

What is there whole is left, so a collection that was cut short goes on where it was. A
document comes before its description, and the manifest comes last: a description proves
that its document is whole, and the manifest that everything is there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import Corrupt, HotfolderError, InputFault, OperatorFault
from hotfolder.core.handover import handover_record
from hotfolder.core.ports import Clock
from hotfolder.core.records import CatalogueRow
from hotfolder.files.content import hash_file, open_regular, write_atomically
from hotfolder.flows.give import Given, Giving
from hotfolder.flows.retrieve import Form

MANIFEST = b"manifest.json"
FORMAT = "hotfolder-manifest/1"
_SIDECAR_LIMIT = 4 << 20  # bytes; a larger description is none of ours
_MANIFEST_LIMIT = 256 << 20
_GONE = OperatorFault(
    "the catalogue has the document no more", hint="`hotfolder find` again", code="retrieve.gone"
)
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A document that was not given."""

    identity: str
    code: str
    message: str
    exit_code: int


@dataclass(slots=True, kw_only=True)
class Collected:
    """What a collection came to."""

    given: int = 0
    skipped: int = 0  # that were there whole
    bytes: int = 0  # that were written, without descriptions
    files: list[dict[str, Any]] = field(default_factory=list)  # entries of the manifest
    refused: list[Refused] = field(default_factory=list)


def collect(
    giving: Giving,
    rows: Iterable[CatalogueRow],
    folder: bytes,
    *,
    form: Form | None,
    clock: Clock,
    force: bool,
    progress: Callable[[int], None] = lambda _done: None,
) -> Collected:
    """Give ``rows`` into ``folder``, which must be there; on disk when this returns.

    A document that is damaged, or cannot be had in this form, is left out and listed;
    a disk that fails or is full ends the collection (``Transient``, ``OperatorFault``).
    """
    collected = Collected()
    spools: set[str] = set()
    for done, row in enumerate(rows, 1):
        if form is Form.SPOOL and row.spool_id in spools:
            continue  # its spool is there with another of its documents
        spools.add(row.spool_id)
        try:
            _collect_one(giving, row, folder, form, clock, collected, force=force)
        except KeyError:
            collected.refused.append(_refused(row, _GONE))
        except HotfolderError as error:
            if not isinstance(error, Corrupt) and not error.code.startswith("retrieve."):
                raise
            collected.refused.append(_refused(row, error))
        progress(done)
    if len(collected.files) > 1 or os.path.lexists(os.path.join(folder, MANIFEST)):
        _write_manifest(folder, collected.files, clock.now())
    return collected


def _refused(row: CatalogueRow, error: HotfolderError) -> Refused:
    return Refused(
        identity=row.document.identity,
        code=error.code,
        message=error.message,
        exit_code=error.exit_code,
    )


def _collect_one(
    giving: Giving,
    row: CatalogueRow,
    folder: bytes,
    form: Form | None,
    clock: Clock,
    collected: Collected,
    *,
    force: bool,
) -> None:
    name = name_of(row, form)
    path, sidecar = os.path.join(folder, name), os.path.join(folder, name + b".json")
    entry = _entry_of_whole(row, form, path, sidecar, name)
    if entry is not None:
        collected.skipped += 1
        collected.files.append(entry)
        return
    # A document of ours without its description was cut short just there.
    ours = not os.path.lexists(sidecar) and _hash(path) == _expected(row, form)
    free = force or ours or not os.path.lexists(path)
    given = None
    if free:
        given = giving.to_file(row.document.identity, form, path, to="folder", force=force or ours)
    if given is None:
        raise OperatorFault(
            "another file has the name of the document",
            hint="name another folder, or replace it with --force",
            code="retrieve.exists",
        )
    # survives: killed here, the document is there and gets its description next time
    crashpoint("give.put")
    description = _describe(given, clock.now())
    write_atomically(sidecar, description)
    collected.given += 1
    collected.bytes += given.size
    collected.files.append(
        {
            "file": name.decode(),
            "sha256": given.sha256,
            "bytes": given.size,
            "description": name.decode() + ".json",
            "description_sha256": hashlib.sha256(description).hexdigest(),
            "identity": given.row.document.identity,
            "form": str(given.form),
            "derived": given.derived,
        }
    )


def name_of(row: CatalogueRow, form: Form | None) -> bytes:
    """The file's name: nobody else's, and made of nothing that came from outside but
    letters and digits."""
    name = os.path.basename(row.spool_name).decode("utf-8", "replace").lower()
    suffix = os.path.splitext(name)[1]
    if not _SUFFIX.match(suffix):
        suffix = f".{row.format_name}" if _SUFFIX.match(f".{row.format_name}") else ".bin"
    if form is Form.SPOOL:
        return f"spool_{row.spool_id}{suffix}".encode()
    known = row.document.metadata
    kind = re.sub(r"[^a-z0-9]+", "-", (known.document_type or "document").lower()).strip("-")
    day = known.issue_date.isoformat() if known.issue_date else "undated"
    mark = "_alone" if form is Form.ALONE else ""
    return f"{day}_{kind[:40] or 'document'}_{row.document.identity}{mark}{suffix}".encode()


def _expected(row: CatalogueRow, form: Form | None) -> str | None:
    """The SHA-256 that the bytes must have; None if they are derived."""
    place = row.document.range
    if form is Form.SPOOL:
        return row.spool_sha256
    if place.by_pages or form is Form.ALONE:
        return None
    return place.sha256


def _describe(given: Given, at: float) -> bytes:
    record = handover_record(
        given.row,
        form=str(given.form),
        derived=given.derived,
        sha256=given.sha256,
        size=given.size,
        given_at=at,
    )
    return (json.dumps(record, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def _entry_of_whole(
    row: CatalogueRow, form: Form | None, path: bytes, sidecar: bytes, name: bytes
) -> dict[str, Any] | None:
    """The manifest's entry for a document that is there whole with its description,
    proven by its hash; None if it is not."""
    described = _read_json(sidecar, _SIDECAR_LIMIT)
    given = described.get("given")
    if not isinstance(given, dict) or not os.path.lexists(path):
        return None
    spool = described.get("spool")
    if not isinstance(spool, dict) or spool.get("sha256") != row.spool_sha256:
        return None
    if form is not Form.SPOOL and described.get("identity") != row.document.identity:
        return None
    found = _hash(path)
    if found is None or found != given.get("sha256"):
        return None
    if (expected := _expected(row, form)) is not None and found != expected:
        return None
    return {
        "file": name.decode(),
        "sha256": found,
        "bytes": given.get("bytes"),
        "description": name.decode() + ".json",
        "description_sha256": _hash(sidecar),
        "identity": described.get("identity"),
        "form": given.get("form"),
        "derived": given.get("derived"),
    }


def _hash(path: bytes) -> str | None:
    try:
        return hash_file(path)[0]
    except (InputFault, OperatorFault):
        return None


def _read_json(path: bytes, limit: int) -> dict[str, Any]:
    """A JSON object; an empty one if there is none that could be ours."""
    try:
        with open_regular(path) as stream:
            data = stream.read(min(os.fstat(stream.fileno()).st_size, limit) + 1)
        found = json.loads(data) if len(data) <= limit else None
    except (InputFault, OperatorFault, OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_manifest(folder: bytes, files: list[dict[str, Any]], at: float) -> None:
    """Everything that was collected, and what an earlier manifest has of other files."""
    path = os.path.join(folder, MANIFEST)
    before = _read_json(path, _MANIFEST_LIMIT)
    listed = before.get("files") if before.get("format") == FORMAT else None
    entries = {
        item["file"]: item
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, dict) and isinstance(item.get("file"), str)
    }
    entries |= {item["file"]: item for item in files}
    manifest = {
        "format": FORMAT,
        "made": datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds"),
        "files": [entries[name] for name in sorted(entries)],
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    write_atomically(path, text.encode())
