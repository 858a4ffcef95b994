"""What contradicts what in hot folders: completion rules, and places on the disk."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator

from hotfolder.core.profiles import CompletionRule, SidecarFormat
from hotfolder.core.roles import Role, Roles
from hotfolder.service.settings_documents import check_documents
from hotfolder.service.settings_model import FolderSection, SettingsFile
from hotfolder.service.settings_records import folder_profile
from hotfolder.service.settings_sources import Finding, Place
from hotfolder.sidecars.pairing import pairing_of

_SAMPLE = b"document.pdf"
_KINDS = {
    "folders": "hot folder",
    "requests": "request folder",
    "events": "event folder",
    "return": "return folder",
    "feed": "folder of the feed",
    "migrations": "migration",
}


def check_folder(name: str, item: FolderSection) -> Iterator[Finding]:
    """Contradictions inside one hot folder's profile; no file is touched."""
    place = ("folders", name)
    yield from _check_completion((*place, "completion"), item)
    yield from _check_network(place, item)
    yield from _check_patterns(name, item)
    yield from check_documents((*place, "documents"), item)
    if item.sidecar_required and "sidecar_required" in item.model_fields_set:
        if item.manual:
            yield Finding(
                (*place, "sidecar_required"),
                "folder.manual",
                "people may drop files with or without metadata",
                "remove it, or set manual = false",
            )
        if item.sidecar is SidecarFormat.NONE:
            yield Finding(
                (*place, "sidecar_required"),
                "folder.sidecar",
                'it can never be met with sidecar = "none"',
                "set one of the two otherwise",
            )


def _check_completion(place: Place, item: FolderSection) -> Iterator[Finding]:
    completion = item.completion
    for rule, key in (
        (CompletionRule.TRIGGER, "trigger_suffix"),
        (CompletionRule.MANIFEST, "manifest_suffix"),
    ):
        suffix: str = getattr(completion, key)
        where = (*place, key)
        if completion.rule is not rule:
            if key in completion.model_fields_set:
                yield Finding(
                    where,
                    "folder.completion",
                    f'rule = "{completion.rule.value}" does not look at it: such files would be'
                    " archived",
                    f'set rule = "{rule.value}", or remove it',
                )
        elif not suffix:
            yield Finding(where, "folder.completion", f"{rule.value} needs it", "such as .done")
        elif "/" in suffix:
            yield Finding(where, "folder.completion", "it is part of a name", "remove the /")
        elif rule is CompletionRule.TRIGGER and suffix.lower() in (".json", ".xml", ".csv"):
            yield Finding(where, "folder.completion", "metadata ends like that", "such as .done")
    if completion.rule is CompletionRule.RENAME and not completion.temporary:
        yield Finding(
            (*place, "temporary"),
            "folder.completion",
            "rename needs the names that files have while they are written",
            'such as ["*.tmp"]',
        )
    if completion.rule is CompletionRule.QUIET and completion.quiet == 0:
        yield Finding(
            (*place, "quiet"),
            "folder.completion",
            "without a quiet time every half-written file would do",
            "set it to 5",
        )
    if completion.quiet_without_trailer < completion.quiet:
        yield Finding(
            (*place, "quiet_without_trailer"),
            "folder.completion",
            "formats that cannot show their end would need less patience than the others",
            "make it at least as long as quiet",
        )


def _check_network(place: Place, item: FolderSection) -> Iterator[Finding]:
    completion = item.completion
    if not item.network:
        if "poll" in item.model_fields_set and item.poll > item.rescan:
            yield Finding(
                (*place, "poll"),
                "folder.network",
                "a folder without events would be looked at less often than one with them",
                "make rescan the longer one, or set network = true",
            )
        return
    if completion.writer_check and "writer_check" in completion.model_fields_set:
        yield Finding(
            (*place, "completion", "writer_check"),
            "folder.network",
            "on a network share the kernel knows nothing of other machines' writers",
            "set writer_check = false",
        )
    if completion.rule is CompletionRule.QUIET and completion.quiet < item.poll:
        yield Finding(
            (*place, "completion", "quiet"),
            "folder.network",
            f"quiet ({completion.quiet:g} s) is shorter than poll ({item.poll:g} s)",
            "make it at least as long",
        )


def _check_patterns(name: str, item: FolderSection) -> Iterator[Finding]:
    """What the folder's own patterns would hide: asked of the code that decides it."""
    place = ("folders", name)
    if not item.include:
        yield Finding((*place, "include"), "folder.include", "no name is taken", 'such as ["*"]')
    for pattern in sorted(set(item.include) & {*item.ignore, *item.completion.temporary}):
        yield Finding(
            (*place, "include"),
            "folder.include",
            f"{pattern!r} is taken and left alone",
            "remove it in one of the two",
        )
    for key, patterns in (
        (("ignore",), item.ignore),
        (("completion", "temporary"), item.completion.temporary),
    ):
        if "*" in patterns:
            yield Finding((*place, *key), "folder.ignore", "no name is taken", 'remove "*"')
            return
    profile = folder_profile(name, item)
    roles = Roles(profile, pairing_of(profile))
    rule = item.completion.rule
    wanted = {
        CompletionRule.TRIGGER: (item.completion.trigger_suffix, Role.TRIGGER),
        CompletionRule.MANIFEST: (item.completion.manifest_suffix, Role.MANIFEST),
    }
    if rule in wanted:
        suffix, role = wanted[rule]
        sample = _SAMPLE + suffix.encode("utf-8", "surrogateescape")
        if suffix and "/" not in suffix and roles.of(sample) is not role:
            yield Finding(
                (*place, "completion", f"{rule.value}_suffix"),
                "folder.completion",
                f"a pattern in ignore or temporary hides every name that ends with {suffix}",
                "take it out there",
            )


def check_places(settings: SettingsFile, *, must_exist: bool) -> Iterator[Finding]:
    """Paths: absolute, there, and none inside another. Links are followed, and the same
    folder mounted in two places is found.

    A network share that is away is waited for: it is no fault here. Without
    ``must_exist`` nothing need be there.
    """
    paths = _paths(settings)
    usable: dict[Place, str] = {}
    for place, path in paths.items():
        if not os.path.isabs(path) or "\0" in path:
            yield Finding(place, "path.relative", "the path is not absolute", "begin it with /")
        else:
            usable[place] = path
    if must_exist:
        for place, path in usable.items():
            yield from _check_there(place, path, settings)
    folders = {place: path for place, path in usable.items() if place in _shared(usable)}
    yield from _check_overlaps(folders)
    for place in (("journal", "path"), ("store", "path")):
        if place in usable:
            yield from _check_own(place, usable[place], folders)
    journal, store = usable.get(("journal", "path")), usable.get(("store", "path"))
    if journal and store and is_within(os.path.realpath(journal), os.path.realpath(store)):
        yield Finding(
            ("journal", "path"),
            "path.overlap",
            "it lies in the store, where only objects may be",
            "keep it beside the store",
        )
    yield from _check_copies(settings, folders, must_exist=must_exist)


def _paths(settings: SettingsFile) -> dict[Place, str]:
    """Every path that is configured, by its place in the file."""
    paths: dict[Place, str] = {
        ("folders", name, "path"): item.path for name, item in settings.folders.items()
    }
    paths |= {("requests", name, "path"): item.path for name, item in settings.requests.items()}
    paths |= {("events", name, "path"): item.path for name, item in settings.events.items()}
    paths |= {
        ("return", name, "path"): item.path for name, item in settings.returns.items() if item.path
    }
    paths |= {
        ("return", name, "ca_file"): item.ca_file
        for name, item in settings.returns.items()
        if item.ca_file
    }
    paths |= {
        ("migrations", name, "inbox"): item.inbox for name, item in settings.migrations.items()
    }
    if settings.feed.path:
        paths["feed", "path"] = settings.feed.path
    if settings.feed.callback.ca_file:
        paths["feed", "callback", "ca_file"] = settings.feed.callback.ca_file
    if settings.disposal.certificates:
        paths["disposal", "certificates"] = settings.disposal.certificates
    paths["journal", "path"] = settings.journal.path
    paths["store", "path"] = settings.store.path
    ca_file = settings.archivesspace.ca_file
    if ca_file:
        paths["archivesspace", "ca_file"] = ca_file
    return paths


def _check_copies(
    settings: SettingsFile, folders: dict[Place, str], *, must_exist: bool
) -> Iterator[Finding]:
    """Copies of the store: each a place of its own."""
    place = ("store", "copies")
    others = [settings.store.path]
    for path in settings.store.copies:
        if not os.path.isabs(path) or "\0" in path:
            yield Finding(place, "path.relative", "a path is not absolute", "begin it with /")
            continue
        if must_exist:
            yield from _check_there(place, path, settings)
        real = os.path.realpath(path)
        if any(
            is_within(real, os.path.realpath(other)) or is_within(os.path.realpath(other), real)
            for other in others
        ):
            yield Finding(
                place,
                "path.overlap",
                "a copy lies in the store or in another copy",
                "give each a folder of its own, on another disk",
            )
        if is_within(os.path.realpath(settings.journal.path), real):
            yield Finding(
                ("journal", "path"),
                "path.overlap",
                "it lies in a copy of the store, where only objects may be",
                "keep it beside the store",
            )
        yield from _check_own(place, path, folders)
        others.append(path)


def _shared(places: Iterable[Place]) -> set[Place]:
    """The folders that others write into or take from."""
    return {place for place in places if place[0] in _KINDS and place[-1] in ("path", "inbox")}


def _may_be_away(place: Place, settings: SettingsFile) -> bool:
    if place[0] in ("return", "feed"):
        return True  # orders and facts are journalled, and wait for it
    if place[0] == "requests":
        return settings.requests[place[1]].network
    if place[0] == "events":
        return settings.events[place[1]].network
    if place[0] == "migrations":
        return False
    return settings.folders[place[1]].network


def _check_there(place: Place, path: str, settings: SettingsFile) -> Iterator[Finding]:
    if place[-1] == "ca_file":
        if not os.path.isfile(path):
            yield Finding(place, "path.missing", "there is no such file", "correct the path")
    elif place[0] in _KINDS:
        if _may_be_away(place, settings) or os.path.isdir(path):
            return
        kind = "it is no folder" if os.path.lexists(path) else "there is no such folder"
        yield Finding(place, "folder.missing", kind, f"mkdir {path}, or correct the path")
    elif place[0] == "journal" and os.path.isdir(path):
        yield Finding(place, "path.folder", "this is a folder", "name a file in it")
    elif place[0] == "store" and os.path.lexists(path) and not os.path.isdir(path):
        yield Finding(place, "path.file", "this is no folder", "name a folder")
    elif not os.path.isdir(os.path.dirname(path)):
        parent = os.path.dirname(path)
        yield Finding(place, "path.missing", f"there is no folder {parent}", f"mkdir {parent}")


def _check_overlaps(folders: dict[Place, str]) -> Iterator[Finding]:
    for (place, first), (other, second) in itertools.combinations(folders.items(), 2):
        if place[0] == other[0] == "return":
            continue  # two profiles may give into one folder: names are never the same
        one = _KINDS[place[0]] if place[0] == "feed" else f"{_KINDS[place[0]]} {place[1]}"
        if _same(first, second):
            how = f"it is the same folder as that of {one}"
        elif is_within(os.path.realpath(second), os.path.realpath(first)):
            how = f"it lies in {one}"
        elif is_within(os.path.realpath(first), os.path.realpath(second)):
            how = f"{one} lies in it"
        else:
            continue
        yield Finding(
            other,
            "folder.overlap",
            how,
            f"give each {_KINDS[other[0]]} a folder of its own, beside the others",
        )


def _check_own(place: Place, path: str, folders: dict[Place, str]) -> Iterator[Finding]:
    """Journal and store: outside all hot folders and the like; none of them in the store."""
    for other, folder in folders.items():
        kind = _KINDS[other[0]]
        if is_within(os.path.realpath(path), os.path.realpath(folder)):
            yield Finding(
                place,
                "path.overlap",
                f"it lies in {kind} {other[1]}",
                f"keep it outside all {kind}s",
            )
        elif place[0] == "store" and is_within(os.path.realpath(folder), os.path.realpath(path)):
            yield Finding(
                other,
                "folder.overlap",
                "it lies in the store, where only objects may be",
                "keep it outside the store",
            )


def _same(first: str, second: str) -> bool:
    try:
        return os.path.samefile(first, second)
    except OSError:
        return os.path.realpath(first) == os.path.realpath(second)


def is_within(inner: str, outer: str) -> bool:
    """Whether a path is another one, or lies below it."""
    return inner == outer or inner.startswith(outer.rstrip("/") + "/")
