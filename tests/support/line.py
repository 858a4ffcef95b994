"""The whole line from hot folder to receipt, in one thread and one process.

The sweeps run it as a program and kill it: ``python -m tests.support.line ROOT URL``.
Everything in it is the real thing, put together as the daemon does it, but for the
loops: one pass claims what lies in the hot folder, reads, stores, delivers and
finishes, until nothing is left or the server does not answer.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hotfolder.archivesspace.archive import ArchivesSpace
from hotfolder.core import crashpoints
from hotfolder.core.errors import Transient
from hotfolder.core.lifecycle import Backoff, UnitState
from hotfolder.core.profiles import (
    ArchiveProfile,
    AuditProfile,
    BusinessUnit,
    Describe,
    DocumentsProfile,
    FolderProfile,
    IndexFormat,
    Rules,
    SeriesProfile,
)
from hotfolder.core.records import Drop, Sighting
from hotfolder.core.retention import Period, RetentionClass, RetentionTrigger
from hotfolder.files.layout import make_folders
from hotfolder.journal.journal import SqliteJournal
from hotfolder.sandbox.communications import RETENTION_CLASSES
from hotfolder.service.composition import Works, connect
from hotfolder.service.parts import SystemClock
from hotfolder.store.ocfl import OcflStore

_PAUSE = 0.03  # seconds between passes: a server that refuses connections needs a moment
_KEY = ("customer_id", "document_type", "issue_date")
_SCHEDULE = sorted(set(RETENTION_CLASSES.values()))
RULES = Rules(
    series=(
        SeriesProfile(
            code="STMT", title="Statements", document_types=("statement", "bill"), key=_KEY
        ),
        SeriesProfile(
            code="LETT",
            title="Letters and policies",
            document_types=("policy", "notice", "letter"),
            key=_KEY,
        ),
    ),
    business_units=(BusinessUnit(code="RETAIL", name="Retail", repository="RETAIL"),),
    retention_classes={
        code: RetentionClass(
            code=code, title=code, trigger=RetentionTrigger.ISSUE_DATE, period=Period(years=7)
        )
        for code in _SCHEDULE
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The works with the folder they serve."""

    works: Works
    profile: FolderProfile
    events: list[tuple[str, dict[str, object]]]


_SEED = b"a seed of thirty-two bytes, known"[:32]


def make_signing(root: Path) -> tuple[Path, Path]:
    """The directory of heads, and the key: once, whatever fails in between."""
    heads = root / "heads"
    heads.mkdir(exist_ok=True)
    key = root / "signing-key"
    if not key.exists() or len(key.read_bytes()) != len(_SEED):
        key.write_bytes(_SEED)
    return heads, key


def build_line(
    root: Path,
    url: str,
    *,
    unit_size: int = 50,
    least_privilege: bool = False,
    read_timeout: float = 5.0,
    username: str = "admin",
    password: str = "admin",
    rules: Rules = RULES,
    store: Path | None = None,
    documents: DocumentsProfile | None = None,
    outward: Mapping[str, Any] | None = None,
) -> Line:
    """Put the line together under ``root``: ``hot/``, ``journal.db``, ``store/`` (or
    another ``store``). ``outward`` is what ``connect`` takes of the way out again."""
    hot = root / "hot"
    hot.mkdir(parents=True, exist_ok=True)
    profile = FolderProfile(
        name="hot",
        path=str(hot),
        business_unit="RETAIL",
        documents=documents or DocumentsProfile(),
        sidecar_required=documents is None,
    )
    make_folders(os.fsencode(profile.path))
    heads, key = make_signing(root)
    events: list[tuple[str, dict[str, object]]] = []

    def emit(event: str, /, **fields: object) -> None:
        events.append((event, fields))

    clock = SystemClock()
    ocfl = OcflStore(os.fsencode(store or root / "store"), clock=clock)
    ocfl.initialise()
    archive = ArchivesSpace(
        ArchiveProfile(
            url=url,
            username=username,
            unit_size=unit_size,
            least_privilege=least_privilege,
            connect_timeout=2.0,
            read_timeout=read_timeout,
            total_timeout=read_timeout * 4,
        ),
        password,
        rules,
        clock=clock,
        version="0.test",
        on_event=emit,
    )
    works = connect(
        journal=SqliteJournal(os.fsencode(root / "journal.db")),
        store=ocfl,
        archive=archive,
        clock=clock,
        emit=emit,
        folders={profile.name: profile},
        rules=rules,
        unit_size=unit_size,
        backoff=Backoff(first=0.01, ceiling=0.05),
        audit=AuditProfile(signing_key=str(key), heads=(str(heads),)),
        **(outward or {}),
    )
    return Line(works=works, profile=profile, events=events)


def look(path: Path, name: bytes, folder: str) -> Sighting:
    """One sighting of a file that nobody writes any more."""
    found = os.lstat(os.path.join(os.fsencode(path), name))
    return Sighting(
        folder=folder,
        name=name,
        size=found.st_size,
        mtime_ns=found.st_mtime_ns,
        inode=found.st_ino,
        device=found.st_dev,
    )


def drops_in(profile: FolderProfile) -> list[Drop]:
    """What lies in the folder: ``x`` with ``x.json`` beside it. No settling here."""
    hot = Path(profile.path)
    names = sorted(
        os.fsencode(entry.name)
        for entry in os.scandir(hot)
        if entry.is_file() and entry.name[0] != "_"
    )
    return [
        Drop(
            folder=profile.name,
            spool=look(hot, name, profile.name),
            sidecars=(look(hot, name + b".json", profile.name),)
            if name + b".json" in names
            else (),
        )
        for name in names
        if not name.endswith(b".json")
    ]


def run_line(line: Line, *, attempts: int = 40) -> bool:
    """Recover, then pass after pass until nothing is left to do; False if something
    is still waiting after ``attempts`` passes."""
    works = line.works
    works.finisher.recover()
    works.intake.claim(drops_in(line.profile))
    for _ in range(attempts):
        try:
            while works.intake.advance():
                pass
        except Transient:
            pass  # deferred; the next pass tries again
        works.journal.retry_now([], works.clock.now())
        deliver_all(works)
        works.finisher.finish()
        status = works.journal.status()
        open_now = sum(
            status.spools.get(state, 0)
            for state in ("CLAIMING", "CLAIMED", "READ", "STORED", "DELIVERED")
        )
        open_units = status.units.get("PLANNED", 0) + status.units.get("SENT", 0)
        if not open_now and not open_units:
            assert works.signing is not None
            works.signing.step()
            return True
        time.sleep(_PAUSE)
    return False


def deliver_all(works: Works) -> None:
    """Every open unit once, then new ones until no backlog is left or the server fails."""
    for unit in works.journal.units([UnitState.PLANNED, UnitState.SENT]):
        works.delivery.deliver(unit)
    for backlog in works.journal.backlogs():
        while (
            unit_ := works.delivery.plan(backlog.business_unit, backlog.series, backlog.cycle)
        ) is not None:
            if not works.delivery.deliver(unit_):
                return


def arm_crash(point: str, occurrence: int) -> None:
    """Die like ``kill -9`` at the given occurrence of a crash point."""
    left = occurrence

    def hook(name: str) -> None:
        nonlocal left
        if name == point:
            left -= 1
            if left <= 0:
                os._exit(137)

    crashpoints.arm(hook)


def many(describe: str) -> DocumentsProfile:
    """AFP spools with a page group for each document."""
    return DocumentsProfile(index=IndexFormat.AFP, describe=Describe(describe))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("url")
    parser.add_argument("--crash", default="")
    parser.add_argument("--occurrence", type=int, default=1)
    parser.add_argument("--unit-size", type=int, default=50)
    parser.add_argument("--least-privilege", action="store_true")
    parser.add_argument("--replay", action="store_true")
    parser.add_argument("--store", type=Path)
    parser.add_argument("--attempts", type=int, default=40)
    parser.add_argument("--describe", choices=list(Describe), help="spools hold many documents")
    options = parser.parse_args(arguments)
    if options.crash:
        arm_crash(options.crash, options.occurrence)
    line = build_line(
        options.root,
        options.url,
        unit_size=options.unit_size,
        least_privilege=options.least_privilege,
        store=options.store,
        documents=many(options.describe) if options.describe else None,
    )
    try:
        if options.replay:
            line.works.replay.compare(verify=True)
        return 0 if run_line(line, attempts=options.attempts) else 75
    finally:
        line.works.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
