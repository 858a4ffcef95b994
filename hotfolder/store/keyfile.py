"""The keys of one spool, in a file outside its object: a slot for each.

    header, 128 bytes: magic 16, key set 16, id of the master key 16, spool id 64 (NUL after
        it), slots 8, "D" if documents can be destroyed one by one (else "S"), 7 NUL
    slot, 64 bytes: "K" or "D" (destroyed: NUL for the key), 7 NUL, ordinal 8, wrapped key 48

Numbers are big-endian. Slot 0 is the spool's key, slot 1 that of what names its documents
all together, the others are of one document each. No slot crosses a sector, so writing one
over leaves the old or the new. A key set is never used for another object.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass

from hotfolder.core.errors import Corrupt, Destroyed, HotfolderError, InputFault, OperatorFault
from hotfolder.files.content import open_descriptor
from hotfolder.files.faults import os_errors
from hotfolder.store.ciphers import KEY, WRAPPED, open_small, seal_small
from hotfolder.store.keyring import Keyring, MasterKey

MAGIC = b"hotfolder-keys/1"
HEADER = struct.Struct(">16s16s16s64sQc7x")
SLOT = struct.Struct(f">c7xQ{WRAPPED}s")
SPOOL, TOGETHER, FIRST = 0, 1, 2  # slots
_NOTHING = bytes(WRAPPED)
_PAGE = 4096  # slots that are read at once


def _damaged(what: str) -> Corrupt:
    return Corrupt(
        f"the keys of a spool {what}",
        hint="`hotfolder verify --mend` takes them from another root; else restore them from"
        " a backup: without them the spool cannot be read",
        code="keys.damaged",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKeys:
    """Keys that were drawn for a spool, in the order of their slots."""

    spool_id: str
    key_set: bytes
    keys: bytearray
    ordinals: Sequence[int]
    divisible: bool

    def pieces(self, master: MasterKey) -> Iterator[bytes]:
        """The file, wrapped by ``master``."""
        yield _header(self.key_set, master.id, self.spool_id, len(self.ordinals), self.divisible)
        wrapping = master.wrapping_key(self.key_set)
        for number, ordinal in enumerate(self.ordinals):
            key = bytes(self.keys[KEY * number : KEY * (number + 1)])
            yield _slot(wrapping, number, ordinal, key, self.spool_id)


def _header(key_set: bytes, master_id: bytes, spool_id: str, slots: int, divisible: bool) -> bytes:
    kind = b"D" if divisible else b"S"
    return HEADER.pack(MAGIC, key_set, master_id, spool_id.encode(), slots, kind)


def _slot(wrapping: bytes, number: int, ordinal: int, key: bytes, spool_id: str) -> bytes:
    context = f"{spool_id} {ordinal}".encode()
    return SLOT.pack(b"K", ordinal, seal_small(wrapping, number, key, context))


class KeyFile:
    """An open key file, to be closed. Reading needs no master key, but for keys."""

    def __init__(self, path: bytes, spool_id: str) -> None:
        """Raises ``Corrupt`` if it is missing or none."""
        try:
            self._fd, found = open_descriptor(path)
        except InputFault as error:
            raise _damaged("are not in a plain file") from error
        except OperatorFault as error:
            if error.code == "file.missing":
                raise _damaged("are missing") from error
            raise
        self._wrapping = b""
        try:
            head = _read_head(self._fd, found.st_size, spool_id)
        except HotfolderError:
            self.close()
            raise
        self.key_set, self.master_id, self.slots, kind = head
        self.spool_id = spool_id
        self.divisible = kind == b"D"

    def __enter__(self) -> KeyFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def again(self) -> KeyFile:
        """The same file, open once more."""
        found = copy(self)
        with os_errors("reading keys"):
            vars(found)["_fd"] = os.dup(self._fd)
        return found

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def key(self, number: int, keyring: Keyring) -> bytes:
        """The key in a slot. Raises ``Destroyed``, ``Corrupt``, or ``OperatorFault`` if its
        master key is not here."""
        with os_errors("reading keys"):
            data = os.pread(self._fd, SLOT.size, HEADER.size + number * SLOT.size)
        if len(data) != SLOT.size or number >= self.slots:
            raise _damaged("lack one")
        state, ordinal, wrapped = SLOT.unpack(data)
        if state == b"D":
            raise destroyed()
        if state != b"K":
            raise _damaged("are not what was written")
        if not self._wrapping:
            self._wrapping = keyring.find(self.master_id).wrapping_key(self.key_set)
        return open_small(self._wrapping, number, wrapped, f"{self.spool_id} {ordinal}".encode())

    def states(self) -> Iterator[tuple[int, bool, int]]:
        """(slot, whether its key is destroyed, ordinal of the document) of each."""
        for start in range(0, self.slots, _PAGE):
            with os_errors("reading keys"):
                data = os.pread(self._fd, _PAGE * SLOT.size, HEADER.size + start * SLOT.size)
            for number, (state, ordinal, _) in enumerate(SLOT.iter_unpack(data), start):
                yield number, state == b"D", ordinal

    def rewrapped(self, keyring: Keyring, without: frozenset[int] = frozenset()) -> Iterator[bytes]:
        """The file as it is when the current master key wraps it, the slots in ``without``
        destroyed."""
        master = keyring.current
        yield _header(self.key_set, master.id, self.spool_id, self.slots, self.divisible)
        wrapping = master.wrapping_key(self.key_set)
        for number, gone, ordinal in self.states():
            if gone or number in without:
                yield _gone(ordinal)
            else:
                yield _slot(wrapping, number, ordinal, self.key(number, keyring), self.spool_id)

    def copied(self, without: frozenset[int]) -> Iterator[bytes]:
        """The file as it is, the slots in ``without`` destroyed; no master key is needed."""
        with os_errors("reading keys"):
            yield os.pread(self._fd, HEADER.size, 0)
            for number, _, ordinal in self.states():
                data = os.pread(self._fd, SLOT.size, HEADER.size + number * SLOT.size)
                yield _gone(ordinal) if number in without else data


def _read_head(fd: int, size: int, spool_id: str) -> tuple[bytes, bytes, int, bytes]:
    with os_errors("reading keys"):
        head = os.pread(fd, HEADER.size, 0)
    if len(head) != HEADER.size:
        raise _damaged("are cut off")
    magic, key_set, master_id, name, slots, kind = HEADER.unpack(head)
    if magic != MAGIC or name.rstrip(b"\0") != spool_id.encode() or kind not in (b"D", b"S"):
        raise _damaged("are another spool's, or no keys")
    if size != HEADER.size + slots * SLOT.size or slots < FIRST:
        raise _damaged("are cut off")
    return key_set, master_id, slots, kind


def _gone(ordinal: int) -> bytes:
    return SLOT.pack(b"D", ordinal, _NOTHING)


def destruction(slots: Sequence[tuple[int, int]]) -> list[tuple[int, bytes]]:
    """What is to be written over a key file so that these (slot, ordinal) are destroyed."""
    return [(HEADER.size + number * SLOT.size, _gone(ordinal)) for number, ordinal in slots]


def destroyed() -> Destroyed:
    """The error for what cannot be read because its key was destroyed."""
    return Destroyed(
        "the document was destroyed: its key is no more",
        hint="the tombstone and the certificate of its disposal tell when and by whom",
        code="document.destroyed",
    )
