"""Writing objects: staged beside the tree, synced, then renamed into their place.

The staging folder lies outside the storage root, because OCFL allows nothing else in
there, but on the same mount, because the rename must be atomic.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import Corrupt, HotfolderError, InputFault, OperatorFault
from hotfolder.core.records import Encryption, StoredObject, StoreRequest
from hotfolder.files.content import write_new, write_stream
from hotfolder.files.copying import copy_and_hash
from hotfolder.files.durability import SyncScope
from hotfolder.files.faults import os_errors
from hotfolder.files.names import check_spool_id
from hotfolder.files.tree import (
    exists,
    make_directory,
    make_parents,
    move_directory,
    remove_tree,
    seal_directory,
)
from hotfolder.store.inventory import Inventory, dump_inventory
from hotfolder.store.keystore import KeyStore
from hotfolder.store.naming import DOCUMENTS, METADATA, SIDECARS, Layout, object_id, safe_name
from hotfolder.store.reading import DECLARATION, inventory_of, verify_object
from hotfolder.store.sealing import Sealer
from hotfolder.store.unsealing import Unsealed

READ_ONLY = 0o440
BATCH = 256  # objects that share their syncs
AHEAD = 64  # objects after which their sync begins while others are written
BATCH_BYTES = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """An object that is whole in the staging folder, and what of it must be synced."""

    request: StoreRequest
    folder: bytes
    inventory_sha256: str  # of the plain one, if it is encrypted
    encryption: Encryption
    files: tuple[bytes, ...]
    folders: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Writes batches of objects. ``lock`` guards the directories above objects, which
    a withdrawal may remove when they are empty. ``keys`` are those of encrypted spools."""

    root: bytes
    staging: bytes
    layout: Layout
    lock: Lock
    keys: KeyStore

    def write(self, requests: Sequence[StoreRequest]) -> list[StoredObject]:
        """Write one batch; every object is on disk when this returns, or an error is
        raised and nothing is acknowledged."""
        with SyncScope(self.staging) as scope:
            parents: list[bytes] = []
            staged: list[Staged] = []
            there: dict[str, tuple[str, Encryption]] = {}
            try:
                for request in requests:
                    if exists(self._place(request)):
                        there[request.spool_id] = self._compare(request)
                        parents += self._chain(request)
                    else:
                        staged.append(self._stage(request))
                        there[request.spool_id] = (
                            staged[-1].inventory_sha256,
                            staged[-1].encryption,
                        )
                        if len(staged) % AHEAD == 0:
                            scope.start()
                if staged:
                    scope.sync(
                        [path for item in staged for path in item.files],
                        [path for item in staged for path in item.folders] + [self.staging],
                    )
                for item in staged:
                    self._move_in(item)
                    parents += self._chain(item.request)
                    # survives: killed here, the object is found in its place and compared
                    crashpoint("store.object_renamed")
            except HotfolderError:
                self._discard(requests)
                raise
            self._sync_places(scope, staged, parents)
        return [self._acknowledge(item, *there[item.spool_id]) for item in requests]

    def _sync_places(self, scope: SyncScope, staged: list[Staged], parents: list[bytes]) -> None:
        try:
            scope.sync((), [*dict.fromkeys(parents), self.staging])
        except HotfolderError:
            # What a second sync says of these entries could not be believed: take the
            # objects out, so that the next attempt makes them anew.
            for item in staged:
                with suppress(HotfolderError):
                    move_directory(self._place(item.request), item.folder)
            self._discard([item.request for item in staged])
            raise

    def _acknowledge(
        self, request: StoreRequest, inventory_sha256: str, encryption: Encryption
    ) -> StoredObject:
        return StoredObject(
            spool_id=request.spool_id,
            object_path=self.layout.path(object_id(request.spool_id)),
            content_sha256=request.sha256,
            content_size=request.size,
            inventory_sha256=inventory_sha256,
            encryption=encryption,
        )

    def _place(self, request: StoreRequest) -> bytes:
        path = self.layout.path(object_id(request.spool_id))
        return os.path.join(self.root, path.encode())

    def _chain(self, request: StoreRequest) -> list[bytes]:
        """The object's directory and those above it, up to the root. All are synced, not
        only those made now: an attempt that was killed may have made the others."""
        path = self._place(request)
        found = [path]
        while path != self.root:
            path = os.path.dirname(path)
            found.append(path)
        return found

    def _discard(self, requests: Sequence[StoreRequest]) -> None:
        # What cannot be removed now (the disk fails) is removed by the next attempt.
        for request in requests:
            with suppress(HotfolderError):
                remove_tree(os.path.join(self.staging, check_spool_id(request.spool_id)))

    # -- staging ------------------------------------------------------------------
    def _stage(self, request: StoreRequest) -> Staged:
        folder = os.path.join(self.staging, check_spool_id(request.spool_id))
        version = os.path.join(folder, b"v1")
        content = os.path.join(version, b"content")
        if not make_directory(folder):
            remove_tree(folder)  # a crash left it
            make_directory(folder)
        make_directory(version)
        make_directory(content)
        folders = [content, version, folder]
        if request.encrypted:
            return self._stage_sealed(request, folders)
        files: list[bytes] = []
        digests: dict[str, str] = {}

        def take(source: bytes, path: str) -> tuple[str, int]:
            target = os.path.join(content, path.encode())
            found = _copy(source, target)
            files.append(target)
            digests[path] = found[0]
            return found

        if take(request.content_path, safe_name(request.content_name)) != (
            request.sha256,
            request.size,
        ):
            raise Corrupt(
                "a spool changed between reading and storing, or was copied wrongly",
                hint="look at the working copy and at the disk",
                code="store.source",
            )
        # survives: killed here, the half-written object is removed and written again
        crashpoint("store.content_written")
        if request.sidecar_paths:
            place = os.path.join(content, SIDECARS.encode())
            make_directory(place)
            folders.insert(0, place)
            for path in request.sidecar_paths:
                take(path, f"{SIDECARS}/{safe_name(os.path.basename(path))}")
        if request.documents is not None:
            path_ = os.path.join(content, DOCUMENTS.encode())
            with os_errors("writing to the store"):
                digests[DOCUMENTS] = write_stream(path_, request.documents(), READ_ONLY)
            files.append(path_)
        digests[METADATA] = hashlib.sha256(request.metadata).hexdigest()
        path_ = os.path.join(content, METADATA.encode())
        with os_errors("writing to the store"):
            write_new(path_, request.metadata, READ_ONLY)
        files.append(path_)
        inventory_sha256 = self._complete(request, folders, files, digests)
        return Staged(
            request=request,
            folder=folder,
            inventory_sha256=inventory_sha256,
            encryption=Encryption.NONE,
            files=tuple(files),
            folders=tuple(folders),
        )

    def _stage_sealed(self, request: StoreRequest, folders: list[bytes]) -> Staged:
        """``_stage`` for an encrypted spool. Its keys are written, but not synced."""
        content, _, folder = folders
        keyring = self.keys.keyring
        sealed = Sealer(request, content).seal()
        # survives: killed here, the half-written object is removed and written again
        crashpoint("store.content_written")
        files = list(sealed.files)
        folders = [sealed.folder, *folders]
        self._complete(request, folders, files, sealed.digests)
        file, places = self.keys.place(sealed.keys)
        # survives: killed here, the keys are those of no object, and others are drawn
        crashpoint("keys.placed")
        # Read back as everybody will read it, with the keys as they lie there.
        with self.keys.open(request.spool_id) as keys:
            inventory = inventory_of(folder, request.spool_id)
            unsealed = Unsealed(folder, request.spool_id, inventory, keys, keyring)
            unsealed.check()
            encryption = unsealed.encryption
        return Staged(
            request=request,
            folder=folder,
            inventory_sha256=sealed.inventory_sha256,
            encryption=encryption,
            files=(*files, file),
            folders=(*folders, *places),
        )

    def _complete(
        self,
        request: StoreRequest,
        folders: Sequence[bytes],
        files: list[bytes],
        digests: dict[str, str],
    ) -> str:
        """Write what makes an OCFL object of these files; adds to ``files``. Returns the
        SHA-256 of the inventory."""
        *_, version, folder = folders
        inventory = dump_inventory(
            Inventory(object_id=object_id(request.spool_id), digests=digests),
            # Of the spool, not of the clock: it is the same in every root and attempt.
            request.created_at,
        )
        inventory_sha256 = hashlib.sha256(inventory).hexdigest()
        digest = inventory_sha256.encode() + b" inventory.json\n"
        small = (
            (os.path.join(version, b"inventory.json"), inventory),
            (os.path.join(version, b"inventory.json.sha256"), digest),
            (os.path.join(folder, b"inventory.json"), inventory),
            (os.path.join(folder, b"inventory.json.sha256"), digest),
            (os.path.join(folder, DECLARATION), b"ocfl_object_1.1\n"),
        )
        with os_errors("writing to the store"):
            for path, data in small:
                write_new(path, data, READ_ONLY)
                files.append(path)
        for path in folders[:-1]:
            seal_directory(path)
        # survives: killed here, the whole object is removed and written again
        crashpoint("store.object_written")
        return inventory_sha256

    # -- into place ---------------------------------------------------------------
    def _move_in(self, item: Staged) -> None:
        """Rename a synced object into its place."""
        place = self._place(item.request)
        with self.lock:
            make_parents(os.path.dirname(place), self.root)
            if not move_directory(item.folder, place):
                raise Corrupt(
                    "another object has taken the place of one being written",
                    hint="only one hotfolder may write to a store",
                    code="store.taken",
                )
        seal_directory(place)

    def _compare(self, request: StoreRequest) -> tuple[str, Encryption]:
        """An object is there already: an attempt that a crash ended, or a repetition.
        Returns the SHA-256 of its inventory, and how it is encrypted."""
        path = self.layout.path(object_id(request.spool_id))
        place = self._place(request)
        _, inventory = verify_object(place, request.spool_id, path)
        found, inventory_sha256 = inventory.digests, inventory.sha256
        encryption = Encryption.NONE
        if inventory.is_sealed:
            with self.keys.open(request.spool_id) as keys:
                unsealed = Unsealed(place, request.spool_id, inventory, keys, self.keys.keyring)
                unsealed.check()
                found, inventory_sha256 = unsealed.digests(), unsealed.header.inventory_sha256
                encryption = unsealed.encryption
        expected = {
            safe_name(request.content_name): request.sha256,
            METADATA: hashlib.sha256(request.metadata).hexdigest(),
        }
        if request.documents is not None:
            digest = hashlib.sha256()
            for line in request.documents():
                digest.update(line)
            expected[DOCUMENTS] = digest.hexdigest()
        for source in request.sidecar_paths:
            name = f"{SIDECARS}/{safe_name(os.path.basename(source))}"
            expected[name] = found.get(name, "")
        if dict(found) != expected:
            raise Corrupt(
                "the store has another object for this spool",
                hint="compare it with the working copy; withdraw the wrong one",
                code="store.differs",
            )
        seal_directory(place)
        return inventory_sha256, encryption


def _copy(source: bytes, target: bytes) -> tuple[str, int]:
    try:
        return copy_and_hash(source, target, READ_ONLY)
    except InputFault as error:
        missing: HotfolderError = error
    except OperatorFault as error:
        if error.code != "file.missing":
            raise
        missing = error
    raise Corrupt(
        "a working copy is gone or is no longer a file",
        hint="look into _working: somebody has changed it",
        code="store.source",
    ) from missing
