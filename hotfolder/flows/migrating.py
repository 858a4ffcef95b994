"""Migrating: what lies in an old archive is taken in, item by item, like any other drop.

An item is copied beside the working folders, journalled with the id of its spool, and
claimed; from there on it goes the way of every spool, so its identities, duplicates,
rejections and units are those of the house. The source is only read. Killed at any point,
the next run finds each item by its id: known and under way or ended, or to be taken.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import Fault, InputFault, OperatorFault, Transient
from hotfolder.core.hours import is_open
from hotfolder.core.legacy import (
    LegacyItem,
    LegacySource,
    MigrationCounts,
    MigrationProfile,
    NewItem,
    Outcome,
    TakenItem,
)
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.pacing import Pace
from hotfolder.core.ports import Clock, Emit, Journal
from hotfolder.files.handing import Handed, Handing
from hotfolder.files.layout import make_folders
from hotfolder.flows.finish import Finisher
from hotfolder.flows.intake import Intake

BATCH = 64  # items that are claimed together
BATCH_BYTES = 64 << 20
MOST_UNREAD = 2 * BATCH  # of its spools that wait to be stored: what live intake may meet
MOST_UNDELIVERED = 1000  # of its spools that wait for ArchivesSpace
_PAUSE = 0.2  # seconds
_CLOSED_PAUSE = 20.0
_TELL_EVERY = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """What a run did."""

    finished: bool  # every item of the source has its outcome
    taken: int
    refused: int
    known: int
    counts: MigrationCounts


class Stopped(Exception):
    """Somebody has said stop."""


class Migrating:
    """One run of one migration; one process at a time."""

    def __init__(
        self,
        *,
        profile: MigrationProfile,
        source: LegacySource,
        journal: Journal,
        intake: Intake,
        finisher: Finisher,
        clock: Clock,
        emit: Emit,
        new_id: Callable[[], str],
        minute_of_day: Callable[[], int],
        pause: Callable[[float], object],
        stopped: Callable[[], bool],
        drive: Callable[[], bool] | None = None,
        progress: Callable[[int], None] = lambda _done: None,
        again: bool = False,
        limit: int | None = None,
    ) -> None:
        """``drive`` does what the daemon's loops would, a step at a time, and says whether
        anything moved; None while a daemon runs. ``again`` takes what was rejected once
        more. ``limit`` is the most items that are taken."""
        self._profile = profile
        self._source = source
        self._journal = journal
        self._intake = intake
        self._finisher = finisher
        self._clock = clock
        self._emit = emit
        self._new_id = new_id
        self._minute = minute_of_day
        self._pause = pause
        self._stopped = stopped
        self._drive = drive
        self._progress = progress
        self._again = again
        self._left = limit
        self._folder = profile.folder
        self._handing = Handing(os.fsencode(profile.inbox), self._folder.name)
        self._pace = Pace(
            bytes_rate=profile.megabytes_per_second * 1_000_000,
            files_rate=profile.files_per_second,
        )
        self._taken = self._refused = self._known = 0
        self._told_at: float | None = None
        self._untold: InputFault | None = None

    def run(self) -> Migrated:
        """Take every item that is not known yet, and wait for what becomes of them.

        Raises ``Transient`` or ``OperatorFault`` where nothing could go on; another run
        goes on from there. Raises ``InputFault`` where the rest of the source cannot be
        told; what came before it has come to its end then.
        """
        try:
            make_folders(os.fsencode(self._profile.inbox))
            self._finisher.settle_claims(self._folder.name)
            self._handing.clear()
            self._emit("migration.started", migration=self._profile.name)
            whole = self._take_all()
            self._await(lambda counts: counts.under_way == 0)
            if self._untold is not None:
                raise self._untold
            finished = whole
        except Stopped:
            finished = False  # told below; another run goes on from here
        self._settle()
        counts = self._journal.migration_counts(self._profile.name)
        self._emit(
            "migration.ended",
            migration=self._profile.name,
            taken=self._taken,
            refused=self._refused,
            left=counts.under_way,
        )
        return Migrated(
            finished=finished,
            taken=self._taken,
            refused=self._refused,
            known=self._known,
            counts=counts,
        )

    # -- taking -----------------------------------------------------------------------
    def _take_all(self) -> bool:
        """Go through the source; whether to its end."""
        items = self._items()
        while True:
            if self._left is not None and self._left <= 0:
                return False
            self._wait_for_leave()
            if not self._take_batch(items):
                return True

    def _items(self) -> Iterator[LegacyItem]:
        try:
            yield from self._source.items()
        except InputFault as error:
            self._untold = error  # once what came before it is taken

    def _take_batch(self, items: Iterator[LegacyItem]) -> bool:
        """The next items: copied, journalled, claimed. False at the end of the source."""
        handed: list[Handed] = []
        new: list[NewItem] = []
        size = 0
        met = False
        with self._handing.scope() as scope:
            try:
                for item in islice(items, BATCH):
                    met = True
                    known = self._journal.taken_items(self._profile.name, [item.source_id])
                    if not self._wanted(known.get(item.source_id)):
                        self._known += 1
                        continue
                    told, copied = self._copy(item)
                    new.append(told)
                    if copied is not None:
                        handed.append(copied)
                        size += copied.size
                    if self._left is not None:
                        self._left -= 1
                    if size >= BATCH_BYTES or self._left == 0:
                        break
            except BaseException:
                self._handing.sweep(handed)
                raise
            if not new:
                return met
            self._handing.sync(scope, handed)
        self._claim(new, handed)
        return met

    def _wanted(self, known: TakenItem | None) -> bool:
        if known is None:
            return True
        if known.outcome is Outcome.REJECTED:
            return self._again
        # Journalled, but nothing was ever claimed of it.
        return known.outcome is None and known.spool_state in (None, SpoolState.ABANDONED)

    def _copy(self, item: LegacyItem) -> tuple[NewItem, Handed | None]:
        if item.faults:
            return NewItem(item=item, size=item.size, faults=item.faults), None
        spool_id = self._new_id()
        try:
            with self._source.open(item) as opened:
                handed = self._handing.copy(spool_id, opened, item.mtime_ns)
        except InputFault as error:
            return NewItem(item=item, size=item.size, faults=error.faults), None
        except OperatorFault as error:
            if not error.code.startswith("file."):
                raise
            why = Fault(code=error.code, message=error.message, remedy=error.hint, file=item.place)
            return NewItem(item=item, size=item.size, faults=(why,)), None
        self._sleep(self._pace.wait(self._clock.monotonic(), read=handed.size, files=1))
        return NewItem(item=item, sha256=handed.sha256, size=handed.size, spool_id=spool_id), handed

    def _claim(self, new: Sequence[NewItem], handed: Sequence[Handed]) -> None:
        self._journal.take_items(self._profile.name, new, self._clock.now())
        # survives: killed here, the items have spools that are not there: taken anew
        crashpoint("migration.taken")
        ids = {
            told.drop.spool.name: item.spool_id
            for item, told in zip(
                (item for item in new if item.spool_id is not None), handed, strict=True
            )
            if item.spool_id is not None
        }
        self._intake.claim([item.drop for item in handed], ids)
        # survives: killed here, the spools are claimed, and go on as any
        crashpoint("migration.claimed")
        self._handing.sweep(handed)
        self._taken += len(handed)
        self._refused += len(new) - len(handed)
        for item in new:
            if item.faults:
                self._emit(
                    "migration.refused",
                    migration=self._profile.name,
                    reason=item.faults[0].code,
                )

    # -- waiting ----------------------------------------------------------------------
    def _wait_for_leave(self) -> None:
        """Until the hour is right, live intake has nothing to do, and what was taken has
        gone on far enough."""
        while not is_open(self._profile.hours, self._minute()):
            self._tell_waiting("hours")
            if not self._step():
                self._sleep(_CLOSED_PAUSE)
        while self._journal.live_intake_waits(self._clock.now()):
            if not self._step():
                self._sleep(_PAUSE)
        self._await(
            lambda counts: (
                sum(counts.states.get(state, 0) for state in ("CLAIMING", "CLAIMED", "READ"))
                < MOST_UNREAD
                and counts.states.get("STORED", 0) < MOST_UNDELIVERED
            )
        )

    def _await(self, enough: Callable[[MigrationCounts], bool]) -> None:
        while True:
            moved = self._step()
            counts = self._journal.migration_counts(self._profile.name)
            self._progress(counts.total - counts.under_way)
            if enough(counts):
                return
            stuck = counts.states.get("HELD", 0) + counts.states.get("CORRUPT", 0)
            if stuck:
                self._check_held()
                if stuck == counts.under_way:
                    raise OperatorFault(
                        f"{stuck} spools of this migration are held or corrupt",
                        hint=f"`hotfolder list --folder {self._folder.name}` says which and why;"
                        " release them, then run it again",
                        code="migration.held",
                    )
            if not moved:
                if self._drive is not None and self._journal.server_state()[0]:
                    raise Transient(
                        "ArchivesSpace does not answer",
                        hint="what was taken is stored; run it again, or let the daemon deliver",
                        code="migration.server",
                    )
                self._sleep(_PAUSE)

    def _check_held(self) -> None:
        """A daemon that does not know this migration holds everything: nothing more for it."""
        rows = self._journal.spools([SpoolState.HELD], folder=self._folder.name, limit=1)
        if rows and any(fault.code == "folder.unknown" for fault in rows[0].faults):
            raise OperatorFault(
                f"the running daemon does not know the migration {self._profile.name}",
                hint="reload it (systemctl reload hotfolder), release what it holds, run it again",
                code="migration.unknown_to_daemon",
            )

    def _step(self) -> bool:
        """What is due: outcomes, and what a daemon would do if there were one."""
        if self._stopped():
            raise Stopped
        moved = self._drive() if self._drive is not None else False
        return bool(self._settle()) or moved

    def _settle(self) -> int:
        settled = 0
        while found := self._journal.settle_items(
            self._profile.name, self._profile.old_archive, self._clock.now()
        ):
            settled += found
            # survives: killed here, the others get their outcomes in the next run
            crashpoint("migration.settled")
        return settled

    def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._pause(seconds)
        if self._stopped():
            raise Stopped

    def _tell_waiting(self, why: str) -> None:
        now = self._clock.monotonic()
        if self._told_at is None or now - self._told_at >= _TELL_EVERY:
            self._told_at = now
            self._emit("migration.waiting", migration=self._profile.name, reason=why)
