"""A hot folder, a daemon without its loops, and a model of the server: the flows in one thread.

Journal, store and folders are real and on disk; a restart makes all objects anew. Time
stands still unless it is moved.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from hotfolder.archivesspace.archive import ArchivesSpace
from hotfolder.core import crashpoints
from hotfolder.core.errors import OperatorFault, Transient
from hotfolder.core.lifecycle import OPEN_SPOOL_STATES, SpoolState, UnitState
from hotfolder.core.profiles import DocumentsProfile, FolderProfile
from hotfolder.core.records import CatalogueRow, Drop, SpoolRow
from hotfolder.files.layout import make_folders
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.composition import Works, connect
from hotfolder.store.copies import CopiesStore
from hotfolder.store.ocfl import OcflStore
from tests.support.countdown import arm
from tests.support.desk_model import ModelDesk
from tests.support.encrypted import KEYRING
from tests.support.line import RULES, drops_in
from tests.support.server_model import ModelServer, ProcessKilledError

WHOLE = os.environ.get("HYPOTHESIS_PROFILE") == "whole"  # more, and other, examples
POISON = "poisoned"
WORDS = "title: this server will not have it"
_SHM = "/dev/shm"
_NOTE = ".ERROR.txt"
_PASSES = 100  # more than any backlog of a test needs


def refuses(row: CatalogueRow) -> str | None:
    """The server's words about a poisoned document."""
    return WORDS if row.document.metadata.title == POISON else None


@dataclass(slots=True)
class FixedClock:
    """Time that moves when it is told to; each look at it takes a millisecond."""

    at: float = 1_782_900_000.0

    def now(self) -> float:
        self.at += 0.001
        return self.at

    def monotonic(self) -> float:
        return self.now()


@dataclass(slots=True)
class World:
    """Everything there is, under ``root``."""

    root: Path
    unit_size: int = 3
    least_privilege: bool = False
    documents: DocumentsProfile = field(default_factory=DocumentsProfile)
    server: ModelServer = field(default_factory=lambda: ModelServer(refuses))
    clock: FixedClock = field(default_factory=FixedClock)
    works: Works | None = None  # of the daemon that runs
    journal_lost: bool = False  # and not rebuilt yet
    journals: int = 1  # so many there have been
    copies: int = 0  # of the store, beside the first root
    encrypted: bool = False  # documents are stored under keys of their own
    dropped: Counter[bytes] = field(default_factory=Counter)  # by content
    mended: set[bytes] = field(default_factory=set)  # put back with good metadata
    events: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    outward: Mapping[str, Any] = field(default_factory=dict)  # what ``connect`` takes of it
    _ids: int = 0
    _files: int = 0

    @property
    def hot(self) -> Path:
        return self.root / "hot"

    @property
    def profile(self) -> FolderProfile:
        return FolderProfile(
            name="hot",
            path=str(self.hot),
            business_unit="RETAIL",
            documents=self.documents,
            sidecar_required=not self.documents.many,
            encrypt_documents=self.encrypted,
        )

    @property
    def running(self) -> Works:
        """The daemon; there must be one."""
        assert self.works is not None
        return self.works

    # -- life and death ----------------------------------------------------------------
    def start(self) -> None:
        """A new daemon: opens everything and recovers. It may be killed in that."""
        assert self.works is None
        self.hot.mkdir(exist_ok=True)
        make_folders(os.fsencode(self.hot))
        store = self._open_store()
        store.initialise()
        self.works = connect(
            journal=SqliteJournal(os.fsencode(self.root / "journal.db")),
            store=store,
            archive=cast(
                "ArchivesSpace", ModelDesk(self.server, least_privilege=self.least_privilege)
            ),
            clock=self.clock,
            emit=lambda event, /, **fields: self.events.append((event, fields)),
            folders={"hot": self.profile},
            rules=RULES,
            unit_size=self.unit_size,
            new_id=self._new_id,
            jitter=lambda: 0.5,
            **self.outward,
        )
        if not self.journal_lost:
            self.do(self.works.finisher.recover)

    def _open_store(self) -> OcflStore | CopiesStore:
        roots = [self.root / "store", *(self.root / f"copy{n}" for n in range(self.copies))]
        keyring = KEYRING if self.encrypted else None
        stores = [OcflStore(os.fsencode(root), clock=self.clock, keyring=keyring) for root in roots]
        if not self.copies:
            return stores[0]
        return CopiesStore(
            stores, emit=lambda event, /, **fields: self.events.append((event, fields))
        )

    def stop(self) -> None:
        """No daemon any more. What it had not committed is lost."""
        crashpoints.arm(None)
        self.server.meanwhile.clear()
        if self.works is not None:
            self.works.close()
            self.works = None

    def do(self, step: Callable[[], object]) -> bool:
        """One step of the daemon; False if it could not be done now. It may be killed."""
        try:
            step()
        except ProcessKilledError:
            self.stop()
            return False
        except (Transient, OperatorFault):
            return False
        return True

    def arm(self, countdown: int) -> None:
        """The daemon dies at the so many-th crash point from now."""
        arm(countdown)

    def lose_journal(self) -> None:
        """The journal's files are gone; until it is rebuilt, no daemon works."""
        self.stop()
        for path in self.root.glob("journal.db*"):
            path.unlink()
        self.journal_lost = True
        self.journals += 1

    def rebuild(self, kill_after: int | None = None) -> None:
        """As the command does it; killed after so many spools, if a number is given."""

        def reached(done: int) -> None:
            if kill_after is not None and done > kill_after:
                raise ProcessKilledError

        def run() -> None:
            works = self.running
            works.rebuild.run(reached)
            self.journal_lost = False
            works.finisher.recover()
            while works.finisher.finish():
                pass

        if self.works is None:
            self.start()
        self.do(run)
        if self.journal_lost:
            self.stop()

    def number_spools_from(self, after: int) -> None:
        """The next spool gets the id that follows this number: it decides on its place in the
        store."""
        self._ids = after

    def _new_id(self) -> str:
        self._ids += 1
        return f"{self._ids:032x}"

    # -- the producer ------------------------------------------------------------------
    def drop(self, content: bytes, sidecar: bytes | None, name: str) -> str:
        """Write a finished drop under the first free name like ``name``."""
        number = 0
        given = f"{name}.txt"
        while (self.hot / given).exists() or (self.hot / f"{given}.json").exists():
            number += 1
            given = f"{name}-{number}.txt"
        if sidecar is not None:
            (self.hot / f"{given}.json").write_bytes(sidecar)
        path = self.hot / given
        path.write_bytes(content)
        self._files += 1
        os.utime(path, ns=(self._files * 10**9, self._files * 10**9))
        self.dropped[content] += 1
        return given

    def put_back(self, path: Path) -> None:
        """A clerk takes a rejected document out of ``_failed``, with good metadata."""
        content = path.read_bytes()
        for gone in (path, Path(f"{path}.json"), Path(f"{path}{_NOTE}")):
            gone.unlink(missing_ok=True)
        self.dropped[content] -= 1
        self.mended.add(content)
        self.drop(content, sidecar_of(content), "again")

    def unreadable(self, content: bytes) -> bool:
        """Whether every drop of this content is to be rejected when it is read."""
        return content.startswith(b"bad") and content not in self.mended

    def poisoned(self, content: bytes) -> bool:
        """Whether drops of this content may be refused by the server."""
        return b" poisoned" in content

    # -- the daemon's steps --------------------------------------------------------------
    def waiting_drops(self) -> list[Drop]:
        """What has settled in the hot folder."""
        return drops_in(self.profile)

    def claim(self, drops: Sequence[Drop]) -> None:
        self.do(lambda: self.running.intake.claim(drops))

    def advance(self, limit: int = 256) -> None:
        self.do(lambda: self.running.intake.advance(limit))

    def finish(self, limit: int = 256) -> None:
        self.do(lambda: self.running.finisher.finish(limit))

    def deliver(self, which: int) -> None:
        """One importer takes an open unit, or plans a new one."""
        self.do(lambda: self._deliver(which))

    def _deliver(self, which: int) -> None:
        works = self.running
        units = works.journal.units([UnitState.PLANNED, UnitState.SENT])
        backlogs = works.journal.backlogs()
        if not units and not backlogs:
            return
        chosen = which % (len(units) + len(backlogs))
        if chosen < len(units):
            unit = units[chosen]
        else:
            backlog = backlogs[chosen - len(units)]
            planned = works.delivery.plan(backlog.business_unit, backlog.series, backlog.cycle)
            assert planned is not None, "a backlog of nothing"
            unit = planned
        if not works.delivery.deliver(unit):
            works.delivery.note_failure("no usable answer")

    def settle(self) -> None:
        """Until nothing is left to do, with a server that answers."""
        crashpoints.arm(None)
        self.server.up = True
        self.server.troubles.clear()
        self.server.meanwhile.clear()
        self.server.commit_late()
        if self.journal_lost:
            self.rebuild()
        elif self.works is None:
            self.start()
        works = self.running
        works.replay.compare(verify=True)
        for _ in range(_PASSES):
            for row in works.journal.spools([SpoolState.HELD]):
                works.journal.release(row.id, "settled", self.clock.now())
            if drops := self.waiting_drops():
                works.intake.claim(drops)
            while works.intake.advance():
                pass
            works.journal.retry_now([], self.clock.now())
            works.delivery.probe()
            self._deliver_all()
            works.finisher.finish()
            if self.idle():
                return
        raise AssertionError(f"something still waits: {works.journal.status()}")

    def _deliver_all(self) -> None:
        works = self.running
        for unit in works.journal.units([UnitState.PLANNED, UnitState.SENT]):
            works.delivery.deliver(unit)
        for backlog in works.journal.backlogs():
            planned = works.delivery.plan(backlog.business_unit, backlog.series, backlog.cycle)
            if planned is not None:
                works.delivery.deliver(planned)

    def idle(self) -> bool:
        """Whether nothing waits: no drop, no spool, no unit, no document."""
        journal = self.running.journal
        return not (
            self.waiting_drops()
            or journal.spools([*OPEN_SPOOL_STATES, SpoolState.HELD])
            or journal.units([UnitState.PLANNED, UnitState.SENT])
            or journal.backlogs()
        )

    # -- looking -------------------------------------------------------------------------
    def rows(self) -> list[SpoolRow]:
        return self.running.journal.spools([], limit=10_000)

    def files(self, area: str = "") -> Counter[bytes]:
        """Contents of the spools in the hot folder itself, ``_working`` or ``_failed``."""
        place = self.hot / area
        found = place.rglob("*.txt") if area else place.glob("*.txt")
        return Counter(path.read_bytes() for path in found if not path.name.endswith(_NOTE))

    def failed(self) -> list[Path]:
        """The rejected spools, by name."""
        found = (self.hot / "_failed").rglob("*.txt")
        return sorted(path for path in found if not path.name.endswith(_NOTE))

    def notes(self) -> int:
        return sum(1 for _ in (self.hot / "_failed").rglob(f"*{_NOTE}"))

    def receipts(self) -> list[dict[str, object]]:
        found = sorted((self.hot / "_receipts").glob("*.receipt.json"))
        return [json.loads(path.read_bytes()) for path in found]


def content_of(key: str, text: str) -> bytes:
    """The bytes of a document: whose it is, and what it says."""
    return f"{key} {text}".encode()


def sidecar_of(content: bytes, title: str = "") -> bytes:
    """Good metadata for ``content``; the title makes no difference to its identity."""
    key = content.split()[0].decode()
    fields = {
        "customer_id": key,
        "document_type": "letter" if key.startswith("c") else "statement",
        "issue_date": "2026-06-30",
    }
    return json.dumps(fields | ({"title": title} if title else {})).encode()


def memory() -> str | None:
    """Where temporary files cost no sync: rules are tried with them, not durability."""
    return _SHM if os.path.isdir(_SHM) else None


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
