"""The store on disk: an OCFL 1.1 storage root with one object for each spool.

Own writer, because what it acknowledges must be on disk; ``ocfl-py`` judges the
result in the tests. Long, because a root is one class that implements the whole port.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from threading import Lock
from typing import BinaryIO

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import Corrupt, Fault, OperatorFault
from hotfolder.core.merkle import leaf_hash
from hotfolder.core.ports import Clock
from hotfolder.core.records import Encryption, StoredObject, StoreRequest
from hotfolder.files.content import TEMPORARY, write_atomically
from hotfolder.files.durability import SyncScope, sync_directories
from hotfolder.files.names import check_spool_id
from hotfolder.files.tree import (
    exists,
    list_directory,
    make_directory,
    move_directory,
    remove_empty,
    remove_tree,
)
from hotfolder.store.copying import copy_object
from hotfolder.store.diagnosis import diagnose_root
from hotfolder.store.holdmarks import HoldMarks
from hotfolder.store.keyfile import destroyed
from hotfolder.store.keyring import Keyring
from hotfolder.store.keystore import KeyStore
from hotfolder.store.naming import DOCUMENTS, EXTENSION, Layout, object_id
from hotfolder.store.purging import Graveyard, held, purged, remove_object
from hotfolder.store.reading import (
    inventory_of,
    iterate_objects,
    iterate_places,
    open_verified,
    open_verified_part,
    read_small,
    read_verified_documents,
    read_verified_inventory,
    read_verified_metadata,
    verify_object,
)
from hotfolder.store.streams import line_stream
from hotfolder.store.unsealing import Unsealed
from hotfolder.store.writing import BATCH, BATCH_BYTES, READ_ONLY, Writer

_DECLARATION = b"0=ocfl_1.1"


class OcflStore:
    """``core.ports.Store`` on a local file system.

    ``root`` is the storage root, ``staging`` a directory on the same mount for objects
    that are being written (``<root>.staging`` if not given). One process may write.
    Nothing in an object depends on ``clock``: the same spool gives the same bytes.
    """

    def __init__(
        self,
        root: bytes,
        *,
        clock: Clock,
        staging: bytes | None = None,
        keyring: Keyring | None = None,
    ) -> None:
        self._root = root.rstrip(b"/")
        self.keys = KeyStore(self._root, keyring)
        self._staging = staging or self._root + b".staging"
        self._clock = clock
        self._lock = Lock()
        self._known_layout: Layout | None = None
        self._graveyard = Graveyard(self._root)

    # -- the root -----------------------------------------------------------------
    def initialise(self) -> None:
        """Make root and staging folder if they are missing; on disk on return.

        The parent of the root must exist. The declaration is written last, so a root
        that a crash left half-made is completed. Raises ``OperatorFault`` if the root
        holds something else, or another layout.
        """
        made = [path for path in (self._root, self._staging) if make_directory(path)]
        if made:
            sync_directories([*made, *(os.path.dirname(path) for path in made)])
        if not exists(os.path.join(self._root, _DECLARATION)):
            self._declare()
        self._known_layout = self._read_layout()
        if self.keys.is_usable:
            self.keys.introduce()

    def _declare(self) -> None:
        # What a crash left half-made is ours; the next write of the same file removes it.
        names = {name for name, _ in list_directory(self._root) if not name.startswith(TEMPORARY)}
        if names - {b"extensions", b"ocfl_layout.json"}:
            raise OperatorFault(
                "the folder for the store holds other things and is no OCFL storage root",
                hint="name an empty folder as the store's path",
                code="store.foreign",
            )
        extensions = os.path.join(self._root, b"extensions")
        place = os.path.join(extensions, EXTENSION.encode())
        make_directory(extensions)
        make_directory(place)
        sync_directories([place, extensions, self._root])
        layout = {
            "extension": EXTENSION,
            "description": "Hashed n-tuples of the object id: one object for each spool",
        }
        for path, data in (
            (os.path.join(place, b"config.json"), _pretty(Layout().config())),
            (os.path.join(self._root, b"ocfl_layout.json"), _pretty(layout)),
            (os.path.join(self._root, _DECLARATION), b"ocfl_1.1\n"),
        ):
            write_atomically(path, data, READ_ONLY)

    def _read_layout(self) -> Layout:
        path = os.path.join(self._root, b"extensions", EXTENSION.encode(), b"config.json")
        if not exists(path):
            raise OperatorFault(
                "the storage root does not say that it has the hash and id n-tuple layout",
                hint="give hotfolder a storage root of its own",
                code="store.layout",
            )
        try:
            return Layout.from_config(json.loads(read_small(path)))
        except ValueError as error:
            raise OperatorFault(
                "the configuration of the storage layout is not JSON",
                hint="restore extensions/*/config.json from a backup",
                code="store.layout",
            ) from error

    @property
    def _layout(self) -> Layout:
        if self._known_layout is None:
            self._known_layout = self._read_layout()
        return self._known_layout

    def diagnose(self) -> list[Fault]:
        """Try the store for real: owner, permissions, room, a write, sync and rename."""
        faults = diagnose_root(self._root, self._staging)
        if not faults:
            try:
                self._read_layout()
            except OperatorFault as error:
                faults.append(Fault(code=error.code, message=error.message, remedy=error.hint))
        return faults

    # -- writing ------------------------------------------------------------------
    def write_spools(self, requests: Sequence[StoreRequest]) -> list[StoredObject]:
        """See ``core.ports.Store``. The syncs of up to 256 objects are shared."""
        for request in requests:
            if self.is_purged(request.spool_id):
                raise purged(request.spool_id)
        writer = Writer(
            root=self._root,
            staging=self._staging,
            layout=self._layout,
            lock=self._lock,
            keys=self.keys,
        )
        stored: list[StoredObject] = []
        for batch in _batches(requests):
            stored += writer.write(batch)
        return stored

    def withdraw(self, spool_id: str, reason: str) -> bool:  # noqa: ARG002  the caller's audit has it
        """See ``core.ports.Store``. The object leaves the tree by one rename, so a
        crash leaves it whole or leaves the rest to ``clean``."""
        place = self._folder(spool_id)
        staged = os.path.join(self._staging, check_spool_id(spool_id) + b"-withdrawn")
        found = exists(place)
        with self._lock:
            if found:
                remove_tree(staged)
                move_directory(place, staged)
            # Also without an object: a crash may have left the directories for it.
            stays = remove_empty(os.path.dirname(place), self._root)
        if found:
            with SyncScope(self._root) as scope:
                scope.sync((), [stays, self._staging])
            remove_tree(staged)
        self.keys.remove(spool_id)
        return found

    def purge(self, spool_id: str, tombstone: bytes) -> bool:
        """See ``core.ports.Store``."""
        self.entomb(spool_id, tombstone)
        # survives: killed here, the object is there, and nothing copies or rebuilds it
        crashpoint("purge.entombed")
        return self.remove_purged(spool_id)

    def entomb(self, spool_id: str, tombstone: bytes) -> None:
        """The first half of ``purge``: the tombstone is on disk when this returns."""
        if marked := self.holds_on(spool_id):
            raise held(marked[0])
        self._graveyard.write(spool_id, self._path(spool_id), tombstone)

    def remove_purged(self, spool_id: str) -> bool:
        """The second half: remove an object that has a tombstone. ``ValueError`` without."""
        if not self.is_purged(spool_id):
            raise ValueError(f"spool {spool_id} has no tombstone")
        return self._remove(spool_id)

    def discard(self, spool_id: str) -> bool:
        """See ``core.ports.Store``."""
        if marked := self.holds_on(spool_id):
            raise held(marked[0])
        return self._remove(spool_id)

    def _remove(self, spool_id: str) -> bool:
        with self._lock:
            found = remove_object(self._root, self._staging, spool_id, self._path(spool_id))
        self.keys.remove(spool_id)
        return found

    def is_purged(self, spool_id: str) -> bool:
        """Whether the spool has a tombstone here."""
        return self._graveyard.has(spool_id, self._path(spool_id))

    def tombstone(self, spool_id: str) -> bytes | None:
        """See ``core.ports.Store``."""
        return self._graveyard.read(spool_id, self._path(spool_id))

    def tombstones(self) -> Iterator[tuple[str, bytes]]:
        """See ``core.ports.Store``."""
        return self._graveyard.each()

    def clean(self) -> int:
        """See ``core.ports.Store``. Call it only while nothing is being written."""
        entries = list_directory(self._staging)
        for name, _ in entries:
            remove_tree(os.path.join(self._staging, name))
        if entries:
            sync_directories([self._staging])
        return len(entries)

    # -- holds --------------------------------------------------------------------
    def place_hold(self, spool_id: str, hold_id: str) -> None:
        """See ``core.ports.Store``."""
        self.place_holds([spool_id], hold_id)

    def lift_hold(self, spool_id: str, hold_id: str) -> None:
        """See ``core.ports.Store``."""
        self.lift_holds([spool_id], hold_id)

    def place_holds(self, spool_ids: Sequence[str], hold_id: str) -> None:
        """See ``core.ports.Store``."""
        self._marks.place(spool_ids, hold_id)

    def lift_holds(self, spool_ids: Sequence[str], hold_id: str) -> None:
        """See ``core.ports.Store``."""
        self._marks.lift(spool_ids, hold_id)

    def keep_hold(self, hold_id: str, record: bytes) -> None:
        """See ``core.ports.Store``."""
        self._marks.keep(hold_id, record)

    def drop_hold(self, hold_id: str) -> None:
        """See ``core.ports.Store``."""
        self._marks.drop(hold_id)

    def kept_holds(self) -> Iterator[bytes]:
        """See ``core.ports.Store``."""
        yield from self.holds_by_id().values()

    def holds_by_id(self) -> dict[str, bytes]:
        """What this root keeps of each hold."""
        return self._marks.kept()

    def holds_on(self, spool_id: str) -> tuple[str, ...]:
        """See ``core.ports.Store``."""
        return self._marks.on(spool_id)

    @property
    def _marks(self) -> HoldMarks:
        # A disk that is not mounted says nothing of holds, and keeps none.
        if not self.is_declared():
            raise OperatorFault(
                "a storage root of the store is not there",
                hint="mount its disk; a hold is in force, and marked when the root is there again",
                code="store.root_missing",
            )
        return HoldMarks(self._root, self._layout)

    # -- reading ------------------------------------------------------------------
    @contextmanager
    def _unsealed(self, spool_id: str) -> Iterator[Unsealed | None]:
        """The object of a spool if it is encrypted, open until the block ends; else None.
        ``KeyError`` if there is none."""
        folder = self._folder(spool_id)
        inventory = inventory_of(folder, spool_id)
        if not inventory.is_sealed:
            yield None
            return
        keyring = self.keys.keyring
        with self.keys.open(spool_id) as keys:
            yield Unsealed(folder, spool_id, inventory, keys, keyring)

    def open_content(self, spool_id: str, *, sha256: str | None = None) -> BinaryIO:
        """See ``core.ports.Store``; memory stays under 10 MiB, and 56 bytes a document of
        an encrypted spool."""
        with self._unsealed(spool_id) as unsealed:
            if unsealed is not None:
                return unsealed.open_content(sha256)
        return open_verified(self._folder(spool_id), spool_id, sha256)

    def read_metadata(self, spool_id: str) -> bytes:
        """See ``core.ports.Store``."""
        with self._unsealed(spool_id) as unsealed:
            if unsealed is not None:
                return unsealed.read_metadata()
        return read_verified_metadata(self._folder(spool_id), spool_id)

    def read_documents(self, spool_id: str) -> Iterator[bytes]:
        """See ``core.ports.Store``."""
        with self._unsealed(spool_id) as unsealed:
            if unsealed is not None:
                yield from unsealed.read_documents()
                return
        yield from read_verified_documents(self._folder(spool_id), spool_id)

    def read_leaves(self, spool_id: str) -> Iterator[bytes]:
        """See ``core.ports.Store``."""
        with self._unsealed(spool_id) as unsealed:
            if unsealed is not None:
                yield from unsealed.read_leaves()
                return
        yield from map(leaf_hash, read_verified_documents(self._folder(spool_id), spool_id))

    def read_inventory(self, spool_id: str) -> bytes:
        """See ``core.ports.Store``."""
        with self._unsealed(spool_id) as unsealed:
            if unsealed is not None:
                return unsealed.read_inventory()
        return read_verified_inventory(self._folder(spool_id), spool_id)

    def open_part(self, spool_id: str, path: str) -> BinaryIO:
        """See ``core.ports.Store``; memory stays under 10 MiB."""
        with self._unsealed(spool_id) as unsealed:
            if unsealed is None:
                return open_verified_part(self._folder(spool_id), spool_id, path)
            if path != DOCUMENTS or path not in unsealed.header.parts:
                return unsealed.open_part(path)
            if unsealed.any_gone():
                raise destroyed()
        return line_stream(self.read_documents(spool_id))

    def verify(
        self, spool_id: str, *, reached: Callable[[int], None] | None = None
    ) -> StoredObject:
        """See ``core.ports.Store``. Raises ``KeyError`` or ``Corrupt``. With ``reached``,
        which is told of the bytes of each piece, files are read from the disk. Of an
        encrypted object all that is not destroyed is also decrypted and compared, if there
        is a master key."""
        path = self._layout.path(object_id(spool_id))
        folder = self._folder(spool_id)
        found, inventory = verify_object(folder, spool_id, path, reached)
        if not inventory.is_sealed:
            return found
        with self.keys.open(spool_id) as keys:
            if not self.keys.is_usable:
                kind = Encryption.DOCUMENTS if keys.divisible else Encryption.SPOOL
                return replace(found, content_sha256="", inventory_sha256="", encryption=kind)
            unsealed = Unsealed(folder, spool_id, inventory, keys, self.keys.keyring)
            unsealed.check(reached)
            return self._told(found, unsealed)

    @staticmethod
    def _told(found: StoredObject, unsealed: Unsealed) -> StoredObject:
        return replace(
            found,
            content_sha256=unsealed.header.content_sha256,
            inventory_sha256=unsealed.header.inventory_sha256,
            encryption=unsealed.encryption,
        )

    # -- keys of encrypted spools -----------------------------------------------------
    def can_destroy_parts(self, spool_id: str) -> bool:
        """See ``core.keysport.StoreKeys``."""
        return self.keys.is_divisible(spool_id)

    def destroy_parts(self, spool_id: str, ordinals: Sequence[int]) -> int:
        """See ``core.keysport.StoreKeys``."""
        with self.keys.lock():
            if not self.keys.has(spool_id):
                raise KeyError(spool_id)
            return self.keys.destroy(spool_id, ordinals)

    def purge_parts(
        self, spool_id: str, disposal: str, ordinals: Sequence[int], tombstone: bytes
    ) -> int:
        """See ``core.keysport.StoreKeys``."""
        self.entomb_parts(spool_id, disposal, tombstone)
        # survives: killed here, the keys are there, and it is repeated
        crashpoint("parts.entombed")
        return self.destroy_parts(spool_id, ordinals) if self.keys.has(spool_id) else 0

    def entomb_parts(self, spool_id: str, disposal: str, tombstone: bytes) -> None:
        """The first half of ``purge_parts``: the tombstone is on disk when this returns."""
        self._graveyard.write_parts(spool_id, self._path(spool_id), disposal, tombstone)

    def part_tombstones(self) -> Iterator[tuple[str, bytes]]:
        """See ``core.keysport.StoreKeys``."""
        return ((spool_id, stone) for spool_id, _, stone in self.parts_by_disposal())

    def parts_by_disposal(self) -> Iterator[tuple[str, str, bytes]]:
        """(spool id, disposal, tombstone) of documents whose keys went in this root."""
        return self._graveyard.each_parts()

    def destroyed_parts(self, spool_id: str) -> frozenset[int]:
        """See ``core.keysport.StoreKeys``."""
        return self.keys.destroyed(spool_id)

    def keys_left(self, spool_id: str, ordinals: Collection[int]) -> frozenset[int]:
        """See ``core.ports.StoreRoot``."""
        return self.keys.left(spool_id, ordinals)

    def remove_keys(self, spool_id: str) -> bool:
        """See ``core.keysport.StoreKeys``."""
        return self.keys.remove(spool_id)

    def has(self, spool_id: str) -> bool:
        """Whether there is an object of this spool, whole or damaged."""
        return exists(self._folder(spool_id))

    def take_over(self, spool_id: str, source: bytes, *, replacing: bool = False) -> StoredObject:
        """Make the object of ``spool_id`` from another root's, byte for byte: ``source``
        is its directory there. On disk, re-read and compared when this returns. With
        ``replacing`` an object that is there goes to ``<root>.damaged`` first, and is kept.

        Harmless to repeat, and beside a process that writes the same object. Raises
        ``Corrupt`` if the source is damaged or changes meanwhile, ``KeyError`` if it is
        gone, ``Transient`` when the disk is full or fails.
        """
        if self.is_purged(spool_id):
            raise purged(spool_id)
        theirs = KeyStore(storage_root_of(source), None)
        if theirs.has(spool_id) and (replacing or not self.has(spool_id)):
            with ExitStack() as stack:
                for keys in sorted((self.keys, theirs), key=lambda keys: keys.folder):
                    stack.enter_context(keys.lock())
                self.keys.take_over(spool_id, theirs)
        path = self._path(spool_id)
        try:
            copy_object(
                source,
                spool_id,
                root=self._root,
                staging=self._staging,
                object_path=path,
                lock=self._lock,
                aside=self._place_aside(spool_id) if replacing else None,
            )
        finally:
            if self.is_purged(spool_id):
                # Destroyed while it was copied; its tombstone was there before it left.
                self.remove_purged(spool_id)
                raise purged(spool_id)
        return self.verify(spool_id)

    def place_of(self, spool_id: str) -> bytes:
        """The directory in which the object of ``spool_id`` lies, if there is one."""
        return self._folder(spool_id)

    def _place_aside(self, spool_id: str) -> bytes:
        """A name for a damaged object that no other has; its directory is on disk."""
        kept = self._root + b".damaged"
        if make_directory(kept):
            sync_directories([kept, os.path.dirname(kept)])
        number = 1
        while exists(place := os.path.join(kept, check_spool_id(spool_id) + b"-%d" % number)):
            number += 1
        return place

    def is_declared(self) -> bool:
        """Whether the root is a storage root already."""
        return exists(os.path.join(self._root, _DECLARATION))

    def iterate(self) -> Iterator[StoredObject]:
        """See ``core.ports.Store``. An object whose inventories are both damaged comes
        with an empty checksum; reading it raises ``Corrupt``."""
        there = (item for item in iterate_objects(self._root) if not self.is_purged(item.spool_id))
        return map(self._describe, there)

    def _describe(self, found: StoredObject) -> StoredObject:
        """Of an encrypted object, what it says of what it holds; nothing without its keys."""
        if found.encryption is Encryption.NONE:
            return found
        try:
            with self._unsealed(found.spool_id) as unsealed:
                assert unsealed is not None
                return self._told(found, unsealed)
        except (Corrupt, OperatorFault):
            return replace(found, content_sha256="", inventory_sha256="")

    def places(self, after: str = "") -> Iterator[tuple[str, str]]:
        """(path, spool id) of every object whose path comes after ``after``, in order."""
        return iterate_places(self._root, after)

    def _folder(self, spool_id: str) -> bytes:
        return os.path.join(self._root, self._path(spool_id).encode())

    def _path(self, spool_id: str) -> str:
        return self._layout.path(object_id(spool_id))


def storage_root_of(place: bytes) -> bytes:
    """The storage root in which an object lies."""
    path = place
    while not exists(os.path.join(path, _DECLARATION)):
        above = os.path.dirname(path)
        if above == path:
            raise KeyError(place)
        path = above
    return path


def _pretty(value: object) -> bytes:
    return json.dumps(value, indent=2, sort_keys=True).encode() + b"\n"


def _batches(requests: Sequence[StoreRequest]) -> Iterator[list[StoreRequest]]:
    batch: list[StoreRequest] = []
    size = 0
    for request in requests:
        if batch and (len(batch) >= BATCH or size + request.size > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(request)
        size += request.size
    if batch:
        yield batch
