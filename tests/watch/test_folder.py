"""The folder itself: what lies in it that is no file, and what may happen to it."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from hotfolder.core.profiles import CompletionRule
from hotfolder.watch import events as events_module
from hotfolder.watch.scan import DEEPEST, Folder
from tests.support.watching import QUIET, Watched, make_pdf, make_profile, watching

LIMIT = Path("/proc/sys/fs/inotify/max_queued_events")


@pytest.fixture
def hot(tmp_path: Path) -> Path:
    path = tmp_path / "hot"
    path.mkdir()
    return path


def drop_in(hot: Path, name: str) -> bytes:
    """A file that is finished the moment it has its name."""
    staging = hot.parent / "staging"
    staging.mkdir(exist_ok=True)
    (staging / name).write_bytes(make_pdf(name.encode()))
    (staging / name).rename(hot / name)
    return name.encode()


# -- what is no file ------------------------------------------------------------------
@pytest.mark.parametrize("network", [False, True], ids=["events", "polling"])
def test_links_fifos_and_sockets_are_never_opened_nor_taken(
    hot: Path, network: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = hot.parent / "secret.pdf"
    secret.write_bytes(make_pdf(b"secret"))
    elsewhere = hot.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "inside.pdf").write_bytes(make_pdf(b"inside"))
    profile = make_profile(os.fsencode(hot), CompletionRule.RENAME, recursive=True, network=network)
    (hot / "early.pdf").symlink_to(secret)
    os.mkfifo(hot / "early-fifo.pdf")
    with watching(profile) as watched:
        watched.poll(0)
        (hot / "late.pdf").symlink_to(secret)
        (hot / "dangling.pdf").symlink_to(hot / "nowhere")
        (hot / "folder").symlink_to(elsewhere)
        os.mkfifo(hot / "fifo.pdf")
        with socket.socket(socket.AF_UNIX) as server:
            monkeypatch.chdir(hot)  # the path of a socket must be short
            server.bind("socket.pdf")
            name = drop_in(hot, "real.pdf")
            watched.take(name)
            watched.pass_time(4 * QUIET)
        assert set(watched.taken) == {name}
        assert watched.watcher.describe()["waiting"] == 0


def test_names_need_not_be_utf8(hot: Path) -> None:
    odd = [b"\xff\xfe.pdf", b"new\nline.pdf", b"a" * 251 + b".pdf", "Größe\u202e.pdf".encode()]
    root = os.fsencode(hot)
    with watching(make_profile(root)) as watched:
        for number, name in enumerate(odd):
            if number == 2:
                watched.poll(0)
            with open(os.path.join(root, name), "wb") as stream:
                stream.write(make_pdf(b"x"))
        watched.take(*odd)


def test_our_own_folders_are_not_looked_into(hot: Path) -> None:
    for folder in ("_working/0123", "_failed/2026-01-01", "_receipts", ".git"):
        (hot / folder).mkdir(parents=True)
        (hot / folder / "a.pdf").write_bytes(make_pdf(b"x"))
    with watching(make_profile(os.fsencode(hot), recursive=True)) as watched:
        watched.poll(0)
        for folder in ("_working/0123", "_failed/2026-01-01", "_receipts", ".git"):
            (hot / folder / "b.pdf").write_bytes(make_pdf(b"x"))
        watched.take(drop_in(hot, "real.pdf"))
        watched.pass_time(3 * QUIET)
        assert set(watched.taken) == {b"real.pdf"}


def test_folders_inside_are_not_read_unless_wanted(hot: Path) -> None:
    (hot / "inside").mkdir()
    (hot / "inside" / "a.pdf").write_bytes(make_pdf(b"x"))
    with watching(make_profile(os.fsencode(hot))) as watched:
        watched.take(drop_in(hot, "real.pdf"))
        watched.pass_time(3 * QUIET)
        assert set(watched.taken) == {b"real.pdf"}


def test_a_scan_ends_at_a_depth_and_leaves_out_what_is_hidden(hot: Path) -> None:
    path = hot
    for _ in range(DEEPEST + 3):
        path /= "d"
        path.mkdir()
        (path / "f").touch()
    with Folder(os.fsencode(hot), "hot") as folder:
        found = {item.name for item in folder.scan(recursive=True, hides=lambda _: False)}
        assert len(found) == DEEPEST
        hidden = folder.scan(recursive=True, hides=lambda name: name == b"d/d")
        assert [item.name for item in hidden] == [b"d/f"]


def test_a_look_goes_through_no_link(hot: Path) -> None:
    elsewhere = hot.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.pdf").touch()
    (hot / "in").symlink_to(elsewhere)
    (hot / "a.pdf").symlink_to(elsewhere / "a.pdf")
    with Folder(os.fsencode(hot), "hot") as folder:
        assert folder.look(b"in/a.pdf") is None
        found = folder.look(b"a.pdf", fresh=True)
        assert found is not None
        assert not found.regular
        assert folder.look(b"gone/a.pdf") is None
        assert folder.look(b"gone.pdf") is None


def test_a_folder_inside_that_cannot_be_read_hides_nothing_else(hot: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("needs another account")
    (hot / "closed").mkdir(mode=0o700)
    (hot / "closed" / "a.pdf").touch()
    (hot / "b.pdf").touch()
    hot.chmod(0o755)
    code = (
        "import os, sys\n"
        "from hotfolder.watch.scan import Folder\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "with Folder(b'/proc/self/fd/' + sys.argv[1].encode(), 'hot') as folder:\n"
        "    print([s.name for s in folder.scan(recursive=True, hides=lambda _: False)])\n"
        "    print(folder.look(b'closed/a.pdf'))\n"
    )
    fd = os.open(hot, os.O_RDONLY)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, str(fd)],
            pass_fds=[fd],
            capture_output=True,
            check=False,
            text=True,
        )
    finally:
        os.close(fd)
    assert done.stdout.splitlines() == ["[b'b.pdf']", "None"], done.stderr


# -- what happens to the folder -----------------------------------------------------------
@contextmanager
def renames(hot: Path, *, network: bool = False) -> Iterator[Watched]:
    """A folder whose scans are an hour apart: what is found without one came by an event."""
    profile = make_profile(os.fsencode(hot), CompletionRule.RENAME, rescan=3600.0, network=network)
    with watching(profile) as watched:
        watched.poll(0)
        yield watched


@pytest.mark.parametrize("network", [False, True], ids=["events", "polling"])
def test_a_folder_that_vanishes_is_waited_for(hot: Path, network: bool) -> None:
    with renames(hot, network=network) as watched:
        watched.take(drop_in(hot, "one.pdf"))
        shutil.rmtree(hot)
        watched.until(lambda: not watched.watcher.healthy())
        assert watched.poll(0.1) == []
        hot.mkdir()
        watched.take(drop_in(hot, "two.pdf"))
        watched.until(watched.watcher.healthy)
        watched.take(drop_in(hot, "three.pdf"))
        assert watched.told("folder.lost") == 1
        assert watched.told("folder.returned") == 1


def test_a_folder_that_is_exchanged_is_watched_anew(hot: Path) -> None:
    with renames(hot) as watched:
        away = hot.parent / "away"
        hot.rename(away)
        hot.mkdir()
        watched.take(drop_in(hot, "one.pdf"))
        watched.take(drop_in(hot, "two.pdf"))
        drop_in(away, "three.pdf")
        watched.pass_time(3 * QUIET)
        assert set(watched.taken) == {b"one.pdf", b"two.pdf"}
        assert watched.told("folder.lost") == watched.told("folder.returned") == 1


def test_a_folder_that_is_missing_at_the_start_is_waited_for(hot: Path) -> None:
    hot.rmdir()
    with renames(hot) as watched:
        assert not watched.watcher.healthy()
        hot.mkdir()
        watched.take(drop_in(hot, "one.pdf"))
        assert watched.watcher.healthy()


def test_what_was_seen_is_kept_while_the_folder_is_away(hot: Path) -> None:
    (hot / "a.pdf").write_bytes(make_pdf(b"x")[:-4])
    with watching(make_profile(os.fsencode(hot), rescan=0.1)) as watched:
        watched.poll(0)
        away = hot.parent / "away"
        hot.rename(away)
        watched.until(lambda: not watched.watcher.healthy())
        assert watched.watcher.describe()["waiting"] == 1
        away.rename(hot)
        watched.until(watched.watcher.healthy)
        assert watched.watcher.describe()["waiting"] == 1


def test_a_mount_point_whose_share_is_away_is_not_taken_for_the_folder(hot: Path) -> None:
    """With the share, the folder has our working folder and another device."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(hot)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting is not allowed here")
    unmount = ["umount", "-l", str(hot)]
    try:
        (hot / "_working").mkdir()
        (hot / "torn.pdf").write_bytes(make_pdf(b"x")[:-4])
        with watching(make_profile(os.fsencode(hot), rescan=0.2)) as watched:
            watched.poll(0)
            subprocess.run(unmount, check=True)
            (hot / "stray.pdf").write_bytes(make_pdf(b"x"))
            watched.until(lambda: not watched.watcher.healthy())
            watched.pass_time(3 * QUIET)
            assert watched.taken == {}
            assert watched.watcher.describe()["waiting"] == 1
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(hot)], check=True)
            (hot / "_working").mkdir()
            (hot / "new.pdf").write_bytes(make_pdf(b"x"))
            watched.take(b"new.pdf")
            assert watched.watcher.describe()["waiting"] == 0, "the torn one is gone now"
    finally:
        subprocess.run(unmount, check=False, capture_output=True)


# -- lost events ---------------------------------------------------------------------------
def test_a_dead_reader_is_replaced(hot: Path) -> None:
    with renames(hot) as watched:
        first = watched.watcher._events
        assert first is not None
        first._reader.stop()
        first._reader.join()
        assert not watched.watcher.healthy()
        watched.take(drop_in(hot, "one.pdf"))
        watched.until(watched.watcher.healthy)
        watched.take(drop_in(hot, "two.pdf"))
        assert watched.watcher._events is not first


def test_without_events_the_folder_is_polled(hot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoMore:
        def __init__(self) -> None:
            raise OSError(24, "inotify instance limit reached")

    monkeypatch.setattr(events_module, "InotifyFD", NoMore)
    with renames(hot) as watched:
        watched.take(drop_in(hot, "one.pdf"))
        watched.take(drop_in(hot, "two.pdf"))
        assert not watched.watcher.healthy()
        assert watched.told("folder.not_watched") == 1


def test_a_full_queue_of_ours_leads_to_a_scan(hot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "CAPACITY", 4)
    with renames(hot) as watched:
        names = [drop_in(hot, f"{number}.pdf") for number in range(300)]
        watched.take(*names)
        assert watched.watcher.describe()["overflows"]
        assert watched.told("folder.overflowed") >= 1


def _rename_in_at_one_stroke(hot: Path, names: Sequence[bytes]) -> None:
    """Rename files into ``hot`` while no other thread of this process runs: the reader of
    events sees the first only after the last, however fast the machine is."""
    outside = hot.parent / "outside"
    outside.mkdir()
    moves = []
    for name in names:
        source = os.fsencode(outside) + b"/" + name
        Path(os.fsdecode(source)).write_bytes(make_pdf(name))
        moves.append((source, os.fsencode(hot) + b"/" + name))
    rename = ctypes.PyDLL(None).rename  # unlike os.rename it keeps the interpreter's lock
    before = sys.getswitchinterval()
    sys.setswitchinterval(60)
    try:
        failed = sum(rename(source, target) for source, target in moves)
    finally:
        sys.setswitchinterval(before)
    assert not failed


_NOT_ALLOWED = 77
_OVERFLOWING = """
import sys
from pathlib import Path
from tests.watch.test_folder import overflow
overflow(Path(sys.argv[1]))
"""


@pytest.mark.inotify
@pytest.mark.xdist_group("inotify")
def test_a_full_queue_of_the_kernel_leads_to_a_scan(hot: Path) -> None:
    if not os.access(LIMIT, os.W_OK):
        pytest.skip("the limit of the kernel's queue may not be set here")
    # A process of its own: threads of other tests could hold the interpreter for a minute.
    done = subprocess.run(
        [sys.executable, "-c", _OVERFLOWING, str(hot)],
        cwd=Path(__file__).parent.parent.parent,
        check=False,
        timeout=100,
    )
    if done.returncode == _NOT_ALLOWED:
        pytest.skip("the limit of the kernel's queue may not be set here")
    assert done.returncode == 0


def overflow(hot: Path) -> None:
    """Let the kernel's queue overflow, and see that nothing is missed."""
    before = LIMIT.read_text()
    try:
        # The kernel reads the limit when an inotify instance is made.
        LIMIT.write_text("16")
    except OSError:
        sys.exit(_NOT_ALLOWED)
    try:
        with renames(hot) as watched:
            LIMIT.write_text(before)
            names = [b"%d.pdf" % number for number in range(300)]
            _rename_in_at_one_stroke(hot, names)
            watched.take(*names)
            assert watched.watcher.describe()["overflows"]
            watched.take(drop_in(hot, "after.pdf"))
    finally:
        LIMIT.write_text(before)
