"""What leaves the store for good: a tombstone first, then the object, by one rename.

A tombstone lies in ``extensions/hotfolder-tombstones``, outside every object. It is on disk
before a byte of the object goes, so whatever finds one knows that the object is not
missing and must not come back. See docs/disposal.md.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import Corrupt, OperatorFault
from hotfolder.files.content import write_atomically
from hotfolder.files.durability import sync_directories
from hotfolder.files.names import check_spool_id
from hotfolder.files.tree import (
    exists,
    list_directory,
    make_parents,
    move_directory,
    remove_empty,
    remove_tree,
)
from hotfolder.store.reading import read_small

_TOMBSTONES = b"hotfolder-tombstones"
_SUFFIX = b".json"
_PARTS = b".keys"  # <spool id>.<disposal>.keys: of documents whose keys went under it
_DISPOSAL = re.compile(r"disposal-[0-9a-z]{12}\Z")
_READ_ONLY = 0o440


class Graveyard:
    """The tombstones of one storage root."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._place = os.path.join(root, b"extensions", _TOMBSTONES)

    def has(self, spool_id: str, object_path: str) -> bool:
        """Whether the object of this spool was, or is being, destroyed."""
        return exists(self._path(spool_id, object_path))

    def read(self, spool_id: str, object_path: str) -> bytes | None:
        """The tombstone of a spool; None if there is none."""
        path = self._path(spool_id, object_path)
        return read_small(path) if exists(path) else None

    def write(self, spool_id: str, object_path: str, tombstone: bytes) -> None:
        """The tombstone is on disk when this returns; harmless to repeat.

        Raises ``Corrupt`` if the spool has another tombstone.
        """
        self._write(self._path(spool_id, object_path), tombstone)

    def write_parts(self, spool_id: str, object_path: str, disposal: str, tombstone: bytes) -> None:
        """The same for documents whose keys are destroyed under a disposal, and whose spool
        stays. ``ValueError`` if it is no disposal."""
        if not _DISPOSAL.match(disposal):
            raise ValueError(f"no disposal: {disposal!r}")
        name = b"%s.%s%s" % (check_spool_id(spool_id), disposal.encode(), _PARTS)
        self._write(os.path.join(self._place, _tuple(object_path), name), tombstone)

    def _write(self, path: bytes, tombstone: bytes) -> None:
        known = read_small(path) if exists(path) else None
        if known is not None and known != tombstone:
            raise Corrupt(
                "the spool has a tombstone of another disposal",
                hint="compare it with `hotfolder disposal show`; nothing more was destroyed",
                code="store.tombstone",
            )
        make_parents(os.path.dirname(path), self._root)
        if known is None:
            write_atomically(path, tombstone, _READ_ONLY)
        # Also where it is known: an attempt that was killed may not have come to its syncs.
        folder = os.path.dirname(path)
        folders = [folder]
        while folder != self._root:
            folder = os.path.dirname(folder)
            folders.append(folder)
        sync_directories(folders)

    def each(self) -> Iterator[tuple[str, bytes]]:
        """(spool id, tombstone) of every object, in the order of their hashed names."""
        for name, path in self._files(_SUFFIX):
            yield os.fsdecode(name), read_small(path)

    def each_parts(self) -> Iterator[tuple[str, str, bytes]]:
        """(spool id, disposal, tombstone) of documents whose spool stayed."""
        for name, path in self._files(_PARTS):
            spool_id, _, disposal = os.fsdecode(name).partition(".")
            yield spool_id, disposal, read_small(path)

    def _files(self, suffix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """(name without suffix, path) of each tombstone with this suffix."""
        for group, is_directory in list_directory(self._place):
            if not is_directory:
                continue
            folder = os.path.join(self._place, group)
            for name, inside in list_directory(folder):
                if name.endswith(suffix) and not name.startswith(b".") and not inside:
                    yield name.removesuffix(suffix), os.path.join(folder, name)

    def _path(self, spool_id: str, object_path: str) -> bytes:
        name = check_spool_id(spool_id) + _SUFFIX
        return os.path.join(self._place, _tuple(object_path), name)


def _tuple(object_path: str) -> bytes:
    return object_path.rpartition("/")[0].encode()


def remove_object(root: bytes, staging: bytes, spool_id: str, object_path: str) -> bool:
    """Take the object of a spool out of its place by one rename, then remove its files, and
    whatever was kept aside of it; False if there was none. Durable when it returns;
    harmless to repeat. Its tombstone is on disk already, or it is discarded for a copy."""
    place = os.path.join(root, object_path.encode())
    name = check_spool_id(spool_id)
    leaving = os.path.join(staging, name + b"-purged")
    found = exists(place)
    remove_tree(leaving)  # a crash left it
    if found:
        move_directory(place, leaving)
        sync_directories([os.path.dirname(place), staging])
        # survives: killed here, no reader finds the object, and the next attempt removes it
        crashpoint("purge.renamed")
        remove_tree(leaving)
    stays = remove_empty(os.path.dirname(place), root)
    leftovers = [os.path.join(staging, name + end) for end in (b"", b"-copied", b"-withdrawn")]
    kept = root + b".damaged"
    leftovers += [
        os.path.join(kept, entry)
        for entry, _ in list_directory(kept)
        if entry.startswith(name + b"-")
    ]
    for path in leftovers:
        remove_tree(path)
    sync_directories([stays, staging, *([kept] if exists(kept) else [])])
    # survives: nothing of it is left in this root
    crashpoint("purge.removed")
    return found


def held(hold_id: str) -> OperatorFault:
    """The error for an object that is to go while a hold is marked on it."""
    return OperatorFault(
        f"the store has a mark of {hold_id} on the spool",
        hint="nothing of it was destroyed; `hotfolder holds show` tells whose hold it is; if it"
        " was released, `hotfolder holds release` once more takes its marks away",
        code="store.held",
    )


def purged(spool_id: str) -> Corrupt:
    """The error for an object that is to be written and was destroyed."""
    return Corrupt(
        f"spool {spool_id} was destroyed and never comes back",
        hint="its tombstone in the store says under which disposal",
        code="store.purged",
    )
