"""Claims: whole or not at all, nothing overwritten, nothing followed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hotfolder.core.errors import OperatorFault
from hotfolder.core.records import Sighting
from hotfolder.files.claim import ClaimRequest, claim_drops, return_claim
from hotfolder.files.working import list_files, list_working, remove_working
from tests.support.drops import make_drop, make_hot_folder, names_in, put, sight, spool_id


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    return make_hot_folder(tmp_path / "hot")


def request(
    number: int,
    spool: Sighting,
    *sidecars: Sighting,
    trigger: Sighting | None = None,
    shared: tuple[bytes, ...] = (),
) -> ClaimRequest:
    return ClaimRequest(
        spool_id=spool_id(number),
        drop=make_drop(spool, *sidecars, trigger=trigger, shared=shared),
    )


def read(*parts: bytes) -> bytes:
    with open(os.path.join(*parts), "rb") as stream:
        return stream.read()


def test_a_drop_is_moved_together(root: bytes) -> None:
    drop = request(
        1,
        put(root, b"a.pdf"),
        put(root, b"a.pdf.json", b"{}"),
        trigger=put(root, b"a.done", b""),
        shared=(b"metadata.csv",),
    )
    put(root, b"metadata.csv", b"name\n")
    (outcome,) = claim_drops(root, [drop])
    assert outcome.claimed
    assert outcome.spool_id == spool_id(1)
    assert names_in(root) == [b"metadata.csv"]
    assert list_files(root, spool_id(1)) == [b"a.done", b"a.pdf", b"a.pdf.json", b"metadata.csv"]
    assert read(root, b"_working", spool_id(1).encode(), b"metadata.csv") == b"name\n"


@pytest.mark.parametrize(
    "name",
    [b"\xff\xfe.pdf", b"-rf", b"a\nb.pdf", b" ", b"*", b"x" * 251 + b".pdf", b".hidden", b"a;b|c"],
)
def test_odd_names_are_claimed(root: bytes, name: bytes) -> None:
    (outcome,) = claim_drops(root, [request(1, put(root, name, b"odd"))])
    assert outcome.claimed
    assert names_in(root) == []
    assert read(root, b"_working", spool_id(1).encode(), name) == b"odd"


def test_a_name_in_a_folder_is_claimed_by_its_last_part(root: bytes) -> None:
    spool = put(root, b"2026/11/a.pdf")
    sidecar = put(root, b"2026/11/a.pdf.json")
    (outcome,) = claim_drops(root, [request(1, spool, sidecar)])
    assert outcome.claimed
    assert list_files(root, spool_id(1)) == [b"a.pdf", b"a.pdf.json"]
    assert names_in(root, b"2026/11") == []


def test_a_changed_spool_stays_and_so_do_its_companions(root: bytes) -> None:
    requests = [request(1, put(root, b"a.pdf"), put(root, b"a.pdf.json"), shared=(b"m.csv",))]
    requests.append(request(2, put(root, b"b.pdf")))
    put(root, b"m.csv")
    with open(os.path.join(root, b"a.pdf"), "ab") as stream:
        stream.write(b"more")
    changed, taken = claim_drops(root, requests)
    assert (changed.claimed, changed.reason) == (False, "changed")
    assert taken.claimed
    assert names_in(root) == [b"a.pdf", b"a.pdf.json", b"m.csv"]
    assert list_working(root) == [spool_id(2)]


def test_a_replaced_spool_of_the_same_size_is_noticed(root: bytes) -> None:
    drop = request(1, put(root, b"a.pdf", b"one"))
    put(root, b"a.new", b"two")
    os.replace(os.path.join(root, b"a.new"), os.path.join(root, b"a.pdf"))
    (outcome,) = claim_drops(root, [drop])
    assert outcome.reason == "changed"
    assert read(root, b"a.pdf") == b"two"


def test_a_spool_or_sidecar_that_went_is_told(root: bytes) -> None:
    first = request(1, put(root, b"a.pdf"), put(root, b"a.pdf.json"))
    second = request(2, put(root, b"b.pdf"), put(root, b"b.pdf.json"))
    os.unlink(os.path.join(root, b"a.pdf"))
    os.unlink(os.path.join(root, b"b.pdf.json"))
    outcomes = claim_drops(root, [first, second])
    assert [outcome.reason for outcome in outcomes] == ["gone", "gone"]
    assert names_in(root) == [b"a.pdf.json", b"b.pdf"]
    assert list_working(root) == []


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_what_was_swapped_in_is_not_taken(root: bytes, tmp_path: Path, kind: str) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"%PDF-1.7 spool")
    drop = request(1, put(root, b"a.pdf"))
    path = os.path.join(root, b"a.pdf")
    os.unlink(path)
    if kind == "link":
        os.symlink(os.fsencode(secret), path)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        os.mkdir(path)
    (outcome,) = claim_drops(root, [drop])
    assert outcome.reason == "not_regular"
    assert names_in(root) == [b"a.pdf"]
    assert list_working(root) == []


def test_a_folder_swapped_for_a_link_leads_nowhere(root: bytes, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    spool = put(root, b"sub/a.pdf")
    os.rename(os.path.join(root, b"sub/a.pdf"), os.fsencode(outside / "a.pdf"))
    os.rmdir(os.path.join(root, b"sub"))
    os.symlink(os.fsencode(outside), os.path.join(root, b"sub"))
    (outcome,) = claim_drops(root, [request(1, spool)])
    assert outcome.reason == "gone"
    assert os.listdir(outside) == ["a.pdf"]


def test_a_shared_sidecar_that_is_a_link_is_left_out(root: bytes, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    os.symlink(os.fsencode(tmp_path / "secret"), os.path.join(root, b"metadata.csv"))
    (outcome,) = claim_drops(root, [request(1, put(root, b"a.pdf"), shared=(b"metadata.csv",))])
    assert outcome.claimed
    assert list_files(root, spool_id(1)) == [b"a.pdf"]


def test_a_hard_link_is_taken_and_its_twin_left_alone(root: bytes, tmp_path: Path) -> None:
    outside = os.fsencode(tmp_path / "outside.pdf")
    put(root, b"a.pdf", b"linked")
    os.link(os.path.join(root, b"a.pdf"), outside)
    (outcome,) = claim_drops(root, [request(1, sight(root, b"a.pdf"))])
    assert outcome.claimed
    assert read(outside) == b"linked"


def test_two_files_of_one_name_collide_and_stay(root: bytes) -> None:
    spool, sidecar = put(root, b"x/same", b"1"), put(root, b"y/same", b"2")
    (outcome,) = claim_drops(root, [request(1, spool, sidecar)])
    assert outcome.reason == "collision"
    assert read(root, b"x/same") == b"1"
    assert read(root, b"y/same") == b"2"


def test_a_name_that_leads_away_is_not_claimed(root: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"outside")
    (outcome,) = claim_drops(root, [request(1, sight(root, b"../a.pdf"))])
    assert outcome.reason == "name"
    assert (tmp_path / "a.pdf").read_bytes() == b"outside"


def test_many_drops_in_many_folders(root: bytes) -> None:
    requests = [request(number, put(root, b"%d/a.pdf" % number)) for number in range(300)]
    assert all(outcome.claimed for outcome in claim_drops(root, requests))
    assert len(list_working(root)) == 300


def test_a_missing_working_folder_is_named_and_nothing_moves(root: bytes) -> None:
    drop = request(1, put(root, b"a.pdf"))
    os.rmdir(os.path.join(root, b"_working"))
    with pytest.raises(OperatorFault) as caught:
        claim_drops(root, [drop])
    assert caught.value.code == "file.missing"
    assert names_in(root) == [b"a.pdf"]


def test_a_later_spool_of_the_same_name_is_a_new_claim(root: bytes) -> None:
    claim_drops(root, [request(1, put(root, b"a.pdf", b"first"))])
    claim_drops(root, [request(2, put(root, b"a.pdf", b"second"))])
    assert read(root, b"_working", spool_id(1).encode(), b"a.pdf") == b"first"
    assert read(root, b"_working", spool_id(2).encode(), b"a.pdf") == b"second"


# -- giving back, removing ---------------------------------------------------------
def test_a_returned_claim_overwrites_nothing(root: bytes) -> None:
    drop = request(1, put(root, b"a.pdf", b"old"), put(root, b"a.pdf.json"), shared=(b"m.csv",))
    put(root, b"m.csv", b"shared")
    claim_drops(root, [drop])
    put(root, b"a.pdf", b"new")
    assert return_claim(root, spool_id(1)) == 2
    assert names_in(root) == [b"a.1.pdf", b"a.1.pdf.json", b"a.pdf", b"m.csv"]
    assert read(root, b"a.pdf") == b"new"
    assert read(root, b"a.1.pdf") == b"old"
    assert list_working(root) == []
    assert return_claim(root, spool_id(1)) == 0


def test_a_returned_spool_keeps_its_sidecar_although_another_has_the_same(root: bytes) -> None:
    spool, sidecar = put(root, b"a.pdf", b"old"), put(root, b"a.pdf.json", b"{}")
    claim_drops(root, [request(1, spool, sidecar)])
    put(root, b"a.pdf", b"new")
    put(root, b"a.pdf.json", b"{}")
    assert return_claim(root, spool_id(1)) == 2
    assert names_in(root) == [b"a.1.pdf", b"a.1.pdf.json", b"a.pdf", b"a.pdf.json"]
    assert read(root, b"a.1.pdf") == b"old"


def test_working_folders_are_removed_once(root: bytes) -> None:
    claim_drops(root, [request(number, put(root, b"%d" % number)) for number in range(3)])
    put(root, b"_working/stray", b"")
    ids = [spool_id(number) for number in range(3)]
    assert list_working(root) == ids
    assert remove_working(root, ids[:2]) == 2
    assert remove_working(root, ids) == 1
    assert remove_working(root, ids) == 0
    assert os.listdir(os.path.join(root, b"_working")) == [b"stray"]


def test_a_folder_inside_a_working_folder_is_kept(root: bytes) -> None:
    claim_drops(root, [request(1, put(root, b"a.pdf"))])
    put(root, b"_working/" + spool_id(1).encode() + b"/inner/file")
    assert remove_working(root, [spool_id(1)]) == 0
    assert list_files(root, spool_id(1)) == [b"inner"]
