"""A store with copies: written to all, read from the first that is whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hotfolder.core import crashpoints
from hotfolder.core.errors import Corrupt, HotfolderError, OperatorFault, Transient
from hotfolder.core.ports import Store
from hotfolder.store.copies import CopiesStore, Filled
from hotfolder.store.ocfl import OcflStore
from tests.conformance.store_suite import Connect, StoreSuite
from tests.support.drops import spool_id
from tests.support.ocfl_judge import check_valid
from tests.support.spools import FixedClock, make_request

ROOTS = ("first", "second", "third")


class Shelves:
    """Up to three roots in one place, and what was told of them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.events: list[tuple[str, dict[str, object]]] = []

    def open(self, *names: str, adding: bool = False) -> CopiesStore:
        store = CopiesStore(
            [
                OcflStore(os.fsencode(self.root / name), clock=FixedClock())
                for name in names or ROOTS
            ],
            emit=lambda event, /, **fields: self.events.append((event, fields)),
        )
        store.initialise(adding=adding)
        return store

    def content(self, name: str, number: int = 1) -> Path:
        """The content of a spool in one of the roots."""
        store = OcflStore(os.fsencode(self.root / name), clock=FixedClock())
        place = Path(os.fsdecode(store.place_of(spool_id(number))))
        (found,) = place.rglob("letter.pdf")
        return found

    def damage(self, name: str, number: int = 1) -> None:
        path = self.content(name, number)
        path.chmod(0o600)
        path.write_bytes(b"changed")

    def lose(self, name: str, number: int = 1) -> None:
        OcflStore(os.fsencode(self.root / name), clock=FixedClock()).withdraw(
            spool_id(number), "lost"
        )


@pytest.fixture
def shelves(tmp_path: Path) -> Shelves:
    return Shelves(tmp_path)


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    crashpoints.arm(None)


class TestCopiesStore(StoreSuite):
    @pytest.fixture
    def connect(self, shelves: Shelves) -> Connect:
        def connect() -> Store:
            return shelves.open()

        return connect


class TestOneRoot(StoreSuite):
    @pytest.fixture
    def connect(self, shelves: Shelves) -> Connect:
        def connect() -> Store:
            return shelves.open("first")

        return connect


def test_each_root_is_a_valid_one_of_its_own(shelves: Shelves, tmp_path: Path) -> None:
    shelves.open().write_spools([make_request(tmp_path, number) for number in range(3)])
    for name in ROOTS:
        check_valid(tmp_path / name, 3)


READS: dict[str, Callable[[Store, str], object]] = {
    "content": lambda store, name: store.open_content(name).read(),
    "metadata": lambda store, name: store.read_metadata(name),
    "documents": lambda store, name: list(store.read_documents(name)),
}


@pytest.mark.parametrize("what", READS)
@pytest.mark.parametrize("how", ["damaged", "lost", "inventory", "unmounted"])
def test_what_the_first_has_not_comes_from_the_next_and_is_told(
    shelves: Shelves, tmp_path: Path, what: str, how: str
) -> None:
    request = replace(make_request(tmp_path, 1), documents=lambda: iter([b"1\n", b"2\n"]))
    store = shelves.open()
    store.write_spools([request])
    wanted = READS[what](store, request.spool_id)
    assert shelves.events == []
    place = shelves.content("first").parent
    if how == "damaged":
        for path in place.iterdir():
            path.chmod(0o600)
            path.write_bytes(b"changed")
    elif how == "lost":
        shelves.lose("first")
    elif how == "inventory":
        path = place.parent.parent / "inventory.json"
        path.chmod(0o600)
        path.write_bytes(b"{}")
    else:
        shutil.move(tmp_path / "first", tmp_path / "away")
        store = CopiesStore(
            store.roots, emit=lambda event, /, **fields: shelves.events.append((event, fields))
        )
    assert READS[what](store, request.spool_id) == wanted
    ((event, fields),) = shelves.events
    assert (event, fields["spool"], fields["copy"]) == ("store.copy_used", request.spool_id, 2)
    if how == "damaged":
        assert place.joinpath("letter.pdf").read_bytes() == b"changed"  # not mended in silence


def test_a_copy_that_was_exchanged_whole_is_passed_over(shelves: Shelves, tmp_path: Path) -> None:
    """Content and inventory agree, but it is not what was journalled."""
    request = make_request(tmp_path, 1)
    shelves.open("second").write_spools([request])
    shelves.open("first").write_spools([make_request(tmp_path / "other", 1, data=b"forged")])
    store = shelves.open("first", "second")
    with store.open_content(request.spool_id) as stream:
        assert stream.read() == b"forged"
    with store.open_content(request.spool_id, sha256=request.sha256) as stream:
        assert stream.read() == b"%PDF-1.7 spool"
    assert shelves.events[-1][1]["reason"] == "store.differs"
    with pytest.raises(Corrupt, match="differ"):
        store.verify(request.spool_id)


def test_what_no_root_has_whole_is_not_given(shelves: Shelves, tmp_path: Path) -> None:
    request = make_request(tmp_path, 1)
    store = shelves.open()
    store.write_spools([request])
    for name in ROOTS:
        shelves.damage(name)
    with pytest.raises(Corrupt):
        store.open_content(request.spool_id)
    shelves.lose("first")
    with pytest.raises(Corrupt):
        store.open_content(request.spool_id)
    assert shelves.events == []


def test_a_look_at_everything_finds_what_any_root_has(shelves: Shelves, tmp_path: Path) -> None:
    store = shelves.open()
    stored = store.write_spools([make_request(tmp_path, number) for number in range(4)])
    shelves.lose("first", 1)
    shelves.lose("second", 2)
    inventory = shelves.content("first", 3).parent.parent.parent
    for path in (inventory / "inventory.json", inventory / "v1" / "inventory.json"):
        path.chmod(0o600)
        path.write_bytes(b"{}")
    assert sorted(store.iterate(), key=lambda item: item.spool_id) == stored
    for number, code in ((1, "store.copy_lacks"), (2, "store.copy_lacks"), (3, "store.inventory")):
        with pytest.raises(Corrupt) as caught:
            store.verify(spool_id(number))
        assert caught.value.code == code


def test_one_root_that_cannot_be_written_stops_the_acknowledgement(
    shelves: Shelves, tmp_path: Path
) -> None:
    request = make_request(tmp_path, 1)
    store = shelves.open("first", "second")
    shutil.move(tmp_path / "second.staging", tmp_path / "away")
    with pytest.raises(HotfolderError):
        store.write_spools([request])
    shutil.move(tmp_path / "away", tmp_path / "second.staging")
    store.write_spools([request])
    assert store.verify(request.spool_id).content_sha256 == request.sha256


def test_an_empty_copy_beside_a_store_that_is_not_is_refused(
    shelves: Shelves, tmp_path: Path
) -> None:
    shelves.open("first").write_spools([make_request(tmp_path, 1)])
    with pytest.raises(OperatorFault) as caught:
        shelves.open("first", "second")
    assert caught.value.code == "store.copy_missing"
    assert not (tmp_path / "second").exists()
    shelves.open("first", "second", adding=True)
    shelves.open("first", "second")


def test_every_root_is_tried(shelves: Shelves) -> None:
    store = shelves.open()
    assert all(fault.code == "store.space" for fault in store.diagnose())
    shutil.rmtree(shelves.root / "third.staging")
    assert any(fault.message.startswith("copy 3: ") for fault in store.diagnose())


# -- filling -------------------------------------------------------------------------
def journalled(_name: str) -> str | None:
    return None


def test_a_new_copy_is_filled(shelves: Shelves, tmp_path: Path) -> None:
    requests = [
        make_request(tmp_path, 1, sidecars={b"a.json": b"{}"}),
        make_request(tmp_path, 2, data=os.urandom(9 << 20)),
        replace(make_request(tmp_path, 3), documents=lambda: iter([b"1\n"])),
    ]
    shelves.open("first").write_spools(requests)
    store = shelves.open("first", "second", adding=True)
    seen: list[int] = []
    assert store.fill(journalled, seen.append) == Filled(copied=3)
    assert seen == [1, 2, 3]
    assert store.fill(journalled) == Filled(present=3)
    check_valid(tmp_path / "second", 3)
    for request in requests:
        store.verify(request.spool_id)
        first, second = (root.place_of(request.spool_id) for root in store.roots)
        inventories = [Path(os.fsdecode(place), "inventory.json") for place in (first, second)]
        assert inventories[0].read_bytes() == inventories[1].read_bytes()
    assert not list((tmp_path / "second.staging").iterdir())
    # What intake repeats is found there and acknowledged.
    store.write_spools(requests)


def test_what_is_damaged_is_copied_nowhere(shelves: Shelves, tmp_path: Path) -> None:
    requests = [make_request(tmp_path, number) for number in range(3)]
    shelves.open("first").write_spools(requests)
    shelves.damage("first", 1)
    store = shelves.open("first", "second", adding=True)
    expected = {spool_id(0): requests[0].sha256, spool_id(2): "0" * 64}
    assert store.fill(expected.get) == Filled(copied=1, damaged=2)
    assert [item.spool_id for item in store.roots[1].iterate()] == [spool_id(0)]
    assert [name for name, _ in shelves.events] == ["store.not_copied"] * 2


def test_what_the_first_has_lost_comes_back_from_a_copy(shelves: Shelves, tmp_path: Path) -> None:
    store = shelves.open("first", "second")
    stored = store.write_spools([make_request(tmp_path, number) for number in range(2)])
    shelves.lose("first", 0)
    assert store.fill(journalled) == Filled(present=1, copied=1)
    assert [store.verify(spool_id(number)) for number in range(2)] == stored


class KilledError(Exception):
    """The process is gone."""


@pytest.mark.parametrize("point", ["copy.staged"])
def test_filling_goes_on_after_a_kill(shelves: Shelves, tmp_path: Path, point: str) -> None:
    shelves.open("first").write_spools([make_request(tmp_path, number) for number in range(2)])
    store = shelves.open("first", "second", adding=True)

    def hook(name: str) -> None:
        if name == point:
            crashpoints.arm(None)
            raise KilledError

    crashpoints.arm(hook)
    with pytest.raises(KilledError):
        store.fill(journalled)
    assert list((tmp_path / "second.staging").iterdir())
    assert store.fill(journalled) == Filled(copied=2)
    assert store.clean() == 0


def test_another_who_was_quicker_is_left_in_peace(shelves: Shelves, tmp_path: Path) -> None:
    """The daemon stores the same spool in the same root while it is copied there."""
    request = make_request(tmp_path, 1)
    shelves.open("first").write_spools([request])
    store = shelves.open("first", "second", adding=True)
    second = OcflStore(os.fsencode(tmp_path / "second"), clock=FixedClock())

    def hook(name: str) -> None:
        if name == "copy.staged":
            crashpoints.arm(None)
            second.write_spools([request])

    crashpoints.arm(hook)
    assert store.fill(journalled) == Filled(copied=1)
    assert store.verify(request.spool_id).content_sha256 == request.sha256
    assert not list((tmp_path / "second.staging").iterdir())


def test_a_full_disk_leaves_nothing_half_made(
    shelves: Shelves, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelves.open("first").write_spools([make_request(tmp_path, 1)])
    store = shelves.open("first", "second", adding=True)

    def full(*_: object) -> None:
        raise Transient("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("hotfolder.store.copying.copy_and_hash", full)
        with pytest.raises(Transient):
            store.fill(journalled)
    assert not list((tmp_path / "second.staging").iterdir())
    assert store.fill(journalled) == Filled(copied=1)
