"""The supervisor: the loops of a running daemon, from start to stop.

One thread a hot folder (``folderloops``), one that reads and stores, one that
hands units to the importers, one that writes receipts, one that tells ArchivesSpace
what happened, one that signs the audit chain if there is a key; those of keeping
(``keepingloops``) and of the way out again (``returnloops``). The main thread waits for
signals, pings systemd while every loop has beaten lately, and keeps the gauges.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

from hotfolder.core.errors import (
    EX_OK,
    EX_SOFTWARE,
    EX_TEMPFAIL,
    HotfolderError,
    OperatorFault,
    Transient,
)
from hotfolder.core.lifecycle import OPEN_SPOOL_STATES
from hotfolder.core.profiles import FolderProfile
from hotfolder.service.composition import Works
from hotfolder.service.folderloops import FolderLoop
from hotfolder.service.heartbeat import Beats, allowance_of
from hotfolder.service.importers import Importers
from hotfolder.service.keepingloops import KeepingLoops
from hotfolder.service.loops import Loop
from hotfolder.service.metrics import Metrics
from hotfolder.service.migrationlock import claims_guard
from hotfolder.service.notification import Notifier
from hotfolder.service.returnloops import ReturnLoops
from hotfolder.service.settings import Configuration
from hotfolder.service.signals import SignalFlag

_TICK = 1.0  # seconds between looks at beats and signals
_SHORT_TICK = 0.1  # the same, while a reload waits for folders
_GAUGES_EVERY = 5  # ticks
_IDLE = 1.0
_TELL_EVERY = 2.0  # another process fills the outbox; nobody waits for it
_ASKING = ("deliver", "tell", "amend", "feedback", "desk", "requests")  # of ArchivesSpace


class Supervisor:
    """Runs the loops until a signal says stop."""

    def __init__(
        self,
        *,
        configuration: Configuration,
        works: Works,
        reload: Callable[[], Configuration],
        notifier: Notifier,
        beats: Beats,
        metrics: Metrics,
    ) -> None:
        self._configuration = configuration
        self._works = works
        self._reload = reload
        self._notifier = notifier
        self._beats = beats
        self._metrics = metrics
        self._stopping = SignalFlag()
        self._reload_asked = False
        self._broken: list[str] = []
        self._late: list[str] = []
        self._folders: dict[str, tuple[FolderLoop, Loop]] = {}
        self._leaving: set[str] = set()  # those that were told to stop, for a reload
        self._importers = Importers(
            journal=works.journal,
            delivery=works.delivery,
            clock=works.clock,
            emit=works.emit,
            threads=configuration.archive.importers,
        )
        self._intake = self._loop("intake", self._step_intake)
        self._deliver = self._loop("deliver", self._importers.step)
        self._finish = self._loop("finish", self._step_finish)
        self._tell = self._loop("tell", self._step_tell)
        self._returns = ReturnLoops(works)
        self._keeping = KeepingLoops(works)
        self._steady = [self._intake, self._deliver, self._finish, self._tell]
        if works.signing is not None:
            self._steady.append(self._loop("audit", self._step_audit))
        for name, step in (*self._keeping.steps(), *self._returns.steps()):
            self._steady.append(self._loop(name, step))
        # dict() first: a scrape comes from another thread, and a reload changes the folders.
        metrics.watch_folders(
            lambda: {name: folder.describe() for name, (folder, _) in dict(self._folders).items()}
        )
        self._importers.call_when_done(self._finish.wake, self._deliver.wake)

    # -- the steps ----------------------------------------------------------------
    def _step_intake(self) -> float:
        moved = self._works.intake.advance()
        if moved:
            self._deliver.wake()
        return 0.0 if moved else _IDLE

    def _step_finish(self) -> float:
        return 0.0 if self._works.finisher.finish() else _IDLE

    def _step_audit(self) -> float:
        assert self._works.signing is not None
        return self._works.signing.step(self._while_recomputing)

    def _while_recomputing(self, _links: int) -> None:
        # The first head of a long chain takes minutes.
        self._beats.beat("audit")
        if self._stopping.is_set():
            raise Transient("told to stop", hint="signed after the next start", code="audit.stop")

    def _step_tell(self) -> float:
        return 0.0 if self._works.tell.step() else _TELL_EVERY

    def _loop(self, name: str, step: Callable[[], float]) -> Loop:
        answer = _longest_answer(self._configuration, name)
        self._beats.expect(name, allowance_of(name, answer))
        return Loop(
            name,
            step,
            emit=self._works.emit,
            beat=self._beats.beat,
            gave_up=self._give_up,
        )

    def _give_up(self, name: str) -> None:
        self._broken.append(name)
        self._stopping.set()

    # -- from start to stop ---------------------------------------------------------
    def run(self, *, until_idle: bool = False) -> int:
        """Run until SIGTERM or SIGINT; returns the exit code (0 after a clean stop).

        With ``until_idle`` also until nothing is left to do; 75 if what is left
        waits for the server or for a later attempt.

        SIGHUP reads the configuration again and restarts the folders that changed.
        The steps in hand are finished before it returns; everything else is in the
        journal already.
        """
        previous = {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        }
        try:
            self._works.finisher.recover(claims_guard(self._configuration))
            for profile in self._configuration.folders:
                self._start_folder(profile)
            for loop in self._steady:
                loop.start()
            self._works.emit("daemon.started", folders=len(self._folders))
            self._notifier.ready()
            waiting = self._watch_over(until_idle=until_idle)
        finally:
            self._notifier.stopping()
            self._stop()
            for number, handler in previous.items():
                signal.signal(number, handler)
        self._works.emit("daemon.stopped", broken=",".join(self._broken))
        if self._broken:
            return EX_SOFTWARE
        return EX_TEMPFAIL if waiting else EX_OK

    def _watch_over(self, *, until_idle: bool) -> bool:
        """Until told to stop, or idle; True if something is left that waits."""
        ticks = 0
        while not self._stopping.wait(_TICK):
            if until_idle and (left := self._look_for_work()) is not None:
                return left
            if self._reload_asked:
                self._reload_asked = False
                self._reload_folders()
            self._exchange_folders()
            self._look_at_beats()
            if ticks % _GAUGES_EVERY == 0:
                self._show_gauges()
            ticks += 1
        return False

    def _look_at_beats(self) -> None:
        """Feed the watchdog, or tell once who is late."""
        late = self._beats.late()
        if not late:
            self._notifier.alive()
        elif late != self._late:
            self._works.emit("loop.late", loops=",".join(late))
        self._late = late

    def _show_gauges(self) -> None:
        try:
            status = self._works.journal.status()
            failures, _, _ = self._works.journal.server_state()
            finished = self._works.journal.last_round()
            oldest = self._works.journal.oldest_verified_at()
            damaged = self._works.journal.count_damaged()
            waiting, aside = self._works.journal.count_changes()
        except HotfolderError as error:
            # The loops meet the same fault and wait; numbers alone must not end the daemon.
            self._works.emit("loop.paused", loop="gauges", reason=error.code, error=error.message)
            return
        self._metrics.show_status(status, server_up=failures == 0, now=self._works.clock.now())
        self._metrics.show_changes(waiting, aside)
        self._metrics.show_fixity(
            finished_at=None if finished is None else finished.ended_at,
            oldest_at=oldest,
            damaged=damaged,
        )

    def _look_for_work(self) -> bool | None:
        """None while something can be done; else whether something waits."""
        if not self._importers.idle() or any(
            folder.pending() for folder, _ in self._folders.values()
        ):
            return None
        if self._works.finisher.unfinished():
            return None
        status = self._works.journal.status()
        # What waits for a folder to be configured again waits for a person, as HELD does.
        open_spools = sum(status.spools.get(state, 0) for state in OPEN_SPOOL_STATES)
        open_spools -= self._works.finisher.stranded()
        open_units = status.units.get("PLANNED", 0) + status.units.get("SENT", 0)
        if self._returns.pending() or self._keeping.pending():
            return None
        failures, _, _ = self._works.journal.server_state()
        if not open_spools and not open_units:
            if not self._works.journal.count_waiting_events():
                return self._returns.waiting() or self._keeping.waiting()
            due = self._works.journal.waiting_events(due_at=self._works.clock.now(), limit=1)
            return True if failures or not due else None
        untouched = sum(status.spools.get(state, 0) for state in ("CLAIMING", "CLAIMED", "READ"))
        return True if failures and not untouched else None

    def _stop(self) -> None:
        loops = [loop for _, loop in self._folders.values()]
        loops += self._steady
        for loop in loops:
            loop.stop()
        self._works.intake.interrupt()
        deadline = self._works.clock.monotonic() + self._configuration.stop_timeout
        for loop in loops:
            if not loop.join(max(0.1, deadline - self._works.clock.monotonic())):
                self._works.emit("loop.late", loops=loop.name)
        for folder, _ in self._folders.values():
            folder.stop()
        self._returns.stop()
        self._keeping.stop()
        if not self._importers.close(max(0.1, deadline - self._works.clock.monotonic())):
            self._works.emit("loop.late", loops="importers")

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        # Flags only: a handler runs between any two instructions of the main thread.
        if number == signal.SIGHUP:
            self._reload_asked = True
        else:
            self._stopping.set()

    # -- folders ----------------------------------------------------------------------
    def _start_folder(self, profile: FolderProfile) -> None:
        folder = FolderLoop(profile, self._works, self._intake.wake)
        loop = self._loop(f"folder:{profile.name}", folder.step)
        self._folders[profile.name] = (folder, loop)
        loop.start()

    def _exchange_folders(self) -> None:
        """Put the folders of the configuration in the place of those that have ended, never
        beside them: two loops of one folder would take the same files."""
        for name in sorted(self._leaving):
            folder, loop = self._folders[name]
            if loop.join(0):
                folder.stop()
                self._beats.forget(loop.name)
                self._leaving.remove(name)
                del self._folders[name]
        for profile in self._configuration.folders:
            if profile.name not in self._folders:
                self._start_folder(profile)

    def _await_exchange(self) -> None:
        """Until all have ended, or it lasts too long: what hangs then ends, or not, by itself.
        Signals and the watchdog are seen to meanwhile."""
        deadline = self._works.clock.monotonic() + self._configuration.stop_timeout
        while self._leaving and self._works.clock.monotonic() < deadline:
            if self._stopping.wait(_SHORT_TICK):
                return
            self._exchange_folders()
            self._look_at_beats()
        if self._leaving:
            loops = ",".join(f"folder:{name}" for name in sorted(self._leaving))
            self._works.emit("loop.late", loops=loops)

    def _reload_folders(self) -> None:
        self._notifier.reloading()
        try:
            fresh = self._reload()
        except OperatorFault as error:
            # The old configuration stays in force: a slip of the pen stops nothing.
            self._works.emit("configuration.refused", faults=len(error.faults), error=error.message)
            self._notifier.ready()
            return
        if fresh.rules != self._configuration.rules:
            # Series, units, classes and vocabularies are in use by documents on their way.
            self._works.emit(
                "configuration.refused", faults=1, error="more than folders changed: restart"
            )
            self._notifier.ready()
            return
        wanted = {profile.name: profile for profile in fresh.folders}
        changed = [
            name
            for name, (folder, _) in self._folders.items()
            if name in self._leaving or wanted.get(name) != folder.profile
        ]
        # The flows learn of a folder before its watcher runs, and forget a folder
        # only with its working copies gone: old profiles are kept beside new ones.
        known = {name: folder.profile for name, (folder, _) in self._folders.items()}
        for flow in (self._works.intake, self._works.aside, self._works.finisher):
            flow.use_folders({**known, **fresh.intake_folders})
        for name in changed:
            self._folders[name][1].stop()
        self._leaving.update(changed)
        self._configuration = fresh
        self._exchange_folders()
        self._await_exchange()
        self._works.emit("configuration.reloaded", changed=len(changed), folders=len(wanted))
        self._notifier.ready()


def _longest_answer(configuration: Configuration, loop: str) -> float | None:
    """The longest that one answer may take, in seconds, for which a loop waits; None if it
    waits for none."""
    kind = loop.partition(":")[0]
    if kind in _ASKING:
        return configuration.archive.total_timeout
    if kind == "returns":
        return max((profile.total_timeout for profile in configuration.returns), default=None)
    if kind == "callback" and configuration.feed.callback is not None:
        return configuration.feed.callback.total_timeout
    return None
