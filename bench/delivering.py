"""The part of ``bench_delivery`` that is measured: the importers at a backlog."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from bench.common import answer
from bench.works import REPOSITORY, open_works, take_all
from hotfolder.service.importers import Importers

_THREADS = 4


def deliver(url: str, root: Path, unit_size: int) -> None:
    """Take what is in ``root/hot``, then deliver all of it and time that."""
    _make_repository(url)
    works = open_works(root, url, unit_size)
    waiting = take_all(works, root)
    importers = Importers(
        journal=works.journal,
        delivery=works.delivery,
        clock=works.clock,
        emit=works.emit,
        threads=_THREADS,
    )
    free = threading.Event()
    importers.call_when_done(free.set)
    started = time.monotonic()
    while works.journal.status().documents_confirmed < waiting:
        free.clear()
        pause = importers.step()
        if pause:
            free.wait(pause)
    seconds = time.monotonic() - started
    importers.close(60.0)
    units = sum(works.journal.status().units.values())
    works.close()
    answer(seconds=seconds, documents=waiting, units=units)


def _make_repository(url: str) -> None:
    """What an archivist does once, by hand."""
    from asnake.client import ASnakeClient  # noqa: PLC0415  not the daemon's: kept out of its part

    client = ASnakeClient(baseurl=url, username="admin", password="admin")
    client.authorize()
    record = {"jsonmodel_type": "repository", "repo_code": REPOSITORY, "name": "Bench"}
    if client.post("/repositories", json=record).status_code != 200:
        raise SystemExit("the repository could not be made")


if __name__ == "__main__":
    deliver(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
