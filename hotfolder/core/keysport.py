"""Encrypted spools: destroying a document by destroying its key. Parts of
``core.ports.Store`` and ``core.ports.Journal``, whose rules hold here too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from hotfolder.core.records import Encryption


class KeysJournal(Protocol):
    """What the journal remembers of encrypted spools."""

    def encryption_of(self, spool_ids: Sequence[str]) -> Mapping[str, Encryption]:
        """What of each of these spools is destroyed by destroying a key; those unknown are
        left out."""


class StoreKeys(Protocol):
    """The keys of encrypted spools, in every root. What was destroyed is durable on return
    and never comes back by mending, by filling, or from another root."""

    def can_destroy_parts(self, spool_id: str) -> bool:
        """Whether each document of the spool has a key of its own. False for a spool that is
        not encrypted, that is one document, or whose documents share bytes."""

    def destroy_parts(self, spool_id: str, ordinals: Sequence[int]) -> int:
        """Destroy the keys of these documents, in every root, and those of the sidecars,
        which name all documents together; how many were not destroyed before.

        Harmless to repeat, and to be repeated after an error or a crash until it returns.
        No master key is needed. From then on reading such a document raises ``Destroyed``.
        Raises ``KeyError`` if the spool has no keys, ``ValueError`` if it cannot be done one
        by one or an ordinal is no document's, ``OperatorFault`` if a root is away.
        """

    def purge_parts(
        self, spool_id: str, disposal: str, ordinals: Sequence[int], tombstone: bytes
    ) -> int:
        """``destroy_parts`` under a disposal: the tombstone is on disk in every root before
        a key goes; how many keys were not destroyed before. Harmless to repeat; of a spool
        that has no keys any more the tombstone alone is written.

        Marks of holds do not stop it: they are of the whole spool, and the journal has
        decided of each document. Raises as ``destroy_parts`` and ``Store.purge`` do.
        """

    def part_tombstones(self) -> Iterator[tuple[str, bytes]]:
        """(spool id, tombstone) of documents whose keys were, or are being, destroyed."""

    def destroyed_parts(self, spool_id: str) -> frozenset[int]:
        """Ordinals of the documents that were destroyed."""

    def remove_keys(self, spool_id: str) -> bool:
        """Destroy every key of a spool, in every root, and remove the files: for a spool
        whose object goes, or is gone. False if there were none."""
