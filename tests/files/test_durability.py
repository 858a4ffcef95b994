"""Syncs reach the disk's answer, and every answer of the system has its kind."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from hotfolder.core.errors import HotfolderError, OperatorFault, Transient
from hotfolder.files.durability import MANY, SyncScope, free_space, sync_directories, sync_files
from hotfolder.files.faults import classify, os_errors
from tests.support.crash import inject, run_python

SYNC = """
import os, sys
from hotfolder.core.errors import HotfolderError
from hotfolder.files.durability import SyncScope
folder = os.fsencode(sys.argv[1])
try:
    with SyncScope(folder) as scope:
        paths = [os.path.join(folder, b"%d" % number) for number in range(int(sys.argv[2]))]
        for path in paths:
            with open(path, "wb") as stream:
                stream.write(b"x")
        if len(sys.argv) > 3:
            scope.start()
        scope.sync(paths, [folder])
except HotfolderError as error:
    print(error.code)
"""


@pytest.mark.parametrize("count", [1, 3, 10, MANY, 200])
def test_every_file_and_folder_is_synced(tmp_path: Path, count: int) -> None:
    (tmp_path / "files").mkdir()
    trace = inject("syncfs", "delay_exit=1", tmp_path / "log")
    trace[trace.index("-e") + 1 :] = ["trace=fsync,syncfs"]
    run = run_python(SYNC, str(tmp_path / "files"), str(count), strace=trace)
    assert (run.returncode, run.stdout) == (0, ""), run.stderr
    log = (tmp_path / "log").read_text()
    done = len(re.findall(r"fsync.*= 0", log)), len(re.findall(r"syncfs.*= 0", log))
    # Many go with one call for the file system, where that may be trusted.
    assert done in ((count + 1, 0), *([(0, 1)] if count >= MANY else []))


@pytest.mark.parametrize("count", [1, 3, 10, 200])
def test_one_failed_sync_is_a_failure(tmp_path: Path, count: int) -> None:
    strace = inject("fsync,syncfs", "error=EIO:when=1", tmp_path / "log")
    (tmp_path / "files").mkdir()
    assert run_python(SYNC, str(tmp_path / "files"), str(count), strace=strace).stdout == (
        "disk.io\n"
    )


def test_a_sync_that_failed_ahead_is_told_later(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    strace = inject("syncfs", "error=EIO:when=1", tmp_path / "log")
    run = run_python(SYNC, str(tmp_path / "files"), "3", "ahead", strace=strace)
    if "INJECTED" not in (tmp_path / "log").read_text():
        pytest.skip("this file system is synced file by file")
    assert run.stdout == "disk.io\n"


def test_a_missing_file_cannot_be_synced(tmp_path: Path) -> None:
    with pytest.raises(OperatorFault):
        sync_files([os.fsencode(tmp_path / "gone")])
    with pytest.raises(OperatorFault):
        SyncScope(os.fsencode(tmp_path / "gone"))


def test_a_link_or_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link"):
        with pytest.raises(HotfolderError):
            sync_directories([os.fsencode(tmp_path / name)])
    sync_directories([os.fsencode(tmp_path)] * 3)


def test_free_space_is_what_may_be_written(tmp_path: Path) -> None:
    assert free_space(os.fsencode(tmp_path)) > 0


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (errno.ENOSPC, Transient, "disk.full"),
        (errno.EDQUOT, Transient, "disk.full"),
        (errno.EIO, Transient, "disk.io"),
        (errno.EROFS, Transient, "disk.readonly"),
        (errno.EMFILE, Transient, "system.files"),
        (errno.ESTALE, Transient, "system.error"),
        (errno.EACCES, OperatorFault, "file.permission"),
        (errno.EPERM, OperatorFault, "file.permission"),
        (errno.EXDEV, OperatorFault, "folder.mounts"),
        (errno.ENOENT, OperatorFault, "file.missing"),
        (errno.ELOOP, OperatorFault, "file.link"),
    ],
)
def test_errors_of_the_system_have_a_kind_and_a_remedy(
    number: int, kind: type[HotfolderError], code: str
) -> None:
    with pytest.raises(kind) as caught, os_errors("testing"):
        raise OSError(number, os.strerror(number), "/customer/4711.pdf")
    assert caught.value.code == code
    assert caught.value.hint
    assert "4711" not in str(caught.value)
    assert os.strerror(number) in caught.value.message


def test_the_remedy_for_two_mounts_names_the_trap() -> None:
    assert "ReadWritePaths" in classify(OSError(errno.EXDEV, ""), "renaming").hint


def test_other_errors_pass_through() -> None:
    with pytest.raises(KeyError), os_errors("testing"):
        raise KeyError("x")
    with os_errors("testing"):
        pass
