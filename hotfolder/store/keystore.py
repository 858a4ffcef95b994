"""The keys of all encrypted spools of one root: beside its objects, never in them.

They lie in ``<root>/extensions/hotfolder-keys/<three digits>/<spool id>``, where OCFL
allows folders of others. What changes a key file holds a lock on that folder, so that a key
which is being destroyed is not copied, or wrapped anew, at the same time.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, suppress

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import Corrupt, OperatorFault
from hotfolder.files.content import (
    hash_file,
    open_regular,
    write_all,
    write_atomically,
    write_stream,
)
from hotfolder.files.durability import sync_directories
from hotfolder.files.faults import os_errors
from hotfolder.files.inplace import locked, shred, write_over
from hotfolder.files.names import check_spool_id, is_spool_id
from hotfolder.files.tree import exists, list_directory, make_parents
from hotfolder.store.keyfile import FIRST, TOGETHER, KeyFile, NewKeys, destruction
from hotfolder.store.keyring import MASTER_ID, Keyring, no_keyring
from hotfolder.store.naming import object_id

FOLDER = b"extensions/hotfolder-keys"
_MODE = 0o600
_MASTERS = b"masters"  # ids of the master keys that were used, one a line, the newest last


class KeyStore:
    """Key files of one root. Methods that change something are durable when they return."""

    def __init__(self, root: bytes, keyring: Keyring | None) -> None:
        self._root = root
        self._keyring = keyring
        self.folder = os.path.join(root, FOLDER)

    @property
    def keyring(self) -> Keyring:
        """The master keys; ``OperatorFault`` (``keys.none``) if there are none here."""
        if self._keyring is None:
            raise no_keyring()
        return self._keyring

    @property
    def is_usable(self) -> bool:
        """Whether there is a master key."""
        return self._keyring is not None

    def path(self, spool_id: str) -> bytes:
        """Where the key file of a spool lies, if it has one."""
        name = check_spool_id(spool_id)
        part = hashlib.sha256(object_id(spool_id).encode()).hexdigest()[:3]
        return os.path.join(self.folder, part.encode(), name)

    def lock(self) -> AbstractContextManager[None]:
        """Nobody else changes keys of this root until the block ends."""
        if not exists(self.folder):
            make_parents(self.folder, self._root)
            sync_directories([self.folder, os.path.dirname(self.folder), self._root])
        return locked(self.folder)

    # -- the master key ---------------------------------------------------------------
    def introduce(self) -> None:
        """Note the current master key as used here. ``OperatorFault`` if others were used
        and none of them is here: a key that was mistaken for another would go unnoticed
        until a spool is asked for."""
        current = self.keyring.current.id.hex()
        with self.lock():
            known = self.masters()
            if known and known[-1] == current:
                return
            if known and not any(bytes.fromhex(item) in self.keyring for item in known):
                raise OperatorFault(
                    "the master key is none of those with which this store was encrypted",
                    hint="give the right one; to change it, `hotfolder keys rotate` with the"
                    " one before in [store] old_master_keys",
                    code="keys.master_other",
                )
            lines = [item for item in known if item != current] + [current]
            data = "".join(f"{item}\n" for item in lines).encode()
            write_atomically(os.path.join(self.folder, _MASTERS), data, _MODE)

    def masters(self) -> list[str]:
        """Ids (hex) of the master keys that were used here, the newest last."""
        path = os.path.join(self.folder, _MASTERS)
        if not exists(path):
            return []
        with open_regular(path) as stream, os_errors("reading ids of master keys"):
            found = stream.read(1 << 16).decode("ascii", "replace").split()
        return [item for item in found if len(item) == 2 * MASTER_ID]

    def forget_others(self) -> None:
        """The current master key is the only one that is used here from now on."""
        line = f"{self.keyring.current.id.hex()}\n".encode()
        with self.lock():
            write_atomically(os.path.join(self.folder, _MASTERS), line, _MODE)

    # -- one spool --------------------------------------------------------------------
    def has(self, spool_id: str) -> bool:
        """Whether there is a key file."""
        return exists(self.path(spool_id))

    def open(self, spool_id: str) -> KeyFile:
        """The key file, open; raises as ``KeyFile`` does."""
        return KeyFile(self.path(spool_id), spool_id)

    def place(self, new: NewKeys) -> tuple[bytes, list[bytes]]:
        """Write the keys of a spool that has no object yet, over those of an attempt that
        failed. Not synced: (file, folders) are for the caller to sync."""
        path = self.path(new.spool_id)
        with self.lock():
            make_parents(os.path.dirname(path), self._root)
            shred(path)
            with os_errors("writing keys"):
                write_stream(path, new.pieces(self.keyring.current), _MODE)
        return path, self._folders(path)

    def _folders(self, path: bytes) -> list[bytes]:
        found = []
        while path != self._root:
            path = os.path.dirname(path)
            found.append(path)
        return found

    def remove(self, spool_id: str) -> bool:
        """Destroy all keys of a spool and remove the file; False if there is none."""
        if not self.has(spool_id):
            return False
        with self.lock():
            path = self.path(spool_id)
            gone = shred(path)
            sync_directories([os.path.dirname(path)])
        return gone

    def destroy(self, spool_id: str, ordinals: Sequence[int]) -> int:
        """Destroy the keys of these documents, and that of what names all documents
        together; how many documents were destroyed by this call. The caller holds the lock.

        Harmless to repeat. ``ValueError`` if the spool's documents cannot be destroyed one
        by one, or one of them is none of its.
        """
        with self.open(spool_id) as keys:
            if not keys.divisible:
                raise ValueError(f"the documents of spool {spool_id} have no keys of their own")
            wanted = set(ordinals)
            slots: list[tuple[int, int]] = []
            for number, gone, ordinal in keys.states():
                if number >= FIRST and ordinal in wanted:
                    wanted.discard(ordinal)
                    if not gone:
                        slots.append((number, ordinal))
                elif number == TOGETHER and not gone:
                    slots.append((number, ordinal))
        if wanted:
            raise ValueError(f"spool {spool_id} has no documents {sorted(wanted)}")
        if slots:
            write_over(self.path(spool_id), destruction(slots))
            # survives: killed here, the keys are gone in this root, and the others follow
            # when it is repeated
            crashpoint("keys.destroyed")
        return sum(number >= FIRST for number, _ in slots)

    def destroyed(self, spool_id: str) -> frozenset[int]:
        """Ordinals of the documents whose keys are destroyed; none if it has no keys."""
        if not self.has(spool_id):
            return frozenset()
        with self.open(spool_id) as keys:
            return frozenset(
                ordinal for number, gone, ordinal in keys.states() if gone and number >= FIRST
            )

    def left(self, spool_id: str, ordinals: Collection[int]) -> frozenset[int]:
        """Those of these documents whose keys are here. Raises ``Corrupt``."""
        if not self.has(spool_id):
            return frozenset()
        with self.open(spool_id) as keys:
            return frozenset(
                ordinal
                for number, gone, ordinal in keys.states()
                if not gone and number >= FIRST and ordinal in ordinals
            )

    def is_divisible(self, spool_id: str) -> bool:
        """Whether documents can be destroyed one by one."""
        if not self.has(spool_id):
            return False
        with self.open(spool_id) as keys:
            divisible: bool = keys.divisible
        return divisible

    def take_over(self, spool_id: str, source: KeyStore) -> None:
        """Have the keys that another root has, but for those that are destroyed in either.
        The caller holds both locks."""
        path = self.path(spool_id)
        with source.open(spool_id) as theirs:
            gone = {number for number, is_gone, _ in theirs.states() if is_gone}
            if exists(path):
                with suppress(Corrupt), self.open(spool_id) as ours:
                    gone |= {number for number, is_gone, _ in ours.states() if is_gone}
            without = frozenset(gone)
            digest = hashlib.sha256()
            for piece in theirs.copied(without):
                digest.update(piece)
            if exists(path) and hash_file(path)[0] == digest.hexdigest():
                return
            # A copy that is only replaced would stay on the disk, and be there still when
            # its keys are destroyed. Killed behind this, the keys are taken over again.
            shred(path)
            make_parents(os.path.dirname(path), self._root)
            sync_directories(self._folders(path))
            write_all([(path, theirs.copied(without))], _MODE)
            # survives: killed here, the keys are there before their object
            crashpoint("keys.copied")

    # -- all of them ------------------------------------------------------------------
    def spools(self) -> Iterator[str]:
        """Every spool that has a key file."""
        for part, is_folder in list_directory(self.folder):
            if is_folder:
                for name, _ in list_directory(os.path.join(self.folder, part)):
                    if is_spool_id(name):
                        yield name.decode()

    def rewrap(self, spool_id: str) -> bool:
        """Wrap the keys of a spool by the current master key; False if they are. What was
        wrapped by the one before stays on the disk as free space: that key is to be
        destroyed."""
        with self.lock():
            if not self.has(spool_id):
                return False
            with self.open(spool_id) as keys:
                if keys.master_id == self.keyring.current.id:
                    return False
                write_all([(self.path(spool_id), keys.rewrapped(self.keyring))], _MODE)
        # survives: killed here, this spool is done; the next run goes on with the others
        crashpoint("keys.rewrapped")
        return True

    def count(self, progress: Callable[[int], None] = lambda _done: None) -> dict[str, int]:
        """How many spools each master key (by its id, hex) wraps."""
        found: dict[str, int] = {}
        for done, spool_id in enumerate(self.spools(), 1):
            with self.open(spool_id) as keys:
                name = keys.master_id.hex()
            found[name] = found.get(name, 0) + 1
            progress(done)
        return found
