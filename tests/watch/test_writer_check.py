"""The kernel's word on writers."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hotfolder.core.records import Sighting
from hotfolder.watch.scan import Folder
from hotfolder.watch.writer import has_writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "a.pdf"
    file.write_bytes(b"x" * 8192)
    if has_writer(os.fsencode(file), sight(file)) is None:
        pytest.skip("this file system has no leases")
    return file


def sight(path: Path) -> Sighting:
    with Folder(os.fsencode(path.parent), "hot") as folder:
        sighting = folder.look(os.fsencode(path.name))
    assert sighting is not None
    return sighting


def ask(path: Path) -> bool | None:
    return has_writer(os.fsencode(path), sight(path))


@pytest.mark.parametrize("mode", ["ab", "r+b"])
def test_an_open_writer_is_seen_and_its_end_too(path: Path, mode: str) -> None:
    assert ask(path) is False
    with path.open(mode):
        assert ask(path) is True
    assert ask(path) is False


def test_readers_do_no_harm(path: Path) -> None:
    with path.open("rb"):
        assert ask(path) is False


def test_a_mapping_that_outlives_its_descriptor_is_a_writer(path: Path) -> None:
    with path.open("r+b") as stream:
        mapping = mmap.mmap(stream.fileno(), 8192)
    with mapping:
        assert ask(path) is True
    assert ask(path) is False


def test_a_writer_in_another_process_is_seen(path: Path) -> None:
    code = "import sys; f = open(sys.argv[1], 'ab'); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        assert ask(path) is True
        writer.communicate()
    assert ask(path) is False


def test_what_is_no_longer_that_file_is_not_judged(path: Path) -> None:
    seen = sight(path)
    path.rename(path.with_name("kept"))
    assert has_writer(os.fsencode(path), seen) is None
    path.write_bytes(b"another")
    assert has_writer(os.fsencode(path), seen) is None
    path.unlink()
    path.symlink_to(path.with_name("kept"))
    assert has_writer(os.fsencode(path), seen) is None
    path.unlink()
    os.mkfifo(path)
    assert has_writer(os.fsencode(path), seen) is None


def test_a_file_of_another_account_cannot_be_judged(path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("needs another account")
    path.chmod(0o644)
    seen = sight(path)
    fd = os.open(path.parent, os.O_RDONLY)
    code = (
        "import os, sys\n"
        "from hotfolder.core.records import Sighting\n"
        "from hotfolder.watch.writer import has_writer\n"
        "os.fchdir(int(sys.argv[1])); os.setgid(65534); os.setuid(65534)\n"
        "s = Sighting(folder='', name=b'', size=0, mtime_ns=0, inode=int(sys.argv[2]), device=0)\n"
        "print(has_writer(b'a.pdf', s))\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, str(fd), str(seen.inode)],
            pass_fds=[fd],
            capture_output=True,
            check=False,
            text=True,
        )
    finally:
        os.close(fd)
    assert done.stdout.strip() == "None", done.stderr


def test_an_opener_in_the_middle_of_the_question_harms_nobody(path: Path) -> None:
    """The kernel signals the holder of a lease when a writer comes; by default that
    signal would end the process."""
    seen = sight(path)
    stopping = threading.Event()
    opened = 0

    def write() -> None:
        nonlocal opened
        while not stopping.is_set():
            os.close(os.open(path, os.O_WRONLY))
            opened += 1

    writer = threading.Thread(target=write)
    writer.start()
    answers = {has_writer(os.fsencode(path), seen) for _ in range(20_000)}
    stopping.set()
    writer.join()
    assert opened > 100
    assert answers <= {True, False}
