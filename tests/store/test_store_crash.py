"""Killed or refused anywhere while writing: one valid object, no false acknowledgement."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from hotfolder.core.errors import Transient
from hotfolder.store.ocfl import OcflStore
from tests.support.crash import KILLED, inject, run_python
from tests.support.drops import spool_id
from tests.support.ocfl_judge import check_valid
from tests.support.spools import FixedClock, make_request

WRITE = """
import os, sys
from pathlib import Path
from hotfolder.core.errors import HotfolderError
from hotfolder.store.ocfl import OcflStore
from tests.support.spools import FixedClock, make_request
folder = Path(sys.argv[1])
count = int(sys.argv[2])
store = OcflStore(os.fsencode(folder / "store"), clock=FixedClock())
requests = [
    make_request(folder / "working", number, sidecars={b"a.json": b"{}"}) for number in range(count)
]
try:
    print(len(store.write_spools(requests)))
    if len(sys.argv) > 3:
        print(store.withdraw(requests[0].spool_id, "rejected"))
except HotfolderError as error:
    print(error.code)
    sys.exit(error.exit_code)
"""
UNPRIVILEGED = """
import os, sys
from pathlib import Path
from hotfolder.store.ocfl import OcflStore
from tests.support.spools import FixedClock, make_request
folder = Path(sys.argv[1])
if sys.argv[2]:  # after the imports, whose files the other account may not be able to read
    os.setgroups([])
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
store = OcflStore(os.fsencode(folder / "store"), clock=FixedClock())
store.initialise()
print([fault.code for fault in store.diagnose() if fault.code != "store.space"])
requests = [make_request(folder / "working", number) for number in range(3)]
store.write_spools(requests[1:])
print(len(store.write_spools(requests)))
print(store.withdraw(requests[0].spool_id, "rejected"))
store.write_spools(requests)
print(os.listdir(folder / "store.staging"))
"""
POINTS = ["store.content_written", "store.object_written", "store.object_renamed"]
RENAMES = "rename,renameat,renameat2"
SYNCS = "fsync,fdatasync,syncfs"


@pytest.fixture
def store(tmp_path: Path) -> OcflStore:
    store = OcflStore(os.fsencode(tmp_path / "store"), clock=FixedClock())
    store.initialise()
    return store


def redo(tmp_path: Path, store: OcflStore, count: int) -> None:
    """What a restart does: clean, write the same spools again; then look."""
    store.clean()
    assert os.listdir(tmp_path / "store.staging") == []
    requests = [
        make_request(tmp_path / "working", number, sidecars={b"a.json": b"{}"})
        for number in range(count)
    ]
    assert len(store.write_spools(requests)) == count
    for request in requests:
        assert store.verify(request.spool_id).content_sha256 == request.sha256
    check_valid(tmp_path / "store", count)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("occurrence", [1, 3])
def test_killed_at_each_point(
    tmp_path: Path, store: OcflStore, point: str, occurrence: int
) -> None:
    died = run_python(WRITE, str(tmp_path), "3", crash_at=point, occurrence=occurrence)
    assert died.returncode == KILLED, died.stderr
    redo(tmp_path, store, 3)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("calls", [RENAMES, SYNCS, "mkdir,mkdirat", "chmod,fchmod,fchmodat"])
@pytest.mark.parametrize("when", [1, 2, 5])
def test_killed_at_calls_of_the_system(
    tmp_path: Path, store: OcflStore, calls: str, when: int, count: int
) -> None:
    strace = inject(calls, f"signal=SIGKILL:when={when}", tmp_path / "log")
    run_python(WRITE, str(tmp_path), str(count), strace=strace)
    redo(tmp_path, store, count)


INITIALISE = """
import os, sys
from hotfolder.store.ocfl import OcflStore
from tests.support.spools import FixedClock
OcflStore(os.fsencode(sys.argv[1]), clock=FixedClock()).initialise()
"""


@pytest.mark.parametrize("calls", [RENAMES, SYNCS, "mkdir"])
def test_killed_while_the_root_is_made(tmp_path: Path, calls: str) -> None:
    died = 0
    for when in range(1, 20):
        root = tmp_path / f"{calls[:5]}-{when}"
        strace = inject(calls, f"signal=SIGKILL:when={when}", tmp_path / "log")
        died += run_python(INITIALISE, str(root), strace=strace).returncode != 0
        assert run_python(INITIALISE, str(root)).returncode == 0
        check_valid(root, 0)
        if died < when:
            break
    assert died > 2


# strace counts the calls of each thread for itself, so syncs are refused from the first on.
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize(
    ("calls", "when", "count"),
    [
        (calls, when, count)
        for calls in (RENAMES, SYNCS, "mkdir,mkdirat")
        for when, count in ((1, 1), (1, 3), (2, 3))
        if calls != SYNCS or when == 1
    ],
)
def test_an_error_of_the_disk_is_no_acknowledgement(
    tmp_path: Path, store: OcflStore, calls: str, error: str, when: int, count: int
) -> None:
    if calls == "mkdir,mkdirat":
        # The test's own folders come first: make them, so that the store's calls count.
        (tmp_path / "working").mkdir()
        when += 2 * count
    strace = inject(calls, f"error={error}:when={when}+", tmp_path / "log")
    refused = run_python(WRITE, str(tmp_path), str(count), strace=strace)
    if "INJECTED" not in (tmp_path / "log").read_text():
        pytest.fail("the call was never reached")
    assert refused.returncode == 75, refused.stdout + refused.stderr
    assert refused.stdout.strip() in ("disk.io", "disk.full")
    redo(tmp_path, store, count)


def test_after_a_failed_sync_the_object_is_written_anew(tmp_path: Path, store: OcflStore) -> None:
    """A second sync of the same pages would succeed and prove nothing."""
    strace = inject(SYNCS, "error=EIO:when=1", tmp_path / "log")
    refused = run_python(WRITE, str(tmp_path), "3", strace=strace)
    assert refused.stdout.strip() == "disk.io"
    assert os.listdir(tmp_path / "store.staging") == []
    assert list(store.iterate()) == []


def test_a_failed_last_sync_takes_the_objects_out(tmp_path: Path, store: OcflStore) -> None:
    strace = inject("fsync", "error=EIO:when=1", tmp_path / "log")
    refused = run_python(WRITE, str(tmp_path), "3", strace=strace)
    log = (tmp_path / "log").read_text()
    assert "INJECTED" in log
    assert refused.stdout.strip() == "disk.io"
    assert list(store.iterate()) == []
    redo(tmp_path, store, 3)


@pytest.mark.parametrize("when", [1, 2, 3])
def test_a_sync_that_fails_while_more_is_written(
    tmp_path: Path, store: OcflStore, when: int
) -> None:
    """A batch so large that its syncs begin ahead, in another thread."""
    strace = inject("syncfs", f"error=EIO:when={when}", tmp_path / "log")
    refused = run_python(WRITE, str(tmp_path), "140", strace=strace)
    if "INJECTED" not in (tmp_path / "log").read_text():
        assert refused.stdout.strip() == "140"  # fewer syncs were needed, or none of this kind
        return
    assert refused.stdout.strip() == "disk.io"
    assert list(store.iterate()) == []
    assert os.listdir(tmp_path / "store.staging") == []


def test_a_full_disk_is_waited_for(tmp_path: Path) -> None:
    """A real one: nothing is acknowledged, nothing is left, and room makes it go on."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        store = OcflStore(os.fsencode(place / "store"), clock=FixedClock())
        store.initialise()
        assert "store.space" in [fault.code for fault in store.diagnose()]
        small = make_request(tmp_path, 1)
        large = make_request(tmp_path, 2, data=bytes(3 << 20))
        with pytest.raises(Transient) as caught:
            store.write_spools([small, large])
        assert caught.value.code == "disk.full"
        assert list(store.iterate()) == []
        assert os.listdir(place / "store.staging") == []
        assert len(store.write_spools([small])) == 1
        (place / "filler").write_bytes(bytes(1 << 20))
        with pytest.raises(Transient):
            store.write_spools([make_request(tmp_path, 3, data=bytes(1 << 20))])
        (place / "filler").unlink()
        assert len(store.write_spools([make_request(tmp_path, 3, data=bytes(1 << 20))])) == 1
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_an_account_without_privileges_can_do_it_all() -> None:
    """Sealed directories are renamed and removed by their owner, who is not root."""
    user = 65534 if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory() as name:
        if user is not None:
            os.chown(name, user, user)
        done = run_python(UNPRIVILEGED, name, str(user or ""))
        assert done.stdout.splitlines() == ["[]", "3", "True", "[]"], done.stdout + done.stderr


@pytest.mark.parametrize("calls", ["rename", "fsync", "unlink,rmdir,unlinkat"])
@pytest.mark.parametrize("when", [1, 3])
def test_killed_while_withdrawing(tmp_path: Path, store: OcflStore, calls: str, when: int) -> None:
    store.write_spools([make_request(tmp_path / "working", 0, sidecars={b"a.json": b"{}"})])
    strace = inject(calls, f"signal=SIGKILL:when={when}", tmp_path / "log")
    run_python(WRITE, str(tmp_path), "1", "withdraw", strace=strace)
    store.clean()
    store.withdraw(spool_id(0), "rejected")
    assert list(store.iterate()) == []
    check_valid(tmp_path / "store", 0)


def test_a_leftover_in_staging_is_in_nobodys_way(tmp_path: Path, store: OcflStore) -> None:
    died = run_python(WRITE, str(tmp_path), "2", crash_at="store.object_written")
    assert died.returncode == KILLED
    requests = [
        make_request(tmp_path / "working", number, sidecars={b"a.json": b"{}"})
        for number in range(2)
    ]
    assert len(store.write_spools(requests)) == 2  # without clean()
    check_valid(tmp_path / "store", 2)
