"""The parts of ``bench_watch`` that are measured: one watcher, and producers beside it.

    python -m bench.looking WATCHER WAY ROOT COUNT PAUSE QUEUE

WATCHER is ``intake`` (hotfolder's watcher with its claim and durable journal row),
``hotfolder`` (the watcher alone, which moves the file away), ``watchdog`` (a bare
handler), ``watchfiles`` or ``watchfiles-tuned`` (its two delays as short as is
sensible). WAY is how files are finished, ``rename`` or ``close``. PAUSE is the time
between two files; with one, the files come singly, and the peers too keep a durable
row of each. QUEUE is the length of the kernel's queue while the watcher starts; 0
leaves it alone.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.common import answer, own_peak
from bench.producing import number_of

GRACE = 5.0  # seconds without news after which a peer will hear of no more
PATIENCE = 300.0  # for hotfolder, which has a scan to fall back on
LIMIT = Path("/proc/sys/fs/inotify/max_queued_events")


class Moments:
    """When each file came so far; flat memory, for it is the watcher's that is measured."""

    def __init__(self, count: int) -> None:
        self.at = array("d", bytes(8 * count))
        self.known = 0
        self.last = time.monotonic()

    def note(self, name: str | bytes) -> None:
        """Once for each name; safe from one thread."""
        self.last = time.monotonic()
        number = number_of(name)
        if not self.at[number]:
            self.at[number] = self.last
            self.known += 1


class Producers:
    """The processes that write, started once the watcher watches."""

    def __init__(self, root: Path, way: str, count: int, pause: float) -> None:
        processes = 1 if pause else 2
        self._stamps = [root / f"stamps{number}" for number in range(processes)]
        bounds = [count * number // processes for number in range(processes + 1)]
        self._processes = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "bench.producing", str(root / "hot"), way),
                    *(str(first), str(end - first), str(pause), str(stamps)),
                ]
            )
            for first, end, stamps in zip(bounds, bounds[1:], self._stamps, strict=False)
        ]

    def running(self) -> bool:
        """Whether one of them still writes."""
        return any(process.poll() is None for process in self._processes)

    def stamps(self) -> array[float]:
        """When each file was finished, once all are."""
        found = array("d")
        for process, stamps in zip(self._processes, self._stamps, strict=True):
            if process.wait() != 0:
                raise SystemExit("a producer failed")
            found.frombytes(stamps.read_bytes())
        return found


def report(producers: Producers, heard: Moments, kept: Moments | None, **more: float) -> None:
    """The numbers of one run: of the moments at which a file was heard of, and of those
    at which a row of it was durable."""
    peak = own_peak()
    stamps = producers.stamps()
    first = min(stamps)
    numbers: dict[str, float] = {}
    for name, moments in (("heard", heard), ("kept", kept)):
        if moments is not None:
            delays = sorted(at - was for at, was in zip(moments.at, stamps, strict=True) if at)
            numbers[f"{name} lost"] = len(stamps) - len(delays)
            numbers[f"{name} seconds"] = max(moments.at) - first if delays else 0.0
            numbers[f"{name} p50"] = delays[len(delays) // 2] if delays else 0.0
            numbers[f"{name} p99"] = delays[int(len(delays) * 0.99)] if delays else 0.0
    answer(written=max(stamps) - first, peak=peak, **numbers, **more)


@contextmanager
def queue_of(length: int) -> Iterator[None]:
    """Let inotify instances made inside have a short queue in the kernel; 0: its own.
    One at a time on this machine, lest a second run take the short one for its own."""
    with LIMIT.open(encoding="ascii") as limit:
        fcntl.flock(limit, fcntl.LOCK_EX)
        before = limit.read()
        if length:
            LIMIT.write_text(str(length), encoding="ascii")
        try:
            yield
        finally:
            if length:
                LIMIT.write_text(before, encoding="ascii")


def run_hotfolder(
    root: Path, way: str, count: int, pause: float, queue: int, *, journalled: bool
) -> None:
    """hotfolder's watcher; what it gives out is claimed by intake, or moved away."""
    from bench.watched import open_intake, open_watcher  # noqa: PLC0415  each has its own memory

    kept, heard = Moments(count), Moments(count)
    watcher = open_watcher(root)
    take = open_intake(root, kept.note) if journalled else None
    with queue_of(queue):
        watcher.start()
    watcher.poll(0)
    producers = Producers(root, way, count, pause)
    taken, busy, end = 0, 0.0, float("inf")
    while taken < count and time.monotonic() < end:
        drops = watcher.poll(0.2)
        for drop in drops:
            heard.note(drop.spool.name)
        if take is not None and drops:
            began = time.monotonic()
            taken += take.claim(drops)
            busy += time.monotonic() - began
        else:
            taken += move_away(root / "hot", [drop.spool.name for drop in drops])
        watcher.forget([drop.spool.name for drop in drops])
        if end == float("inf") and not producers.running():
            end = time.monotonic() + PATIENCE
    claimed = time.monotonic()
    found = watcher.describe()
    watcher.stop()
    left = sum(entry.name.endswith(".pdf") for entry in os.scandir(root / "hot"))
    report(
        producers,
        heard,
        kept if journalled else None,
        left=left,
        claimed=claimed - min(producers.stamps()),
        claiming=busy,
        overflows=found["overflows"],
        scans=found["scans"],
    )


def move_away(hot: Path, names: list[bytes]) -> int:
    """What stands for a claim where the watcher is measured alone."""
    for name in names:
        os.rename(os.fsencode(hot) + b"/" + name, os.fsencode(hot) + b"/_working/" + name)
    return len(names)


class Peer:
    """A handler as one would write it first: it hears of a name and, where files come
    singly, keeps a durable row of it in a bare table."""

    def __init__(self, root: Path, count: int, *, rows: bool) -> None:
        self.heard = Moments(count)
        self.kept = Moments(count) if rows else None
        self._path = root / "peer.db"
        self._rows: sqlite3.Connection | None = None

    def hear(self, path: str) -> None:
        """Called from one thread."""
        name = os.path.basename(path)
        if not name.endswith(".pdf"):
            return
        self.heard.note(name)
        if self.kept is not None:
            if self._rows is None:
                self._rows = sqlite3.connect(self._path, isolation_level=None)
                self._rows.execute("PRAGMA journal_mode = WAL")
                self._rows.execute("PRAGMA synchronous = FULL")
                self._rows.execute("CREATE TABLE files (name TEXT PRIMARY KEY)")
            self._rows.execute("INSERT OR IGNORE INTO files VALUES (?)", (name,))
            self.kept.note(name)

    def wait(self, producers: Producers, count: int, stop: Callable[[], None]) -> None:
        """Until it has heard of all, or of nothing for a while."""
        while self.heard.known < count and (
            producers.running() or time.monotonic() - self.heard.last < GRACE
        ):
            time.sleep(0.05)
        stop()
        report(producers, self.heard, self.kept)


def run_watchdog(root: Path, way: str, count: int, pause: float, queue: int) -> None:
    """A bare handler of watchdog's events."""
    from watchdog.events import (  # noqa: PLC0415
        FileClosedEvent,
        FileCreatedEvent,
        FileMovedEvent,
        FileSystemEvent,
        FileSystemEventHandler,
    )
    from watchdog.observers import Observer  # noqa: PLC0415

    peer = Peer(root, count, rows=bool(pause))

    class Handler(FileSystemEventHandler):
        def dispatch(self, event: FileSystemEvent) -> None:
            peer.hear(os.fsdecode(event.dest_path or event.src_path))

    wanted: list[type[FileSystemEvent]] = [FileClosedEvent, FileMovedEvent]
    if way == "rename":
        wanted.append(FileCreatedEvent)  # what is left of a rename whose first half is lost
    with queue_of(queue):
        observer = Observer()
        observer.schedule(Handler(), str(root / "hot"), event_filter=wanted)
        observer.start()
    peer.wait(Producers(root, way, count, pause), count, observer.stop)


def run_watchfiles(
    root: Path, way: str, count: int, pause: float, queue: int, *, tuned: bool
) -> None:
    """A loop over its changes."""
    from watchfiles import Change, watch  # noqa: PLC0415

    peer = Peer(root, count, rows=bool(pause))
    stopping = threading.Event()
    debounce, step = (50, 5) if tuned else (1600, 50)  # milliseconds; the second pair is its own

    def listen() -> None:
        for changes in watch(
            root / "hot",
            recursive=False,
            stop_event=stopping,
            debounce=debounce,
            step=step,
            rust_timeout=200,
            yield_on_timeout=True,
        ):
            ready.set()
            for change, path in changes:
                if change is not Change.deleted:
                    peer.hear(path)

    ready = threading.Event()
    with queue_of(queue):
        listener = threading.Thread(target=listen)
        listener.start()
        ready.wait()  # it watches once its first wait has ended
    peer.wait(Producers(root, way, count, pause), count, stopping.set)
    listener.join()


def main(watcher: str, way: str, root: Path, count: int, pause: float, queue: int) -> None:
    """Run one watcher."""
    (root / "hot" / "_working").mkdir(parents=True)
    # watchdog would print a line for each overflow
    logging.getLogger("watchdog").addHandler(logging.NullHandler())
    match watcher:
        case "hotfolder" | "intake":
            run_hotfolder(root, way, count, pause, queue, journalled=watcher == "intake")
        case "watchdog":
            run_watchdog(root, way, count, pause, queue)
        case "watchfiles" | "watchfiles-tuned":
            run_watchfiles(root, way, count, pause, queue, tuned=watcher != "watchfiles")
        case _:
            raise SystemExit(f"no such watcher: {watcher}")


if __name__ == "__main__":
    main(
        sys.argv[1],
        sys.argv[2],
        Path(sys.argv[3]),
        int(sys.argv[4]),
        float(sys.argv[5]),
        int(sys.argv[6]),
    )
