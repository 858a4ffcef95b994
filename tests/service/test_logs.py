"""The log: the list of events, what may stand in a line, and how lines are written."""

from __future__ import annotations

import ast
import io
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

import hotfolder
from hotfolder.service.events import EVENTS
from hotfolder.service.logs import FORBIDDEN, clean, configure_logs, keep_to_the_list, make_emit
from hotfolder.service.metrics import Metrics
from tests.support.operate_doc import DOCS, events_table, metrics_table

PACKAGE = Path(hotfolder.__file__).parent
_TELLERS = ("emit", "_emit", "on_event")
_LOG_METHODS = ("debug", "info", "warning", "error", "critical", "exception")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def told() -> Iterator[tuple[str, str, list[str]]]:
    """Every event told in the source: (where, name, fields)."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            logged = name in _LOG_METHODS and "get_logger" in ast.unparse(node.func)
            first = node.args[0]
            if not logged and name not in _TELLERS:
                continue
            where = f"{path.relative_to(PACKAGE)}:{node.lineno}"
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                fields = [keyword.arg or "**" for keyword in node.keywords]
                yield where, first.value, fields
            else:
                # A name that is put together at run time could not be compared with the list.
                assert ast.unparse(node.func) == "logging.Handler.emit", where


def test_every_event_is_in_the_list_and_every_name_is_told() -> None:
    names = {name for _, name, _ in told()} | {"log.lost"}  # written by _Lines itself
    assert names == set(EVENTS)


def test_events_have_the_fields_of_the_list() -> None:
    for where, name, fields in told():
        assert set(fields) <= EVENTS[name].fields, f"{where}: {name}"


def test_no_event_has_a_forbidden_field() -> None:
    for name, event in EVENTS.items():
        assert not [field for field in event.fields if FORBIDDEN.search(field)], name
        assert event.sentence.endswith("."), name
        noun, _, verb = name.partition(".")
        assert noun.isidentifier(), name
        assert verb.isidentifier(), name


def test_the_manual_has_every_event_and_metric() -> None:
    text = DOCS.read_text()
    assert events_table() in text, "python -m tests.support.operate_doc writes it anew"
    assert metrics_table() in text, "python -m tests.support.operate_doc writes it anew"


def test_the_manual_speaks_of_events_and_codes_that_there_are() -> None:
    text = DOCS.read_text()
    nouns = {name.partition(".")[0] for name in EVENTS} - {"loop", "configuration"}
    source = "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    for word in re.findall(r"`([a-z]+\.[a-z_]+)`", text):
        if word.partition(".")[0] in nouns | {"disk", "archive", "file", "field", "metrics"}:
            assert word in EVENTS or f'"{word}"' in source or word == "journal.db", word
    for metric in re.findall(r"hotfolder_[a-z_]+", text):
        assert f"`{metric}`" in metrics_table(), metric


# -- what may be in a line ------------------------------------------------------------------
def written(monkeypatch: pytest.MonkeyPatch, log_format: str = "json") -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs(log_format, "info", cache=False)
    return stream


def test_a_line_is_json_with_the_fields_of_its_event(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = written(monkeypatch)
    make_emit()("spool.stored", spool="0193", bytes=12)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["spool"], line["bytes"]) == (
        "spool.stored",
        "info",
        "0193",
        12,
    )
    assert line["timestamp"].endswith("Z")
    assert line["thread"] == "MainThread"


def test_what_the_list_does_not_name_is_dropped_and_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = written(monkeypatch)
    make_emit()("spool.stored", spool="0193", customer_id="C-4711", password="horse", x=b"y")
    assert "4711" not in stream.getvalue()
    assert "horse" not in stream.getvalue()
    assert json.loads(stream.getvalue())["dropped"] == ["customer_id", "password", "x"]


def test_an_unknown_event_is_told_without_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = written(monkeypatch)
    make_emit()("spool.sung", spool="0193")
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["dropped"]) == ("spool.sung", "warning", ["spool"])


@given(st.text() | st.binary())
def test_a_value_is_short_and_printable(value: str | bytes) -> None:
    found = clean(value)
    assert isinstance(found, str)
    assert found.isprintable()
    assert len(found) <= 500


@given(st.text(min_size=400, max_size=900, alphabet=st.characters(categories=["Cc", "Ll"])))
def test_a_long_value_is_cut_whatever_is_in_it(value: str) -> None:
    assert len(str(clean(value))) <= 500


@given(st.dictionaries(st.sampled_from(["token", "session", "title", "account_number", "spool"]),
                       st.text()))  # fmt: skip
def test_forbidden_fields_never_pass(fields: dict[str, str]) -> None:
    kept = keep_to_the_list(None, "info", {"event": "spool.stored", **fields})
    assert set(kept) <= {"event", "spool", "dropped"}


def test_levels_below_the_wanted_one_are_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs("json", "error", cache=False)
    emit = make_emit()
    emit("spool.rejected", spool="0193", reason="x", faults=1)
    assert stream.getvalue() == ""
    emit("spool.corrupt", spool="0193", reason="x")
    assert json.loads(stream.getvalue())["event"] == "spool.corrupt"


def test_the_console_is_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = written(monkeypatch, "console")
    make_emit()("spool.stored", spool="0193", bytes=12)
    assert "spool.stored" in stream.getvalue()
    assert "spool=0193" in stream.getvalue()


def test_events_are_counted_before_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    written(monkeypatch)
    metrics = Metrics()
    make_emit(metrics)("spool.stored", spool="0193", bytes=12)
    assert metrics.registry.get_sample_value("hotfolder_stored_bytes_total") == 12


def test_captured_logs_are_seen_by_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    written(monkeypatch)
    with structlog.testing.capture_logs() as lines:
        make_emit()("spool.stored", spool="0193", bytes=12)
    assert lines == [{"event": "spool.stored", "spool": "0193", "bytes": 12, "log_level": "info"}]


def test_a_warning_of_a_library_becomes_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = written(monkeypatch)
    try:
        int("C-4711")
    except ValueError:
        logging.getLogger("some.library").exception("it broke\nbadly: %s", "C-4712")
    logging.getLogger("some.library").info("chatter")
    line = json.loads(stream.getvalue())
    assert (line["event"], line["library"]) == ("library.warned", "some.library")
    assert line["message"] == "it broke\\nbadly: %s"
    assert "471" not in stream.getvalue()


# -- where lines go ---------------------------------------------------------------------------
class _Full(io.StringIO):
    full = True

    def write(self, text: str) -> int:
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_a_line_that_cannot_be_written_stops_nothing_and_is_told_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = _Full()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs("json", cache=False)
    emit = make_emit()
    emit("store.cleaned", count=1)
    emit("store.cleaned", count=2)
    stream.full = False
    emit("store.cleaned", count=3)
    lost, line = (json.loads(text) for text in stream.getvalue().splitlines())
    assert (lost["event"], lost["count"]) == ("log.lost", 2)
    assert (line["event"], line["count"]) == ("store.cleaned", 3)


_CHILD = """
import os, sys
found = os.fstat(2)
if len(sys.argv) > 1:
    os.environ["JOURNAL_STREAM"] = f"{found.st_dev}:{found.st_ino}"
from hotfolder.service.logs import configure_logs, make_emit
configure_logs()
emit = make_emit()
emit("store.cleaned", count=1)
emit("spool.corrupt", spool="0193", reason="x")
"""


@pytest.mark.parametrize("journald", [False, True])
def test_under_systemd_lines_begin_with_their_priority(journald: bool) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "JOURNAL_STREAM"}
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *(["x"] if journald else [])],
        stderr=subprocess.PIPE,
        env=environ | ({} if journald else {"JOURNAL_STREAM": "1:2"}),
        check=True,
        timeout=60,
    )
    first, second = done.stderr.decode().splitlines()
    if journald:
        assert (first[:3], second[:3]) == ("<6>", "<3>")
        first, second = first[3:], second[3:]
    assert json.loads(first)["event"] == "store.cleaned"
    assert json.loads(second)["level"] == "error"


def test_a_log_that_cannot_be_written_leaves_nothing_to_fail_at_the_end() -> None:
    """``/dev/full`` refuses every byte, as a full disk does."""
    program = (
        "from hotfolder.service.logs import configure_logs, make_emit\n"
        "from hotfolder.service.metrics import Metrics\n"
        "configure_logs('json', 'info')\n"
        "make_emit(Metrics())('daemon.started', folders=1)\n"
    )
    with open("/dev/full", "wb") as full:
        done = subprocess.run([sys.executable, "-c", program], stderr=full, check=False)
    assert done.returncode == 0


_NOBODY_READS = """
import os, select, sys
from hotfolder.service.logs import configure_logs, make_emit

reading, writing = os.pipe()
os.dup2(writing, 2)
configure_logs("json")
emit = make_emit()
for count in range(3000):
    emit("store.cleaned", count=count)
read = b""
while select.select([reading], [], [], 0)[0]:
    read += os.read(reading, 1 << 20)
emit("daemon.started", folders=1)
read += os.read(reading, 1 << 20)
sys.stdout.buffer.write(read)
"""


def test_a_pipe_that_nobody_reads_stops_nothing_and_is_told_later() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _NOBODY_READS], capture_output=True, timeout=60, check=True
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["event"] for line in lines[-2:]] == ["log.lost", "daemon.started"]
    whole = [line["count"] for line in lines[:-2]]
    assert whole == list(range(len(whole)))
    assert lines[-2]["count"] == 3000 - len(whole) > 0


def test_a_line_that_was_cut_short_ends_before_the_next() -> None:
    program = (
        _NOBODY_READS.replace("range(3000)", "range(1)")
        .replace("count=count", 'count=1, **{"x" * 20000: 1}')
        .replace("configure_logs(", "import fcntl; fcntl.fcntl(2, 1031, 8192); configure_logs(")
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=60, check=True
    )
    torn, lost, line = done.stdout.splitlines()
    assert torn.startswith(b'{"timestamp"')
    assert not torn.endswith(b"}")
    assert json.loads(lost)["count"] == 1
    assert json.loads(line)["event"] == "daemon.started"
