"""What comes with a spool: its sidecars, and how long to wait for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hotfolder.core.errors import Fault
from hotfolder.core.incomplete import INDEX_MISSING, SIDECAR_MISSING
from hotfolder.core.profiles import CompletionRule, FolderProfile, SidecarFormat
from hotfolder.core.records import Sighting
from hotfolder.core.relatives import Relatives
from hotfolder.core.roles import Pairing
from hotfolder.core.settle import Settling, Standard


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """What comes with a spool. Until it is ``ready``, ``again`` is when to look."""

    ready: bool
    again: float = 0.0
    sidecars: tuple[Sighting, ...] = ()
    shared: tuple[bytes, ...] = ()
    faults: tuple[Fault, ...] = ()


class Companions:
    """Finds the company of spools; books the looks at sidecars that are not yet still."""

    def __init__(
        self, profile: FolderProfile, settling: Settling, relatives: Relatives, pairing: Pairing
    ) -> None:
        self._rule = profile.completion
        self._format = profile.sidecar
        self._required = (
            profile.sidecar_required
            and not profile.manual
            and profile.sidecar is not SidecarFormat.NONE
        )
        self._settling = settling
        self._relatives = relatives
        self._pairing = pairing

    def find(
        self,
        spool: bytes,
        standard: Standard,
        standard_of: Callable[[bytes], Standard],
        now: float,
    ) -> Company:
        """The company of ``spool``, which is ready by ``standard`` itself;
        ``standard_of`` gives that of a sidecar."""
        found: list[Sighting] = []
        faults: list[Fault] = []
        for name in self._pairing.sidecars_of(spool):
            sidecar = self._settling.get(name)
            if sidecar is None or (found and len(self._relatives.spools_of_sidecar(name)) > 1):
                continue  # the second best name, and another spool may need it
            verdict = self._settling.judge(name, standard_of(name), now, content=False)
            if not verdict.ready:
                self._settling.book(name, verdict.again)
                return Company(ready=False, again=verdict.again)
            found.append(sidecar)
            faults += verdict.faults
        shared = self._pairing.shared_of(spool)
        if shared is not None and shared in self._settling:
            verdict = self._settling.judge(shared, Standard.QUIET, now, content=False)
            if not verdict.ready:
                self._settling.book(shared, verdict.again)
                return Company(ready=False, again=verdict.again)
        else:
            shared = None
        indexes = self._pairing.indexes_of(spool)
        own = [sidecar for sidecar in found if sidecar.name not in indexes]
        no_index = bool(indexes) and len(own) == len(found)
        missing = no_index or (self._required and not own and shared is None)
        if missing or not found:
            end = self._settling.since(spool) + self._grace(standard, missing=missing)
            if self._settling.looked(spool) < end:
                return Company(ready=False, again=end)
            if missing:
                faults.append(INDEX_MISSING if no_index else SIDECAR_MISSING)
        return Company(
            ready=True,
            sidecars=tuple(found),
            shared=() if shared is None else (shared,),
            faults=tuple(faults),
        )

    def _grace(self, standard: Standard, *, missing: bool) -> float:
        """Seconds to wait for a sidecar of its own, from the spool's last change."""
        if missing:
            return self._rule.sidecar_wait
        if self._rule.rule is CompletionRule.RENAME and standard is not Standard.QUIET:
            # One may be on its way, and would be left alone.
            return 0.0 if self._format is SidecarFormat.NONE else self._rule.quiet
        return 0.0
