"""From settled files to drops: a spool with its sidecars and its trigger (DESIGN section 4).

Pure: it is told of looks and asks for further ones. A file that has been given out in
a drop is not looked at until it is forgotten, and then begins anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hotfolder.core.errors import Fault
from hotfolder.core.profiles import CompletionRule, FolderProfile, SidecarFormat
from hotfolder.core.records import Drop, Inspection, Sighting
from hotfolder.core.roles import Pairing, Role, Roles, stem
from hotfolder.core.settle import Settling, Standard

_FRESH = 0.5  # seconds since the last look at a file of a drop that is given out, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """What comes with a spool. Until it is ``ready``, ``again`` is when to look."""

    ready: bool
    again: float = 0.0
    sidecars: tuple[Sighting, ...] = ()
    shared: tuple[bytes, ...] = ()
    faults: tuple[Fault, ...] = ()


class Assembly:
    """The drops of one hot folder that are being written."""

    def __init__(
        self,
        profile: FolderProfile,
        *,
        pairing: Pairing,
        is_whole: Callable[[Sighting], Inspection],
        has_writer: Callable[[Sighting], bool | None],
    ) -> None:
        self.profile = profile
        self.rule = profile.completion
        self.settling = Settling(self.rule, is_whole=is_whole, has_writer=has_writer)
        self.roles = Roles(profile, pairing)
        self._pairing = pairing
        self._required = (
            profile.sidecar_required
            and not profile.manual
            and profile.sidecar is not SidecarFormat.NONE
        )
        self._stems: dict[bytes, tuple[bytes, ...]] = {}
        self._queue: deque[bytes] = deque()
        self._moved: set[bytes] = set()  # renamed into place, and not changed since
        self._after_trigger: set[bytes] = set()  # looked at since their trigger was seen
        self._late: set[bytes] = set()  # and found changed then
        self._out: dict[bytes, tuple[bytes, ...]] = {}
        self._taken: set[bytes] = set()
        self._afresh: deque[bytes] = deque()
        self._ready: deque[Drop] = deque()

    # -- looks --------------------------------------------------------------------
    def see(self, sighting: Sighting, now: float, *, moved: bool = False, mark: int = 0) -> Role:
        """Take in a look; ``moved`` says that a rename brought the file. Returns its role."""
        name = sighting.name
        role = self.roles.of(name) if sighting.regular else Role.IGNORED
        if role is Role.IGNORED:
            self.lose(name)
            return role
        if name in self._taken:
            return role
        new = name not in self.settling
        changed = self.settling.see(sighting, now, mark)
        if new and role is Role.SPOOL:
            self._index(name)
        if moved:
            self._moved.add(name)
        elif changed:
            self._moved.discard(name)
        if role is Role.SPOOL:
            self._note_trigger(name, changed=changed)
        elif role is Role.TRIGGER and new:
            # What was seen before the trigger may be older than what the trigger vouches for.
            for spool in self._spools_of_trigger(name):
                self._book([spool, *self._pairing.sidecars_of(spool)], now)
        if changed or moved or sighting.closed or not self.settling.booked(name):
            self._queue.append(name)
        return role

    def lose(self, name: bytes) -> None:
        """The file is gone. What it leaves alone is looked at again."""
        if not self.settling.lose(name):
            return
        self._moved.discard(name)
        match self.roles.of(name):
            case Role.SPOOL:
                self._unindex(name)
                self._after_trigger.discard(name)
                self._late.discard(name)
                self._queue.extend(self._pairing.sidecars_of(name))
                self._queue.extend(self.roles.triggers_of(name))
            case Role.TRIGGER:
                for spool in self._spools_of_trigger(name):
                    self._after_trigger.discard(spool)
                    self._late.discard(spool)
            case Role.SIDECAR:
                self._queue.extend(self._spools_of_sidecar(name))

    def forget(self, spools: Sequence[bytes]) -> None:
        """The drops of these spools have been claimed or given up: their files are
        looked at afresh, whatever they are now."""
        for spool in spools:
            files = self._out.pop(spool, ())
            self._taken.difference_update(files)
            self._afresh.extend(files)

    def due(self, now: float, limit: int) -> list[bytes]:
        """Up to ``limit`` names to look at now."""
        found = [self._afresh.popleft() for _ in range(min(limit, len(self._afresh)))]
        return found + self.settling.due(now, limit - len(found))

    def next_look(self, now: float) -> float | None:
        """When something is to be done next, if nothing happens; None if never."""
        if self._afresh or self._queue or self._ready:
            return now
        return self.settling.next_look()

    # -- drops --------------------------------------------------------------------
    def collect(self, now: float, limit: int) -> list[Drop]:
        """Up to ``limit`` drops that are finished. Each is given out once."""
        while self._queue and len(self._ready) < limit:
            self._consider(self._queue.popleft(), now)
        return [self._ready.popleft() for _ in range(min(limit, len(self._ready)))]

    def _consider(self, name: bytes, now: float) -> None:
        if name not in self.settling:
            return
        match self.roles.of(name):
            case Role.SPOOL:
                self._consider_spool(name, now)
            case Role.SIDECAR:
                self._consider_companion(name, self._spools_of_sidecar(name), _SIDECAR_ALONE)
            case Role.TRIGGER:
                self._consider_companion(name, self._spools_of_trigger(name), _TRIGGER_ALONE)
            case Role.SHARED:
                self._consider_shared(name, now)

    def _consider_spool(self, name: bytes, now: float) -> None:
        trigger: Sighting | None = None
        faults: tuple[Fault, ...] = ()
        if self.rule.rule is CompletionRule.TRIGGER:
            trigger = self._trigger_of(name)
            if trigger is None:
                return
            if name not in self._after_trigger:
                self.settling.book(name, now)
                return
            if name in self._late:
                faults = (_LATE,)
        standard = self._standard(name, trigger)
        verdict = self.settling.judge(name, standard, now)
        if not verdict.ready:
            self.settling.book(name, verdict.again)
            return
        company = self._company(name, standard, trigger, now)
        files = [name, *(sidecar.name for sidecar in company.sidecars)]
        if not company.ready:
            self.settling.book(name, company.again)
        elif any(self.settling.looked(file) < now - _FRESH for file in files):
            self._book(files, now)
        else:
            faults += verdict.faults + company.faults
            self._give_out(name, self._own_trigger(trigger), company, faults)

    def _standard(self, name: bytes, trigger: Sighting | None) -> Standard:
        sighting = self.settling.get(name)
        if sighting is None:
            raise KeyError(name)
        if trigger is not None and name not in self._late:
            # Written after its trigger (or by another clock): the trigger says nothing of it.
            before = sighting.mtime_ns <= trigger.mtime_ns
            return Standard.ANNOUNCED if before else Standard.QUIET
        if self.rule.rule is not CompletionRule.RENAME:
            return Standard.QUIET
        if name in self._moved:
            return Standard.ANNOUNCED
        return Standard.CLOSED if sighting.closed else Standard.NAMED

    # -- what comes with a spool ----------------------------------------------------
    def _company(
        self, name: bytes, standard: Standard, trigger: Sighting | None, now: float
    ) -> Company:
        found: list[Sighting] = []
        faults: list[Fault] = []
        for candidate in self._pairing.sidecars_of(name):
            sidecar = self.settling.get(candidate)
            if sidecar is None or (found and len(self._spools_of_sidecar(candidate)) > 1):
                continue
            how = self._standard(candidate, trigger)
            verdict = self.settling.judge(candidate, how, now, content=False)
            if not verdict.ready:
                self.settling.book(candidate, verdict.again)
                return Company(ready=False, again=verdict.again)
            found.append(sidecar)
            faults += verdict.faults
        shared = self._pairing.shared_of(name)
        if shared is not None and shared in self.settling:
            verdict = self.settling.judge(shared, Standard.QUIET, now, content=False)
            if not verdict.ready:
                self.settling.book(shared, verdict.again)
                return Company(ready=False, again=verdict.again)
        else:
            shared = None
        return self._complete(name, standard, found, shared, faults)

    def _complete(
        self,
        name: bytes,
        standard: Standard,
        found: list[Sighting],
        shared: bytes | None,
        faults: list[Fault],
    ) -> Company:
        looked, since = self.settling.looked(name), self.settling.since(name)
        if not found:
            if self._required and shared is None:
                grace = self.rule.sidecar_wait
            elif standard is Standard.QUIET or self.profile.sidecar is SidecarFormat.NONE:
                grace = 0.0
            else:
                # One of its own may be on its way, and would be left alone.
                grace = 0.0 if self.rule.rule is CompletionRule.TRIGGER else self.rule.quiet
            if looked < since + grace:
                return Company(ready=False, again=since + grace)
            if self._required and shared is None:
                faults = [*faults, _SIDECAR_MISSING]
        return Company(
            ready=True,
            sidecars=tuple(found),
            shared=() if shared is None else (shared,),
            faults=tuple(faults),
        )

    def _consider_companion(self, name: bytes, spools: Sequence[bytes], fault: Fault) -> None:
        if spools:
            self._queue.extend(spools)
            return
        end = self.settling.since(name) + self.rule.sidecar_wait
        if self.settling.looked(name) < end:
            self.settling.book(name, end)
            return
        self._give_out(name, None, Company(ready=True), (fault,))

    def _consider_shared(self, name: bytes, now: float) -> None:
        verdict = self.settling.judge(name, Standard.QUIET, now, content=False)
        if not verdict.ready:
            self.settling.book(name, verdict.again)
            return
        folder = name[: name.rfind(b"/") + 1]
        self._queue.extend(
            other
            for other in self.settling
            if other[: other.rfind(b"/") + 1] == folder and self.roles.of(other) is Role.SPOOL
        )

    def _give_out(
        self, name: bytes, trigger: Sighting | None, company: Company, faults: tuple[Fault, ...]
    ) -> None:
        spool = self.settling.get(name)
        if spool is None:
            raise KeyError(name)
        drop = Drop(
            folder=self.profile.name,
            spool=spool,
            sidecars=company.sidecars,
            trigger=trigger,
            settled_by=str(self.rule.rule),
            shared=company.shared,
            faults=faults,
        )
        files = [name, *(sidecar.name for sidecar in company.sidecars)]
        if trigger is not None:
            files.append(trigger.name)
        for file in files:
            self.settling.lose(file)
            self._moved.discard(file)
        self._unindex(name)
        self._after_trigger.discard(name)
        self._late.discard(name)
        self._taken.update(files)
        self._out[name] = tuple(files)
        self._ready.append(drop)

    def _book(self, names: Sequence[bytes], at: float) -> None:
        for name in names:
            if name in self.settling:
                self.settling.book(name, at)

    # -- triggers -------------------------------------------------------------------
    def _note_trigger(self, name: bytes, *, changed: bool) -> None:
        if self.rule.rule is not CompletionRule.TRIGGER or self._trigger_of(name) is None:
            return
        if changed and name in self._after_trigger:
            self._late.add(name)
        self._after_trigger.add(name)

    def _trigger_of(self, name: bytes) -> Sighting | None:
        for candidate in self.roles.triggers_of(name):
            trigger = self.settling.get(candidate)
            if trigger is not None:
                return trigger
        return None

    def _own_trigger(self, trigger: Sighting | None) -> Sighting | None:
        """The trigger to claim with its spool; none while another spool needs it too."""
        if trigger is None or len(self._spools_of_trigger(trigger.name)) > 1:
            return None
        return trigger

    def _spools_of_trigger(self, name: bytes) -> list[bytes]:
        return self._spools_called(self.roles.without_trigger(name))

    def _spools_of_sidecar(self, name: bytes) -> list[bytes]:
        return [
            spool
            for spool in self._spools_called(stem(name))
            if name in self._pairing.sidecars_of(spool)
        ]

    def _spools_called(self, whole_or_stem: bytes) -> list[bytes]:
        """Known spools of that name, or with that stem."""
        found = list(self._stems.get(whole_or_stem, ()))
        if whole_or_stem in self.settling and self.roles.of(whole_or_stem) is Role.SPOOL:
            found.append(whole_or_stem)
        return list(dict.fromkeys(found))

    def _index(self, name: bytes) -> None:
        key = stem(name)
        self._stems[key] = (*self._stems.get(key, ()), name)

    def _unindex(self, name: bytes) -> None:
        key = stem(name)
        rest = tuple(item for item in self._stems.get(key, ()) if item != name)
        if rest:
            self._stems[key] = rest
        else:
            self._stems.pop(key, None)


_LATE = Fault(
    code="spool.changed_after_trigger",
    message="the file went on changing after its trigger had been written",
    remedy="have the trigger written last, after the file has been closed; then send both again",
)
_SIDECAR_MISSING = Fault(
    code="sidecar.missing",
    message="no metadata file came for this file",
    remedy="write one beside it, called like the file with .json or .xml after it",
)
_SIDECAR_ALONE = Fault(
    code="sidecar.alone",
    message="this metadata file came without the file that it describes",
    remedy="put both into the folder, named alike: letter.pdf and letter.pdf.json",
)
_TRIGGER_ALONE = Fault(
    code="trigger.alone",
    message="this trigger came without the file that it announces",
    remedy="put the file and its trigger into the folder together",
)
