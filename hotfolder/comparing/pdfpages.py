"""The pages of an untrusted PDF, read by another process within limits."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from PIL import Image

from hotfolder.comparing.findings import Rules, Side
from hotfolder.comparing.pdfreading import FRAME, LONGEST_TEXT, MOST_PIXELS
from hotfolder.core.errors import Fault, InputFault
from hotfolder.files.faults import os_errors

_MOST_HEADER = 8 * LONGEST_TEXT  # bytes
_LONGEST_WORDS = 500  # characters
_CHUNK = 1 << 20
# glibc asks the kernel for each picture anew otherwise, and has it cleared (mallopt(3)).
_REUSE = {"MALLOC_MMAP_THRESHOLD_": str(1 << 25), "MALLOC_TRIM_THRESHOLD_": str(1 << 27)}
_PIPE = 1 << 20  # bytes; as much as an account may have without asking
_OPENING = 4  # times the time of a page
_NONSENSE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfPage:
    """A page as it was read; sizes in points, ``lines`` without what is ignored."""

    width: float
    height: float
    dpi: int
    lines: tuple[str, ...]
    picture: Image.Image
    raw: bytes  # of the picture


class PdfPages:
    """An open PDF: ``pages``, ``info``, ``attachments`` (name and digest), and its pages
    as they are asked for.

    What goes wrong there (damage, a crash, too much time or memory) is raised as
    ``InputFault`` that names side and page; the process has ended then.
    """

    def __init__(self, side: Side, rules: Rules) -> None:
        self._side = side
        self._rules = rules
        self._asked: list[int] = []
        self.pages = 0
        self.info: dict[str, str] = {}
        self.attachments: dict[str, str] = {}
        with os_errors("starting what reads a PDF"):
            self._child = subprocess.Popen(
                [
                    sys.executable, "-I", "-B", "-m", "hotfolder.comparing.pdfreading",
                    str(side.stream.fileno()), str(side.size), str(rules.memory),
                    str(rules.page_seconds),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=(side.stream.fileno(),),
                env={"LANG": "C.UTF-8", "PATH": os.defpath, **_REUSE},
                pipesize=_PIPE,
            )  # fmt: skip

    def __enter__(self) -> PdfPages:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def open(self) -> None:
        """Wait until it is open. Raises ``InputFault``."""
        header, _ = self._take(0, self._rules.page_seconds * _OPENING)
        try:
            self.pages = int(header["pages"])
            self.info = {str(key): str(value) for key, value in header["info"].items()}
            self.attachments = {str(name): str(digest) for name, digest in header["attachments"]}
        except _NONSENSE as error:
            raise self._broken(0) from error
        if self.pages > self._rules.most_pages:
            raise self._fault(
                "compare.pages",
                f"it has {self.pages:,} pages, more than are compared",
                "raise --max-pages, or compare a part",
                0,
            )

    @property
    def child_id(self) -> int:
        """The process that reads it."""
        return self._child.pid

    def ask(self, number: int) -> None:
        """Have page ``number`` (from 1) read, meanwhile or at the next ``take``."""
        asked = {
            "page": number,
            "dpi": self._rules.dpi,
            "ignored": self._rules.regions_of(number),
            "patterns": self._rules.ignored_texts,
        }
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(asked).encode() + b"\n")
            self._child.stdin.flush()
        except BrokenPipeError as error:
            raise self._ended(number) from error
        self._asked.append(number)

    def take(self) -> PdfPage:
        """The page that was asked for longest ago. Raises ``InputFault``."""
        number = self._asked.pop(0)
        header, raw = self._take(number, self._rules.page_seconds)
        try:
            return PdfPage(
                width=float(header["width"]),
                height=float(header["height"]),
                dpi=int(header["dpi"]),
                lines=tuple(map(str, header["lines"])),
                picture=Image.frombytes("RGB", (int(header["columns"]), int(header["rows"])), raw),
                raw=raw,
            )
        except _NONSENSE as error:
            raise self._broken(number) from error

    def _take(self, number: int, seconds: float) -> tuple[dict[str, Any], bytes]:
        """One frame. It is held to be as untrusted as the file."""
        until = time.monotonic() + seconds
        header_size, picture_size = FRAME.unpack(self._read(FRAME.size, number, until))
        if header_size > _MOST_HEADER or picture_size > 3 * (MOST_PIXELS + 100_000):
            raise self._broken(number)
        try:
            header = json.loads(self._read(header_size, number, until))
            fault = header.get("fault")
            if fault is not None:
                code, message, remedy = (
                    str(fault[key])[:_LONGEST_WORDS] for key in ("code", "message", "remedy")
                )
                raise self._fault(code, message, remedy, number)
        except _NONSENSE as error:
            raise self._broken(number) from error
        raw = self._read(picture_size, number, until)
        return header, raw

    def _read(self, size: int, number: int, until: float) -> bytes:
        assert self._child.stdout is not None
        descriptor = self._child.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        parts: list[bytes] = []
        while size:
            left = until - time.monotonic()
            if left <= 0 or not poll.poll(max(1, int(left * 1000))):
                if left <= 0:
                    self._end()
                    raise self._fault(
                        "compare.slow",
                        f"reading it takes longer than {self._rules.page_seconds:g} seconds",
                        "raise --page-seconds if the file is trusted",
                        number,
                    )
                continue
            part = os.read(descriptor, min(size, _CHUNK))
            if not part:
                raise self._ended(number)
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _end(self) -> int:
        """Have the process end; its exit code."""
        self._child.kill()
        code = self._child.wait()
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None and not stream.closed:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue  # a question that was never read; it need not be
        return code

    def _ended(self, number: int) -> InputFault:
        try:
            code = self._child.wait(timeout=1)
        except subprocess.TimeoutExpired:
            code = self._end()
        if code == -signal.SIGXCPU:
            words = f"reading it takes longer than {self._rules.page_seconds:g} seconds"
            return self._fault("compare.slow", words, "raise --page-seconds", number)
        name = f"signal {-code}" if code < 0 else f"exit code {code}"
        return self._fault(
            "compare.crashed",
            f"the program that reads it ended unexpectedly ({name})",
            "the file may be damaged or made to do harm: render it again",
            number,
        )

    def _broken(self, number: int) -> InputFault:
        self._end()
        return self._fault(
            "compare.crashed",
            "the program that reads it gave an answer that makes no sense",
            "the file may be damaged or made to do harm: render it again",
            number,
        )

    def _fault(self, code: str, message: str, remedy: str, number: int) -> InputFault:
        place = f"page {number}" if number else ""
        fault = Fault(code=code, message=message, remedy=remedy, file=self._side.name, place=place)
        return InputFault([fault])
