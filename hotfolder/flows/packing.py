"""Folders as template packages: packed into one file, which then goes the way of all.

A folder is taken when its manifest lists all that is in it, with the sizes that are there,
and nothing has changed for a while; or when it has a manifest and that does not come true
in time: then whoever reads the package says what is wrong. It moves to ``_working`` by one
rename, is packed into a ZIP that is a function of what is in it, read back and compared
file by file, and put into the hot folder as a file. Killed at any point, the same file is
made again: one that was archived meanwhile is a duplicate.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import Corrupt, InputFault, OperatorFault, Transient
from hotfolder.core.ports import Clock, Emit
from hotfolder.core.profiles import CompletionRule, FolderProfile
from hotfolder.core.templates import MANIFEST, TemplateMember
from hotfolder.core.zipping import Entry, zip_pieces
from hotfolder.files.content import open_regular, write_atomically
from hotfolder.files.faults import os_errors
from hotfolder.files.packages import (
    PackageLook,
    list_packages,
    list_taken,
    look_into,
    measure,
    put_package,
    read_pieces,
    remove_taken,
    take_package,
    taken_path,
)
from hotfolder.formats.templatepackage import MAX_MANIFEST, read_package
from hotfolder.sidecars.templatemanifest import DeclaredMember, read_template_manifest

_SUFFIX = b".zip"
_DEEPEST = 100
_EVERY = 0.5  # seconds between looks
_RULES = (CompletionRule.QUIET, CompletionRule.TRIGGER)


@dataclass(slots=True)
class _Watched:
    """A folder in sight; times are of the monotonic clock."""

    look: PackageLook
    since: float  # unchanged
    told: bool = False  # that it is left where it is


class Packing:
    """The folders in one hot folder of templates. One thread calls it."""

    def __init__(self, profile: FolderProfile, *, clock: Clock, emit: Emit) -> None:
        self._profile = profile
        self._root = os.fsencode(profile.path)
        self._clock = clock
        self._emit = emit
        self._watched: dict[bytes, _Watched] = {}
        self._next = 0.0
        self._busy = True  # until the first look

    def pending(self) -> bool:
        """Whether a folder is there that will be taken, or no look was made yet."""
        return self._busy

    def step(self) -> None:
        """Look at every folder, if it is time; take and pack what is complete. Raises
        ``Transient`` or ``OperatorFault``: nothing is lost, and the next step goes on."""
        now = self._clock.monotonic()
        if now < self._next or self._profile.completion.rule not in _RULES:
            self._busy = self._busy and self._profile.completion.rule in _RULES
            return
        self._next = now + _EVERY
        # What was put is seen by the watcher a moment later: till the next look it is ours.
        self._busy = True
        taken = list_taken(self._root)
        for name in taken:
            self._pack(name)
        there = [name for name in list_packages(self._root) if not self._is_ignored(name)]
        for name in self._watched.keys() - set(there):
            del self._watched[name]
        waited_for = [name for name in there if self._see(name, now)]
        self._busy = bool(taken or waited_for)

    def _is_ignored(self, name: bytes) -> bool:
        patterns = (*self._profile.ignore, *self._profile.completion.temporary)
        return any(fnmatchcase(os.fsdecode(name), pattern) for pattern in patterns)

    def _see(self, name: bytes, now: float) -> bool:
        """Look at one folder; whether it will be taken later, or was taken now."""
        limits = self._profile.templates
        path = os.path.join(self._root, name)
        # One more than a package may have: how many there are is told by its reader.
        look = look_into(path, members=limits.members + 1, depth=limits.depth + 1)
        seen = self._watched.get(name)
        if seen is None or seen.look != look:
            self._watched[name] = _Watched(look=look, since=now)
            return not look.unfit
        completion = self._profile.completion
        still = now - seen.since
        if look.unfit == "gone" or still < completion.quiet:
            return not look.unfit
        late = still >= completion.sidecar_wait
        if look.unfit or MANIFEST not in look.files:
            if late and not seen.told:
                seen.told = True
                self._emit(
                    "package.left", folder=self._profile.name, reason=look.unfit or "manifest"
                )
            return not late
        if (late or self._is_complete(path, look)) and take_package(self._root, name):
            # survives: killed here, it is found in _working and packed
            crashpoint("package.taken")
            del self._watched[name]
            self._pack(name)
        return True

    def _is_complete(self, path: bytes, look: PackageLook) -> bool:
        """Whether the manifest lists just what is there, with its sizes."""
        try:
            with (
                os_errors("reading a manifest"),
                open_regular(os.path.join(path, MANIFEST.encode())) as stream,
            ):
                data = stream.read(MAX_MANIFEST + 1)
            declared = read_template_manifest(data, MANIFEST).members
        except InputFault:
            return False  # told when the time has passed
        return declared is not None and _sizes(declared) == {
            unicodedata.normalize("NFC", name): size
            for name, (size, _, _) in look.files.items()
            if name != MANIFEST
        }

    # -- packing --------------------------------------------------------------------
    def _pack(self, name: bytes) -> None:
        root = self._root
        limits = self._profile.templates
        look = look_into(taken_path(root, name), members=limits.members + 1, depth=_DEEPEST)
        if look.unfit:
            # Somebody has put into it after it was seen, and before it was taken.
            raise OperatorFault(
                f"a folder that was taken as a template package cannot be packed: {look.unfit}",
                hint="look into _working/.packing of that hot folder; put the folder back or"
                " remove it by hand",
                code="package.unfit",
            )
        entries: list[Entry] = []
        members: list[TemplateMember] = []
        for member in sorted(look.files):
            size, crc, sha256 = measure(root, name, member)
            entries.append(
                Entry(
                    name=member,
                    size=size,
                    crc32=crc,
                    read=partial(read_pieces, root, name, member),
                )
            )
            shown = unicodedata.normalize("NFC", member)
            members.append(TemplateMember(name=shown, size=size, sha256=sha256, crc32=crc))

        def check(path: bytes) -> None:
            self._compare(path, sorted(members, key=lambda item: item.name))

        try:
            put = put_package(root, name, _SUFFIX, zip_pieces(entries), check)
        except Corrupt as error:
            raise _changed() from error
        # survives: killed here, the same file is made again and found to be there
        crashpoint("package.put")
        completion = self._profile.completion
        if completion.rule is CompletionRule.TRIGGER:
            trigger = put + completion.trigger_suffix.encode("utf-8", "surrogateescape")
            write_atomically(os.path.join(root, trigger), b"")
        remove_taken(root, name)
        # survives: killed here, the file goes the way of all
        crashpoint("package.packed")
        self._emit("package.packed", folder=self._profile.name, count=len(members))

    def _compare(self, path: bytes, members: Sequence[TemplateMember]) -> None:
        """The file against what it was made of. One that no package may be is left to its
        reader, who says why."""
        with open_regular(path) as stream, os_errors("comparing a package"):
            size = stream.seek(0, os.SEEK_END)
            try:
                packed = read_package(stream, size, self._profile.templates, "package")
            except InputFault:
                return
        if list(packed.members) != list(members):
            raise _changed()


def _changed() -> Transient:
    return Transient(
        "a folder changed while it was packed", hint="it is packed again", code="package.changed"
    )


def _sizes(declared: Sequence[DeclaredMember]) -> dict[str, int]:
    return {item.name: item.size for item in declared if item.name != MANIFEST}
