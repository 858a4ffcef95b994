"""The loops of the way out again: orders, request folders, requests in ArchivesSpace."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from hotfolder.core.errors import HotfolderError
from hotfolder.core.profiles import FolderProfile, RequestFolder, SidecarFormat
from hotfolder.core.records import Inspection, Sighting
from hotfolder.core.requestfile import MAX_BYTES, is_whole
from hotfolder.files.content import open_regular
from hotfolder.files.layout import make_folders
from hotfolder.service.composition import Works
from hotfolder.watch.watcher import FolderWatcher

_IDLE = 1.0
_POLL = 0.5


class RequestLoop:
    """One request folder: watches, claims and answers in one thread."""

    def __init__(self, profile: RequestFolder, works: Works) -> None:
        self._profile = profile
        self._works = works
        self._watcher = FolderWatcher(
            _as_folder(profile), clock=works.clock, is_whole=self._is_whole, emit=works.emit
        )
        self._started = False
        self._unsettled = False  # a claim failed half-way

    def step(self) -> float:
        """Wait for settled request files, claim them, answer what is due."""
        name = self._profile.name
        if not self._started:
            make_folders(os.fsencode(self._profile.path))
            self._works.requests.recover(name)
            self._watcher.start()
            self._started = True
        if self._unsettled:
            self._works.requests.settle_claims(name)
            self._unsettled = False
        drops = self._watcher.poll(_POLL)
        try:
            self._works.requests.claim(name, drops)
        except HotfolderError:
            self._unsettled = True
            raise
        finally:
            self._watcher.forget([drop.spool.name for drop in drops])
        self._works.requests.advance(name)
        return 0.0

    def pending(self) -> bool:
        """Whether files are there that have not settled, or no full look was made yet."""
        told = self.describe()
        return not told["scans"] or told["waiting"] > 0

    def describe(self) -> Mapping[str, int | float | bool]:
        """What the watcher has counted since it started."""
        return self._watcher.describe()

    def stop(self) -> None:
        """Stop watching; the loop's thread has ended."""
        if self._started:
            self._watcher.stop()

    def _is_whole(self, sighting: Sighting) -> Inspection:
        path = os.path.join(os.fsencode(self._profile.path), sighting.name)
        with open_regular(path) as stream:
            whole = is_whole(stream.read(MAX_BYTES + 1), sighting.name)
        return Inspection(format_name="request", has_trailer=whole)


def _as_folder(profile: RequestFolder) -> FolderProfile:
    """A request folder as the watcher takes it: every file is one, and nothing beside it."""
    return FolderProfile(
        name=f"requests.{profile.name}",
        path=profile.path,
        business_unit="",
        completion=profile.completion,
        network=profile.network,
        poll=profile.poll,
        rescan=profile.rescan,
        sidecar=SidecarFormat.NONE,
        sidecar_required=False,
    )


class ReturnLoops:
    """All of them, as (name, step), in the order in which they start."""

    def __init__(self, works: Works) -> None:
        self._works = works
        self._folders = [
            RequestLoop(profile, works) for _, profile in sorted(works.requests.folders.items())
        ]
        self._next_poll = 0.0

    def steps(self) -> list[tuple[str, Callable[[], float]]]:
        """Name and step of each loop."""
        found: list[tuple[str, Callable[[], float]]] = [("returns", self.carry_out)]
        found += [
            (f"requests:{name}", folder.step)
            for name, folder in zip(
                sorted(self._works.requests.folders), self._folders, strict=True
            )
        ]
        if self._works.asking is not None:
            found.append(("desk", self.ask))
        return found

    def carry_out(self) -> float:
        """One batch of orders."""
        return 0.0 if self._works.returns.advance() else _IDLE

    def ask(self) -> float:
        """Answer what can be answered; ask for more when it is time."""
        asking = self._works.asking
        assert asking is not None
        asking.advance()
        now = self._works.clock.monotonic()
        if now >= self._next_poll:
            # Told before the question: a server that is down is asked at the same pace.
            self._next_poll = now + asking.profile.poll
            asking.poll()
        return _IDLE

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
