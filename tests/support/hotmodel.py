"""A hot folder that exists only in memory, for driving the pure core.

Time is real time ``at``; ``now`` is what the caller's clock says, which may step
back; ``wall`` stamps modification times and may do anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hotfolder.core.assembly import Assembly
from hotfolder.core.errors import Fault
from hotfolder.core.profiles import FolderProfile
from hotfolder.core.records import Drop, Inspection, Sighting
from hotfolder.sidecars.pairing import pairing_of

TORN = Fault(code="pdf.torn", message="the end is missing", remedy="write it again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a look at a file would show, and what it holds."""

    size: int
    mtime_ns: int
    inode: int
    changed_at: float
    whole: bool = True
    trailer: bool = True
    data: bytes = b""

    @property
    def shown(self) -> tuple[int, int, int]:
        return (self.size, self.mtime_ns, self.inode)


@dataclass(slots=True)
class HotModel:
    profile: FolderProfile
    writer_known: bool = True
    at: float = 1000.0
    offset: float = 0.0
    wall: float = 1_700_000_000.0
    files: dict[bytes, Version] = field(default_factory=dict)
    writers: set[bytes] = field(default_factory=set)
    looked_at: dict[bytes, float] = field(default_factory=dict)
    looks: int = 0
    asked: list[tuple[bytes, tuple[int, int, int]]] = field(default_factory=list)
    inodes: int = 100
    assembly: Assembly = field(init=False)

    def __post_init__(self) -> None:
        self.assembly = Assembly(
            self.profile,
            pairing=pairing_of(self.profile),
            is_whole=self._is_whole,
            has_writer=self._has_writer,
            read=lambda sighting: self.files[sighting.name].data,
        )

    # -- what producers do ----------------------------------------------------------
    def write(
        self,
        name: bytes,
        *,
        size: int = 10,
        whole: bool = True,
        trailer: bool = True,
        data: bytes = b"",
        mtime: float | None = None,
        keep_mtime: bool = False,
        keep_inode: bool = True,
    ) -> None:
        old = self.files.get(name)
        if old is None or not keep_inode:
            self.inodes += 1
        self.wall += 0.001
        mtime_ns = int((self.wall if mtime is None else mtime) * 1e9)
        fresh = Version(
            size=len(data) or size,
            mtime_ns=old.mtime_ns if keep_mtime and old else mtime_ns,
            inode=old.inode if keep_inode and old else self.inodes,
            changed_at=self.at,
            whole=whole,
            trailer=trailer,
            data=data,
        )
        if old is not None and fresh.shown == old.shown:
            fresh = replace(fresh, changed_at=old.changed_at)
        self.files[name] = fresh

    def remove(self, name: bytes) -> None:
        self.files.pop(name, None)
        self.writers.discard(name)

    # -- what the watcher does --------------------------------------------------------
    @property
    def now(self) -> float:
        return self.at + self.offset

    def look(self, name: bytes, *, closed: bool = False, moved: bool = False) -> None:
        self.looks += 1
        version = self.files.get(name)
        if version is None:
            self.assembly.lose(name)
            return
        self.looked_at[name] = self.at
        sighting = Sighting(
            folder=self.profile.name,
            name=name,
            size=version.size,
            mtime_ns=version.mtime_ns,
            inode=version.inode,
            device=1,
            closed=closed or moved,
        )
        self.assembly.see(sighting, self.now, moved=moved)

    def scan(self) -> None:
        for name in list(self.files):
            self.look(name)
        for name in list(self.assembly.settling):
            if name not in self.files:
                self.look(name)

    def collect(self) -> list[Drop]:
        found: list[Drop] = []
        while True:
            due = self.assembly.due(self.now, 100)
            for name in due:
                self.look(name)
            drops = self.assembly.collect(self.now, 100)
            found += drops
            next_look = self.assembly.next_look(self.now)
            if not due and not drops and (next_look is None or next_look > self.now):
                return found

    def run(self, seconds: float) -> list[Drop]:
        """Let time pass, looking whenever the assembly wants to."""
        found = self.collect()
        end = self.at + seconds
        while True:
            look = self.assembly.next_look(self.now)
            if look is None or look - self.offset > end:
                self.at = end
                return found
            # A little more: what a float loses must not keep the look from being due.
            self.at = max(self.at, look - self.offset) + 1e-6
            found += self.collect()

    def claim(self, drops: Sequence[Drop]) -> None:
        """Take the files away, as intake would."""
        for drop in drops:
            for sighting in (drop.spool, *drop.sidecars, *filter(None, [drop.trigger])):
                self.remove(sighting.name)
        self.assembly.forget([drop.spool.name for drop in drops])

    # -- questions --------------------------------------------------------------------
    def _is_whole(self, sighting: Sighting) -> Inspection:
        version = self.files[sighting.name]
        self.asked.append((sighting.name, version.shown))
        return Inspection(
            format_name="pdf" if version.trailer else "txt",
            has_trailer=version.trailer,
            fault=None if version.whole else TORN,
        )

    def _has_writer(self, sighting: Sighting) -> bool | None:
        return sighting.name in self.writers if self.writer_known else None
