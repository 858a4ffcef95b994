"""Objects leave for good: held ones do not, dead processes leave nothing, copies bring
nothing back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hotfolder.core import crashpoints
from hotfolder.core.errors import Corrupt, OperatorFault
from hotfolder.store.copies import CopiesStore
from hotfolder.store.ocfl import OcflStore
from tests.support.drops import spool_id
from tests.support.ocfl_judge import check_valid
from tests.support.spools import FixedClock, make_request

POINTS = ("purge.entombed", "purge.renamed", "purge.removed")
STONE = b'{"stone": 1}\n'


class Died(Exception):
    """What a crash point raises in these tests."""


def die_at(point: str, occurrence: int = 1) -> None:
    """The process dies at this point."""
    left = occurrence

    def hook(name: str) -> None:
        nonlocal left
        left -= name == point
        if name == point and left == 0:
            raise Died

    crashpoints.arm(hook)


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    crashpoints.arm(None)


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[], CopiesStore]:
    def connect() -> CopiesStore:
        roots = [
            OcflStore(os.fsencode(tmp_path / name), clock=FixedClock()) for name in ("one", "two")
        ]
        store = CopiesStore(roots, emit=lambda *_a, **_k: None)
        store.initialise()
        return store

    return connect


def files_of(tmp_path: Path, number: int) -> list[Path]:
    """Everything that is left of a spool in any root or folder beside it."""
    return [
        path
        for path in tmp_path.rglob("*")
        if spool_id(number) in str(path.relative_to(tmp_path))
        and path.is_file()
        and "hotfolder-tombstones" not in path.parts
        and "working" not in path.parts
    ]


def stored(opened: Callable[[], CopiesStore], tmp_path: Path) -> CopiesStore:
    store = opened()
    store.write_spools([make_request(tmp_path / "working", number) for number in (1, 2)])
    return store


def mark_hold(tmp_path: Path, root: str, number: int) -> Path:
    """A marker as the store writes it when a hold is placed."""
    store = OcflStore(os.fsencode(tmp_path / root), clock=FixedClock())
    place = Path(os.fsdecode(store.place_of(spool_id(number))))
    folder = tmp_path / root / "extensions" / "hotfolder-holds" / place.parent.name
    marker = folder / spool_id(number) / "hold-0123456789ab"
    marker.parent.mkdir(parents=True)
    marker.touch()
    return marker


@pytest.mark.parametrize("root", ["one", "two"])
def test_a_held_object_does_not_leave(
    opened: Callable[[], CopiesStore], tmp_path: Path, root: str
) -> None:
    store = stored(opened, tmp_path)
    marker = mark_hold(tmp_path, root, 1)
    with pytest.raises(OperatorFault) as refused:
        store.purge(spool_id(1), STONE)
    assert refused.value.code == "store.held"
    for each in store.roots:
        assert each.verify(spool_id(1)).spool_id == spool_id(1)
    assert store.purge(spool_id(2), STONE)
    marker.unlink()
    assert store.purge(spool_id(1), STONE)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("occurrence", [1, 2])
def test_a_purge_that_was_killed_is_finished_by_the_next(
    opened: Callable[[], CopiesStore], tmp_path: Path, point: str, occurrence: int
) -> None:
    store = stored(opened, tmp_path)
    if point == "purge.entombed" and occurrence == 2:
        pytest.skip("once for all roots")
    die_at(point, occurrence)
    with pytest.raises(Died):
        store.purge(spool_id(1), STONE)
    crashpoints.arm(None)
    again = opened()
    assert again.tombstone(spool_id(1)) == STONE
    assert [found.spool_id for found in again.iterate()] == [spool_id(2)]
    again.fill(lambda _spool: None)  # gives a root nothing that is on its way out
    again.purge(spool_id(1), STONE)
    assert files_of(tmp_path, 1) == []
    for root in ("one", "two"):
        check_valid(tmp_path / root, 1)


def test_what_was_kept_aside_as_damaged_goes_too(
    opened: Callable[[], CopiesStore], tmp_path: Path
) -> None:
    store = stored(opened, tmp_path)
    first, second = store.roots
    first.take_over(spool_id(1), second.place_of(spool_id(1)), replacing=True)
    assert any("one.damaged" in str(path) for path in files_of(tmp_path, 1))
    store.purge(spool_id(1), STONE)
    assert files_of(tmp_path, 1) == []


def test_no_copy_brings_back_what_was_destroyed(
    opened: Callable[[], CopiesStore], tmp_path: Path
) -> None:
    store = stored(opened, tmp_path)
    first, second = store.roots
    kept = tmp_path / "working" / "backup"
    place = Path(os.fsdecode(second.place_of(spool_id(1))))
    shutil.copytree(place, kept)
    store.purge(spool_id(1), STONE)
    shutil.copytree(kept, place)  # the disk of the copy was restored from a backup
    store = opened()
    assert [found.spool_id for found in store.iterate()] == [spool_id(2)]
    with pytest.raises(Corrupt) as refused:
        first.take_over(spool_id(1), second.place_of(spool_id(1)))
    assert refused.value.code == "store.purged"
    assert store.purge(spool_id(1), STONE)  # and it goes again
    assert files_of(tmp_path, 1) == []
    shutil.copytree(kept, place)
    assert store.fill(lambda _spool: None).copied == 0
    assert not first.has(spool_id(1))
    assert files_of(tmp_path, 1) == []


def test_a_copy_that_is_made_during_the_purge_goes_too(
    opened: Callable[[], CopiesStore], tmp_path: Path
) -> None:
    store = stored(opened, tmp_path)
    first, second = store.roots
    first.withdraw(spool_id(1), "lost")

    def purge_meanwhile(name: str) -> None:
        if name == "copy.staged":
            first.purge(spool_id(1), STONE)

    crashpoints.arm(purge_meanwhile)
    with pytest.raises(Corrupt) as refused:
        first.take_over(spool_id(1), second.place_of(spool_id(1)))
    assert refused.value.code == "store.purged"
    assert not first.has(spool_id(1))


def test_a_new_copy_gets_the_tombstones(opened: Callable[[], CopiesStore], tmp_path: Path) -> None:
    stored(opened, tmp_path).purge(spool_id(1), STONE)
    roots = [
        OcflStore(os.fsencode(tmp_path / name), clock=FixedClock())
        for name in ("one", "two", "three")
    ]
    store = CopiesStore(roots, emit=lambda *_a, **_k: None)
    store.initialise(adding=True)
    assert store.fill(lambda _spool: None).copied == 1
    assert roots[2].tombstone(spool_id(1)) == STONE


def test_a_copy_that_was_away_loses_what_was_destroyed_when_it_is_filled(
    opened: Callable[[], CopiesStore], tmp_path: Path
) -> None:
    store = stored(opened, tmp_path)
    first, second = store.roots
    # The configuration has named the first root alone.
    first.purge(spool_id(1), STONE)
    assert second.verify(spool_id(1))
    assert store.fill(lambda _spool: None).destroyed == 1
    assert not second.has(spool_id(1))
    assert store.fill(lambda _spool: None).destroyed == 0


def test_nothing_goes_while_a_root_is_away(
    opened: Callable[[], CopiesStore], tmp_path: Path
) -> None:
    store = stored(opened, tmp_path)
    (tmp_path / "two").rename(tmp_path / "away")
    with pytest.raises(OperatorFault) as refused:
        store.purge(spool_id(1), STONE)
    assert refused.value.code == "store.copy_missing"
    assert store.roots[0].verify(spool_id(1))
    assert store.tombstone(spool_id(1)) is None
