"""What contradicts what in a configuration that has the right shape."""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterator, Mapping
from functools import partial
from urllib.parse import urlsplit

from hotfolder.archivesspace.slots import check_slots
from hotfolder.core.profiles import ArchiveSlots, FolderKind, Vocabularies
from hotfolder.service.settings_model import FolderSection, SettingsFile
from hotfolder.service.settings_retention import check_retention
from hotfolder.service.settings_roles import check_roles
from hotfolder.service.settings_sources import Finding, nearest
from hotfolder.service.settings_templates import check_templates
from hotfolder.sidecars.fieldmap import CANONICAL, fold
from hotfolder.sidecars.values import UnreadableValueError, read_value

# A key must not change when a document is described better or its bytes change.
KEYABLE = frozenset(CANONICAL) - {"title", "customer_name", "declared_sha256", "declared_size"}

Names = Mapping[str, frozenset[str]]  # of each kind of table, also those with faults inside


def check_records(settings: SettingsFile, url: str, names: Names) -> Iterator[Finding]:
    """Every contradiction between the tables of records; no file is touched."""
    yield from _check_archive(settings, url)
    yield from _check_twins(settings)
    yield from check_retention(settings)
    yield from check_roles(settings)
    yield from check_templates(settings)
    yield from _check_series(settings, names)
    for name, item in settings.folders.items():
        yield from _check_fields(name, item, settings, names)


def _check_archive(settings: SettingsFile, url: str) -> Iterator[Finding]:
    archive = settings.archivesspace
    at = partial(_archive_finding)
    if url:
        yield from _check_url(url)
    try:
        fields = {name for _, name, _, _ in string.Formatter().parse(archive.resolver) if name}
    except ValueError:
        fields = set()
    if fields != {"identity"}:
        yield at("resolver", "it does not say where the identity goes", "put {identity} into it")
    for name in ("connect_timeout", "read_timeout"):
        if getattr(archive, name) > archive.total_timeout:
            yield at(name, "it is longer than total_timeout", "make total_timeout the longest")
    if archive.ca_file and not archive.verify_tls:
        yield at("ca_file", "verify_tls = false makes it useless", "remove one of the two")
    given = [
        name
        for name in ("password_file", "password")
        if name in archive.model_fields_set and getattr(archive, name)
    ]
    if len(given) > 1:
        yield at("password", "there is a password_file too", "remove one of the two")
    for fault in check_slots(ArchiveSlots(**archive.slots.model_dump())):
        slot = next(
            (name for name in type(archive.slots).model_fields if f"{name}:" in fault.message), ""
        )
        yield Finding(("archivesspace", "slots", slot), fault.code, fault.message, fault.remedy)


def _archive_finding(name: str, message: str, remedy: str) -> Finding:
    return Finding(("archivesspace", name), f"archive.{name}", message, remedy)


def _check_url(url: str) -> Iterator[Finding]:
    wrong = partial(_archive_finding, "url")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        yield wrong("this is no address of a server", "write it like http://localhost:8089")
    elif parts.username is not None or parts.password is not None:
        yield wrong("there is a login in it", "use username and password_file: addresses are shown")
    elif parts.query or parts.fragment:
        yield wrong("there is more than an address in it", "end it before ? and #")


def _check_twins(settings: SettingsFile) -> Iterator[Finding]:
    """ArchivesSpace and people compare without letter case: so must names."""
    for table in ("retention", "units", "series", "folders", "migrations"):
        seen: dict[str, str] = {}
        for name in getattr(settings, table):
            other = seen.setdefault(name.casefold(), name)
            if other != name:
                yield Finding(
                    (table, name),
                    "configuration.twin",
                    f"{other} differs from it only in letter case",
                    "rename one of the two",
                )


def _check_series(settings: SettingsFile, names: Names) -> Iterator[Finding]:
    owners: dict[str, str] = {}
    for code, item in settings.series.items():
        place = ("series", code)
        for document_type in item.document_types:
            other = owners.setdefault(document_type.casefold(), code)
            if other != code:
                yield Finding(
                    (*place, "document_types"),
                    "series.type",
                    f"{document_type!r} belongs to series {other} already",
                    "leave it in one of the two",
                )
            if not document_type.strip():
                yield Finding(
                    (*place, "document_types"), "series.type", "a type is empty", "remove it"
                )
        if item.retention_class and item.retention_class not in names["retention"]:
            yield Finding(
                (*place, "retention_class"),
                "series.class",
                f"there is no retention class {item.retention_class!r}",
                nearest(item.retention_class, sorted(names["retention"])),
            )
        for name in item.key:
            if name not in KEYABLE:
                yield Finding(
                    (*place, "key"),
                    "series.key",
                    f"{name!r} cannot be part of a key",
                    "it changes without the document being another: remove it"
                    if name in CANONICAL
                    else nearest(name, sorted(KEYABLE)),
                )
        for name in item.required:
            if name not in CANONICAL:
                yield Finding(
                    (*place, "required"),
                    "series.required",
                    f"{name!r} is no canonical field",
                    nearest(name, CANONICAL),
                )


def _check_fields(
    folder: str, item: FolderSection, settings: SettingsFile, names: Names
) -> Iterator[Finding]:
    place = ("folders", folder)
    yield from check_map(place, item.business_unit, item.field_map, names)
    templates = item.kind is FolderKind.TEMPLATES
    if not names["series"] and not templates:
        yield Finding(
            place, "series.none", "no series can take its documents", "add a [series.…] table"
        )
    for name, value in item.defaults.items():
        yield from check_default((*place, "defaults", name), name, value, settings, names)
    bare = item.sidecar == "none" or not (item.sidecar_required or item.manual)
    if bare and not templates and "document_type" not in item.defaults:
        yield Finding(
            (*place, "defaults"),
            "folder.default",
            "files may come without metadata, but there is no default document_type",
            "add document_type to defaults",
        )


def check_map(
    place: tuple[str, ...], business_unit: str, field_map: Mapping[str, str], names: Names
) -> Iterator[Finding]:
    """Whose documents a folder has, and what its fields are called."""
    if business_unit not in names["units"]:
        yield Finding(
            (*place, "business_unit"),
            "folder.unit",
            f"there is no business unit {business_unit!r}",
            nearest(business_unit, sorted(names["units"]))
            if names["units"]
            else "add a [units.…] table",
        )
    mapped: dict[str, str] = {}
    for theirs, ours in field_map.items():
        where = (*place, "field_map", theirs)
        if ours != "-" and ours not in CANONICAL:
            yield Finding(
                where, "folder.field", f"{ours!r} is no canonical field", nearest(ours, CANONICAL)
            )
        other = mapped.setdefault(fold(theirs), theirs)
        if field_map[other] != ours:
            yield Finding(
                where,
                "folder.field",
                f"it is read as the same field as {other!r}, which goes elsewhere",
                "remove one of the two",
            )


def check_default(
    place: tuple[str, ...], name: str, value: str, settings: SettingsFile, names: Names
) -> Iterator[Finding]:
    """Whether a value can be that of a canonical field."""
    if name not in CANONICAL:
        yield Finding(
            place, "folder.field", f"{name!r} is no canonical field", nearest(name, CANONICAL)
        )
        return
    try:
        read_value(name, [value])
    except UnreadableValueError as error:
        yield Finding(place, error.code, error.message, error.remedy)
        return
    allowed = _allowed(name, settings, names)
    if allowed and value.strip().casefold() not in {choice.casefold() for choice in allowed}:
        yield Finding(
            place, "folder.default", f"{value!r} is not in the list", nearest(value, allowed)
        )


def _allowed(name: str, settings: SettingsFile, names: Names) -> list[str]:
    if name == "document_type":
        types = [series.document_types for series in settings.series.values()]
        # A series with a fault in it may be the one that has the type.
        return list(itertools.chain(*types)) if len(types) == len(names["series"]) else []
    if name == "retention_class":
        return sorted(names["retention"])
    if name in Vocabularies.__dataclass_fields__:
        return list(getattr(settings.vocabularies, name))
    return []
