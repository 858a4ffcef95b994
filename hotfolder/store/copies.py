"""Several storage roots that hold the same: ``core.ports.Store`` over more than one.

The first root is the store; the others are copies of it, each with objects of its own
that can be read without hotfolder. What is written is written to all before it is
acknowledged. What is read comes from the first that has it whole, and it is told when
that was not the first: a damaged object is never mended in silence. Long, because it is the
whole port once more, each method over all roots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from itertools import chain
from typing import BinaryIO, TypeVar

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import Corrupt, Destroyed, Fault, HotfolderError, OperatorFault
from hotfolder.core.ports import Emit
from hotfolder.core.records import StoredObject, StoreRequest
from hotfolder.core.tombstones import read_tombstone
from hotfolder.store.ocfl import OcflStore
from hotfolder.store.purging import held

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What ``fill`` did; all counts are of objects."""

    present: int = 0  # that every root had
    copied: int = 0  # copies that were made
    damaged: int = 0  # of which no root has a whole one
    destroyed: int = 0  # objects, and keys of documents, that had come back in a root


class CopiesStore:
    """``core.ports.Store`` over one or more storage roots, the first of which leads."""

    def __init__(self, stores: Sequence[OcflStore], *, emit: Emit) -> None:
        if not stores:
            raise ValueError("a store has at least one root")
        self._stores = tuple(stores)
        self._emit = emit

    @property
    def roots(self) -> tuple[OcflStore, ...]:
        """Each root as a store of its own, the leading one first."""
        return self._stores

    def initialise(self, *, adding: bool = False) -> None:
        """Make the roots that are missing; on disk on return.

        Raises ``OperatorFault`` as ``OcflStore`` does, and for a copy that is empty
        beside a store that is not new, unless one is being added: a disk that is not
        mounted looks like that.
        """
        first, *copies = self._stores
        if first.is_declared() and not adding:
            for number, copy in enumerate(copies, 2):
                if not copy.is_declared():
                    raise OperatorFault(
                        f"copy {number} of the store holds no storage root",
                        hint="mount its disk; if it is new, `hotfolder fill` makes it",
                        code="store.copy_missing",
                    )
        for store in self._stores:
            store.initialise()

    def diagnose(self) -> list[Fault]:
        """Every root tried for real; faults of a copy name its number."""
        found: list[Fault] = []
        for number, store in enumerate(self._stores, 1):
            found += [
                fault if number == 1 else replace(fault, message=f"copy {number}: {fault.message}")
                for fault in store.diagnose()
            ]
        return found

    # -- writing ------------------------------------------------------------------
    def write_spools(self, requests: Sequence[StoreRequest]) -> list[StoredObject]:
        """See ``core.ports.Store``: on disk in every root when this returns. One root
        that fails fails all; what the others have is found there the next time."""
        first, *copies = self._stores
        stored = first.write_spools(requests)
        plain = [item for item in requests if not item.encrypted]
        for copy in copies:
            copy.write_spools(plain)
            for request in requests:
                if not request.encrypted:
                    continue
                # One key for each document, whatever root it is read from.
                if copy.has(request.spool_id):
                    copy.write_spools([request])
                else:
                    copy.take_over(request.spool_id, first.place_of(request.spool_id))
        return stored

    def withdraw(self, spool_id: str, reason: str) -> bool:
        """See ``core.ports.Store``; gone from every root when this returns."""
        found = [store.withdraw(spool_id, reason) for store in self._stores]  # all, always
        return any(found)

    def purge(self, spool_id: str, tombstone: bytes) -> bool:
        """See ``core.ports.Store``: no root loses a byte before all have the tombstone.
        ``OperatorFault`` if the disk of one is away."""
        self._require_all()
        if marked := self.holds_on(spool_id):
            raise held(marked[0])
        for store in self._stores:
            store.entomb(spool_id, tombstone)
        # survives: killed here, every object is there, and nothing copies or rebuilds them
        crashpoint("purge.entombed")
        found = [store.remove_purged(spool_id) for store in self._stores]
        return any(found)

    def discard(self, spool_id: str) -> bool:
        """See ``core.ports.Store``."""
        self._require_all()
        if marked := self.holds_on(spool_id):
            raise held(marked[0])
        found = [store.discard(spool_id) for store in self._stores]  # all, always
        return any(found)

    def _require_all(self) -> None:
        for number, store in enumerate(self._stores, 1):
            if not store.is_declared():
                raise OperatorFault(
                    f"root {number} of the store is not there: a copy would be left in it",
                    hint="mount its disk; what is under way goes on then",
                    code="store.copy_missing",
                )

    def tombstone(self, spool_id: str) -> bytes | None:
        """See ``core.ports.Store``: of the first root that has one."""
        found = (store.tombstone(spool_id) for store in self._stores)
        return next((item for item in found if item is not None), None)

    def tombstones(self) -> Iterator[tuple[str, bytes]]:
        """See ``core.ports.Store``: what any root has."""
        for number, store in enumerate(self._stores):
            for spool_id, tombstone in store.tombstones():
                if not any(before.is_purged(spool_id) for before in self._stores[:number]):
                    yield spool_id, tombstone

    def clean(self) -> int:
        """See ``core.ports.Store``."""
        return sum(store.clean() for store in self._stores)

    def fill(
        self,
        expected: Callable[[str], str | None],
        progress: Callable[[int], None] = lambda _done: None,
    ) -> Filled:
        """Give every root what another has and it lacks. ``expected`` tells the SHA-256
        that the journal has of a spool (None: it does not know it); what differs is
        copied nowhere. Tombstones are copied first: what was destroyed comes back from no
        root, and goes from one that was away, or was restored from a backup. Marks of holds
        are copied too. May be interrupted and run again.
        """
        filled = Filled(destroyed=self._copy_tombstones())
        for done, found in enumerate(self.iterate(), 1):
            lacking = [store for store in self._stores if not store.has(found.spool_id)]
            if not lacking:
                filled = replace(filled, present=filled.present + 1)
            else:
                good = self._find_good(found.spool_id, expected(found.spool_id))
                if good is None:
                    self._emit("store.not_copied", spool=found.spool_id)
                    filled = replace(filled, damaged=filled.damaged + 1)
                else:
                    for store in lacking:
                        store.take_over(found.spool_id, good)
                    filled = replace(filled, copied=filled.copied + len(lacking))
            self._copy_marks(found.spool_id)
            progress(done)
        for hold, record in self._holds_by_id().items():
            for store in self._stores:
                if hold not in store.holds_by_id():
                    store.keep_hold(hold, record)
        return filled

    def _copy_tombstones(self) -> int:
        """Returns how much had come back of what was destroyed; it is destroyed again."""
        found = 0
        for spool_id, tombstone in self.tombstones():
            for store in self._stores:
                store.entomb(spool_id, tombstone)
            for store in self._stores:
                if store.has(spool_id) or store.keys.has(spool_id):
                    found += store.remove_purged(spool_id)
        for spool_id, disposal, tombstone in self._parts_by_disposal():
            for store in self._stores:
                store.entomb_parts(spool_id, disposal, tombstone)
            gone = [item.ordinal for item in read_tombstone(tombstone) if item.ordinal is not None]
            # Damaged keys open nothing; `verify` tells of them.
            with suppress(KeyError, Corrupt):
                found += self.destroy_parts(spool_id, gone)
        return found

    def _copy_marks(self, spool_id: str) -> None:
        found = [set(store.holds_on(spool_id)) for store in self._stores]
        for store, there in zip(self._stores, found, strict=True):
            for hold in set().union(*found) - there:
                store.place_hold(spool_id, hold)

    def _find_good(self, spool_id: str, sha256: str | None) -> bytes | None:
        for store in self._stores:
            try:
                found = store.verify(spool_id)
            except (KeyError, Corrupt):
                continue
            # Without a master key an encrypted one cannot say what it holds.
            if sha256 in (None, found.content_sha256) or (
                found.encryption and not found.content_sha256
            ):
                return store.place_of(spool_id)
        return None

    # -- holds --------------------------------------------------------------------
    def place_hold(self, spool_id: str, hold_id: str) -> None:
        """See ``core.ports.Store``."""
        self.place_holds([spool_id], hold_id)

    def lift_hold(self, spool_id: str, hold_id: str) -> None:
        """See ``core.ports.Store``."""
        self.lift_holds([spool_id], hold_id)

    def place_holds(self, spool_ids: Sequence[str], hold_id: str) -> None:
        """See ``core.ports.Store``."""
        for store in self._stores:
            store.place_holds(spool_ids, hold_id)

    def lift_holds(self, spool_ids: Sequence[str], hold_id: str) -> None:
        """See ``core.ports.Store``."""
        for store in self._stores:
            store.lift_holds(spool_ids, hold_id)

    def keep_hold(self, hold_id: str, record: bytes) -> None:
        """See ``core.ports.Store``."""
        for store in self._stores:
            store.keep_hold(hold_id, record)

    def drop_hold(self, hold_id: str) -> None:
        """See ``core.ports.Store``."""
        for store in self._stores:
            store.drop_hold(hold_id)

    def kept_holds(self) -> Iterator[bytes]:
        """See ``core.ports.Store``."""
        yield from self._holds_by_id().values()

    def _holds_by_id(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for store in self._stores:
            found = {**store.holds_by_id(), **found}
        return dict(sorted(found.items()))

    def holds_on(self, spool_id: str) -> tuple[str, ...]:
        """See ``core.ports.Store``."""
        return tuple(sorted({hold for store in self._stores for hold in store.holds_on(spool_id)}))

    # -- reading ------------------------------------------------------------------
    def open_content(self, spool_id: str, *, sha256: str | None = None) -> BinaryIO:
        """See ``core.ports.Store``."""
        return self._first_good(spool_id, lambda store: store.open_content(spool_id, sha256=sha256))

    def read_metadata(self, spool_id: str) -> bytes:
        """See ``core.ports.Store``."""
        return self._first_good(spool_id, lambda store: store.read_metadata(spool_id))

    def read_documents(self, spool_id: str) -> Iterator[bytes]:
        """See ``core.ports.Store``."""

        def begin(store: OcflStore) -> Iterator[bytes]:
            lines = store.read_documents(spool_id)
            # With the first line all are verified.
            return chain([line for line in [next(lines, None)] if line is not None], lines)

        yield from self._first_good(spool_id, begin)

    def read_leaves(self, spool_id: str) -> Iterator[bytes]:
        """See ``core.ports.Store``."""

        def begin(store: OcflStore) -> Iterator[bytes]:
            leaves = store.read_leaves(spool_id)
            return chain([leaf for leaf in [next(leaves, None)] if leaf is not None], leaves)

        yield from self._first_good(spool_id, begin)

    def read_inventory(self, spool_id: str) -> bytes:
        """See ``core.ports.Store``."""
        return self._first_good(spool_id, lambda store: store.read_inventory(spool_id))

    def open_part(self, spool_id: str, path: str) -> BinaryIO:
        """See ``core.ports.Store``."""
        return self._first_good(spool_id, lambda store: store.open_part(spool_id, path))

    def _first_good(self, spool_id: str, read: Callable[[OcflStore], Found]) -> Found:
        failed: list[HotfolderError] = []
        for number, store in enumerate(self._stores, 1):
            try:
                found = read(store)
            except KeyError:
                continue
            except Destroyed:
                raise  # in one root or in all: no other may give it
            except HotfolderError as error:
                failed.append(error)
                continue
            if number > 1:
                reason = failed[0].code if failed else "store.missing"
                self._emit("store.copy_used", spool=spool_id, copy=number, reason=reason)
            return found
        if failed:
            raise failed[0]
        raise KeyError(spool_id)

    # -- keys of encrypted spools -----------------------------------------------------
    def can_destroy_parts(self, spool_id: str) -> bool:
        """See ``core.keysport.StoreKeys``."""
        return any(store.can_destroy_parts(spool_id) for store in self._stores)

    def destroy_parts(self, spool_id: str, ordinals: Sequence[int]) -> int:
        """See ``core.keysport.StoreKeys``; in every root when this returns."""
        with ExitStack() as stack:
            # All locked before the first is touched: a key that was destroyed there is
            # not copied back from one where it is not yet.
            for store in sorted(self._stores, key=lambda store: store.keys.folder):
                if not store.is_declared():
                    raise OperatorFault(
                        "a copy of the store is not there: its keys would stay",
                        hint="mount its disk; nothing was destroyed",
                        code="store.copy_missing",
                    )
                stack.enter_context(store.keys.lock())
            having = [store for store in self._stores if store.keys.has(spool_id)]
            if not having:
                raise KeyError(spool_id)
            return max(store.keys.destroy(spool_id, ordinals) for store in having)

    def purge_parts(
        self, spool_id: str, disposal: str, ordinals: Sequence[int], tombstone: bytes
    ) -> int:
        """See ``core.keysport.StoreKeys``: no root loses a key before all have the
        tombstone."""
        self._require_all()
        for store in self._stores:
            store.entomb_parts(spool_id, disposal, tombstone)
        # survives: killed here, every key is there, and it is repeated
        crashpoint("parts.entombed")
        if not any(store.keys.has(spool_id) for store in self._stores):
            return 0
        return self.destroy_parts(spool_id, ordinals)

    def part_tombstones(self) -> Iterator[tuple[str, bytes]]:
        """See ``core.keysport.StoreKeys``: what any root has."""
        return ((spool_id, stone) for spool_id, _, stone in self._parts_by_disposal())

    def _parts_by_disposal(self) -> Iterator[tuple[str, str, bytes]]:
        seen: set[tuple[str, str]] = set()
        for store in self._stores:
            for spool_id, disposal, tombstone in store.parts_by_disposal():
                if (spool_id, disposal) not in seen:
                    seen.add((spool_id, disposal))
                    yield spool_id, disposal, tombstone

    def destroyed_parts(self, spool_id: str) -> frozenset[int]:
        """See ``core.keysport.StoreKeys``: in any root."""
        return frozenset().union(*(store.destroyed_parts(spool_id) for store in self._stores))

    def remove_keys(self, spool_id: str) -> bool:
        """See ``core.keysport.StoreKeys``; in every root when this returns."""
        found = [store.remove_keys(spool_id) for store in self._stores]  # all, always
        return any(found)

    def verify(self, spool_id: str) -> StoredObject:
        """See ``core.ports.Store``: in every root. ``Corrupt`` also if one lacks it."""
        found: list[StoredObject] = []
        lacking: list[int] = []
        for number, store in enumerate(self._stores, 1):
            try:
                found.append(store.verify(spool_id))
            except KeyError:
                lacking.append(number)
        if not found:
            raise KeyError(spool_id)
        if lacking:
            raise Corrupt(
                f"copy {lacking[0]} of the store lacks the object",
                hint="`hotfolder fill` copies what is missing",
                code="store.copy_lacks",
            )
        if len({item.content_sha256 for item in found}) > 1:
            raise Corrupt(
                "the copies of an object in the store differ",
                hint="the journal tells which is right; restore the other from it",
                code="store.copies_differ",
            )
        return found[0]

    def iterate(self) -> Iterator[StoredObject]:
        """See ``core.ports.Store``: what any root has. Of an object whose inventory is
        damaged in one root, another tells."""
        for number, store in enumerate(self._stores):
            for found in store.iterate():
                if any(before.has(found.spool_id) for before in self._stores[:number]):
                    continue
                if any(other.is_purged(found.spool_id) for other in self._stores):
                    continue
                yield found if found.content_sha256 else self._told_by_others(found)

    def _told_by_others(self, found: StoredObject) -> StoredObject:
        for store in self._stores:
            try:
                return store.verify(found.spool_id)
            except (KeyError, HotfolderError):
                continue
        return found
