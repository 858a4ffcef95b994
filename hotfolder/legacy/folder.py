"""Folders of files, each with a sidecar beside it: ``x.pdf`` and ``x.pdf.json``, ``x.json``,
``x.pdf.xml`` or ``x.xml``, as in a hot folder. The ending may be in capitals, as it is on
systems that make no difference."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase

from hotfolder.core.errors import Fault
from hotfolder.core.legacy import LegacyItem, MigrationProfile, OpenedItem, Part
from hotfolder.files.legacytree import Entry, LegacyTree
from hotfolder.files.scratch import Scratch
from hotfolder.legacy.parts import (
    SIDECAR,
    fault,
    item_of,
    missing,
    not_regular,
    shown,
    sidecar,
)
from hotfolder.sidecars.pairing import sidecar_names

_ENDINGS = (b".json", b".xml")


class FolderSource:
    """See ``core.legacy.LegacySource``. The order is that of the folders' names, and of the
    names in each."""

    def __init__(self, profile: MigrationProfile, tree: LegacyTree, scratch: Scratch) -> None:
        self._profile = profile
        self._tree = tree
        self._scratch = scratch
        self._content_name = b""  # of the item that was given last, with its folder
        self._sidecars: Sequence[tuple[bytes, bytes]] = ()  # as here they are called, and there

    def items(self) -> Iterator[LegacyItem]:
        """Every file that is no sidecar, and every sidecar without a file."""
        for folder, entries in self._tree.folders():
            yield from self._of_folder(folder, entries)

    def _of_folder(self, folder: bytes, entries: Sequence[Entry]) -> Iterator[LegacyItem]:
        entries = [entry for entry in entries if not ignored(self._profile, entry.name)]
        names = {entry.name for entry in entries if entry.regular}
        contents = {name for name in names if not name.lower().endswith(_ENDINGS)}
        stems = {os.path.splitext(name)[0] for name in contents}
        beside = _by_ending(names - contents)
        # An XML file is content where it has a sidecar of its own.
        contents |= {
            name for name in names - contents if any(name + ending in beside for ending in _ENDINGS)
        }
        for entry in entries:
            place = shown(folder + entry.name)
            if not entry.regular:
                yield item_of(place, place, entry, faults=(not_regular(place),))
            elif entry.name in contents:
                yield self._content(folder, place, entry, beside)
            elif not _has_owner(entry.name, contents, stems):
                yield item_of(place, place, entry, faults=(missing(place),))

    def _content(
        self, folder: bytes, place: str, entry: Entry, beside: Mapping[bytes, bytes]
    ) -> LegacyItem:
        self._content_name = folder + entry.name
        wanted = sidecar_names(entry.name)
        self._sidecars = [(name, beside[name]) for name in wanted if name in beside]
        faults: tuple[Fault, ...] = ()
        if not self._sidecars and self._profile.sidecar_required:
            faults = (
                fault(
                    "sidecar_missing",
                    "nothing beside this file describes it",
                    'export a sidecar for it; one list for all files is kind = "csv"',
                    file=place,
                ),
            )
        return item_of(place, place, entry, faults=faults)

    @contextmanager
    def open(self, item: LegacyItem) -> Iterator[OpenedItem]:
        """See ``LegacySource``."""
        own = item.name + SIDECAR
        with ExitStack() as stack:
            content = stack.enter_context(self._tree.path_of(self._content_name))
            parts = [
                Part(name=name, path=os.path.join(os.path.dirname(content), there))
                for name, there in self._sidecars
            ]
            said = stack.enter_context(self._scratch.holding(own, sidecar(self._profile, item)))
            parts.append(Part(name=own, path=said))
            yield OpenedItem(content=Part(name=item.name, path=content), sidecars=tuple(parts))


def _by_ending(sidecars: Iterable[bytes]) -> dict[bytes, bytes]:
    """Names with their endings in small letters, and as they are; of two that differ in
    nothing else, the one in small letters."""
    found: dict[bytes, bytes] = {}
    for name in sorted(sidecars):  # capitals first
        stem, ending = os.path.splitext(name)
        found[stem + ending.lower()] = name
    return found


def _has_owner(name: bytes, contents: set[bytes], stems: set[bytes]) -> bool:
    stem = os.path.splitext(name)[0]
    return stem in contents or stem in stems


def ignored(profile: MigrationProfile, name: bytes) -> bool:
    """Whether the configuration says to leave a file alone."""
    text = os.fsdecode(name)
    return any(fnmatchcase(text, pattern) for pattern in profile.ignore)
