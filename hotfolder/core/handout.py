"""Drops that are finished: from the moment they are, until somebody has claimed them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from hotfolder.core.records import Drop


class Handout:
    """The finished drops of one folder. Until ``forget`` their files are nobody else's."""

    def __init__(self) -> None:
        self._files: dict[bytes, tuple[bytes, ...]] = {}  # spool and all that goes with it
        self._taken: set[bytes] = set()  # all of those
        self._ready: deque[Drop] = deque()
        self._afresh: deque[bytes] = deque()  # to be looked at, known or not

    def __contains__(self, name: bytes) -> bool:
        """Whether the file belongs to a drop that is given out."""
        return name in self._taken

    def add(self, drop: Drop) -> tuple[bytes, ...]:
        """The drop is finished; returns the names of all its files."""
        files = (
            drop.spool.name,
            *(sidecar.name for sidecar in drop.sidecars),
            *(() if drop.trigger is None else (drop.trigger.name,)),
        )
        self._files[drop.spool.name] = files
        self._taken.update(files)
        self._ready.append(drop)
        return files

    def take(self, limit: int) -> list[Drop]:
        """Up to ``limit`` drops, each once."""
        return [self._ready.popleft() for _ in range(min(limit, len(self._ready)))]

    def forget(self, spools: Sequence[bytes]) -> None:
        """These have been claimed or given up: their files are to be looked at afresh."""
        for spool in spools:
            files = self._files.pop(spool, ())
            self._taken.difference_update(files)
            self._afresh.extend(files)

    def take_afresh(self, limit: int) -> list[bytes]:
        """Up to ``limit`` names to look at, each once."""
        return [self._afresh.popleft() for _ in range(min(limit, len(self._afresh)))]

    def pending(self) -> bool:
        """Whether a drop or a look waits to be taken."""
        return bool(self._ready or self._afresh)

    def ready(self) -> int:
        """How many drops wait to be taken."""
        return len(self._ready)

    def files(self) -> int:
        """How many files belong to drops that are not forgotten; safe from any thread."""
        return sum(len(files) for files in list(self._files.values()))
