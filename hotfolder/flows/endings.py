"""Endings: spools that the journal has ended and that have files in ``_working`` still,
because a fault (a full disk) came between.

Kept in memory only: after a restart ``Finisher.recover`` finds them by their files.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class Endings:
    """Ids of such spools, each handed to one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: dict[str, None] = {}

    @contextmanager
    def completing(self, spool_ids: Sequence[str]) -> Iterator[None]:
        """Whoever brings these to their end does it in here; after an error they are left."""
        try:
            yield
        except BaseException:
            with self._lock:
                self._left.update(dict.fromkeys(spool_ids))
            raise

    def take(self) -> str | None:
        """The one that has been left longest, which is not any more; None if none is."""
        with self._lock:
            found = next(iter(self._left), None)
            if found is not None:
                del self._left[found]
            return found

    def __len__(self) -> int:
        return len(self._left)
