"""Every behaviour ends with the whole drop in the folder, and misleads as it promises."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.formats.registry import inspect_spool
from hotfolder.sandbox.communications import make_communication
from hotfolder.sandbox.exstream import Output, make_output, make_truncated
from hotfolder.sandbox.writers import (
    BEHAVIOURS,
    Pace,
    mmap_write,
    perform,
    preserve_mtime,
    truncate_and_rewrite,
    write_bulk,
    write_slowly,
)


@pytest.fixture
def places(tmp_path: Path) -> tuple[bytes, Pace]:
    hot, staging = tmp_path / "hot", tmp_path / "staging"
    hot.mkdir()
    staging.mkdir()
    return os.fsencode(hot), Pace(chunks=5, pause=1.5, staging=os.fsencode(staging))


def _output(behaviour: str = "") -> Output:
    name = b"moved/in.pdf" if behaviour == "directory" else None
    return make_output(make_communication(1, 3), name=name)


def _files(folder: bytes) -> dict[bytes, bytes]:
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            found[os.path.relpath(path, folder)] = Path(os.fsdecode(path)).read_bytes()
    return found


@pytest.mark.parametrize("behaviour", sorted(BEHAVIOURS))
def test_ends_with_the_whole_drop(behaviour: str, places: tuple[bytes, Pace]) -> None:
    hot, pace = places
    output = _output(behaviour)
    pauses: list[float] = []
    expected = perform(BEHAVIOURS[behaviour](hot, output, pace), pauses.append)
    assert expected == output.expected
    assert output.sidecar_name is not None
    wanted = {output.name: output.data, output.sidecar_name: output.sidecar}
    if behaviour == "trigger":
        wanted[output.name + b".done"] = b""
    assert _files(hot) == wanted
    assert _files(pace.staging) == {}
    assert set(pauses) <= {0.0, 1.5}


@pytest.mark.parametrize("behaviour", sorted(set(BEHAVIOURS) - {"directory", "hard-link"}))
def test_bears_a_name_that_is_no_text(behaviour: str, places: tuple[bytes, Pace]) -> None:
    hot, pace = places
    name = b"POL_\xe9t\xe9_1.pdf"
    output = make_output(make_communication(1, 3), name=name)
    perform(BEHAVIOURS[behaviour](hot, output, pace), lambda _: None)
    assert _files(hot)[name] == output.data


def _looks(behaviour: str, hot: bytes, pace: Pace, output: Output) -> Iterator[bytes | None]:
    """The spool after each step but the last, as a scan would see it."""
    writing = BEHAVIOURS[behaviour](hot, output, pace)
    path = Path(os.fsdecode(os.path.join(hot, output.name)))
    for _ in writing:
        yield path.read_bytes() if path.exists() else None


@pytest.mark.parametrize("behaviour", ["slow", "append", "preserved-mtime"])
def test_grows_chunk_by_chunk(behaviour: str, places: tuple[bytes, Pace]) -> None:
    hot, pace = places
    output = _output()
    seen = [data for data in _looks(behaviour, hot, pace, output) if data]
    sizes = sorted({len(data) for data in seen})
    assert len(sizes) == 5
    assert all(output.data.startswith(data) for data in seen)
    assert sizes[-1] == len(output.data)
    for data in seen[:-2]:
        if len(data) < len(output.data):
            found = inspect_spool(io.BytesIO(data), len(data), output.name)
            assert found.fault is not None


@pytest.mark.parametrize("behaviour", ["rename-in", "directory"])
def test_final_name_is_whole_from_the_start(behaviour: str, places: tuple[bytes, Pace]) -> None:
    hot, pace = places
    output = _output(behaviour)
    assert set(_looks(behaviour, hot, pace, output)) == {None}


def test_trigger_comes_last(places: tuple[bytes, Pace]) -> None:
    hot, pace = places
    output = _output()
    for _ in BEHAVIOURS["trigger"](hot, output, pace):
        assert output.name + b".done" not in os.listdir(hot)


@pytest.mark.parametrize(("behaviour", "first"), [("sidecar-first", 0), ("sidecar-last", 1)])
def test_one_of_the_pair_waits(behaviour: str, first: int, places: tuple[bytes, Pace]) -> None:
    hot, pace = places
    output = _output()
    lone = [os.listdir(hot) for pause in BEHAVIOURS[behaviour](hot, output, pace) if pause]
    assert lone == [[(output.sidecar_name, output.name)[first]]]


def test_mapping_has_its_full_size_at_once(places: tuple[bytes, Pace]) -> None:
    hot, pace = places
    output = _output()
    path = os.path.join(hot, output.name)
    for pause in mmap_write(hot, output, pace):
        if pause:
            assert os.stat(path).st_size == len(output.data)


def test_rewriting_goes_through_the_same_length(places: tuple[bytes, Pace]) -> None:
    hot, pace = places
    output = _output()
    path = os.path.join(hot, output.name)
    sizes = [os.stat(path).st_size for pause in truncate_and_rewrite(hot, output, pace) if pause]
    assert sizes[0] == len(output.data)
    assert sizes[1] < sizes[0]
    assert sizes[-1] == len(output.data)


def test_copy_keeps_an_old_time_all_along(places: tuple[bytes, Pace]) -> None:
    hot, pace = places
    output = _output()
    path = os.path.join(hot, output.name)
    times = {os.stat(path).st_mtime for pause in preserve_mtime(hot, output, pace) if pause} | {
        os.stat(path).st_mtime
    }
    assert len(times) == 1
    assert times.pop() < 1_300_000_000


def test_a_writer_that_is_dropped_closes_its_file(places: tuple[bytes, Pace]) -> None:
    hot, pace = places
    writing = write_slowly(hot, _output(), pace)
    next(writing)
    before = len(os.listdir("/proc/self/fd"))
    writing.close()
    assert len(os.listdir("/proc/self/fd")) == before - 1


def test_truncated_spool_never_ends(places: tuple[bytes, Pace]) -> None:
    hot, pace = places
    for spool in ("pdf", "afp"):
        output = make_truncated(make_output(make_communication(1, 3), spool=spool))
        expected = perform(write_slowly(hot, output, pace), lambda _: None)
        data = _files(hot)[output.name]
        found = inspect_spool(io.BytesIO(data), len(data), output.name)
        assert found.fault is not None
        assert (found.fault.code,) == expected.reason_codes


def test_bulk_writes_what_it_says(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path)
    expected = list(write_bulk(folder, 50, 1, first=100))
    files = _files(folder)
    assert len(files) == 100
    assert len({item.name for item in expected}) == 50
    for item in expected:
        assert hashlib.sha256(files[item.name]).hexdigest() == item.sha256
        assert item.name + b".json" in files
