"""A real folder under watch, for tests and benches."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hotfolder.core.profiles import Completion, CompletionRule, FolderProfile, SidecarFormat
from hotfolder.core.records import Drop, Inspection, Sighting
from hotfolder.files.content import open_regular
from hotfolder.formats import inspect_trailer
from hotfolder.watch.watcher import FolderWatcher

QUIET = 0.3
PDF_HEAD = b"%PDF-1.7\n"
PDF_TAIL = b"\nxref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 1>>\nstartxref\n%d\n%%%%EOF\n"


class RealClock:
    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


def make_pdf(filling: bytes = b"") -> bytes:
    """Bytes that end as a PDF ends (enough for the look at the trailer)."""
    body = PDF_HEAD + b"%" + filling + b"\n"
    return body + PDF_TAIL % (len(body) + 1)


def make_profile(
    root: bytes,
    rule: CompletionRule = CompletionRule.QUIET,
    *,
    quiet: float = QUIET,
    without_trailer: float = 2 * QUIET,
    wait: float = 300.0,
    rescan: float = 60.0,
    recursive: bool = False,
    network: bool = False,
    sidecar: SidecarFormat = SidecarFormat.NONE,
    writer_check: bool = True,
) -> FolderProfile:
    return FolderProfile(
        name="hot",
        path=os.fsdecode(root),
        business_unit="unit",
        completion=Completion(
            rule=rule,
            quiet=quiet,
            quiet_without_trailer=without_trailer,
            sidecar_wait=wait,
            writer_check=writer_check,
        ),
        recursive=recursive,
        network=network,
        poll=0.1,
        rescan=rescan,
        sidecar=sidecar,
    )


def trailer_reader(root: bytes) -> Callable[[Sighting], Inspection]:
    """The question the service asks of a spool."""

    def is_whole(sighting: Sighting) -> Inspection:
        with open_regular(os.path.join(root, sighting.name)) as stream:
            return inspect_trailer(stream, sighting.size, sighting.name)

    return is_whole


@dataclass(slots=True)
class Taken:
    """A file as it was when it was taken."""

    drop: Drop
    digest: str


@dataclass(slots=True)
class Watched:
    """A watcher on a real folder, with an intake that moves every drop out."""

    root: bytes
    watcher: FolderWatcher
    events: list[tuple[str, dict[str, object]]]
    taken: dict[bytes, Taken] = field(default_factory=dict)

    def poll(self, timeout: float) -> list[Drop]:
        """Poll once and take what is given out, hashing it first."""
        drops = self.watcher.poll(timeout)
        for drop in drops:
            with open(os.path.join(self.root, drop.spool.name), "rb") as stream:
                digest = hashlib.sha256(stream.read()).hexdigest()
            assert drop.spool.name not in self.taken, "taken twice"
            self.taken[drop.spool.name] = Taken(drop, digest)
            for sighting in (drop.spool, *drop.sidecars, *filter(None, [drop.trigger])):
                os.unlink(os.path.join(self.root, sighting.name))
        self.watcher.forget([drop.spool.name for drop in drops])
        return drops

    def until(self, done: Callable[[], bool], limit: float = 30.0) -> None:
        """Poll until ``done``, or fail after ``limit`` seconds."""
        end = time.monotonic() + limit
        while not done():
            assert time.monotonic() < end, f"waited {limit} s: {self.watcher.describe()}"
            self.poll(0.05)

    def take(self, *names: bytes) -> None:
        """Poll until all of ``names`` have been taken."""
        self.until(lambda: self.taken.keys() >= set(names))

    def pass_time(self, seconds: float) -> None:
        """Poll for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.poll(0.05)

    def told(self, event: str) -> int:
        return sum(name == event for name, _ in self.events)


@contextmanager
def watching(profile: FolderProfile) -> Iterator[Watched]:
    root = os.fsencode(profile.path)
    events: list[tuple[str, dict[str, object]]] = []
    watcher = FolderWatcher(
        profile,
        clock=RealClock(),
        is_whole=trailer_reader(root),
        emit=lambda event, /, **fields: events.append((event, fields)),
    )
    watcher.start()
    try:
        yield Watched(root=root, watcher=watcher, events=events)
    finally:
        watcher.stop()
