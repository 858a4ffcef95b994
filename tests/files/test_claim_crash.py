"""Killed while claiming, or refused by the system: nothing is lost, nothing is torn."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.records import Drop, SpoolRow
from hotfolder.files.claim import ClaimRequest, claim_drops, recover_claims
from hotfolder.files.working import list_files, list_working
from tests.support.crash import KILLED, inject, run_python
from tests.support.drops import make_drop, make_hot_folder, names_in, put, sight, spool_id

CLAIM = """
import os, sys
from hotfolder.core.errors import HotfolderError
from hotfolder.files.claim import ClaimRequest, claim_drops
from tests.support.drops import make_drop, sight, spool_id
root = os.fsencode(sys.argv[1])
requests = [
    ClaimRequest(
        spool_id=spool_id(number),
        drop=make_drop(
            sight(root, b"%d.pdf" % number),
            sight(root, b"%d.pdf.json" % number),
            trigger=sight(root, b"%d.done" % number),
            shared=(b"metadata.csv",),
        ),
    )
    for number in range(2)
]
try:
    print([outcome.claimed for outcome in claim_drops(root, requests)])
except HotfolderError as error:
    print(error.code)
    sys.exit(error.exit_code)
"""
FILES = [b"0.done", b"0.pdf", b"0.pdf.json", b"1.done", b"1.pdf", b"1.pdf.json", b"metadata.csv"]


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    root = make_hot_folder(tmp_path / "hot")
    for name in FILES:
        put(root, name, b"content of " + name)
    return root


def drop_of(root: bytes, number: int) -> Drop:
    return make_drop(
        sight(root, b"%d.pdf" % number),
        sight(root, b"%d.pdf.json" % number),
        trigger=sight(root, b"%d.done" % number),
        shared=(b"metadata.csv",),
    )


def row_of(number: int, drop: Drop) -> SpoolRow:
    """The row that the intent to claim ``drop`` leaves in the journal."""
    return SpoolRow(
        id=spool_id(number),
        folder=drop.folder,
        business_unit="RETAIL",
        name=drop.spool.name,
        sidecars=tuple(sidecar.name for sidecar in drop.sidecars),
        trigger=drop.trigger.name if drop.trigger else None,
        shared=drop.shared,
        state=SpoolState.CLAIMING,
        size=drop.spool.size,
        mtime_ns=drop.spool.mtime_ns,
        inode=drop.spool.inode,
        sha256=None,
        format_name=None,
        pages=None,
        settled_by=drop.settled_by,
        created_at=0.0,
        updated_at=0.0,
        attempts=0,
        next_at=None,
        last_error=None,
        first_spool_id=None,
        faults=(),
        held_from=None,
    )


def check_whole(root: bytes, claimed: list[bool]) -> None:
    """Every file exists once: a claimed drop's in its working folder, the others outside."""
    expected = {name for name in FILES if not (name[:1].isdigit() and claimed[int(name[:1])])}
    assert set(names_in(root)) == expected
    for number in range(2):
        inside = list_files(root, spool_id(number))
        if claimed[number]:
            assert inside == sorted(
                [b"metadata.csv", *(name for name in FILES if name.startswith(b"%d" % number))]
            )
            for name in inside:
                path = os.path.join(root, b"_working", spool_id(number).encode(), name)
                with open(path, "rb") as stream:
                    assert stream.read() == b"content of " + name
        else:
            assert inside == []
    for name in expected:
        with open(os.path.join(root, name), "rb") as stream:
            assert stream.read() == b"content of " + name


def test_killed_after_the_renames_the_claims_are_found(root: bytes, tmp_path: Path) -> None:
    rows = [row_of(number, drop_of(root, number)) for number in range(2)]
    died = run_python(CLAIM, os.fsdecode(root), crash_at="claim.renamed")
    assert died.returncode == KILLED, died.stderr
    outcomes = recover_claims(root, rows)
    assert [outcome.claimed for outcome in outcomes] == [True, True]
    check_whole(root, [True, True])


@pytest.mark.parametrize("when", range(1, 8))
def test_killed_at_each_rename(root: bytes, tmp_path: Path, when: int) -> None:
    rows = [row_of(number, drop_of(root, number)) for number in range(2)]
    strace = inject("rename,renameat,renameat2", f"signal=SIGKILL:when={when}", tmp_path / "log")
    run_python(CLAIM, os.fsdecode(root), strace=strace)
    claimed = [outcome.claimed for outcome in recover_claims(root, rows)]
    # strace counts by call: 2 of renameat (the shared copies) and 6 of renameat2.
    assert claimed in ([False, False], [True, False], [True, True])
    check_whole(root, claimed)
    again = [outcome.claimed for outcome in recover_claims(root, rows)]
    assert again == claimed
    assert len(list_working(root)) == sum(claimed)


@pytest.mark.parametrize("error", ["EIO", "ENOSPC", "EXDEV", "EACCES"])
@pytest.mark.parametrize("when", [1, 2, 3, 5, 6])
def test_a_rename_that_fails_puts_everything_back(
    root: bytes, tmp_path: Path, error: str, when: int
) -> None:
    rows = [row_of(number, drop_of(root, number)) for number in range(2)]
    strace = inject("rename,renameat,renameat2", f"error={error}:when={when}", tmp_path / "log")
    refused = run_python(CLAIM, os.fsdecode(root), strace=strace)
    expected = {"EIO": "disk.io", "ENOSPC": "disk.full", "EXDEV": "folder.mounts"}
    assert refused.stdout.strip() == expected.get(error, "file.permission"), refused.stderr
    check_whole(root, [False, False])
    assert [outcome.reason for outcome in recover_claims(root, rows)] == ["restart", "restart"]


def test_a_sync_that_fails_is_no_claim(root: bytes, tmp_path: Path) -> None:
    strace = inject("fsync,fdatasync,syncfs", "error=EIO", tmp_path / "log")
    refused = run_python(CLAIM, os.fsdecode(root), strace=strace)
    assert refused.returncode == 75
    assert refused.stdout.strip() == "disk.io"
    check_whole(root, [False, False])


def test_a_spool_of_the_next_run_keeps_its_own_sidecar(root: bytes) -> None:
    """Killed before the spool was moved; the producer has written both anew since."""
    row = row_of(0, drop_of(root, 0))
    place = os.path.join(root, b"_working", spool_id(0).encode())
    os.mkdir(place)
    os.rename(os.path.join(root, b"0.pdf.json"), os.path.join(place, b"0.pdf.json"))
    put(root, b"0.pdf", b"another spool")
    put(root, b"0.pdf.json", b"its sidecar")
    (outcome,) = recover_claims(root, [row])
    assert (outcome.claimed, outcome.reason) == (False, "restart")
    assert list_working(root) == []
    with open(os.path.join(root, b"0.pdf.json"), "rb") as stream:
        assert stream.read() == b"its sidecar"
    with open(os.path.join(root, b"0.1.pdf.json"), "rb") as stream:
        assert stream.read() == b"content of 0.pdf.json"


def test_a_claim_whose_spool_went_is_given_up(root: bytes) -> None:
    row = row_of(0, drop_of(root, 0))
    os.unlink(os.path.join(root, b"0.pdf"))
    (outcome,) = recover_claims(root, [row])
    assert (outcome.claimed, outcome.reason) == (False, "gone")


def test_a_power_cut_that_lost_a_rename_is_mended(root: bytes) -> None:
    """Spool in _working, sidecar and trigger not: the directory was not yet synced."""
    drop = drop_of(root, 0)
    row = row_of(0, drop)
    claim_drops(root, [ClaimRequest(spool_id=spool_id(0), drop=drop)])
    place = os.path.join(root, b"_working", spool_id(0).encode())
    os.rename(os.path.join(place, b"0.done"), os.path.join(root, b"0.done"))
    os.unlink(os.path.join(place, b"metadata.csv"))
    (outcome,) = recover_claims(root, [row])
    assert outcome.claimed
    check_whole(root, [True, False])


def test_a_spool_that_a_power_cut_tore_is_not_claimed(root: bytes) -> None:
    drop = drop_of(root, 0)
    row = row_of(0, drop)
    claim_drops(root, [ClaimRequest(spool_id=spool_id(0), drop=drop)])
    os.truncate(os.path.join(root, b"_working", spool_id(0).encode(), b"0.pdf"), 3)
    (outcome,) = recover_claims(root, [row])
    assert (outcome.claimed, outcome.reason) == (False, "changed")
    assert b"0.pdf" in names_in(root)
