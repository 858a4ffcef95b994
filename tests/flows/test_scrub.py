"""The scrub of the store: real spools in real roots, damaged on purpose."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hotfolder.core import crashpoints
from hotfolder.core.crashpoints import SCRUB_POINTS
from hotfolder.core.errors import OperatorFault, Transient
from hotfolder.core.fixity import Outcome
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.pacing import Pace
from hotfolder.core.records import SpoolRow, StoredObject
from hotfolder.flows.scrub import Scrub, Scrubbed
from hotfolder.store.copies import CopiesStore
from hotfolder.store.ocfl import OcflStore
from tests.support.countdown import arm
from tests.support.flow_world import World, content_of, sidecar_of
from tests.support.server_model import ProcessKilledError

KEYS = "abcd"
ROOTS = ("store", "copy0")


@dataclass
class Watched:
    """A root that counts what is verified in it."""

    root: OcflStore
    verified: Counter[str] = field(default_factory=Counter)
    before: Callable[[], None] = lambda: None

    def verify(
        self, spool_id: str, *, reached: Callable[[int], None] | None = None
    ) -> StoredObject:
        self.before()
        found = self.root.verify(spool_id, reached=reached)
        self.verified[spool_id] += 1
        return found

    def is_declared(self) -> bool:
        return self.root.is_declared()

    def places(self, after: str = "") -> Iterator[tuple[str, str]]:
        return self.root.places(after)

    def has(self, spool_id: str) -> bool:
        return self.root.has(spool_id)

    def keys_left(self, spool_id: str, ordinals: Collection[int]) -> frozenset[int]:
        return self.root.keys_left(spool_id, ordinals)

    def place_of(self, spool_id: str) -> bytes:
        return self.root.place_of(spool_id)

    def take_over(self, spool_id: str, source: bytes, *, replacing: bool = False) -> StoredObject:
        return self.root.take_over(spool_id, source, replacing=replacing)


class Archive:
    """A store with one copy, its spools delivered, and how to scrub it."""

    def __init__(self, root: Path) -> None:
        self.world = World(root=root, copies=1)
        self.world.start()
        for key in KEYS:
            content = content_of(key, "text")
            self.world.drop(content, sidecar_of(content), key)
        self.world.settle()
        store = self.world.running.store
        assert isinstance(store, CopiesStore)
        self.roots = [Watched(item) for item in store.roots]
        self.journal = self.world.running.journal
        self.world.events.clear()
        self.stopped = False
        self.pauses: list[float] = []

    def scrub(self, *, seconds: float | None = None, pace: Pace | None = None) -> Scrub:
        return Scrub(
            journal=self.journal,
            roots=self.roots,
            clock=self.world.clock,
            emit=lambda event, /, **fields: self.world.events.append((event, fields)),
            actor="auditor",
            pace=pace or Pace(),
            pause=self.pause,
            stopped=lambda: self.stopped,
            seconds=seconds,
        )

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.world.clock.at += seconds

    def run(self, *, tell_archive: bool = False) -> Scrubbed:
        return self.scrub().run_round(tell_archive=tell_archive)

    def spools(self) -> list[SpoolRow]:
        return sorted(self.world.rows(), key=lambda row: row.id)

    def place(self, row: SpoolRow, root: int = 1) -> Path:
        return Path(os.fsdecode(self.roots[root - 1].place_of(row.id)))

    def content(self, row: SpoolRow, root: int = 1) -> Path:
        (found,) = (self.place(row, root) / "v1" / "content").glob("*.txt")
        return found

    def flip(self, row: SpoolRow, root: int = 1) -> None:
        path = self.content(row, root)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        write(path, bytes(data))

    def links(self, action: str) -> list[tuple[str, dict[str, object]]]:
        return [
            (link.subject, dict(link.details))
            for link in self.journal.audit(limit=10_000)
            if link.action == action
        ]


def write(path: Path, data: bytes) -> None:
    path.parent.chmod(0o700)
    if path.exists():
        path.chmod(0o600)
    path.write_bytes(data)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path)
    yield made
    crashpoints.arm(None)
    made.world.stop()


def outcomes(done: Scrubbed) -> list[tuple[str, int, Outcome]]:
    return [(item.spool_id, item.root, item.outcome) for item in done.found]


def test_a_whole_store_is_read_once_and_said_to_be_whole(archive: Archive) -> None:
    links = archive.journal.audit_size()
    done = archive.run()
    assert (done.finished, done.spools, done.found, done.round_number) == (True, 4, [], 1)
    ids = {row.id for row in archive.spools()}
    for root in archive.roots:
        assert root.verified == Counter(ids)
    files = [
        path for name in ROOTS for path in (archive.world.root / name).rglob("v1/content/**/*")
    ]
    assert done.read == sum(path.stat().st_size for path in files if path.is_file())
    # One link for the round, none for a whole object.
    assert archive.journal.audit_size() == links + 1
    ((subject, totals),) = archive.links("round.verified")
    lines = b"".join(
        json.dumps([row.id, root, "whole", inventory_of(archive, row, root)], separators=(",", ":"))
        .encode() + b"\n"
        for row in archive.spools()
        for root in (1, 2)
    )  # fmt: skip
    assert subject == "round-1"
    assert totals == {
        "spools": 4,
        "objects": {"whole": 8, "unknown": 0},
        "results_sha256": hashlib.sha256(lines).hexdigest(),
    }
    assert {row.state for row in archive.spools()} == {SpoolState.DONE}


def inventory_of(archive: Archive, row: SpoolRow, root: int) -> str:
    return hashlib.sha256((archive.place(row, root) / "inventory.json").read_bytes()).hexdigest()


@pytest.mark.parametrize(("bad", "good"), [(1, 2), (2, 1)])
def test_a_flipped_bit_in_one_root_is_an_alarm_that_names_the_other(
    archive: Archive, bad: int, good: int
) -> None:
    row = archive.spools()[2]
    archive.flip(row, bad)
    done = archive.run()
    assert outcomes(done) == [(row.id, bad, Outcome.DAMAGED)]
    assert done.finished
    found = archive.journal.get_spool(row.id)
    assert found is not None
    assert found.state is SpoolState.CORRUPT
    (fault,) = found.faults
    assert fault.remedy.startswith(f"root {good} has it whole; `hotfolder verify --mend")
    assert archive.links("spool.damaged") == [
        (row.id, {"code": "store.fixity", "roots": {str(bad): "damaged"}})
    ]
    assert ("spool.corrupt", {"spool": row.id, "reason": "store.fixity"}) in archive.world.events
    assert archive.journal.count_damaged() == 1
    # The next round finds it again, and says it once.
    assert outcomes(archive.run()) == [(row.id, bad, Outcome.DAMAGED)]
    assert len(archive.links("spool.damaged")) == 1
    # More of it damaged is news.
    archive.flip(row, good)
    archive.run()
    assert archive.links("spool.damaged")[1] == (
        row.id,
        {"code": "store.fixity", "roots": {"1": "damaged", "2": "damaged"}},
    )


def test_what_is_lost_is_missed(archive: Archive) -> None:
    first, second, *_ = archive.spools()
    archive.roots[0].root.withdraw(first.id, "lost")
    for root in archive.roots:
        root.root.withdraw(second.id, "lost")
    assert outcomes(archive.run()) == [
        (first.id, 1, Outcome.MISSING),
        (second.id, 1, Outcome.MISSING),
        (second.id, 2, Outcome.MISSING),
    ]
    lost = archive.journal.get_spool(second.id)
    assert lost is not None
    assert lost.faults[0].remedy.startswith("restore the object from a backup")


def test_a_file_too_many_and_swapped_objects_are_damage(archive: Archive) -> None:
    first, second, third, _ = archive.spools()
    write(archive.place(first) / "v1" / "more.txt", b"x")
    one, other, between = archive.place(second), archive.place(third), archive.world.root / "x"
    for place in (one, other):
        place.chmod(0o700)
    one.rename(between)
    other.rename(one)
    between.rename(other)
    assert outcomes(archive.run()) == [
        (row.id, 1, Outcome.DAMAGED) for row in (first, second, third)
    ]


def rewrite(archive: Archive, row: SpoolRow, name: str, data: bytes, root: int = 1) -> None:
    """As somebody would who knows OCFL: the inventory fits what was changed."""
    place = archive.place(row, root)
    path = place / "v1" / "content" / name
    old = hashlib.sha256(path.read_bytes()).hexdigest()
    write(path, data)
    text = (place / "inventory.json").read_bytes()
    text = text.replace(old.encode(), hashlib.sha256(data).hexdigest().encode())
    for folder in (place, place / "v1"):
        write(folder / "inventory.json", text)
        digest = hashlib.sha256(text).hexdigest().encode()
        write(folder / "inventory.json.sha256", digest + b" inventory.json\n")


def test_a_forged_content_differs_from_the_journal(archive: Archive) -> None:
    row = archive.spools()[0]
    rewrite(archive, row, archive.content(row).name, b"forged")
    assert outcomes(archive.run()) == [(row.id, 1, Outcome.DIFFERS)]
    assert archive.links("spool.damaged")[0][1]["code"] == "store.differs"


def test_spools_whose_inventory_the_chain_does_not_have_are_compared_with_the_journal(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scrub, "_inventories", lambda *_: {})
    assert archive.run().found == []
    row = archive.spools()[0]
    rewrite(archive, row, archive.content(row).name, b"forged")
    assert outcomes(archive.run()) == [(row.id, 1, Outcome.DIFFERS)]


def test_forged_metadata_differ_from_the_audit_chain(archive: Archive) -> None:
    row = archive.spools()[0]
    path = archive.place(row, 2) / "v1" / "content" / "metadata.json"
    rewrite(archive, row, "metadata.json", path.read_bytes() + b"\n", root=2)
    archive.roots[1].root.verify(row.id)  # sound in itself
    assert outcomes(archive.run()) == [(row.id, 2, Outcome.DIFFERS)]


def test_what_the_journal_does_not_know_is_named(archive: Archive, tmp_path: Path) -> None:
    row = archive.spools()[0]
    name, stranger = row.id, "f" * 32
    root = archive.roots[1].root
    other = Path(os.fsdecode(root.place_of(stranger)))
    other.parent.mkdir(parents=True)
    shutil.copytree(archive.place(row, 2), other)
    (tmp_path / "copy0" / "somebody's").mkdir()
    done = archive.run()
    assert outcomes(done) == [(stranger, 2, Outcome.UNKNOWN)]
    assert done.finished
    totals = archive.links("round.verified")[0][1]
    assert totals["objects"] == {"whole": 8, "unknown": 1}
    known = archive.journal.get_spool(name)
    assert known is not None
    assert known.state is SpoolState.DONE


def test_a_disk_that_is_not_mounted_damages_nothing(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "copy0").rename(tmp_path / "away")
    (tmp_path / "copy0").mkdir()
    with pytest.raises(OperatorFault) as caught:
        archive.run()
    assert caught.value.code == "verify.root"
    assert archive.journal.open_round() is None
    (tmp_path / "copy0").rmdir()
    (tmp_path / "away").rename(tmp_path / "copy0")

    def unmount() -> None:
        if archive.roots[0].verified.total() == 2 and (tmp_path / "copy0").exists():
            (tmp_path / "copy0").rename(tmp_path / "away")

    archive.roots[1].before = unmount
    with pytest.raises(OperatorFault):
        archive.run()
    assert {row.state for row in archive.spools()} == {SpoolState.DONE}
    assert archive.journal.count_damaged() == 0
    archive.roots[1].before = lambda: None
    (tmp_path / "away").rename(tmp_path / "copy0")
    done = archive.run()
    assert (done.round_number, done.found, done.finished) == (1, [], True)


def test_what_cannot_be_read_is_said_and_is_no_damage_yet(archive: Archive) -> None:
    row = archive.spools()[0]

    def fail() -> None:
        if archive.roots[1].verified.total() == 0 and not failed:
            failed.append(True)
            raise Transient("the disk reports an error")

    failed: list[bool] = []
    archive.roots[1].before = fail
    assert outcomes(archive.run()) == [(row.id, 2, Outcome.UNREADABLE)]
    assert {item.state for item in archive.spools()} == {SpoolState.DONE}


def test_a_disk_that_fails_again_and_again_ends_the_run(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    for number in range(8):
        content = content_of(str(number), "text")
        archive.world.drop(content, sidecar_of(content), str(number))
    archive.world.settle()

    def fail() -> None:
        raise Transient("the disk reports an error")

    archive.roots[1].before = fail
    archive.roots[0].before = fail
    with pytest.raises(Transient):
        archive.run()
    assert archive.journal.open_round() is not None
    archive.world.stop()


# -- interrupted ---------------------------------------------------------------------
def test_a_stop_is_at_an_object_and_the_next_run_goes_on_there(archive: Archive) -> None:
    def stop() -> None:
        archive.stopped = archive.roots[1].verified.total() == 1

    archive.roots[1].before = stop
    done = archive.run()
    assert (done.finished, done.spools) == (False, 2)
    assert archive.journal.fixity_left(1) == 2
    archive.roots[1].before = lambda: None
    archive.stopped = False
    done = archive.run()
    assert (done.finished, done.spools, done.round_number) == (True, 2, 1)
    assert set(archive.roots[0].verified.values()) == {1}


def test_time_that_is_up_ends_the_run(archive: Archive) -> None:
    def pass_time() -> None:
        archive.world.clock.at += 100

    archive.roots[0].before = pass_time
    done = archive.scrub(seconds=150).run_round()
    assert (done.finished, done.spools) == (False, 2)


@pytest.mark.parametrize("countdown", range(1, 9))
def test_killed_anywhere_each_object_is_verified_and_damage_told_once(
    archive: Archive, countdown: int
) -> None:
    first, _, third, _ = archive.spools()
    archive.flip(first, 1)
    archive.roots[1].root.withdraw(third.id, "lost")
    reached = arm(countdown)
    try:
        archive.run(tell_archive=True)
    except ProcessKilledError:
        assert len(reached) == countdown
    crashpoints.arm(None)
    assert set(reached) <= set(SCRUB_POINTS)
    if archive.journal.last_round() is None:
        assert archive.run(tell_archive=True).finished
    assert archive.roots[0].verified.keys() | {first.id} == {row.id for row in archive.spools()}
    assert archive.journal.fixity_damage(round_number=1) == [
        (first.id, 1, "damaged"),
        (third.id, 2, "missing"),
    ]
    assert [subject for subject, _ in archive.links("spool.damaged")] == [first.id, third.id]
    assert len(archive.links("round.verified")) == 1
    states = [row.state for row in archive.spools()]
    assert [state is SpoolState.CORRUPT for state in states] == [True, False, True, False]
    assert archive.journal.verify_chain() == archive.journal.audit_size()


# -- pace ------------------------------------------------------------------------------
def test_a_rate_is_kept_whatever_the_pieces_are() -> None:
    pace, now = Pace(bytes_rate=100.0), 50.0
    for piece in (10, 400, 1, 89):
        now += pace.wait(now, read=piece)
    assert now == pytest.approx(55.0)
    # What was not used is not saved up beyond a second.
    assert pace.wait(now + 1000, read=300) == pytest.approx(2.0)


def test_objects_have_a_rate_too_and_the_slower_counts() -> None:
    pace = Pace(bytes_rate=100.0, files_rate=2.0)
    assert pace.wait(0.0, files=1) == pytest.approx(0.5)
    assert pace.wait(0.5, read=10) == pytest.approx(0.1)
    assert Pace().wait(0.0, read=10**12, files=10**9) == 0


def test_the_scrub_waits_as_its_pace_says(archive: Archive) -> None:
    done = archive.scrub(pace=Pace(bytes_rate=10.0)).run_round()
    assert len(archive.pauses) > 8
    assert sum(archive.pauses) == pytest.approx(done.read / 10, rel=0.01)


# -- chosen ----------------------------------------------------------------------------
def test_what_is_chosen_is_verified_whenever_it_was_before(archive: Archive) -> None:
    archive.run()
    first, *_, last = archive.spools()
    done = archive.scrub().run_chosen(spool_id=first.id)
    assert (done.spools, done.finished, done.round_number) == (1, True, None)
    assert archive.roots[0].verified[first.id] == 2
    assert archive.scrub().run_chosen(folder="elsewhere").spools == 0
    assert archive.scrub().run_chosen(folder="hot").spools == 4
    assert archive.scrub().run_chosen(since=last.created_at).spools >= 1
    # It is no round, and the next one looks at all, the longest ago first.
    archive.scrub().run_chosen(spool_id=first.id)
    archive.roots[0].verified.clear()
    assert archive.run().spools == 4
    assert list(archive.roots[0].verified) == [
        *(row.id for row in archive.spools()[1:]),
        first.id,
    ]


# -- told to the archive -----------------------------------------------------------------
def test_archivesspace_is_told_of_units_that_passed_and_failed(archive: Archive) -> None:
    archive.run(tell_archive=True)
    (waiting,) = archive.journal.waiting_events()
    event = waiting.event
    assert (event.event_type, event.outcome, event.role) == ("fixity_check", "pass", "outcome")
    assert len(event.record_uris) == 2  # units of three spools
    assert archive.world.running.tell.step() == 1
    row = archive.spools()[0]
    archive.flip(row)
    archive.run(tell_archive=True)
    told = [item.event for item in archive.journal.waiting_events()]
    assert [item.outcome for item in told] == ["fail", "pass"]
    assert sorted(uri for item in told for uri in item.record_uris) == sorted(event.record_uris)
    assert len({item.refid for item in (*told, event)}) == 3
