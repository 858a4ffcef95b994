"""The program that reads an untrusted PDF: page sizes, texts and pictures.

    python -m hotfolder.comparing.pdfreading DESCRIPTOR SIZE MEMORY SECONDS

It is a process of its own, because the native library may crash, hang or take all memory
on a file made to do so; the limits it sets for itself allow no file to be written and no
process to be started. It answers each line on standard input (a page, JSON) with a frame
on standard output: two lengths, a header (JSON), the picture (RGB).
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import math
import os
import re
import resource
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import pypdfium2
import pypdfium2.raw as pdfium

from hotfolder.comparing.findings import Region
from hotfolder.comparing.words import tidy_lines
from hotfolder.formats import inspect_spool
from hotfolder.formats.window import Window

FRAME = struct.Struct(">II")
MOST_PIXELS = 25_000_000  # of a page: 75 MB
LOWEST_DPI = 36  # in which a page may be drawn that would have more
LONGEST_TEXT = 1_000_000  # characters of a page
_MOST_ATTACHMENTS = 100
_LONGEST_VALUE = 500  # characters of an entry of the document information
_PASSWORD = "password"  # noqa: S105  in the words of pypdfium2

Fault = dict[str, str]


class UnreadableError(Exception):
    """The file or page cannot be read, in words for a person."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.fault: Fault = {"code": code, "message": message, "remedy": remedy}


def limit_process(memory: int) -> None:
    """Set what this process may take: memory, no files, no children, no core dump."""
    for limit, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        _, hard = resource.getrlimit(limit)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (most, most))


def _limit_time(seconds: float) -> None:
    """From now on, so much processor time; the parent's clock is the stricter one, and
    this one holds when there is no parent any more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = math.ceil(used.ru_utime + used.ru_stime + seconds) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (most, hard))


class PdfFile:
    """An open PDF. Raises ``UnreadableError`` if it is none, or not whole."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        # pdfium mends what is broken and says nothing; whether it is whole, we ask first.
        found = inspect_spool(stream, size, b"compared.pdf")
        if found.fault is not None:
            fault = found.fault
            raise UnreadableError(fault.code, fault.message, fault.remedy)
        try:
            self._document = pypdfium2.PdfDocument(Window(stream, size).reader())
            self.pages = len(self._document)
        except pypdfium2.PdfiumError as error:
            if _PASSWORD in str(error).lower():
                raise UnreadableError(
                    "compare.encrypted",
                    "the PDF needs a password",
                    "compare a copy without a password",
                ) from error
            raise UnreadableError(
                "compare.pdf", "the PDF cannot be opened", "render it again"
            ) from error
        if self._document.get_formtype() != pdfium.FORMTYPE_NONE:
            self._document.init_forms()  # or the values of form fields are not drawn

    def describe(self) -> dict[str, Any]:
        """Pages, document information, identifiers, attachments with their digests."""
        info = {
            key: value[:_LONGEST_VALUE]
            for key, value in self._document.get_metadata_dict(skip_empty=True).items()
        }
        for name, kind in (("first", pdfium.FILEIDTYPE_PERMANENT),
                           ("second", pdfium.FILEIDTYPE_CHANGING)):  # fmt: skip
            identifier = self._document.get_identifier(kind)
            if identifier:
                info[f"ID, {name}"] = identifier[:64].hex()
        version = self._document.get_version()
        if version:
            info["PDF version"] = f"{version // 10}.{version % 10}"
        return {"pages": self.pages, "info": info, "attachments": self._attachments()}

    def _attachments(self) -> list[tuple[str, str]]:
        found = []
        for index in range(min(self._document.count_attachments(), _MOST_ATTACHMENTS)):
            attachment = self._document.get_attachment(index)
            data = bytes(attachment.get_data())
            name = f"{index + 1}: {attachment.get_name()[:_LONGEST_VALUE]}"
            found.append((name, hashlib.sha256(data).hexdigest()))
        return found

    def read_page(
        self, number: int, dpi: int, ignored: Sequence[Region], patterns: Sequence[re.Pattern[str]]
    ) -> tuple[dict[str, Any], bytes | memoryview]:
        """What page ``number`` (from 1) has: size in points, lines of text, picture."""
        page = self._document[number - 1]
        try:
            width, height = page.get_size()
            dpi = _bearable(width, height, dpi)
            lines = tidy_lines(_text_of(page, ignored), patterns)
            bitmap = page.render(scale=dpi / 72, rev_byteorder=True)
            columns, rows, picture = _rgb_of(bitmap)
            header = {
                "width": width,
                "height": height,
                "dpi": dpi,
                "lines": lines,
                "columns": columns,
                "rows": rows,
            }
            return header, picture
        finally:
            page.close()


def _rgb_of(bitmap: pypdfium2.PdfBitmap) -> tuple[int, int, bytes | memoryview]:
    """Columns, rows and pixels; not copied where they lie as they should."""
    columns, rows = bitmap.width, bitmap.height
    if bitmap.n_channels == 3 and bitmap.stride == columns * 3:
        return columns, rows, memoryview(bitmap.buffer).cast("B")
    return columns, rows, bitmap.to_pil().convert("RGB").tobytes()


def _bearable(width: float, height: float, dpi: int) -> int:
    """``dpi``, or less where the page would have too many pixels."""
    if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
        raise UnreadableError("compare.page_size", "the page has no size", "render it again")
    most = int(72 * math.sqrt(MOST_PIXELS / (width * height)))
    if min(width, height) * dpi < 72 or min(dpi, most) < LOWEST_DPI or max(width, height) > 1e6:
        raise UnreadableError(
            "compare.page_size",
            f"the page measures {width:.0f} by {height:.0f} points: it cannot be drawn so that"
            " one could compare it",
            "compare it by other means",
        )
    return min(dpi, most)


def _text_of(page: pypdfium2.PdfPage, ignored: Sequence[Region]) -> str:
    text_page = page.get_textpage()
    try:
        if text_page.count_chars() > LONGEST_TEXT:
            raise UnreadableError(
                "compare.text",
                f"the page has more than {LONGEST_TEXT} characters",
                "compare it by other means",
            )
        if not ignored:
            return str(text_page.get_text_range(errors="replace"))
        return "".join(_letters(page, text_page, ignored))
    finally:
        text_page.close()


def _letters(
    page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage, ignored: Sequence[Region]
) -> list[str]:
    """The characters whose middle lies in no ignored region."""
    found = []
    width, height = page.get_size()
    for index in range(text_page.count_chars()):
        code = pdfium.FPDFText_GetUnicode(text_page, index)
        letter = chr(code) if code < 0x110000 else "\ufffd"
        if letter.isspace():
            found.append(letter)
            continue
        left, bottom, right, top = text_page.get_charbox(index)
        x, y = _as_shown(page, width, height, (left + right) / 2, (bottom + top) / 2)
        hidden = any(
            region.left <= x <= region.left + region.width
            and region.top <= y <= region.top + region.height
            for region in ignored
        )
        found.append(" " if hidden else letter)
    return found


def _as_shown(
    page: pypdfium2.PdfPage, width: float, height: float, x: float, y: float
) -> tuple[float, float]:
    """A place of the page in points from its upper left corner, as it is turned and cut."""
    fine = 10
    across, down = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDF_PageToDevice(
        page, 0, 0, int(width * fine), int(height * fine), 0, x, y,
        ctypes.byref(across), ctypes.byref(down),
    )  # fmt: skip
    return across.value / fine, down.value / fine


def _answer(out: BinaryIO, header: dict[str, Any], picture: bytes | memoryview = b"") -> None:
    text = json.dumps(header).encode()
    out.write(FRAME.pack(len(text), len(picture)))
    out.write(text)
    out.write(picture)
    out.flush()


def _guarded(out: BinaryIO, work: Callable[[], tuple[dict[str, Any], bytes | memoryview]]) -> bool:
    try:
        header, picture = work()
    except UnreadableError as error:
        _answer(out, {"fault": error.fault})
        return False
    except MemoryError:
        words = "reading it takes more memory than it may"
        _answer(out, {"fault": UnreadableError("compare.memory", words, "render it again").fault})
        return False
    except Exception as error:  # noqa: BLE001  whatever the file makes the libraries raise
        words = f"it cannot be read ({type(error).__name__})"
        _answer(out, {"fault": UnreadableError("compare.pdf", words, "render it again").fault})
        return False
    _answer(out, header, picture)
    return True


def main(descriptor: int, size: int, memory: int, seconds: float) -> None:
    """Serve until standard input ends or something cannot be read."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing else may speak there
    limit_process(memory)
    _limit_time(seconds)
    opened: list[PdfFile] = []

    def begin() -> tuple[dict[str, Any], bytes]:
        opened.append(PdfFile(os.fdopen(descriptor, "rb"), size))
        return opened[0].describe(), b""

    if not _guarded(out, begin):
        return
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        _limit_time(seconds)
        ignored = [Region(*region) for region in asked["ignored"]]
        patterns = [re.compile(text) for text in asked["patterns"]]
        number, dpi = asked["page"], asked["dpi"]
        if not _guarded(
            out,
            lambda: opened[0].read_page(number, dpi, ignored, patterns),  # noqa: B023
        ):
            return


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
