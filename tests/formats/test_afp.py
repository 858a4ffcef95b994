"""AFP: the chain of structured fields, against a reader of the tests' own."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pytest

from hotfolder.core.records import Inspection
from hotfolder.formats import afpfields, inspect_spool, inspect_trailer
from hotfolder.sandbox.afpwriter import make_field, write_afp
from hotfolder.sandbox.communications import make_communication
from tests.support.afpwalk import walk

NAME = b"run.afp"
SAMPLE = Path(__file__).parent.parent / "samples" / "statements-40.afp"
BDT, EDT, BPG, EPG, BNG, ENG = 0xD3A8A8, 0xD3A9A8, 0xD3A8AF, 0xD3A9AF, 0xD3A8AD, 0xD3A9AD
TLE, NOP = 0xD3A090, 0xD3EEEE
DOC, PAGE = b"DOC00001", b"PAGE0001"


def look(data: bytes) -> Inspection:
    return inspect_spool(io.BytesIO(data), len(data), NAME)


def quick(data: bytes) -> Inspection:
    return inspect_trailer(io.BytesIO(data), len(data), NAME)


def page(name: bytes = PAGE) -> bytes:
    return make_field(BPG, name) + make_field(EPG, name)


def document(*parts: bytes, name: bytes = DOC) -> bytes:
    return make_field(BDT, name) + b"".join(parts) + make_field(EDT, name)


def fault_of(data: bytes) -> tuple[str, str]:
    fault = look(data).fault
    assert fault is not None
    assert fault.remedy
    return fault.code, fault.place


@pytest.mark.parametrize("count", [1, 3, 20])
def test_pages_of_exstream_output(count: int) -> None:
    data = write_afp([make_communication(5, number) for number in range(count)])
    found = look(data)
    assert found.fault is None
    assert found.pages == walk(data).pages
    assert quick(data).fault is None


def test_pages_of_the_sample() -> None:
    data = SAMPLE.read_bytes()
    assert look(data).pages == walk(data).pages


@pytest.mark.parametrize("window", [17, 64, 333, 4096])
def test_windows_of_any_size_see_the_same(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_afp([make_communication(5, 1)])
    whole = look(data)
    monkeypatch.setattr(afpfields, "_CHUNK", window)
    assert look(data) == whole


def test_cut_anywhere_it_is_not_whole() -> None:
    data = write_afp([make_communication(5, 1)])
    for length in range(1, len(data)):
        found = look(data[:length])
        # Before its first field can be told, it is not taken for AFP at all.
        assert found.fault is not None or found.format_name != "afp", length
    assert look(data).fault is None


def test_a_quick_look_never_calls_a_sound_file_cut() -> None:
    for number in range(10):
        data = write_afp([make_communication(5, number)])
        for padding in (b"", b"\r\n", b"\n" * 40):
            assert quick(data + padding).fault is None
            assert look(data + padding).fault is None


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        (document(page())[:-1], "afp.truncated", 51),
        (document(page()) + b"\x5a\x00", "afp.truncated", 68),
        (document(page()) + b"\0" * 300, "afp.truncated", 68),
        (document(page()) + b"X", "afp.damaged", 68),
        (document(page()) + make_field(NOP, b"hello"), "afp.truncated", None),
        (make_field(BDT, DOC) + page(), "afp.truncated", None),
        (document(), "afp.empty", None),
        (page() + make_field(EDT, DOC), "afp.damaged", 34),
        (document(page(), name=DOC)[:-8] + b"OTHER001", "afp.damaged", 51),
        (document(make_field(BNG, b"GROUP001") + page()), "afp.damaged", None),
        (b"\x5a\x00\x07\xd3\xa8\xa8\0\0\0", "afp.damaged", None),
    ],
    ids=[
        "cut by a byte",
        "cut in an introducer",
        "zeros behind",
        "text behind",
        "ends nothing",
        "no end of the document",
        "no page",
        "an end without begin",
        "another name",
        "wrong nesting",
        "length below eight",
    ],
)
def test_faults_name_the_byte(data: bytes, code: str, place: int | None) -> None:
    found = look(data)
    if found.format_name != "afp":
        assert code == "afp.damaged"  # not taken for AFP in the first place
        return
    assert fault_of(data)[0] == code
    if place is not None:
        assert fault_of(data)[1] == f"byte {place}"


def test_names_of_ff_match_any(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look(make_field(BDT, DOC) + page() + make_field(EDT, b"\xff" * 8)).fault is None
    assert look(make_field(BDT) + page() + make_field(EDT)).fault is None


def test_line_ends_between_fields_are_passed_over() -> None:
    data = b"\r\n".join([make_field(BDT, DOC), page(), make_field(EDT, DOC)])
    assert (look(data).fault, look(data).pages) == (None, 1)


def test_a_text_mode_transfer_is_called_by_its_name() -> None:
    # A line feed inside a field got a carriage return: all behind it has moved.
    data = document(make_field(NOP, b"a\nb"), page(), page(b"PAGE0002"))
    code, _ = fault_of(data.replace(b"\n", b"\r\n"))
    assert code == "afp.ascii-transfer"


def test_deep_nesting_ends_in_words() -> None:
    data = b"".join(make_field(BNG, b"%08d" % level) for level in range(5000))
    assert fault_of(data)[0] == "afp.damaged"


def test_a_hundred_thousand_fields_take_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.afp"
    tags = make_field(TLE, b"x" * 100) * 5_000
    with path.open("wb") as file:
        file.write(make_field(BDT, DOC) + page())
        for _ in range(20):
            file.write(tags)
        file.write(make_field(EDT, DOC))
    size = path.stat().st_size
    tracemalloc.start()
    try:
        with path.open("rb") as stream:
            found = inspect_spool(stream, size, NAME)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (found.fault, found.pages) == (None, 1)
    assert peak < 12 << 20  # the window of 4 MiB and its next
