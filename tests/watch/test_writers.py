"""Twelve ways of writing a file into a real folder: none is taken half-written, none
is missed. Every writer knows the hash of what it meant to write."""

from __future__ import annotations

import hashlib
import mmap
import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hotfolder.core.profiles import CompletionRule, SidecarFormat
from tests.support.watching import QUIET, make_pdf, make_profile, watching

PAUSE = 2.5 * QUIET
Writer = Callable[[Path, Path, str, bytes], None]  # hot folder, staging folder, name, data


def write_slowly(hot: Path, staging: Path, name: str, data: bytes) -> None:
    with (hot / name).open("wb", buffering=0) as stream:
        for at in range(0, len(data), len(data) // 12 + 1):
            stream.write(data[at : at + len(data) // 12 + 1])
            time.sleep(QUIET / 4)


def pause_longer_than_the_quiet_time(hot: Path, staging: Path, name: str, data: bytes) -> None:
    with (hot / name).open("wb", buffering=0) as stream:
        stream.write(data[: len(data) // 2])
    time.sleep(PAUSE)
    with (hot / name).open("ab") as stream:
        stream.write(data[len(data) // 2 :])


def pause_with_the_file_open(hot: Path, staging: Path, name: str, data: bytes) -> None:
    with (hot / name).open("wb", buffering=0) as stream:
        stream.write(data[: len(data) // 2])
        time.sleep(PAUSE)
        stream.write(data[len(data) // 2 :])


def reopen_and_append(hot: Path, staging: Path, name: str, data: bytes) -> None:
    for at in range(0, len(data), len(data) // 5 + 1):
        with (hot / name).open("ab") as stream:
            stream.write(data[at : at + len(data) // 5 + 1])
        time.sleep(QUIET / 2)


def preserve_the_time(hot: Path, staging: Path, name: str, data: bytes) -> None:
    half = len(data) // 2
    for part in (data[:half], data[half:]):
        with (hot / name).open("ab") as stream:
            stream.write(part)
        os.utime(hot / name, (1e9, 1e9))
        time.sleep(QUIET / 2)


def set_a_time_to_come(hot: Path, staging: Path, name: str, data: bytes) -> None:
    (hot / name).write_bytes(data)
    os.utime(hot / name, (4e9, 4e9))


def truncate_and_rewrite(hot: Path, staging: Path, name: str, data: bytes) -> None:
    (hot / name).write_bytes(make_pdf(b"first try")[:-3])
    time.sleep(QUIET / 2)
    with (hot / name).open("r+b", buffering=0) as stream:
        stream.truncate(0)
        time.sleep(PAUSE)
        stream.write(data)


def rename_in(hot: Path, staging: Path, name: str, data: bytes) -> None:
    (hot / f"{name}.tmp").write_bytes(data[: len(data) // 2])
    time.sleep(QUIET)
    with (hot / f"{name}.tmp").open("ab") as stream:
        stream.write(data[len(data) // 2 :])
    (hot / f"{name}.tmp").rename(hot / name)


def rename_in_from_elsewhere(hot: Path, staging: Path, name: str, data: bytes) -> None:
    (staging / name).write_bytes(data)
    (staging / name).rename(hot / name)


def link_in(hot: Path, staging: Path, name: str, data: bytes) -> None:
    (staging / name).write_bytes(data)
    (hot / name).hardlink_to(staging / name)


def write_through_a_mapping(hot: Path, staging: Path, name: str, data: bytes) -> None:
    """The descriptor is closed at once; pages are written without a system call."""
    with (hot / name).open("w+b") as stream:
        stream.truncate(len(data))
        mapping = mmap.mmap(stream.fileno(), len(data))
    with mapping:
        half = len(data) // 2
        mapping[:half] = data[:half]
        time.sleep(PAUSE)
        mapping[half:] = data[half:]


def replace_by_another_inode(hot: Path, staging: Path, name: str, data: bytes) -> None:
    (hot / name).write_bytes(make_pdf(b"to be replaced")[:-3])
    time.sleep(QUIET / 2)
    (staging / name).write_bytes(data)
    (staging / name).replace(hot / name)


WRITERS: list[Writer] = [
    write_slowly,
    pause_longer_than_the_quiet_time,
    pause_with_the_file_open,
    reopen_and_append,
    preserve_the_time,
    set_a_time_to_come,
    truncate_and_rewrite,
    rename_in,
    rename_in_from_elsewhere,
    link_in,
    write_through_a_mapping,
    replace_by_another_inode,
]


def content(number: int) -> bytes:
    """A PDF whose first half and whole are of different kinds: torn until its last byte."""
    noise = random.Random(number).randbytes(60_000)
    return make_pdf(noise.replace(b"\n", b"x").replace(b"\r", b"x"))


def write_all(
    hot: Path, staging: Path, after: Callable[[Path, str], None], suffix: str = ""
) -> dict[bytes, str]:
    """All writers at once, each in its thread; returns when they have finished.

    They write under their name with ``suffix``; ``after`` is told the name without.
    """
    wanted: dict[bytes, str] = {}
    threads = []
    for number, writer in enumerate(WRITERS):
        name, data = f"{writer.__name__}.pdf", content(number)
        wanted[name.encode()] = hashlib.sha256(data).hexdigest()

        def run(writer: Writer = writer, name: str = name, data: bytes = data) -> None:
            writer(hot, staging, name + suffix, data)
            after(hot, name)

        threads.append(threading.Thread(target=run))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wanted


def nothing(hot: Path, name: str) -> None:
    """What a writer does that says no more."""


def trigger(hot: Path, name: str) -> None:
    (hot / f"{name}.done").touch()


def rename(hot: Path, name: str) -> None:
    (hot / f"{name}.part").rename(hot / name)


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    hot, staging = tmp_path / "hot", tmp_path / "staging"
    hot.mkdir()
    staging.mkdir()
    return hot, staging


@pytest.mark.parametrize("network", [False, True], ids=["events", "polling"])
@pytest.mark.parametrize(
    ("rule", "after", "suffix"),
    [
        (CompletionRule.QUIET, nothing, ""),
        (CompletionRule.TRIGGER, trigger, ""),
        (CompletionRule.RENAME, rename, ".part"),
    ],
    ids=["quiet", "trigger", "rename"],
)
def test_no_writer_is_taken_in_the_middle_and_none_is_missed(
    places: tuple[Path, Path],
    rule: CompletionRule,
    after: Callable[[Path, str], None],
    suffix: str,
    network: bool,
) -> None:
    hot, staging = places
    wanted: dict[bytes, str] = {}
    profile = make_profile(os.fsencode(hot), rule, network=network)
    done = threading.Event()

    def produce() -> None:
        wanted.update(write_all(hot, staging, after, suffix))
        done.set()

    with watching(profile) as watched:
        producer = threading.Thread(target=produce)
        producer.start()
        watched.until(done.is_set)
        producer.join()
        watched.take(*wanted)
        watched.pass_time(3 * QUIET)
    assert {name: item.digest for name, item in watched.taken.items()} == wanted
    assert [item.drop.faults for item in watched.taken.values() if item.drop.faults] == []
    assert os.listdir(hot) == []


def test_files_present_at_the_start_are_taken_like_others(places: tuple[Path, Path]) -> None:
    hot, _ = places
    (hot / "whole.pdf").write_bytes(make_pdf(b"x"))
    (hot / "torn.pdf").write_bytes(make_pdf(b"x")[:-4])
    with (hot / "open.pdf").open("wb", buffering=0) as stream:
        stream.write(make_pdf(b"first version"))
        with watching(make_profile(os.fsencode(hot))) as watched:
            watched.take(b"whole.pdf")
            watched.pass_time(3 * QUIET)
            assert set(watched.taken) == {b"whole.pdf"}
            stream.write(b"%and more\n" + make_pdf(b"x"))
            stream.close()
            watched.take(b"open.pdf")
            assert b"torn.pdf" not in watched.taken


@pytest.mark.parametrize("network", [False, True], ids=["events", "polling"])
def test_a_directory_that_is_moved_in_is_looked_into(
    places: tuple[Path, Path], network: bool
) -> None:
    hot, staging = places
    tree = staging / "batch" / "deep" / "deeper"
    tree.mkdir(parents=True)
    (staging / "batch" / "a.pdf").write_bytes(make_pdf(b"a"))
    (tree / "b.pdf").write_bytes(make_pdf(b"b"))
    profile = make_profile(os.fsencode(hot), recursive=True, network=network)
    with watching(profile) as watched:
        watched.poll(0)
        (staging / "batch").rename(hot / "batch")
        watched.take(b"batch/a.pdf", b"batch/deep/deeper/b.pdf")
        # The folder is watched now, under whatever name.
        (hot / "batch").rename(hot / "renamed")
        (hot / "renamed" / "deep" / "c.pdf").write_bytes(make_pdf(b"c"))
        (hot / "made").mkdir()
        (hot / "made" / "d.pdf").write_bytes(make_pdf(b"d"))
        watched.take(b"renamed/deep/c.pdf", b"made/d.pdf")
        assert watched.told("folder.not_watched") == 0


@pytest.mark.parametrize("network", [False, True], ids=["events", "polling"])
@pytest.mark.parametrize("first", ["sidecar", "spool"])
@pytest.mark.parametrize("rule", [CompletionRule.QUIET, CompletionRule.RENAME])
def test_sidecars_may_come_first_or_last(
    places: tuple[Path, Path], rule: CompletionRule, first: str, network: bool
) -> None:
    hot, staging = places
    profile = make_profile(os.fsencode(hot), rule, sidecar=SidecarFormat.AUTO, network=network)
    (staging / "a.pdf").write_bytes(make_pdf(b"a"))
    (staging / "a.pdf.json").write_bytes(b'{"document_type": "letter"}')
    names = ["a.pdf.json", "a.pdf"] if first == "sidecar" else ["a.pdf", "a.pdf.json"]
    with watching(profile) as watched:
        for name in names:
            assert watched.taken == {}
            (staging / name).rename(hot / name)
            watched.pass_time(3 * QUIET)
        watched.take(b"a.pdf")
        drop = watched.taken[b"a.pdf"].drop
        assert [item.name for item in drop.sidecars] == [b"a.pdf.json"]
        assert drop.faults == ()


def test_a_writer_that_rewrites_for_ever_is_never_taken_until_it_ends(
    places: tuple[Path, Path],
) -> None:
    hot, _ = places
    stopping = threading.Event()

    def rewrite() -> None:
        number = 0
        while not stopping.is_set():
            number += 1
            (hot / "log.pdf").write_bytes(make_pdf(b"%d" % number))
            time.sleep(QUIET / 5)
        (hot / "log.pdf").write_bytes(make_pdf(b"the end"))

    with watching(make_profile(os.fsencode(hot))) as watched:
        writer = threading.Thread(target=rewrite)
        writer.start()
        watched.pass_time(6 * QUIET)
        assert watched.taken == {}
        stopping.set()
        writer.join()
        watched.take(b"log.pdf")
        assert watched.taken[b"log.pdf"].digest == hashlib.sha256(make_pdf(b"the end")).hexdigest()
