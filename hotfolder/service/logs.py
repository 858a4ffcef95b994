"""The log: structlog events, JSON for machines, readable on a terminal.

What may be in a line is decided here once more, whatever a caller passes: only the
fields that ``events.EVENTS`` names, never a forbidden one, no control characters, no
long texts. A line that cannot be written, or that nobody reads, is counted and never
stops a flow.
"""

from __future__ import annotations

import logging
import os
import re
import select
import sys
import threading
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from hotfolder.core.ports import Emit
from hotfolder.service.events import EVENTS
from hotfolder.service.metrics import Metrics

FORBIDDEN = re.compile(
    r"password|token|session|secret|credential|authorization|cookie|customer|account|policy_number"
    r"|recipient|title|metadata|subject|address|(case|claim|dispute|change)_ref|reference|tracker",
    re.IGNORECASE,
)
_LONGEST = 500  # characters of one value
_PATIENCE = 1.0  # seconds for whoever reads the log to make room
_OWN = ("timestamp", "level", "event", "thread")  # first in each line, in this order
# journald reads a priority from the beginning of a line (sd-daemon(3))
_PRIORITY = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}


def configure_logs(log_format: str = "auto", level: str = "info", *, cache: bool = True) -> None:
    """Set the log up for this process; it goes to standard error.

    ``log_format`` is ``json``, ``console`` or ``auto`` (JSON unless standard error is a
    terminal). Under systemd each line begins with its priority. ``cache=False`` is for
    tests that capture logs.
    """
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _name_thread,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_to_the_list,
            *_renderers(as_json=as_json, priority=as_json and writes_to_journald(os.environ)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_names: _Lines(),
        cache_logger_on_first_use=cache,
    )
    root = logging.getLogger()
    root.handlers = [_Libraries(level=logging.WARNING)]
    root.setLevel(logging.WARNING)


def make_emit(metrics: Metrics | None = None) -> Emit:
    """An ``Emit`` that counts each event in ``metrics`` and writes it to the log."""
    logger = structlog.get_logger()

    def emit(event: str, /, **fields: object) -> None:
        if metrics is not None:
            metrics.observe(event, fields)
        known = EVENTS.get(event)
        logger.log(logging.WARNING if known is None else known.level, event, **fields)

    return emit


def writes_to_journald(environ: Mapping[str, str]) -> bool:
    """Whether standard error is the journal of systemd: JOURNAL_STREAM names its device
    and inode (systemd.exec(5)); a child with a redirected stream must not be misled."""
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM", "") == f"{found.st_dev}:{found.st_ino}"


def keep_to_the_list(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop what is forbidden or not of this event; shorten and clean what remains.

    The names (not the values) of dropped fields are kept in ``dropped``, so that the
    slip is seen.
    """
    known = EVENTS.get(str(line.get("event")))
    kept: dict[str, Any] = {name: line[name] for name in _OWN if name in line}
    dropped: list[str] = []
    for name, value in line.items():
        if name in _OWN:
            continue
        if known is None or name not in known.fields or FORBIDDEN.search(name):
            dropped.append(name)
        elif value is not None:
            kept[name] = clean(value)
    if dropped:
        kept["dropped"] = sorted(dropped)
    return kept


def clean(value: object) -> object:
    """A value fit for one line: numbers as they are, texts short and without control
    characters (a file name may hold a line feed or a terminal's escape sequence)."""
    if isinstance(value, bool | int | float):
        return value
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    text = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text[:_LONGEST]
    )
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _name_thread(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    # Context variables do not cross threads: the thread's name says which loop spoke.
    line["thread"] = threading.current_thread().name
    return line


def _renderers(*, as_json: bool, priority: bool) -> list[Any]:
    if not as_json:
        return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), sort_keys=False)]
    render = structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=False)
    if not priority:
        return [render]

    def with_priority(logger: Any, method: str, line: MutableMapping[str, Any]) -> str:
        return f"<{_PRIORITY.get(str(line.get('level')), 6)}>{render(logger, method, line)!s}"

    return [with_priority]


class _Lines:
    """Writes finished lines to what standard error is at that moment."""

    _lock = threading.Lock()
    _lost = 0
    _torn = False  # the last line was not written to its end

    def msg(self, message: str) -> None:
        with _Lines._lock:
            try:
                if _Lines._lost:
                    self._write(sys.stderr, f'{{"event": "log.lost", "count": {_Lines._lost}}}')
                    _Lines._lost = 0
                self._write(sys.stderr, message)
            except (OSError, ValueError):
                # A full disk, a closed terminal, a pipe that nobody empties: told with the
                # next line that gets through.
                _Lines._lost += 1

    @staticmethod
    def _write(stream: TextIO, line: str) -> None:
        try:
            descriptor = stream.fileno()
        except (OSError, ValueError):  # something in memory stands there
            stream.write(line + "\n")
            return
        begin = "\n" if _Lines._torn else ""
        # Past the stream's buffer: what could not be written would lie there until the
        # process ends, fail once more, and turn the exit code into 120.
        left = memoryview((begin + line + "\n").encode("utf-8", "backslashreplace"))
        whole = len(left)
        # Every thread comes by here: waiting for a reader each time would stop them all.
        patience = 0.0 if _Lines._lost else _PATIENCE
        try:
            while left:
                if not _has_room(descriptor, patience):
                    raise TimeoutError("nobody reads the log")
                # So much fits where there is room at all (pipe(7)), and more might wait.
                left = left[os.write(descriptor, left[: select.PIPE_BUF]) :]
        finally:
            if len(left) < whole:
                _Lines._torn = bool(left)

    debug = info = warning = error = critical = exception = log = msg


def _has_room(descriptor: int, seconds: float) -> bool:
    """Whether something can be written without waiting, within ``seconds``; also if
    writing would fail at once."""
    asked = select.poll()
    asked.register(descriptor, select.POLLOUT)
    return bool(asked.poll(seconds * 1000))


class _Libraries(logging.Handler):
    """Warnings of watchdog and other libraries become events; what was filled into
    their texts (a path, say) and tracebacks stay out."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().warning(
            "library.warned", library=record.name, message=str(record.msg)
        )
