"""The OCFL store on disk: conformance, validity, fixity, permissions."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotfolder.core.errors import Corrupt, OperatorFault
from hotfolder.core.ports import Store
from hotfolder.files.tree import walk_files
from hotfolder.store.naming import Layout, object_id, safe_name, spool_id_of
from hotfolder.store.ocfl import OcflStore
from tests.conformance.store_suite import Connect, StoreSuite
from tests.support.drops import spool_id
from tests.support.ocfl_judge import check_valid, judge
from tests.support.spools import FixedClock, make_request

# Names as a directory may hold them.
NAMES = st.binary(min_size=1, max_size=255).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)


def open_store(path: Path) -> OcflStore:
    store = OcflStore(os.fsencode(path), clock=FixedClock())
    store.initialise()
    return store


@pytest.fixture
def store(tmp_path: Path) -> OcflStore:
    return open_store(tmp_path / "store")


def place_of(tmp_path: Path, store: OcflStore, number: int = 1) -> Path:
    return tmp_path / "store" / store.verify(spool_id(number)).object_path


class TestOcflStore(StoreSuite):
    @pytest.fixture
    def connect(self, tmp_path: Path) -> Connect:
        def connect() -> Store:
            return open_store(tmp_path / "store")

        return connect


# -- valid to an independent judge ---------------------------------------------------
def test_an_empty_root_is_valid(tmp_path: Path, store: OcflStore) -> None:
    check_valid(tmp_path / "store", 0)


def test_a_root_with_everything_odd_is_valid(tmp_path: Path, store: OcflStore) -> None:
    names = [b"a.pdf", b"\xff\xfe.pdf", b"a\nb", b"-rf", b"x" * 255, b"metadata.json", b"sidecars"]
    requests = [
        make_request(
            tmp_path,
            number,
            data=b"" if number % 2 else name * 50,
            name=name,
            sidecars={b"s.json": b"{}", b"same.json": b"{}", b"\xfe": b"", name[:200] + b"~": name},
        )
        for number, name in enumerate(names)
    ]
    store.write_spools(requests)
    check_valid(tmp_path / "store", len(names))
    store.withdraw(spool_id(0), "rejected")
    check_valid(tmp_path / "store", len(names) - 1)


def test_the_last_withdrawal_leaves_a_valid_root(tmp_path: Path, store: OcflStore) -> None:
    store.write_spools([make_request(tmp_path, 1)])
    store.withdraw(spool_id(1), "rejected")
    check_valid(tmp_path / "store", 0)
    assert os.listdir(tmp_path / "store.staging") == []


def test_a_spool_that_never_got_its_object_leaves_no_folder(
    tmp_path: Path, store: OcflStore
) -> None:
    """Killed between the directories above an object and its rename, then rejected."""
    path = tmp_path / "store" / Layout().path(object_id(spool_id(1)))
    path.parent.mkdir()
    assert not store.withdraw(spool_id(1), "rejected")
    check_valid(tmp_path / "store", 0)


def test_the_judge_would_notice(tmp_path: Path, store: OcflStore) -> None:
    store.write_spools([make_request(tmp_path, 1)])
    (place_of(tmp_path, store) / "stray").write_bytes(b"")
    assert judge(tmp_path / "store").good == 0


# -- what an object looks like --------------------------------------------------------
def test_an_object_is_read_only_and_says_what_it_is(tmp_path: Path, store: OcflStore) -> None:
    store.write_spools([make_request(tmp_path, 1, sidecars={b"a.json": b"{}"})])
    place = place_of(tmp_path, store)
    for folder, folders, files in os.walk(place):
        for name in [".", *folders, *files]:
            mode = (Path(folder) / name).stat().st_mode
            assert stat.S_IMODE(mode) == (0o550 if stat.S_ISDIR(mode) else 0o440)
    assert sorted(walk_files(os.fsencode(place))) == [
        b"0=ocfl_object_1.1",
        b"inventory.json",
        b"inventory.json.sha256",
        b"v1/content/letter.pdf",
        b"v1/content/metadata.json",
        b"v1/content/sidecars/a.json",
        b"v1/inventory.json",
        b"v1/inventory.json.sha256",
    ]
    inventory = json.loads((place / "inventory.json").read_text())
    assert inventory["id"] == f"urn:hotfolder:spool:{spool_id(1)}"
    assert inventory["versions"]["v1"]["created"].startswith("2026-11-18T")


def test_the_sealing_is_made_good_after_a_kill(tmp_path: Path, store: OcflStore) -> None:
    request = make_request(tmp_path, 1)
    store.write_spools([request])
    place = place_of(tmp_path, store)
    place.chmod(0o750)
    store.write_spools([request])
    assert stat.S_IMODE(place.stat().st_mode) == 0o550


def test_a_taller_layout_is_kept(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    config = next((tmp_path / "store" / "extensions").glob("*/config.json"))
    config.chmod(0o640)
    config.write_text(json.dumps(Layout(tuple_size=2, tuples=3).config()))
    store = open_store(tmp_path / "store")
    (stored,) = store.write_spools([make_request(tmp_path, 1)])
    assert [len(part) for part in stored.object_path.split("/")] == [2, 2, 2, 58]
    store.withdraw(spool_id(1), "rejected")
    assert sorted(os.listdir(tmp_path / "store")) == [
        "0=ocfl_1.1",
        "extensions",
        "ocfl_layout.json",
    ]


# -- fixity -----------------------------------------------------------------------------
FILES = [
    "v1/content/letter.pdf",
    "v1/content/metadata.json",
    "v1/content/sidecars/a.json",
    "inventory.json",
    "inventory.json.sha256",
    "v1/inventory.json",
    "v1/inventory.json.sha256",
    "0=ocfl_object_1.1",
]


@pytest.mark.parametrize("how", ["flipped", "cut", "gone", "link"])
@pytest.mark.parametrize("name", FILES)
def test_damage_is_found_wherever_it_is(
    tmp_path: Path, store: OcflStore, name: str, how: str
) -> None:
    store.write_spools([make_request(tmp_path, 1, sidecars={b"a.json": b"{}"})])
    path = place_of(tmp_path, store) / name
    data = path.read_bytes()
    path.parent.chmod(0o750)
    path.unlink()
    if how == "flipped":
        path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    elif how == "cut":
        path.write_bytes(data[:-3])
    elif how == "link":
        (tmp_path / "twin").write_bytes(data)
        path.symlink_to(tmp_path / "twin")
    with pytest.raises(Corrupt):
        store.verify(spool_id(1))
    with pytest.raises(Corrupt):
        store.write_spools([make_request(tmp_path, 1, sidecars={b"a.json": b"{}"})])
    if "letter" in name:
        with pytest.raises(Corrupt):
            store.open_content(spool_id(1))
    if "metadata" in name:
        with pytest.raises(Corrupt):
            store.read_metadata(spool_id(1))


def test_not_one_byte_of_large_damaged_content_is_given(tmp_path: Path, store: OcflStore) -> None:
    data = os.urandom(9 << 20)
    store.write_spools([make_request(tmp_path, 1, data=data)])
    path = place_of(tmp_path, store) / "v1/content/letter.pdf"
    path.chmod(0o640)
    with path.open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(bytes([data[-1] ^ 1]))
    with pytest.raises(Corrupt):
        store.open_content(spool_id(1))


def test_an_added_file_is_found(tmp_path: Path, store: OcflStore) -> None:
    store.write_spools([make_request(tmp_path, 1)])
    content = place_of(tmp_path, store) / "v1/content"
    content.chmod(0o750)
    (content / "added").write_bytes(b"")
    with pytest.raises(Corrupt, match="set of files"):
        store.verify(spool_id(1))


def test_an_object_of_another_spool_is_not_taken_for_this(tmp_path: Path, store: OcflStore) -> None:
    store.write_spools([make_request(tmp_path, 1)])
    other = tmp_path / "store" / Layout().path(object_id(spool_id(2)))
    other.parent.mkdir(exist_ok=True)
    place = place_of(tmp_path, store)
    place.chmod(0o750)
    place.rename(other)
    with pytest.raises(Corrupt, match="another object"):
        store.read_metadata(spool_id(2))


def test_iterating_survives_damaged_inventories(tmp_path: Path, store: OcflStore) -> None:
    store.write_spools([make_request(tmp_path, number) for number in (1, 2, 3)])
    for number, names in ((1, ["inventory.json"]), (2, ["inventory.json", "v1/inventory.json"])):
        place = place_of(tmp_path, store, number)
        for name in names:
            (place / name).chmod(0o640)
            (place / name).write_bytes(b"{}")
    found = {item.spool_id: item for item in store.iterate()}
    assert found.keys() == {spool_id(1), spool_id(2), spool_id(3)}
    assert found[spool_id(1)].content_size == 14
    assert found[spool_id(2)].content_sha256 == ""
    for damaged in (1, 2):
        with pytest.raises(Corrupt):
            store.read_metadata(spool_id(damaged))


@pytest.mark.parametrize(
    "inventory",
    [
        b"",
        b"[]",
        b"nonsense",
        b"{}",
        b'{"id": 5}',
        (
            b'{"type":"https://ocfl.io/1.1/spec/#inventory","digestAlgorithm":"sha256","head":"v1",'
            b'"id":"urn:hotfolder:spool:1","manifest":{"x":["v1/content/../../etc/passwd"]},'
            b'"versions":{"v1":{"state":{"x":["../../etc/passwd"]}}}}'
        ),
    ],
)
def test_a_hostile_inventory_is_corrupt(tmp_path: Path, store: OcflStore, inventory: bytes) -> None:
    import hashlib

    store.write_spools([make_request(tmp_path, 1)])
    place = place_of(tmp_path, store)
    for name, data in (
        ("inventory.json", inventory),
        (
            "inventory.json.sha256",
            hashlib.sha256(inventory).hexdigest().encode() + b" inventory.json\n",
        ),
    ):
        (place / name).chmod(0o640)
        (place / name).write_bytes(data)
    with pytest.raises(Corrupt):
        store.open_content(spool_id(1))


# -- the root -------------------------------------------------------------------------
def test_a_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "letter.pdf").write_bytes(b"")
    with pytest.raises(OperatorFault) as caught:
        open_store(tmp_path / "store")
    assert caught.value.code == "store.foreign"


def test_a_missing_parent_is_the_operators(tmp_path: Path) -> None:
    with pytest.raises(OperatorFault) as caught:
        open_store(tmp_path / "absent" / "store")
    assert caught.value.code == "file.missing"


def test_a_half_made_root_is_completed(tmp_path: Path) -> None:
    open_store(tmp_path / "store")
    (tmp_path / "store" / "0=ocfl_1.1").unlink()
    open_store(tmp_path / "store")
    check_valid(tmp_path / "store", 0)


@pytest.mark.parametrize(
    "change",
    [
        {"extensionName": "0004-hashed-n-tuple-storage-layout"},
        {"tupleSize": 0},
        {"tupleSize": "3"},
        {"numberOfTuples": 65},
        {"digestAlgorithm": "md5"},
    ],
)
def test_another_layout_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    open_store(tmp_path / "store")
    config = next((tmp_path / "store" / "extensions").glob("*/config.json"))
    config.chmod(0o640)
    config.write_text(json.dumps(Layout().config() | change))
    with pytest.raises(OperatorFault) as caught:
        open_store(tmp_path / "store")
    assert caught.value.code == "store.layout"


def test_a_sound_store_has_no_faults_and_is_left_as_it_was(
    tmp_path: Path, store: OcflStore
) -> None:
    assert [fault.code for fault in store.diagnose() if fault.code != "store.space"] == []
    check_valid(tmp_path / "store", 0)
    assert os.listdir(tmp_path / "store.staging") == []


def test_faults_of_a_store_are_told(tmp_path: Path, store: OcflStore) -> None:
    (tmp_path / "store").chmod(0o777)
    (tmp_path / "store.staging").rmdir()
    faults = store.diagnose()
    assert {fault.code for fault in faults} == {"store.owner"}
    assert len(faults) == 2
    assert all(fault.remedy for fault in faults)


# -- names ------------------------------------------------------------------------------
@settings(max_examples=300)
@given(NAMES)
def test_a_safe_name_is_portable_and_short(name: bytes) -> None:
    safe = safe_name(name)
    assert 0 < len(safe.encode()) <= 200
    assert safe.isprintable()
    assert not set(safe) & set('/\\<>:"|?*')
    assert safe not in (".", "..")
    assert safe.lower() not in ("metadata.json", "sidecars")
    if "~" not in safe:
        assert unescape(safe) == name


@given(NAMES, NAMES)
def test_different_names_stay_different(first: bytes, second: bytes) -> None:
    assert (safe_name(first) == safe_name(second)) == (first == second)


def unescape(safe: str) -> bytes:
    start, *rest = safe.encode().split(b"%")
    return start + b"".join(bytes([int(part[:2], 16)]) + part[2:] for part in rest)


def test_plain_names_stay_as_they_are() -> None:
    for name in ("letter 4711 (copy).pdf", "Kündigung.pdf", "a+b=c,d;e'f.json"):
        assert safe_name(name.encode()) == name


def test_object_ids_are_told_apart() -> None:
    assert spool_id_of(object_id("abc")) == "abc"
    assert spool_id_of("urn:other:abc") is None
