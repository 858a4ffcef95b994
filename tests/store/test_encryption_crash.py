"""Killed or refused anywhere while encrypted spools are stored, destroyed or wrapped anew."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from hotfolder.core.crashpoints import KEY_POINTS
from hotfolder.core.errors import Destroyed
from hotfolder.store.copies import CopiesStore
from hotfolder.store.keyring import Keyring
from tests.store.test_encryption import ROOTS, open_store
from tests.support.crash import KILLED, inject, run_python
from tests.support.encrypted import MASTER, NEWER, make_many, search, secret
from tests.support.ocfl_judge import check_valid
from tests.support.spools import make_request

WHOLE = os.environ.get("HYPOTHESIS_PROFILE") == "whole"
MOST = 400 if WHOLE else 4  # of the calls of one kind
ACT = """
import sys
from pathlib import Path
from hotfolder.core.errors import HotfolderError
from tests.store.test_encryption_crash import perform
try:
    print(perform(Path(sys.argv[1]), sys.argv[2]))
except HotfolderError as error:
    print(error.code)
    sys.exit(error.exit_code)
"""
RENAMES = "rename,renameat,renameat2"
SYNCS = "fsync,fdatasync,syncfs"
WRITES = "write,pwrite64"
CALLS = [RENAMES, SYNCS, WRITES, "unlink,unlinkat", "mkdir,mkdirat"]


def perform(folder: Path, act: str) -> int:
    """What is killed, and what a restart does again."""
    request = make_many(folder / "working", count=4, carrier=True)[0]
    if act == "store":
        single = replace(make_request(folder / "working", 2), encrypted=True)
        return len(open_store(folder).write_spools([request, single]))
    if act == "destroy":
        return open_store(folder, keyring=None).destroy_parts(request.spool_id, [2, 3])
    if act == "remove":
        return open_store(folder, keyring=None).remove_keys(request.spool_id)
    done = 0
    for root in open_store(folder, keyring=Keyring(NEWER, [MASTER])).roots:
        root.keys.introduce()
        done += sum(root.keys.rewrap(spool_id) for spool_id in list(root.keys.spools()))
        root.keys.forget_others()
    return done


def prepared(folder: Path, act: str) -> None:
    open_store(folder)
    if act != "store":
        assert perform(folder, "store") == 2


def finish(folder: Path, act: str, *, judged: bool = True) -> None:
    """What a restart does; then look at what there is."""
    for root in open_store(folder, keyring=Keyring(NEWER, [MASTER])).roots:
        root.clean()
    perform(folder, act)
    keyring = Keyring(NEWER) if act == "rotate" else Keyring(MASTER)
    store = open_store(folder, keyring=keyring)
    request, documents, data = make_many(folder / "working", count=4, carrier=True)
    if act == "remove":
        assert not store.remove_keys(request.spool_id)
        return
    gone = {2, 3} if act == "destroy" else set()
    if gone:
        check_destroyed_in(folder, store, gone)
    else:
        with store.open_content(request.spool_id) as stream:
            assert stream.read() == data
        assert len(list(store.read_documents(request.spool_id))) == len(documents)
    for found in store.iterate():
        store.verify(found.spool_id)
    for name in ROOTS:
        if judged:
            check_valid(folder / name, 2)
        assert search([folder / name], secret(2)) == []


def check_destroyed_in(folder: Path, store: CopiesStore, gone: set[int]) -> None:
    request, documents, _ = make_many(folder / "working", count=4, carrier=True)
    for root in store.roots:
        assert root.destroyed_parts(request.spool_id) == gone
        with root.open_content(request.spool_id) as stream:
            for document in documents[:4]:
                stream.seek(document.range.offset)
                if document.range.ordinal in gone:
                    with pytest.raises(Destroyed):
                        stream.read(1)
                else:
                    assert stream.read(document.range.length)


POINTS = {
    "store": ["store.content_written", "keys.placed", "store.object_renamed", "keys.copied"],
    "destroy": ["keys.destroyed"],
    "rotate": ["keys.rewrapped"],
}


def test_every_point_of_keys_is_in_the_sweep() -> None:
    named = {point for points in POINTS.values() for point in points}
    assert set(KEY_POINTS) <= named


@pytest.mark.parametrize(
    ("act", "point"), [(act, point) for act, points in POINTS.items() for point in points]
)
@pytest.mark.parametrize("occurrence", [1, 2])
def test_killed_at_each_point(tmp_path: Path, act: str, point: str, occurrence: int) -> None:
    prepared(tmp_path, act)
    died = run_python(ACT, str(tmp_path), act, crash_at=point, occurrence=occurrence)
    assert died.returncode == KILLED, died.stderr
    finish(tmp_path, act)


@pytest.mark.parametrize("calls", CALLS)
@pytest.mark.parametrize("act", ["store", "destroy", "rotate", "remove"])
def test_killed_at_calls_of_the_system(tmp_path: Path, act: str, calls: str) -> None:
    """At each in turn until none is left, or enough were tried."""
    step = 1 if WHOLE else 7 if act == "store" else 2
    for when in range(1, MOST * step, step):
        folder = tmp_path / str(when)
        folder.mkdir()
        prepared(folder, act)
        strace = inject(calls, f"signal=SIGKILL:when={when}", tmp_path / "log")
        survived = run_python(ACT, str(folder), act, strace=strace).returncode == 0
        finish(folder, act, judged=WHOLE)
        if survived:
            break


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("calls", [RENAMES, SYNCS, "pwrite64"])
@pytest.mark.parametrize("act", ["store", "destroy", "rotate"])
def test_an_error_of_the_disk_is_no_acknowledgement(
    tmp_path: Path, act: str, calls: str, error: str
) -> None:
    prepared(tmp_path, act)
    strace = inject(calls, f"error={error}:when=1+", tmp_path / "log")
    refused = run_python(ACT, str(tmp_path), act, strace=strace)
    if "INJECTED" in (tmp_path / "log").read_text():
        assert refused.returncode == 75, refused.stdout + refused.stderr
    else:
        assert (act, calls) in {("store", "pwrite64"), ("destroy", RENAMES), ("rotate", "pwrite64")}
    finish(tmp_path, act)


def test_a_kill_between_two_roots_is_finished_by_repeating(tmp_path: Path) -> None:
    prepared(tmp_path, "destroy")
    died = run_python(ACT, str(tmp_path), "destroy", crash_at="keys.destroyed")
    assert died.returncode == KILLED
    request, _, _ = make_many(tmp_path / "working", count=4)
    store = open_store(tmp_path)
    assert store.destroyed_parts(request.spool_id) == {2, 3}
    assert [sorted(root.destroyed_parts(request.spool_id)) for root in store.roots] == [[2, 3], []]
    assert store.destroy_parts(request.spool_id, [2, 3]) == 2
    assert [sorted(root.destroyed_parts(request.spool_id)) for root in store.roots] == [[2, 3]] * 2
