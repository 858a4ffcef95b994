"""The loops of the way out again: orders, request folders, requests in ArchivesSpace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from hotfolder.core.records import Inspection, Sighting
from hotfolder.core.requestfile import MAX_BYTES, is_whole
from hotfolder.service.composition import Works
from hotfolder.service.dropfolders import DropFolderLoop

_IDLE = 1.0


def _is_whole(sighting: Sighting, stream: BinaryIO) -> Inspection:
    whole = is_whole(stream.read(MAX_BYTES + 1), sighting.name)
    return Inspection(format_name="request", has_trailer=whole)


class ReturnLoops:
    """All of them, as (name, step), in the order in which they start."""

    def __init__(self, works: Works) -> None:
        self._works = works
        self._folders = [
            DropFolderLoop(f"requests.{name}", profile, works.requests, works, whole=_is_whole)
            for name, profile in sorted(works.requests.folders.items())
        ]
        self._next_poll = 0.0
        self._round: Iterator[int] | None = None

    def steps(self) -> list[tuple[str, Callable[[], float]]]:
        """Name and step of each loop."""
        found: list[tuple[str, Callable[[], float]]] = [("returns", self.carry_out)]
        found += [(folder.name.replace(".", ":", 1), folder.step) for folder in self._folders]
        if self._works.asking is not None:
            found.append(("desk", self.ask))
        return found

    def carry_out(self) -> float:
        """One batch of orders."""
        return 0.0 if self._works.returns.advance() else _IDLE

    def ask(self) -> float:
        """Answer what can be answered; ask for more, of one business unit, when it is time."""
        asking = self._works.asking
        assert asking is not None
        asking.advance()
        now = self._works.clock.monotonic()
        if self._round is None and now >= self._next_poll:
            # Told before the question: a server that is down is asked at the same pace.
            self._next_poll = now + asking.profile.poll
            self._round = asking.look()
        if self._round is None:
            return _IDLE
        try:
            next(self._round)
        except StopIteration:
            self._round = None
            return _IDLE
        except BaseException:
            self._round = None
            raise
        return 0.0

    def pending(self) -> bool:
        """Whether something can be done now: what waits for another attempt cannot."""
        if any(folder.pending() for folder in self._folders):
            return True
        now = self._works.clock.now()
        journal = self._works.journal
        return bool(journal.open_orders(due_at=now, limit=1)) or any(
            not row.uri for row in journal.open_requests(due_at=now, limit=100)
        )

    def waiting(self) -> bool:
        """Whether orders or request files are not at their end."""
        journal = self._works.journal
        return bool(journal.open_orders(limit=1)) or any(
            not row.uri for row in journal.open_requests(limit=100)
        )

    def stop(self) -> None:
        """Stop watching; the threads have ended."""
        for folder in self._folders:
            folder.stop()
