"""Holding: a legal hold is placed and released, in the journal and in every store.

Placed: the journal has it first, and from that transaction on nothing that it holds is
destroyed. Then its members are written down, every store is marked, and only then it is
acknowledged. Released: the journal first, then what ArchivesSpace is to be told, then the
marks are taken away. Killed anywhere, it is finished by the loop of the daemon, or by the
next command.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import OperatorFault
from hotfolder.core.holds import Criteria, HoldPhase, HoldRow, NewHold, dump_hold
from hotfolder.core.ports import Clock, Emit, Journal, Store

_PAGE = 2000  # documents in one transaction: others write in between
_BATCH = 500  # spools whose marks share their syncs
_IDLE = 5.0  # seconds

Progress = Callable[[HoldRow], None]


class Holding:
    """Places and releases holds, and finishes what was left unfinished.

    ``new_id`` makes ids of holds: ``hold-`` and twelve small letters or digits.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        store: Store,
        clock: Clock,
        emit: Emit,
        new_id: Callable[[], str],
        page: int = _PAGE,
        batch: int = _BATCH,
    ) -> None:
        self._journal = journal
        self._store = store
        self._clock = clock
        self._emit = emit
        self._new_id = new_id
        self._page = page
        self._batch = batch
        self._under_way: Iterator[None] | None = None
        self._stuck = False
        self._last = 0  # number of the hold that the loop works at, or worked at

    def place(
        self,
        *,
        matter: str,
        criteria: Criteria,
        actor: str,
        mandate: str = "",
        originator: str = "",
        reason: str = "",
        source: str = "hotfolder",
        key: str = "",
        on_journalled: Progress | None = None,
        progress: Progress | None = None,
    ) -> HoldRow:
        """Place a hold; acknowledged, in journal and every store, when this returns.

        ``key`` is what the order for it is known by elsewhere: with the same one the hold
        is placed once. ``on_journalled`` is called when it is in force, ``progress`` after
        each page. Raises ``OperatorFault`` (``hold.too_late``, ``hold.criteria``) if nothing
        was placed; any other error leaves a hold that is in force, and is finished later.
        """
        if not criteria.selects:
            raise OperatorFault(
                "the hold does not say what it holds",
                hint="name documents, a customer, a case, a policy, a class, a period …",
                code="hold.criteria",
            )
        new = NewHold(
            id=hold_id_of(key) if key else self._new_id(),
            matter=matter,
            mandate=mandate,
            originator=originator,
            reason=reason,
            criteria=criteria,
            source=source,
            actor=actor,
        )
        row = self._journal.place_hold(new, self._clock.now())
        # Survives a kill: the hold is in force, and unfinished.
        crashpoint("hold.journalled")
        if on_journalled is not None:
            on_journalled(row)
        return self.finish(row.id, progress)

    def release(
        self, hold_id: str, *, actor: str, reason: str, progress: Progress | None = None
    ) -> HoldRow:
        """Release a hold; when this returns no store is marked with it any more. Dates of
        retention were never changed: the clock has gone on. Harmless to repeat: marks that
        came back with a root from a backup go then. Raises ``KeyError`` if there is none of
        this id."""
        before = self._journal.get_hold(hold_id)
        if self._journal.release_hold(hold_id, actor, reason, self._clock.now()) is None:
            raise KeyError(hold_id)
        # Survives a kill: the hold stops nothing in the journal; its marks go later.
        crashpoint("hold.released")
        if before is not None and before.phase is HoldPhase.LIFTED:
            self._lift_again(hold_id)
        return self.finish(hold_id, progress)

    def finish(self, hold_id: str, progress: Progress | None = None) -> HoldRow:
        """Do all that is left to do of a hold. Harmless to repeat, and beside a daemon that
        does the same."""
        for _ in self._work(hold_id):
            if progress is not None:
                progress(self._found(hold_id))
        return self._found(hold_id)

    def step(self) -> float:
        """One page of what was left unfinished, or of newcomers; seconds to the next."""
        if self._under_way is None:
            waiting = self._journal.unfinished_holds()
            # The next one, so that one that cannot be finished keeps no other from it.
            row = next((row for row in waiting if row.number > self._last), None)
            row = row or next(iter(waiting), None)
            if row is None:
                return _IDLE
            self._last = row.number
            self._under_way = self._work(row.id)
        under_way, self._under_way = self._under_way, None
        self._stuck = True  # unless it goes well
        for _ in under_way:
            self._under_way = under_way
            break
        self._stuck = False
        return 0.0

    def stuck(self) -> bool:
        """Whether the last step failed: what is left waits to be tried again."""
        return self._stuck

    def _work(self, hold_id: str) -> Iterator[None]:
        """What is left to do of a hold, a page at a time."""
        row = self._found(hold_id)
        if row.in_force:
            if row.phase is HoldPhase.GATHERING:
                yield from self._gather(row)
            if row.phase in (HoldPhase.GATHERING, HoldPhase.MARKING):
                self._store.keep_hold(hold_id, dump_hold(row))
            yield from self._mark(row)
            if self._journal.advance_hold(hold_id, HoldPhase.PLACED, self._clock.now()):
                done = self._found(hold_id)
                self._emit(
                    "hold.placed", hold=hold_id, documents=done.documents, spools=done.spools
                )
        if not self._found(hold_id).in_force:
            yield from self._lift(row)
            self._store.drop_hold(hold_id)
            if self._journal.advance_hold(hold_id, HoldPhase.LIFTED, self._clock.now()):
                done = self._found(hold_id)
                self._emit(
                    "hold.lifted", hold=hold_id, documents=done.documents, spools=done.spools
                )

    def _gather(self, row: HoldRow) -> Iterator[None]:
        # As of one moment after the hold came into force: what is journalled later becomes a
        # member with the transaction that journals it. Begun anew after a kill.
        for numbers in self._journal.hold_candidates(row.id, self._page):
            self._journal.add_members(row.id, numbers, self._clock.now())
            crashpoint("hold.gathered")
            yield
        self._journal.advance_hold(row.id, HoldPhase.MARKING, self._clock.now())

    def _mark(self, row: HoldRow) -> Iterator[None]:
        while spools := self._journal.spools_to_mark(row.id, self._batch):
            self._store.place_holds(spools, row.id)
            # Survives a kill: they are marked again, which changes nothing.
            crashpoint("hold.marked")
            if not self._journal.record_marked(row.id, spools):
                return
            yield

    def _lift(self, row: HoldRow) -> Iterator[None]:
        while not self._journal.tell_released(row.id, self._page, self._clock.now()):
            crashpoint("hold.told")
            yield
        self._journal.advance_hold(row.id, HoldPhase.LIFTING, self._clock.now())
        while spools := self._journal.spools_to_lift(row.id, self._batch):
            self._store.lift_holds(spools, row.id)
            # Survives a kill: what is not there is taken away again.
            crashpoint("hold.lifted")
            self._journal.record_lifted(row.id, spools)
            yield

    def _lift_again(self, hold_id: str) -> None:
        after = 0
        while spools := self._journal.spools_of_hold(hold_id, after, self._batch):
            self._store.lift_holds([spool_id for _, spool_id in spools], hold_id)
            after = spools[-1][0]

    def _found(self, hold_id: str) -> HoldRow:
        row = self._journal.get_hold(hold_id)
        if row is None:
            raise KeyError(hold_id)
        return row


def hold_id_of(key: str) -> str:
    """The id of the hold that was ordered elsewhere under ``key``."""
    return "hold-" + hashlib.sha256(key.encode()).hexdigest()[:12]
