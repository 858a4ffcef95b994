"""From settled files to drops: a spool with its sidecars and its trigger (DESIGN section 4).

Pure: it is told of looks and asks for further ones. A file that has been given out in
a drop is not looked at until it is forgotten, and then begins anew. Long, because what is
known of a file, of its spool and of its batch is one state, and any look may change all of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from hotfolder.core.batches import Batches, Outcome
from hotfolder.core.company import Companions, Company
from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.handout import Handout
from hotfolder.core.incomplete import (
    LATE,
    NO_SPOOL,
    SIDECAR_ALONE,
    TRIGGER_ALONE,
    absent,
    wrong_size,
)
from hotfolder.core.profiles import CompletionRule, FolderProfile
from hotfolder.core.records import Drop, Inspection, Sighting
from hotfolder.core.relatives import Relatives
from hotfolder.core.roles import Pairing, Role, Roles
from hotfolder.core.settle import UNANNOUNCED, Settling, Standard

_ENOUGH = 512  # files
_PLAIN = (Role.SPOOL, Role.SIDECAR)
_FRESH = 0.5  # seconds since the last look at a file of a drop that is given out, at most


class Assembly:
    """The drops of one hot folder that are being written.

    ``is_whole``, ``has_writer`` and ``read`` (the bytes of a manifest) are asked in the
    middle of ``collect``; they raise ``HotfolderError`` at most.
    """

    def __init__(
        self,
        profile: FolderProfile,
        *,
        pairing: Pairing,
        is_whole: Callable[[Sighting], Inspection],
        has_writer: Callable[[Sighting], bool | None],
        read: Callable[[Sighting], bytes],
    ) -> None:
        self.profile = profile
        self.rule = profile.completion
        self.settling = Settling(self.rule, is_whole=is_whole, has_writer=has_writer)
        self.roles = Roles(profile, pairing)
        self.overdue: set[bytes] = set()  # whole, but nobody has announced them for a long time
        self._unannounced = UNANNOUNCED.get(self.rule.rule)
        self._pairing = pairing
        self._relatives = Relatives(self.settling, self.roles, pairing)
        self._companions = Companions(profile, self.settling, self._relatives, pairing)
        self._batches = Batches(self.rule, self.settling, read)
        self._queue: deque[bytes] = deque()  # to be considered
        self._manifests: dict[bytes, None] = {}  # to be considered after all files
        self._moved: set[bytes] = set()  # renamed into place, and not changed since
        self._after_trigger: set[bytes] = set()  # looked at since their trigger was seen
        self._late: set[bytes] = set()  # and found changed then
        self._shared: set[bytes] = set()  # which stay where they are, and wait for nothing
        self._handout = Handout()

    # -- looks --------------------------------------------------------------------
    def see(self, sighting: Sighting, now: float, *, moved: bool = False, mark: int = 0) -> Role:
        """Take in a look; ``moved`` says that a rename brought the file. Returns its role."""
        name = sighting.name
        role = self.roles.of(name) if sighting.regular else Role.IGNORED
        if role is Role.IGNORED:
            self.lose(name)
            return role
        if name in self._handout:
            return role
        new = name not in self.settling
        changed = self.settling.see(sighting, now, mark)
        if new:
            self._note_new(name, role)
        if moved:
            self._moved.add(name)
        elif changed:
            self._moved.discard(name)
        if changed:
            self.overdue.discard(name)
        if self.rule.rule is CompletionRule.TRIGGER:
            self._mind_trigger(name, role, now, changed=changed)
        if changed and role in _PLAIN and self._unannounced is not None and not sighting.closed:
            # It cannot be finished: what a scan of many finds is not considered twice.
            self.settling.book_quiet(name, self._unannounced)
        elif changed or moved or sighting.closed or not self.settling.booked(name):
            self._queue.append(name)
        return role

    def _note_new(self, name: bytes, role: Role) -> None:
        if role is Role.SPOOL:
            self._relatives.add(name)
        elif role is Role.SHARED:
            self._shared.add(name)

    def _mind_trigger(self, name: bytes, role: Role, now: float, *, changed: bool) -> None:
        if role is Role.SPOOL and self._relatives.trigger_of(name) is not None:
            if changed and name in self._after_trigger:
                self._late.add(name)
            self._after_trigger.add(name)
        elif role is Role.TRIGGER and changed:
            # What was seen before the trigger may be older than what it vouches for.
            for spool in self._relatives.spools_of_trigger(name):
                self._after_trigger.discard(spool)
                self._late.discard(spool)
                self._book([spool, *self._pairing.sidecars_of(spool)], now)

    def lose(self, name: bytes) -> None:
        """The file is gone. What it leaves alone is considered again."""
        self._shared.discard(name)  # first: see ``unfinished``
        if not self.settling.lose(name):
            return
        self._drop_notes(name)
        match self.roles.of(name):
            case Role.SPOOL:
                self._queue.extend(self._pairing.sidecars_of(name))
                if self.rule.rule is CompletionRule.TRIGGER:
                    self._queue.extend(self.roles.triggers_of(name))
            case Role.SIDECAR:
                self._queue.extend(self._relatives.spools_of_sidecar(name))
            case Role.TRIGGER:
                for spool in self._relatives.spools_of_trigger(name):
                    self._after_trigger.discard(spool)
                    self._late.discard(spool)
            case Role.MANIFEST:
                self._batches.lose(name)

    def forget(self, spools: Sequence[bytes]) -> None:
        """These drops have been claimed or given up: their files are looked at afresh."""
        self._handout.forget(spools)

    def due(self, now: float, limit: int) -> list[bytes]:
        """Up to ``limit`` names to look at now."""
        found = self._handout.take_afresh(limit)
        return found + self.settling.due(now, limit - len(found))

    def unfinished(self) -> int:
        """How many files have been seen and neither gone nor been claimed: those of drops
        that are given out count until ``forget``. Metadata of all spools of a folder count
        never: they stay."""
        # In this order, as in ``_give_out``, ``see`` and ``lose``: another thread may ask at any
        # moment, and must not be told of too few.
        shared = len(self._shared)
        settling = len(self.settling)
        return max(0, settling - min(shared, len(self._shared))) + self._handout.files()

    def busy(self) -> bool:
        """Whether there is more to consider than a few drops: further looks would only
        grow old."""
        return len(self._queue) + self._handout.ready() > _ENOUGH

    def next_look(self, now: float) -> float | None:
        """When something is to be done next, if nothing happens; None if never."""
        if self._queue or self._manifests or self._handout.pending():
            return now
        return self.settling.next_look()

    # -- drops --------------------------------------------------------------------
    def collect(self, now: float, limit: int) -> list[Drop]:
        """Up to ``limit`` drops that are finished. Each is given out once."""
        while self._queue and self._handout.ready() < limit:
            name = self._queue.popleft()
            if name in self.settling:
                self._consider(name, now)
        if not self._queue:
            manifests, self._manifests = self._manifests, {}
            for name in manifests:
                if name in self.settling:
                    self._consider_batch(name, now)
        return self._handout.take(limit)

    def _consider(self, name: bytes, now: float) -> None:
        batched = self.rule.rule is CompletionRule.MANIFEST
        match self.roles.of(name):
            case Role.SPOOL if batched:
                self._note_batch(name)
            case Role.SPOOL:
                self._consider_spool(name, now)
            case Role.SIDECAR:
                if batched:
                    self._note_batch(name)
                self._look_on(name, now)
                spools = self._relatives.spools_of_sidecar(name)
                self._consider_companion(name, spools, SIDECAR_ALONE, now)
            case Role.TRIGGER:
                spools = self._relatives.spools_of_trigger(name)
                self._consider_companion(name, spools, TRIGGER_ALONE, now)
            case Role.SHARED:
                self._consider_shared(name, now)
            case Role.MANIFEST:
                self._manifests[name] = None

    def _consider_spool(self, name: bytes, now: float) -> None:
        trigger: Sighting | None = None
        if self.rule.rule is CompletionRule.TRIGGER:
            trigger = self._relatives.trigger_of(name)
            if trigger is None:
                self._wait_for_word(name)
                return
            if name not in self._after_trigger:
                self.settling.book(name, now)
                return
        standard = self._standard(name, trigger)
        verdict = self.settling.judge(name, standard, now)
        if not verdict.ready:
            self.settling.book(name, verdict.again)
            return
        company = self._companions.find(
            name, standard, lambda sidecar: self._standard(sidecar, trigger), now
        )
        files = [name, *(sidecar.name for sidecar in company.sidecars)]
        if trigger is not None:
            files.append(trigger.name)
        if not company.ready:
            self.settling.book(name, company.again)
        elif any(self.settling.looked(file) < now - _FRESH for file in files):
            self._book(files, now)
        else:
            late = (LATE,) if name in self._late else ()
            if trigger is not None and len(self._relatives.spools_of_trigger(trigger.name)) > 1:
                trigger = None  # another spool needs it too: the last takes it along
            self._give_out(name, trigger, company, (*late, *verdict.faults, *company.faults))

    def _standard(self, name: bytes, trigger: Sighting | None) -> Standard:
        sighting = self.settling.known(name)
        if trigger is not None and name not in self._late:
            # Written after its trigger (or by another clock): the trigger says nothing of it.
            before = sighting.mtime_ns <= trigger.mtime_ns
            return Standard.ANNOUNCED if before else Standard.QUIET
        if self.rule.rule is not CompletionRule.RENAME:
            return Standard.QUIET
        if name in self._moved:
            return Standard.ANNOUNCED
        return Standard.CLOSED if sighting.closed else Standard.NAMED

    def _wait_for_word(self, name: bytes) -> None:
        """Nobody has announced this spool: it is never taken, but counted one day."""
        end = self.settling.since(name) + self.rule.sidecar_wait
        if self.settling.looked(name) < end:
            self.settling.book(name, end)
        else:
            self.overdue.add(name)

    def _look_on(self, sidecar: bytes, now: float) -> None:
        """Let a sidecar become quiet beside its spool, not after it."""
        verdict = self.settling.judge(sidecar, self._standard(sidecar, None), now, content=False)
        if not verdict.ready:
            self.settling.book(sidecar, verdict.again)

    def _consider_companion(
        self, name: bytes, spools: Sequence[bytes], fault: Fault, now: float
    ) -> None:
        """A sidecar or trigger: its spools are considered; alone, it waits and is explained."""
        if spools:
            self._queue.extend(spools)
            return
        end = self.settling.since(name) + self.rule.sidecar_wait
        if self.settling.looked(name) < end:
            self.settling.book(name, end)
        elif self.settling.looked(name) < now - _FRESH:
            self.settling.book(name, now)  # its spool has just gone, and it may have gone too
        else:
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

    # -- batches --------------------------------------------------------------------
    def _note_batch(self, name: bytes) -> None:
        manifest, listed = self._batches.note(name)
        if manifest is not None:
            self._manifests[manifest] = None
        elif not listed and self.roles.of(name) is Role.SPOOL:
            self._wait_for_word(name)

    def _consider_batch(self, manifest: bytes, now: float) -> None:
        standard = Standard.ANNOUNCED if manifest in self._moved else Standard.NAMED
        verdict = self.settling.judge(manifest, standard, now, content=False)
        if not verdict.ready:
            self.settling.book(manifest, verdict.again)
            return
        try:
            outcome = self._batches.examine(manifest)
        except InputFault as error:
            self._give_out(manifest, None, Company(ready=True), error.faults)
            return
        if not outcome.complete:
            self.settling.book(manifest, outcome.again)
            return
        self._give_out_batch(manifest, outcome, now)

    def _give_out_batch(self, manifest: bytes, outcome: Outcome, now: float) -> None:
        plans: list[tuple[bytes, Company, tuple[Fault, ...]]] = []
        waiting = False
        for name in outcome.names:
            if self.roles.of(name) is not Role.SPOOL:
                continue
            verdict = self.settling.judge(name, Standard.ANNOUNCED, now)
            company = Company(ready=False, again=verdict.again)
            if verdict.ready:
                company = self._companions.find(
                    name, Standard.ANNOUNCED, lambda _: Standard.ANNOUNCED, now
                )
            if not company.ready:
                self.settling.book(name, company.again)
                waiting = True
                continue
            files = (name, *(sidecar.name for sidecar in company.sidecars))
            wrong = tuple(wrong_size(file) for file in files if file in outcome.wrong)
            plans.append((name, company, (*wrong, *verdict.faults, *company.faults)))
        if waiting:
            return
        missing = absent(outcome.absent)
        if not plans and not missing:
            missing = (NO_SPOOL,)
        trigger = self.settling.known(manifest)
        for number, (name, company, faults) in enumerate(plans, start=1):
            # The manifest goes with the last one: until then it speaks for the others.
            last = number == len(plans) and not missing
            self._give_out(name, trigger if last else None, company, faults)
        if missing:
            self._give_out(manifest, None, Company(ready=True), missing)

    # -- out ------------------------------------------------------------------------
    def _give_out(
        self, name: bytes, trigger: Sighting | None, company: Company, faults: tuple[Fault, ...]
    ) -> None:
        drop = Drop(
            folder=self.profile.name,
            spool=self.settling.known(name),
            sidecars=company.sidecars,
            trigger=trigger,
            settled_by=str(self.rule.rule),
            shared=company.shared,
            faults=faults,
        )
        for file in self._handout.add(drop):
            self.lose(file)
            self._batches.lose(file)

    def _drop_notes(self, name: bytes) -> None:
        self._relatives.remove(name)
        for notes in (self._moved, self._after_trigger, self._late, self.overdue):
            notes.discard(name)

    def _book(self, names: Sequence[bytes], at: float) -> None:
        for name in names:
            if name in self.settling:
                self.settling.book(name, at)
