"""The state machine over looks: what is quiet, what is whole, what is explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotfolder.core.profiles import Completion, FolderProfile, SidecarFormat
from hotfolder.core.records import Drop, Inspection, Sighting
from hotfolder.core.settle import Settling
from tests.support.hotmodel import HotModel

QUIET = 5.0
LONG = 60.0
WAIT = 900.0


def model(*, writer_known: bool = True, looks: int = 2) -> HotModel:
    completion = Completion(quiet=QUIET, looks=looks, quiet_without_trailer=LONG, sidecar_wait=WAIT)
    profile = FolderProfile(
        name="quiet",
        path="/hot",
        business_unit="unit",
        completion=completion,
        sidecar=SidecarFormat.NONE,
    )
    return HotModel(profile, writer_known=writer_known)


def names(drops: list[Drop]) -> list[bytes]:
    return [drop.spool.name for drop in drops]


def codes(drop: Drop) -> list[str]:
    return [fault.code for fault in drop.faults]


def test_a_whole_file_is_taken_once_the_quiet_time_has_passed() -> None:
    hot = model()
    hot.write(b"a.pdf")
    hot.scan()
    assert names(hot.run(QUIET - 0.1)) == []
    drops = hot.run(0.2)
    assert names(drops) == [b"a.pdf"]
    assert drops[0].faults == ()
    assert drops[0].settled_by == "quiet"
    assert names(hot.run(1000)) == [], "given out once"


def test_every_change_begins_the_quiet_time_anew() -> None:
    hot = model()
    for size in range(1, 8):
        hot.write(b"a.pdf", size=size)
        hot.look(b"a.pdf")
        assert hot.run(QUIET * 0.8) == []
    assert names(hot.run(QUIET)) == [b"a.pdf"]


@pytest.mark.parametrize("mtime", [0.0, 4e9, 1_699_999_999.0], ids=["epoch", "future", "preserved"])
def test_the_age_of_the_modification_time_means_nothing(mtime: float) -> None:
    hot = model()
    hot.write(b"a.pdf", mtime=mtime)
    hot.scan()
    assert hot.run(QUIET - 0.1) == []
    assert names(hot.run(0.2)) == [b"a.pdf"]


def test_many_looks_in_a_short_time_prove_nothing() -> None:
    hot = model()
    hot.write(b"a.pdf")
    for _ in range(20):
        hot.look(b"a.pdf", closed=True)
        assert hot.run(QUIET / 25) == []
    assert names(hot.run(QUIET)) == [b"a.pdf"]


def test_another_inode_with_the_same_size_and_time_is_another_file() -> None:
    hot = model()
    hot.write(b"a.pdf", mtime=5.0)
    hot.scan()
    hot.run(QUIET - 1)
    hot.write(b"a.pdf", mtime=5.0, keep_inode=False)
    assert hot.run(QUIET - 0.1) == []
    assert names(hot.run(QUIET)) == [b"a.pdf"]


def test_a_file_that_vanishes_and_comes_back_begins_anew() -> None:
    hot = model()
    hot.write(b"a.pdf", mtime=5.0)
    hot.scan()
    hot.run(QUIET - 1)
    version = hot.files[b"a.pdf"]
    hot.remove(b"a.pdf")
    hot.scan()
    hot.files[b"a.pdf"] = version
    hot.scan()
    assert hot.run(QUIET - 0.1) == []
    assert names(hot.run(0.2)) == [b"a.pdf"]


def test_one_look_after_a_long_sleep_is_not_enough() -> None:
    hot = model(looks=2)
    hot.write(b"a.pdf")
    hot.scan()
    hot.at += 3600
    hot.look(b"a.pdf")
    assert hot.assembly.collect(hot.now, 10) == []
    assert names(hot.run(QUIET)) == [b"a.pdf"]


def test_a_clock_that_steps_back_makes_it_wait_again() -> None:
    hot = model()
    hot.write(b"a.pdf")
    hot.scan()
    hot.run(QUIET - 1)
    hot.offset -= 500
    hot.scan()
    assert hot.run(QUIET - 0.1) == []
    assert names(hot.run(0.2)) == [b"a.pdf"]


def test_a_file_without_a_trailer_must_be_quiet_for_longer() -> None:
    hot = model()
    hot.write(b"a.txt", trailer=False)
    hot.scan()
    assert hot.run(LONG - 0.1) == []
    assert names(hot.run(0.2)) == [b"a.txt"]


def test_a_torn_file_waits_and_is_then_explained() -> None:
    hot = model()
    hot.write(b"a.pdf", whole=False)
    hot.scan()
    assert hot.run(WAIT - 0.1) == []
    drops = hot.run(0.2)
    assert names(drops) == [b"a.pdf"]
    assert codes(drops[0]) == ["pdf.torn"]


def test_a_torn_file_that_is_finished_in_time_has_no_fault() -> None:
    hot = model()
    hot.write(b"a.pdf", whole=False)
    hot.scan()
    hot.run(WAIT - 1)
    hot.write(b"a.pdf", size=20)
    hot.scan()
    drops = hot.run(QUIET + 1)
    assert names(drops) == [b"a.pdf"]
    assert drops[0].faults == ()


def test_an_empty_file_waits_and_is_then_explained() -> None:
    hot = model()
    hot.write(b"a.pdf", size=0)
    hot.scan()
    assert hot.run(WAIT - 0.1) == []
    assert hot.asked == [], "an empty file has no end to ask for"
    assert [codes(drop) for drop in hot.run(0.2)] == [["spool.empty"]]


def test_a_writer_holds_a_file_back_however_quiet_it_is() -> None:
    hot = model()
    hot.write(b"a.pdf")
    hot.writers.add(b"a.pdf")
    hot.scan()
    assert hot.run(QUIET * 20) == []
    hot.writers.clear()
    assert names(hot.run(2.0)) == [b"a.pdf"]


def test_a_writer_that_never_lets_go_is_explained() -> None:
    hot = model()
    hot.write(b"a.pdf")
    hot.writers.add(b"a.pdf")
    hot.scan()
    assert hot.run(WAIT - 0.1) == []
    assert [codes(drop) for drop in hot.run(2.0)] == [["spool.still_open"]]


def test_where_writers_cannot_be_told_the_rest_decides() -> None:
    hot = model(writer_known=False)
    hot.write(b"a.pdf")
    hot.scan()
    assert names(hot.run(QUIET + 0.1)) == [b"a.pdf"]


def test_the_end_of_a_version_is_read_once() -> None:
    hot = model()
    hot.write(b"a.pdf", whole=False)
    hot.scan()
    for _ in range(20):
        hot.run(30)
        hot.scan()
    assert len(hot.asked) == 1
    hot.write(b"a.pdf", size=99, whole=False)
    hot.scan()
    hot.run(60)
    assert len(hot.asked) == 2


def test_nothing_is_asked_of_a_file_that_is_still_changing() -> None:
    hot = model()
    for size in range(1, 200):
        hot.write(b"a.pdf", size=size)
        hot.look(b"a.pdf")
        hot.run(QUIET * 0.9)
    assert hot.asked == []


def test_booked_looks_of_lost_files_do_not_pile_up() -> None:
    settling = Settling(
        Completion(), is_whole=lambda _: Inspection(format_name="pdf"), has_writer=lambda _: None
    )
    for number in range(10_000):
        name = b"%d" % number
        settling.see(
            Sighting(folder="f", name=name, size=1, mtime_ns=1, inode=1, device=1), float(number)
        )
        settling.book(name, 1e6 + number)
        settling.lose(name)
    assert len(settling._booked) < 5000
    assert settling.next_look() is None


# -- properties ---------------------------------------------------------------------
NAMES = [b"a.pdf", b"b.pdf", b"\xff.pdf"]


def size_of(hot: HotModel, name: bytes) -> int:
    return hot.files[name].size if name in hot.files else 0


def append(hot: HotModel, name: bytes, amount: float) -> None:
    """Grow, sometimes with the modification time put back."""
    hot.write(name, size=size_of(hot, name) + 1, whole=False, keep_mtime=amount > 15)


def rewrite(hot: HotModel, name: bytes, amount: float) -> None:
    hot.write(name, size=1, whole=amount > 15)


def replace_file(hot: HotModel, name: bytes, amount: float) -> None:
    size = size_of(hot, name) + 1
    hot.write(name, size=size, keep_inode=False, whole=amount > 15)


def finish(hot: HotModel, name: bytes, amount: float) -> None:
    hot.write(name, size=size_of(hot, name) + 1, trailer=amount > 10)


def empty(hot: HotModel, name: bytes, amount: float) -> None:
    hot.write(name, size=0)


def remove(hot: HotModel, name: bytes, amount: float) -> None:
    hot.remove(name)


def open_for_writing(hot: HotModel, name: bytes, amount: float) -> None:
    if name in hot.files and hot.writer_known:
        hot.writers.add(name)


def close(hot: HotModel, name: bytes, amount: float) -> None:
    hot.writers.discard(name)


def look(hot: HotModel, name: bytes, amount: float) -> None:
    hot.look(name, closed=int(amount) % 2 == 0)


def scan(hot: HotModel, name: bytes, amount: float) -> None:
    hot.scan()


def step_back(hot: HotModel, name: bytes, amount: float) -> None:
    hot.offset -= amount


def sleep(hot: HotModel, name: bytes, amount: float) -> None:
    """Nobody looks for a long time: the machine was suspended."""
    hot.at += amount * 300


def set_wall_clock(hot: HotModel, name: bytes, amount: float) -> None:
    hot.wall += (amount - 15) * 1e6


OPERATION = st.tuples(
    st.sampled_from(
        [
            append,
            rewrite,
            replace_file,
            finish,
            empty,
            remove,
            open_for_writing,
            close,
            look,
            scan,
            step_back,
            sleep,
            set_wall_clock,
        ]
    ),
    st.sampled_from(NAMES),
    st.floats(0, 30),
)


def check(hot: HotModel, drop: Drop) -> None:
    version = hot.files[drop.spool.name]
    seen = (drop.spool.size, drop.spool.mtime_ns, drop.spool.inode)
    assert version.shown == seen
    still = hot.looked_at[drop.spool.name] - version.changed_at
    assert still >= QUIET - 1e-4
    if drop.faults:
        assert still >= WAIT - 1e-4
        return
    assert version.whole
    assert version.size > 0
    assert drop.spool.name not in hot.writers
    assert version.trailer or still >= LONG - 1e-4


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.just(None), OPERATION), max_size=40), st.booleans(), st.integers(0, 4))
def test_nothing_unfinished_is_ever_given_out_and_nothing_finished_is_left(
    operations: list[tuple[Callable[[HotModel, bytes, float], None], bytes, float] | None],
    writer_known: bool,
    looks: int,
) -> None:
    hot = model(writer_known=writer_known, looks=looks)
    out: list[Drop] = []
    for item in operations:
        if item is None:
            hot.claim(out)
            out.clear()
            continue
        operation, name, amount = item
        if name not in names(out):
            operation(hot, name, amount)
        drops = hot.run(amount / 3)
        for drop in drops:
            check(hot, drop)
        out += drops
    hot.claim(out)
    # Producers stop; a scan finds what no event told of.
    hot.scan()
    left = set(hot.files)
    before = hot.looks
    ends = Counter(names(hot.run(WAIT + LONG + QUIET)))
    assert ends == Counter(left), "each once"
    # A writer is asked about once a second; everything else takes a handful of looks.
    assert hot.looks - before <= len(left) * (WAIT * 1.1 + 50) + len(NAMES)
