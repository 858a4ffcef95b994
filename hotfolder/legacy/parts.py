"""What the readers of exports have in common: faults of items, names, and the sidecar that
says where a document came from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence

from hotfolder.core.errors import Fault, InputFault, OperatorFault
from hotfolder.core.legacy import MARK, LegacyItem, MigrationProfile, mark_fields, name_id
from hotfolder.files.legacytree import Entry
from hotfolder.sidecars.fieldmap import FieldMap

SIDECAR = b".migration.json"  # no sidecar of a producer is read before it
_LONGEST = 200  # bytes: there is room behind it for the endings of sidecars and numbers
_SYSTEM, _ID, _DATE = "legacy_system", "legacy_id", "legacy_date"


def fault(code: str, message: str, remedy: str, *, file: str = "", place: str = "") -> Fault:
    """Something wrong with an item."""
    return Fault(code=f"migration.{code}", message=message, remedy=remedy, file=file, place=place)


def faults_of(error: InputFault | OperatorFault, file: str) -> tuple[Fault, ...]:
    """What is wrong with an index or a package that cannot be read. Raises ``error`` again
    where it is not of this file alone."""
    if isinstance(error, InputFault):
        return tuple(error.faults)
    if not error.code.startswith("file."):
        raise error
    return (Fault(code=error.code, message=error.message, remedy=error.hint, file=file),)


def missing(file: str, place: str = "") -> Fault:
    """Something is said of a file that is not there."""
    return fault(
        "content_missing",
        "the file that this describes is not in the export",
        "export it again; or settle with its owner that it is gone",
        file=file,
        place=place,
    )


def not_named(file: str) -> Fault:
    """A file that nothing describes."""
    return fault(
        "not_described",
        "nothing in the export describes this file",
        "export its fields too, or list it under ignore",
        file=file,
    )


def not_regular(file: str) -> Fault:
    """A link, pipe or device."""
    return Fault(
        code="file.not_regular",
        message="this is not a plain file",
        remedy="export the file itself, not a link, a pipe or a device",
        file=file,
    )


def spool_name(name: bytes) -> bytes:
    """``name`` as that of a spool: cut where it is too long for what is written beside it,
    with its ending and a part of its SHA-256."""
    base = os.path.basename(name)
    if base in (b"", b".", b".."):
        base = b"document"
    if len(base) <= _LONGEST:
        return base
    ending = os.path.splitext(base)[1][:20]
    return hashlib.sha256(base).hexdigest()[:32].encode() + ending


def item_of(source_id: str, place: str, entry: Entry, **more: object) -> LegacyItem:
    """An item that is a file of its own."""
    return LegacyItem(
        source_id=source_id,
        place=place,
        name=spool_name(entry.name),
        size=entry.size,
        mtime_ns=entry.mtime_ns,
        **more,  # type: ignore[arg-type]
    )


def shown(name: bytes) -> str:
    """A name within the export for people and for ids."""
    return name_id(name)


def sidecar(
    profile: MigrationProfile,
    item: LegacyItem,
    fields: Mapping[str, Sequence[str]] | None = None,
    *,
    archived_on: str = "",
) -> bytes:
    """The JSON that goes beside an item: ``fields`` in the words of the old archive, and
    where it came from. What is called like the latter has ``old `` put before its name.
    ``archived_on`` counts where no field says when it was archived."""
    found: dict[str, list[str]] = {}
    for name, values in (fields or {}).items():
        found["old " + name if name.startswith(MARK) else name] = list(values)
    known = FieldMap(profile.field_map)
    said = {known.canonical(name) for name in found}
    if fields is not None and _ID not in said:
        found[_ID] = [found[profile.id_field][0] if profile.id_field in found else item.source_id]
    if archived_on and _DATE not in said:
        found[_DATE] = [archived_on]
    if _SYSTEM not in said and _SYSTEM not in profile.defaults:
        found[_SYSTEM] = [profile.old_archive]
    found |= {name: list(values) for name, values in mark_fields(profile, item).items()}
    return json.dumps({"metadata": found}, ensure_ascii=True).encode()
