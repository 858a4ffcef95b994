"""The parts of ``bench_watch`` that are measured: one watcher, and producers beside it.

    python -m bench.looking WATCHER ROOT COUNT PAUSE [QUEUE]

WATCHER is ``hotfolder`` (looks, takes the file away), ``intake`` (hotfolder with its
durable journal row), ``watchdog`` (a bare handler), ``watchfiles`` or
``watchfiles-tuned`` (its two delays as short as is sensible), or ``present``
(hotfolder, with the files there before it starts). QUEUE is the length of the
kernel's queue while the watcher starts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.common import answer

PRODUCERS = 2
GRACE = 5.0  # seconds without news after which a peer will hear of no more
PATIENCE = 120.0  # for hotfolder, which has a scan to fall back on
_LIMIT = Path("/proc/sys/fs/inotify/max_queued_events")


class Heard:
    """When each name was first heard of; safe from any thread."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.last = time.monotonic()

    def note(self, name: str) -> None:
        now = self.last = time.monotonic()
        if name.endswith(".pdf"):
            self.at.setdefault(name, now)


class Producers:
    """The processes that write, started once the watcher watches."""

    def __init__(self, root: Path, count: int, pause: float) -> None:
        self._stamps = [root / f"stamps{number}" for number in range(PRODUCERS)]
        bounds = [count * number // PRODUCERS for number in range(PRODUCERS + 1)]
        self._processes = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "bench.producing", str(root / "hot")),
                    *(str(first), str(end - first), str(pause), str(stamps)),
                ]
            )
            for first, end, stamps in zip(bounds, bounds[1:], self._stamps, strict=False)
        ]

    def running(self) -> bool:
        return any(process.poll() is None for process in self._processes)

    def stamps(self) -> dict[str, float]:
        """When each name was given, after the end of all."""
        found: dict[str, float] = {}
        for process, stamps in zip(self._processes, self._stamps, strict=True):
            if process.wait() != 0:
                raise SystemExit("a producer failed")
            found.update(json.loads(stamps.read_text(encoding="ascii")))
        return found


def report(heard: Heard, producers: Producers, **more: float) -> None:
    """The numbers of one run."""
    stamps = producers.stamps()
    delays = sorted(heard.at[name] - at for name, at in stamps.items() if name in heard.at)
    first = min(stamps.values())
    answer(
        lost=len(stamps) - len(delays),
        written=max(stamps.values()) - first,
        seconds=(max(heard.at.values()) if heard.at else first) - first,
        p50=delays[len(delays) // 2] if delays else 0.0,
        p99=delays[int(len(delays) * 0.99)] if delays else 0.0,
        **more,
    )


@contextmanager
def queue_of(length: int | None) -> Iterator[None]:
    """Let inotify instances made inside have a short queue in the kernel."""
    if length is None:
        yield
        return
    before = _LIMIT.read_text(encoding="ascii")
    _LIMIT.write_text(str(length), encoding="ascii")
    try:
        yield
    finally:
        _LIMIT.write_text(before, encoding="ascii")


def run_hotfolder(
    root: Path, count: int, pause: float, queue: int | None, *, journalled: bool
) -> None:
    """hotfolder's watcher; what it gives out is moved away, or claimed by intake."""
    from bench.watched import open_watcher  # noqa: PLC0415  each part has its own memory

    heard = Heard()
    watcher, take = open_watcher(root, journalled=journalled)
    with queue_of(queue):
        watcher.start()
    watcher.poll(0)
    producers = Producers(root, count, pause)
    end = float("inf")
    while len(heard.at) < count and time.monotonic() < end:
        drops = watcher.poll(0.2)
        take(drops)
        watcher.forget([drop.spool.name for drop in drops])
        for drop in drops:
            heard.note(os.fsdecode(drop.spool.name))
        if end == float("inf") and not producers.running():
            end = time.monotonic() + PATIENCE
    found = watcher.describe()
    watcher.stop()
    report(heard, producers, overflows=found["overflows"], scans=found["scans"])


def run_present(root: Path, count: int) -> None:
    """How long, and how much memory, to know all files that were there before."""
    from bench.watched import open_watcher  # noqa: PLC0415

    watcher, take = open_watcher(root, journalled=False)
    started = time.monotonic()
    watcher.start()
    drops = watcher.poll(0)
    known = time.monotonic() - started
    waiting = int(watcher.describe()["waiting"]) + len(drops)
    taken = 0
    while taken < count and time.monotonic() - started < PATIENCE:
        take(drops)
        watcher.forget([drop.spool.name for drop in drops])
        taken += len(drops)
        drops = watcher.poll(0.2)
    seconds = time.monotonic() - started
    watcher.stop()
    answer(known=known, lost=count - min(taken, waiting), seconds=seconds)


def run_watchdog(root: Path, count: int, pause: float, queue: int | None) -> None:
    """A bare handler that notes every name it is told."""
    from watchdog.events import (  # noqa: PLC0415
        FileClosedEvent,
        FileCreatedEvent,
        FileMovedEvent,
        FileSystemEvent,
        FileSystemEventHandler,
    )
    from watchdog.observers import Observer  # noqa: PLC0415

    heard = Heard()

    class Handler(FileSystemEventHandler):
        def dispatch(self, event: FileSystemEvent) -> None:
            heard.note(os.path.basename(os.fsdecode(event.dest_path or event.src_path)))

    with queue_of(queue):
        observer = Observer()
        observer.schedule(
            Handler(),
            str(root / "hot"),
            event_filter=[FileCreatedEvent, FileClosedEvent, FileMovedEvent],
        )
        observer.start()
    wait(heard, Producers(root, count, pause), count, observer.stop)


def run_watchfiles(root: Path, count: int, pause: float, queue: int | None, *, tuned: bool) -> None:
    """A loop over its changes."""
    from watchfiles import Change, watch  # noqa: PLC0415

    heard = Heard()
    stopping = threading.Event()
    debounce, step = (50, 5) if tuned else (1600, 50)  # milliseconds; the second pair is its own

    def listen() -> None:
        for changes in watch(
            root / "hot", recursive=False, stop_event=stopping, debounce=debounce, step=step
        ):
            for change, path in changes:
                if change is not Change.deleted:
                    heard.note(os.path.basename(path))

    with queue_of(queue):
        listener = threading.Thread(target=listen)
        listener.start()
        time.sleep(1.0)  # it does not say when it watches
    wait(heard, Producers(root, count, pause), count, stopping.set)
    listener.join()


def wait(heard: Heard, producers: Producers, count: int, stop: Callable[[], None]) -> None:
    """Until a peer has heard of all, or of nothing for a while."""
    while len(heard.at) < count and (producers.running() or time.monotonic() - heard.last < GRACE):
        time.sleep(0.05)
    stop()
    report(heard, producers)


def main(watcher: str, root: Path, count: int, pause: float, queue: int | None) -> None:
    match watcher:
        case "hotfolder" | "intake":
            run_hotfolder(root, count, pause, queue, journalled=watcher == "intake")
        case "present":
            run_present(root, count)
        case "watchdog":
            run_watchdog(root, count, pause, queue)
        case "watchfiles" | "watchfiles-tuned":
            run_watchfiles(root, count, pause, queue, tuned=watcher != "watchfiles")
        case _:
            raise SystemExit(f"no such watcher: {watcher}")


if __name__ == "__main__":
    main(
        sys.argv[1],
        Path(sys.argv[2]),
        int(sys.argv[3]),
        float(sys.argv[4]),
        int(sys.argv[5]) if len(sys.argv) > 5 else None,
    )
