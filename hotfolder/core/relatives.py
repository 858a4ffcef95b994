"""Which of the files that are known belong together, by their names."""

from __future__ import annotations

from hotfolder.core.records import Sighting
from hotfolder.core.roles import Pairing, Role, Roles, stem
from hotfolder.core.settle import Settling


class Relatives:
    """Spools by stem, so that a sidecar or a trigger finds its spool without a search.

    Most stems have one spool, which then stands there itself: with 100,000 files
    waiting, a tuple around each would be 6 MB.
    """

    def __init__(self, settling: Settling, roles: Roles, pairing: Pairing) -> None:
        self._settling = settling
        self._roles = roles
        self._pairing = pairing
        self._stems: dict[bytes, bytes | tuple[bytes, ...]] = {}

    def add(self, spool: bytes) -> None:
        """A spool has come."""
        key = stem(spool)
        others = self._of_stem(key)
        self._stems[key] = (*others, spool) if others else spool

    def remove(self, spool: bytes) -> None:
        """A spool has gone; harmless if it was not known."""
        key = stem(spool)
        rest = tuple(item for item in self._of_stem(key) if item != spool)
        if rest:
            self._stems[key] = rest
        else:
            self._stems.pop(key, None)

    def trigger_of(self, spool: bytes) -> Sighting | None:
        """The trigger that is there for ``spool``, or None."""
        for name in self._roles.triggers_of(spool):
            trigger = self._settling.get(name)
            if trigger is not None:
                return trigger
        return None

    def spools_of_trigger(self, trigger: bytes) -> list[bytes]:
        """The spools that wait and that ``trigger`` speaks of."""
        found = self._called(self._roles.without_trigger(trigger))
        return [*found, *(spool for spool in self._of_stem(trigger) if spool not in found)]

    def spools_of_sidecar(self, sidecar: bytes) -> list[bytes]:
        """The spools that wait and that may have ``sidecar``."""
        return [
            spool
            for spool in self._called(stem(sidecar))
            if sidecar in self._pairing.sidecars_of(spool)
        ]

    def _called(self, whole_or_stem: bytes) -> list[bytes]:
        found = list(self._of_stem(whole_or_stem))
        if whole_or_stem in self._settling and self._roles.of(whole_or_stem) is Role.SPOOL:
            found.append(whole_or_stem)
        return list(dict.fromkeys(found))

    def _of_stem(self, key: bytes) -> tuple[bytes, ...]:
        found = self._stems.get(key, ())
        return (found,) if isinstance(found, bytes) else found
