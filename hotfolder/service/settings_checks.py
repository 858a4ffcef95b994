"""What contradicts what in a configuration that has the right shape."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from hotfolder.core.errors import Fault
from hotfolder.core.profiles import CompletionRule
from hotfolder.core.retention import Period
from hotfolder.service.settings_model import FolderSection, SettingsFile
from hotfolder.sidecars.fieldmap import CANONICAL

_SLOT = re.compile(r"(boolean|integer|real|string|text|date|enum)_[1-5]\Z")
_KEYABLE = frozenset(CANONICAL) - {"title", "customer_name", "declared_sha256", "declared_size"}


def check_settings(settings: SettingsFile, url: str, file: str) -> list[Fault]:
    """Every contradiction, each with its place in ``file`` and its remedy."""
    found = itertools.chain(
        _check_archive(settings, url),
        _check_retention(settings),
        _check_series(settings),
        _check_folders(settings),
        _check_overlaps(settings),
    )
    return [
        Fault(code=code, message=message, remedy=remedy, file=file, place=place)
        for place, code, message, remedy in found
    ]


_Finding = tuple[str, str, str, str]  # place, code, message, remedy


def _check_archive(settings: SettingsFile, url: str) -> Iterator[_Finding]:
    archive = settings.archivesspace
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        yield (
            "archivesspace.url",
            "archive.url",
            "this is no address of a server",
            "write it like http://localhost:8089",
        )
    if parts.username or parts.password:
        yield (
            "archivesspace.url",
            "archive.url",
            "there is a login in the address",
            "use username and password_file: addresses end up in logs",
        )
    if "{identity}" not in archive.resolver:
        yield (
            "archivesspace.resolver",
            "archive.resolver",
            "the resolver does not say where the identity goes",
            "put {identity} into it",
        )
    used: dict[str, str] = {}
    for name, slot in archive.slots.model_dump().items():
        if not slot:
            continue
        place = f"archivesspace.slots.{name}"
        if not _SLOT.match(slot):
            yield place, "archive.slot", f"there is no slot {slot!r}", "one like string_1 or date_2"
        elif slot in used:
            yield place, "archive.slot", f"{slot} carries {used[slot]} already", "take another"
        used.setdefault(slot, name)


def _check_retention(settings: SettingsFile) -> Iterator[_Finding]:
    for code, item in settings.retention.items():
        place = f"retention.{code}.period"
        if item.trigger == "permanent":
            if item.period:
                yield place, "retention.period", "permanent has no period", "remove it"
            continue
        try:
            Period.parse(item.period)
        except ValueError:
            yield place, "retention.period", "this is no period", "write it like P7Y, P18M or P90D"


def _check_series(settings: SettingsFile) -> Iterator[_Finding]:
    owners: dict[str, str] = {}
    for code, item in settings.series.items():
        for document_type in item.document_types:
            other = owners.setdefault(document_type.casefold(), code)
            if other != code:
                yield (
                    f"series.{code}.document_types",
                    "series.type",
                    f"{document_type!r} belongs to series {other} already",
                    "leave it in one of the two",
                )
        if item.retention_class and item.retention_class not in settings.retention:
            yield (
                f"series.{code}.retention_class",
                "series.class",
                f"there is no retention class {item.retention_class!r}",
                "one of: " + ", ".join(settings.retention) if settings.retention else "add it",
            )
        for name in item.key:
            if name not in _KEYABLE:
                yield (
                    f"series.{code}.key",
                    "series.key",
                    f"{name!r} cannot be part of a key",
                    "one of: " + ", ".join(sorted(_KEYABLE)),
                )
        for name in item.required:
            if name not in CANONICAL:
                yield (
                    f"series.{code}.required",
                    "series.required",
                    f"{name!r} is no canonical field",
                    "one of: " + ", ".join(CANONICAL),
                )


def _check_folders(settings: SettingsFile) -> Iterator[_Finding]:
    if settings.folders and not settings.series:
        yield "series", "series.none", "there is no series", "add a [series.…] table"
    for name, item in settings.folders.items():
        place = f"folders.{name}"
        if not os.path.isabs(item.path):
            yield f"{place}.path", "folder.path", "the path is not absolute", "begin it with /"
        elif not os.path.isdir(item.path):
            yield f"{place}.path", "folder.missing", "there is no such folder", "make it"
        if item.business_unit not in settings.units:
            yield (
                f"{place}.business_unit",
                "folder.unit",
                f"there is no business unit {item.business_unit!r}",
                "one of: " + ", ".join(settings.units) if settings.units else "add [units.…]",
            )
        yield from _check_completion(place, item)
        yield from _check_fields(place, item, settings)


def _check_completion(place: str, item: FolderSection) -> Iterator[_Finding]:
    completion, where = item.completion, f"{place}.completion"
    if completion.rule is CompletionRule.TRIGGER and not completion.trigger_suffix:
        yield f"{where}.trigger_suffix", "completion", "a trigger needs a suffix", "such as .done"
    if completion.rule is CompletionRule.MANIFEST and not completion.manifest_suffix:
        yield f"{where}.manifest_suffix", "completion", "a manifest needs a suffix", "add one"
    if completion.rule is CompletionRule.RENAME and not completion.temporary:
        yield f"{where}.temporary", "completion", "rename needs temporary names", "such as *.tmp"
    if item.network and "writer_check" in completion.model_fields_set and completion.writer_check:
        yield (
            f"{where}.writer_check",
            "completion",
            "on a network share the kernel knows nothing of other machines' writers",
            "set writer_check = false",
        )
    if item.network and completion.rule is CompletionRule.QUIET and completion.quiet < item.poll:
        yield (
            f"{where}.quiet",
            "completion",
            f"quiet ({completion.quiet:g} s) is shorter than poll ({item.poll:g} s)",
            "make it at least as long",
        )
    if completion.rule is CompletionRule.QUIET and completion.quiet == 0:
        yield f"{where}.quiet", "completion", "quiet is 0: every half file would do", "set it to 5"


def _check_fields(place: str, item: FolderSection, settings: SettingsFile) -> Iterator[_Finding]:
    for theirs, ours in item.field_map.items():
        if ours != "-" and ours not in CANONICAL:
            yield (
                f"{place}.field_map.{theirs}",
                "folder.field",
                f"{ours!r} is no canonical field",
                "one of: " + ", ".join(CANONICAL) + ", or -",
            )
    vocabularies = settings.vocabularies.model_dump()
    types = [name for series in settings.series.values() for name in series.document_types]
    allowed = {
        **vocabularies,
        "document_type": types,
        "retention_class": list(settings.retention),
    }
    for name, value in item.defaults.items():
        if name not in CANONICAL:
            yield (
                f"{place}.defaults.{name}",
                "folder.field",
                f"{name!r} is no canonical field",
                "one of: " + ", ".join(CANONICAL),
            )
        elif allowed.get(name) and value.casefold() not in (
            item.casefold() for item in allowed[name]
        ):
            yield (
                f"{place}.defaults.{name}",
                "folder.default",
                f"{value!r} is not in the list",
                "one of: " + ", ".join(allowed[name]),
            )
    if not item.sidecar_required and "document_type" not in item.defaults:
        yield (
            f"{place}.defaults",
            "folder.default",
            "files may come without metadata, but there is no default document_type",
            "add defaults.document_type",
        )


def _check_overlaps(settings: SettingsFile) -> Iterator[_Finding]:
    real = {name: os.path.realpath(item.path) for name, item in settings.folders.items()}
    for (one, first), (two, second) in itertools.combinations(real.items(), 2):
        if _within(first, second) or _within(second, first):
            yield (
                f"folders.{two}.path",
                "folder.overlap",
                f"it overlaps with hot folder {one}",
                "give each hot folder a folder of its own",
            )
    for place, path in (
        ("journal.path", settings.journal.path),
        ("store.path", settings.store.path),
    ):
        if not os.path.isabs(path):
            yield place, "path", "the path is not absolute", "begin it with /"
        for name, folder in real.items():
            if _within(os.path.realpath(path), folder):
                yield (
                    place,
                    "folder.overlap",
                    f"it lies in hot folder {name}",
                    "keep it outside all hot folders",
                )


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith(outer.rstrip("/") + "/")
