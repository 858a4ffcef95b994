"""Scrub: every object of the store is read again and compared with what was recorded.

A round covers every spool that was stored when it began, in every root, those first that
were not looked at for longest; then the roots are walked for objects that the journal does
not know, and for what was destroyed and is there again. What was found is journalled as it
goes, so a round that is cut short goes on where it was: each object is verified once, or
once more after a kill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import Corrupt, HotfolderError, OperatorFault
from hotfolder.core.fixity import (
    FixityResult,
    FixityRound,
    FixityTarget,
    Outcome,
    fixity_events,
)
from hotfolder.core.pacing import Pace
from hotfolder.core.ports import Clock, Emit, Journal, StoreRoot
from hotfolder.flows.rootdamage import mark_roots

_PAGE = 64  # spools journalled together
_FLUSH = 5.0  # seconds after which results are journalled all the same
_WALK = 1000  # objects between two steps of the walk for those not to be there
_UNREADABLE = 10  # objects in a row, after which the disk is to be looked at first


@dataclass(slots=True, kw_only=True)
class Scrubbed:
    """What one run did."""

    round_number: int | None = None
    spools: int = 0
    read: int = 0  # bytes
    found: list[FixityResult] = field(default_factory=list)  # that are not whole
    finished: bool = False  # all that was asked for


class Scrub:
    """Verifies; one thread of one process at a time."""

    def __init__(
        self,
        *,
        journal: Journal,
        roots: Sequence[StoreRoot],
        clock: Clock,
        emit: Emit,
        actor: str,
        pace: Pace,
        pause: Callable[[float], object],
        stopped: Callable[[], bool] = lambda: False,
        seconds: float | None = None,
        progress: Callable[[int, int | None], None] = lambda _done, _total: None,
    ) -> None:
        """``pause`` waits so many seconds; ``stopped`` is asked at every object, as is
        whether ``seconds`` have passed."""
        self._journal = journal
        self._roots = tuple(roots)
        self._clock = clock
        self._emit = emit
        self._actor = actor
        self._pace = pace
        self._pause = pause
        self._stopped = stopped
        self._until = None if seconds is None else clock.monotonic() + seconds
        self._progress = progress
        self._done = Scrubbed()
        self._unreadable = 0
        self._pending: list[FixityResult] = []
        self._flushed_at = clock.monotonic()

    # -- a round -------------------------------------------------------------------
    def run_round(self, *, anew: bool = False, tell_archive: bool = False) -> Scrubbed:
        """Go on with the open round, or begin one; with ``anew`` begin one in any case.
        With ``tell_archive`` its end gives events for ArchivesSpace."""
        self._check_roots()
        current = None if anew else self._journal.open_round()
        if current is None:
            current = self._journal.begin_round(self._clock.now())
        self._done.round_number = current.number
        total = self._journal.fixity_left(current.number)
        if self._verify_all(self._targets(current.number), total) and self._walk(current):
            self._finish(current, tell_archive=tell_archive)
        return self._done

    def run_chosen(
        self,
        *,
        spool_id: str | None = None,
        folder: str | None = None,
        since: float | None = None,
    ) -> Scrubbed:
        """Verify what was asked for, whenever it was verified last."""
        self._check_roots()

        def targets() -> Iterator[list[FixityTarget]]:
            after = 0
            while page := self._journal.fixity_chosen(
                spool_id=spool_id, folder=folder, since=since, after=after, limit=_PAGE
            ):
                yield page
                after = page[-1].number

        self._done.finished = self._verify_all(targets(), None)
        return self._done

    def _check_roots(self) -> None:
        for number, root in enumerate(self._roots, 1):
            if not root.is_declared():
                raise _root_is_away(number)

    def _targets(self, number: int) -> Iterator[list[FixityTarget]]:
        """Pages of what the round has not verified; each is journalled before the next."""
        while True:
            found = False
            after = 0
            while page := self._journal.fixity_fresh(number, after=after, limit=_PAGE):
                found = True
                yield page
                after = page[-1].number
            while page := self._journal.fixity_stale(number, limit=_PAGE):
                found = True
                yield page
            if not found:  # what was stored late is looked for once more
                return

    def _verify_all(self, pages: Iterator[list[FixityTarget]], total: int | None) -> bool:
        """False if it was cut short."""
        try:
            for page in pages:
                inventories = self._inventories(page)
                for target in page:
                    if self._is_over():
                        return False
                    self._verify(target, inventories.get(target.spool_id, ""))
                    self._done.spools += 1
                    self._progress(self._done.spools, total)
                self._flush()
            return True
        finally:
            self._flush()

    def _is_over(self) -> bool:
        return self._stopped() or (
            self._until is not None and self._clock.monotonic() >= self._until
        )

    def _inventories(self, page: Sequence[FixityTarget]) -> Mapping[str, str]:
        """The SHA-256 that the audit chain has of the inventories."""
        return {
            row.subject: str(row.details["inventory_sha256"])
            for row in self._journal.audit_of([target.spool_id for target in page])
            if row.action == "spool.stored" and row.details.get("inventory_sha256")
        }

    # -- one spool -------------------------------------------------------------------
    def _verify(self, target: FixityTarget, inventory_sha256: str) -> None:
        results = [
            self._look(number, root, target, inventory_sha256)
            for number, root in enumerate(self._roots, 1)
        ]
        found = [item for item in results if item.outcome is not Outcome.WHOLE]
        if found and not self._journal.is_in_store(target.spool_id):
            return  # it was rejected in this moment, and has left the store
        if any(item.outcome.is_damage for item in found):
            mark_roots(
                self._journal,
                target,
                results,
                actor=self._actor,
                clock=self._clock,
                emit=self._emit,
            )
            # survives: killed here, the spool is CORRUPT and will be verified again
            crashpoint("scrub.marked")
        for item in found:
            self._emit(
                "fixity.damage", spool=item.spool_id, copy=item.root, reason=str(item.outcome)
            )
        self._done.found += found
        self._pending += results
        if found or self._clock.monotonic() - self._flushed_at >= _FLUSH:
            self._flush()

    def _look(
        self, number: int, root: StoreRoot, target: FixityTarget, inventory_sha256: str
    ) -> FixityResult:
        outcome, inventory = Outcome.WHOLE, ""
        try:
            stored = root.verify(target.spool_id, reached=self._reached)
            inventory = stored.inventory_sha256
            if stored.encryption and not inventory:
                pass  # no master key here: what lies there is sound, and that is all we know
            elif stored.content_sha256 != target.sha256 or (
                inventory_sha256 and inventory != inventory_sha256
            ):
                outcome = Outcome.DIFFERS
        except KeyError:
            outcome = Outcome.MISSING
        except Corrupt:
            outcome = Outcome.DAMAGED
        except HotfolderError:
            outcome = Outcome.UNREADABLE
            self._unreadable += 1
            if self._unreadable >= _UNREADABLE:
                raise
        if outcome is not Outcome.UNREADABLE:
            self._unreadable = 0
        if outcome is not Outcome.WHOLE and not root.is_declared():
            raise _root_is_away(number)
        self._wait(files=1)
        return FixityResult(
            spool=target.number,
            spool_id=target.spool_id,
            root=number,
            outcome=outcome,
            at=self._clock.now(),
            inventory_sha256=inventory,
        )

    def _reached(self, count: int) -> None:
        self._done.read += count
        self._wait(read=count)

    def _wait(self, *, read: int = 0, files: int = 0) -> None:
        seconds = self._pace.wait(self._clock.monotonic(), read=read, files=files)
        if seconds > 0 and not self._stopped():
            self._pause(seconds)

    def _flush(self) -> None:
        if self._pending:
            self._journal.record_fixity(self._pending)
            self._pending = []
            # survives: killed here, the round goes on behind these
            crashpoint("scrub.recorded")
        self._flushed_at = self._clock.monotonic()

    # -- objects that are not to be there ----------------------------------------------
    def _walk(self, current: FixityRound) -> bool:
        """False if it was cut short."""
        for number, root in enumerate(self._roots, 1):
            if number < current.root:
                continue
            position = current.position if number == current.root else ""
            batch: list[tuple[str, str]] = []
            for place in root.places(position):
                if self._is_over():
                    return False
                batch.append(place)
                if len(batch) == _WALK:
                    self._walked(current.number, number, batch)
                    batch = []
            self._walked(current.number, number, batch)
        return True

    def _walked(self, number: int, root: int, batch: Sequence[tuple[str, str]]) -> None:
        if not batch:
            return
        spool_ids = [spool_id for _, spool_id in batch]
        known = self._journal.states_of(spool_ids)
        outcomes = {item: Outcome.UNKNOWN for item in spool_ids if item not in known}
        outcomes |= dict.fromkeys(self._come_back(root, spool_ids), Outcome.DESTROYED)
        found = [
            FixityResult(
                spool=0, spool_id=spool_id, root=root, outcome=outcome, at=self._clock.now()
            )
            for spool_id, outcome in outcomes.items()
        ]
        for item in found:
            self._emit("fixity.damage", spool=item.spool_id, copy=root, reason=str(item.outcome))
        self._done.found += found
        self._journal.record_walk(number, root, batch[-1][0], found)
        # survives: killed here, the walk goes on behind this place
        crashpoint("scrub.walked")

    def _come_back(self, number: int, spool_ids: Sequence[str]) -> Iterator[str]:
        """Those of which something is here that was destroyed: a backup was restored."""
        root = self._roots[number - 1]
        for spool_id, ordinals in self._journal.find_buried(spool_ids).items():
            # Looked at after the journal was asked: a disposal may have ended just now.
            if ordinals is None:
                if root.has(spool_id):
                    yield spool_id
                continue
            with suppress(Corrupt):  # damaged keys were found when the spool was verified
                if root.keys_left(spool_id, ordinals):
                    yield spool_id

    def _finish(self, current: FixityRound, *, tell_archive: bool) -> None:
        now = self._clock.now()
        totals = self._journal.round_totals(current.number)
        events = (
            fixity_events(
                self._journal.units_verified(current.number), began_at=current.began_at, at=now
            )
            if tell_archive
            else {}
        )
        self._journal.finish_round(current.number, totals, events, now, self._actor)
        # survives: killed here, the round is at its end and the events wait in the outbox
        crashpoint("scrub.finished")
        self._done.finished = True
        self._emit("fixity.finished", round=current.number, spools=totals["spools"])


def _root_is_away(number: int) -> OperatorFault:
    what = "the store" if number == 1 else f"copy {number} of the store"
    return OperatorFault(
        f"{what} is no storage root now",
        hint="mount its disk; nothing was recorded as missing",
        code="verify.root",
    )
