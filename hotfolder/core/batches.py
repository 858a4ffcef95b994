"""Batches that a manifest announces: all files it lists, or nothing yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hotfolder.core.errors import Fault, HotfolderError, InputFault
from hotfolder.core.manifest import read_manifest
from hotfolder.core.profiles import Completion
from hotfolder.core.records import Sighting
from hotfolder.core.settle import Settling


@dataclass(slots=True, kw_only=True)
class _Batch:
    """What one version of a manifest lists, and which of it is not there as listed."""

    sighting: Sighting
    sizes: Mapping[bytes, int]
    awaited: set[bytes] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is known of a batch: ``complete`` when all files are there as listed, or
    when the wait is over. ``absent`` never came; ``wrong`` has another size."""

    complete: bool
    again: float = 0.0
    names: tuple[bytes, ...] = ()  # there, in the manifest's order
    absent: tuple[bytes, ...] = ()
    wrong: frozenset[bytes] = frozenset()


class Batches:
    """The manifests of one folder."""

    def __init__(
        self, rule: Completion, settling: Settling, read: Callable[[Sighting], bytes]
    ) -> None:
        self._rule = rule
        self._settling = settling
        self._read = read
        self._batches: dict[bytes, _Batch] = {}
        self._listed: dict[bytes, bytes] = {}

    def note(self, name: bytes) -> tuple[bytes | None, bool]:
        """After a look at ``name``: the manifest to consider, if it lists the file and
        awaits no other; and whether any manifest lists it."""
        manifest = self._listed.get(name)
        if manifest is None:
            return None, False
        batch = self._batches[manifest]
        if self._matches(batch, name):
            batch.awaited.discard(name)
        else:
            batch.awaited.add(name)
        return (None if batch.awaited else manifest), True

    def lose(self, manifest: bytes) -> None:
        """The manifest is gone or has been given out."""
        batch = self._batches.pop(manifest, None)
        for name in batch.sizes if batch is not None else ():
            if self._listed.get(name) == manifest:
                del self._listed[name]

    def examine(self, manifest: bytes) -> Outcome:
        """Compare a settled manifest with what is there. Raises ``InputFault`` when it
        cannot be read and will not be mended any more."""
        sighting = self._settling.get(manifest)
        if sighting is None:
            raise KeyError(manifest)
        end = self._settling.since(manifest) + self._rule.sidecar_wait
        over = self._settling.looked(manifest)
        try:
            batch = self._open(manifest, sighting)
        except HotfolderError as error:
            if over < end:
                return Outcome(complete=False, again=end)
            if isinstance(error, InputFault):
                raise
            fault = Fault(code=error.code, message=error.message, remedy=error.hint)
            raise InputFault([fault]) from error
        batch.awaited = {name for name in batch.sizes if not self._matches(batch, name)}
        present = tuple(name for name in batch.sizes if name in self._settling)
        last = max((self._settling.since(name) for name in present), default=0.0)
        end = max(end, last + self._rule.sidecar_wait)
        if batch.awaited and over < end:
            return Outcome(complete=False, again=end)
        return Outcome(
            complete=True,
            names=present,
            absent=tuple(name for name in batch.sizes if name not in self._settling),
            wrong=frozenset(name for name in present if name in batch.awaited),
        )

    def _open(self, manifest: bytes, sighting: Sighting) -> _Batch:
        batch = self._batches.get(manifest)
        if batch is None or batch.sighting != sighting:
            self.lose(manifest)
            sizes = read_manifest(self._read(sighting), manifest)
            batch = self._batches[manifest] = _Batch(sighting=sighting, sizes=sizes)
            for name in sizes:
                self._listed.setdefault(name, manifest)
        return batch

    def _matches(self, batch: _Batch, name: bytes) -> bool:
        sighting = self._settling.get(name)
        return sighting is not None and sighting.size == batch.sizes.get(name)
