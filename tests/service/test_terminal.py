"""Answers on a terminal: JSON, tables, faults, progress."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.errors import (
    Corrupt,
    Fault,
    HotfolderError,
    InputFault,
    OperatorFault,
    Transient,
)
from hotfolder.service.terminal import Progress, print_json, print_table, printable, show_error

FAULT = Fault(code="a.b", message="this is wrong", remedy="mend it", file="f", place="line 3")


def test_json_is_one_value_in_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "Übergröße \x1b[31m"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"name": "Übergröße \x1b[31m"}


def test_a_table_shows_names_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("Spools", ("name", "bytes"), [("[red]a[/red].pdf", "1,024"), ("\x1b]0;x\x07", "7")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "Spools"
    assert "[red]a[/red].pdf" in lines[2]
    assert "\\x1b]0;x\\x07" in lines[3]
    assert lines[2].rstrip().endswith("1,024")
    assert lines[3].rstrip().endswith("    7")


def test_nothing_is_cut_off_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("", ("identity", "why"), [("hf-" + "a" * 64, "b" * 100)])
    out = capsys.readouterr().out
    assert "hf-" + "a" * 64 in out
    assert "b" * 100 in out


@given(st.text())
def test_printable_text_is_printable(text: str) -> None:
    assert printable(text).isprintable()


@pytest.mark.parametrize(
    "error",
    [
        Transient("later", hint="wait"),
        InputFault([FAULT]),
        OperatorFault("no", hint="do", faults=[FAULT, FAULT]),
        Corrupt("changed"),
    ],
)
def test_errors_are_told_with_every_fault(
    capsys: pytest.CaptureFixture[str], error: HotfolderError
) -> None:
    show_error(error, as_json=False)
    told = capsys.readouterr()
    assert told.out == ""
    assert error.message in told.err
    faults = getattr(error, "faults", ())
    assert told.err.count("-> mend it") == len(faults)
    assert told.err.count("f, line 3") == len(faults)
    show_error(error, as_json=True)
    told = capsys.readouterr()
    assert told.err == ""
    found = json.loads(told.out)
    assert found["exit_code"] == error.exit_code
    assert [fault["remedy"] for fault in found["faults"]] == ["mend it"] * len(faults)


def test_an_error_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show_error(OperatorFault("a\x1b[2Jb", hint="c\rd"), as_json=False)
    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert "\r" not in told


def test_progress_without_a_terminal_is_lines_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    times = iter([0.0, 1.0, 11.0, 12.0])
    with Progress("units compared", total=4000, monotonic=lambda: next(times)) as progress:
        for done in (1, 2, 3000, 4000):
            progress.reached(done)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "units compared: 1 of 4,000",
        "units compared: 3,000 of 4,000",
        "units compared: 4,000 of 4,000",
    ]


def test_progress_keeps_silent_beside_json(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("units", as_json=True) as progress:
        progress.reached(5, 10)
    assert capsys.readouterr() == ("", "")


def test_lines_tell_how_long_it_will_take(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    with Progress("spools", total=100, time_left=True, monotonic=lambda: now) as progress:
        progress.reached(10)
        now = 60.0
        progress.reached(40)
        now = 120.0
        progress.reached(100)
    assert capsys.readouterr().err.splitlines() == [
        "spools: 10 of 100",
        "spools: 40 of 100, about 2 minutes left",
        "spools: 100 of 100",
    ]
