"""PJL: printer jobs in a wrapper, whatever language they are written in.

It begins and ends with UEL, ``ESC % - 1 2 3 4 5 X``, and nothing follows; a ``@PJL JOB``
has its ``@PJL EOJ`` (HP, PJL Technical Reference, chapters 2 and 5). Between them stand
lines that begin with ``@PJL``; ``@PJL ENTER LANGUAGE = X`` is followed by data in that
language up to the next UEL. Pages are counted in PostScript, PCL 5 and PCL XL, and told
if they could be told of every job.

What cannot be seen: a file of several jobs that is cut exactly behind one of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hotfolder.core.records import Inspection
from hotfolder.formats import pcl, pclxl, postscript
from hotfolder.formats.damage import DamageError
from hotfolder.formats.pcl import UEL
from hotfolder.formats.scanning import Cursor, Scanner
from hotfolder.formats.window import Window

_BEFORE = b"\x00\r\n\t \x04"  # what spoolers leave before the first UEL
_AFTER = b"\x00\r\n\t \x04\x1a"
_LINE = 4096  # bytes of a PJL line that are read; the rest of it is passed over
_UEL = re.compile(re.escape(UEL))
_LINE_END = re.compile(rb"\n|" + re.escape(UEL))
_CLOSING = re.compile(
    rb"(?:" + re.escape(UEL) + rb"(?:[\x00\r\n\t \x04\x1a]|@PJL[^\x1b\n]*(?:\n|(?=\x1b)|\Z))*)+\Z"
)
_ENTER = re.compile(rb"@PJL\s+ENTER\s+LANGUAGE\s*=\s*([A-Za-z0-9]+)", re.IGNORECASE)
_JOB = re.compile(rb"@PJL\s+(JOB|EOJ)\b", re.IGNORECASE)
_DOWNLOAD = re.compile(rb"@PJL\s+FSDOWNLOAD\b.*?\bSIZE\s*=\s*(\d{1,18})", re.IGNORECASE)
_LANGUAGES = {b"POSTSCRIPT": "ps", b"PCL": "pcl", b"PCLXL": "pclxl"}
_MEDIA_TYPES = {
    "ps": postscript.MEDIA_TYPE,
    "pcl": pcl.MEDIA_TYPE,
    "pclxl": pclxl.MEDIA_TYPE,
}


def recognises(head: bytes) -> bool:
    """Whether a file with this head begins with UEL."""
    return head.lstrip(_BEFORE).startswith(UEL)


def inspect(window: Window, head: bytes, tail: bytes, *, full: bool) -> Inspection:
    """See ``registry.inspect_spool``."""
    name = _name(head)
    pages: int | None = None
    try:
        _check_end(window, head, tail)
        if full:
            pages = _read_jobs(window)
    except DamageError as damage:
        return Inspection(format_name=name, media_type=_MEDIA_TYPES[name], fault=damage.fault())
    return Inspection(format_name=name, media_type=_MEDIA_TYPES[name], pages=pages)


def strip_end(tail: bytes) -> bytes:
    """``tail`` without the commands and the UEL that close a wrapper, if there are any:
    for readers of formats that came in one."""
    closing = _CLOSING.search(tail)
    return tail if closing is None else tail[: closing.start()]


def _name(head: bytes) -> str:
    """The format, by the first language that is entered; PCL if that is none we know."""
    entered = _ENTER.search(head)
    if entered is not None:
        return _LANGUAGES.get(entered[1].upper(), "pcl")
    return "ps" if b"%!PS" in head else "pcl"


def _check_end(window: Window, head: bytes, tail: bytes) -> None:
    """Raise ``DamageError`` unless the last UEL closes what the first has opened."""
    first = len(head) - len(head.lstrip(_BEFORE))
    ended = tail.rstrip(_AFTER)
    last = window.size - len(tail) + len(ended) - len(UEL)
    if not ended.endswith(UEL) or last <= first:
        zeros = len(tail) < window.size and not tail.strip(b"\x00")
        raise DamageError(
            "pjl.truncated",
            "the print job has no end: it begins with the sequence UEL and does not end with it"
            + (" (the end of the file is all zeros)" if zeros else ""),
            window.size,
        )
    opened = [found[1].upper() for found in _JOB.finditer(head)]
    if b"JOB" in opened and not _closes_job(tail):
        raise _without_end(window.size)


def _closes_job(tail: bytes) -> bool:
    return any(found[1].upper() == b"EOJ" for found in _JOB.finditer(tail))


def _without_end(size: int) -> DamageError:
    return DamageError(
        "pjl.truncated", "the print job has no end: there is a @PJL JOB without its @PJL EOJ", size
    )


@dataclass(slots=True)
class _Jobs:
    open: bool = False
    language: bytes = b""


def _read_jobs(window: Window) -> int | None:
    """The pages of all jobs. Raises ``DamageError`` where one is cut off."""
    jobs = _Jobs()
    total: int | None = 0
    found_any = False
    cursor = Cursor(window, 0)
    _go_to_uel(window, cursor)
    while cursor.fill(_LINE):
        cursor.place += len(UEL)
        if not _read_commands(window, cursor, jobs):
            continue
        pages = _read_language(window, cursor, jobs.language)
        total = None if total is None or pages is None else total + pages
        found_any = True
    if jobs.open:
        raise _without_end(window.size)
    return total if found_any else None


def _read_commands(window: Window, cursor: Cursor, jobs: _Jobs) -> bool:
    """PJL lines up to data in some language (true), to the next UEL or to the end."""
    jobs.language = b""
    while cursor.fill(_LINE):
        line = cursor.data[cursor.place : cursor.place + _LINE]
        if line[:1] in (b"\r", b"\n", b"\x00", b" ", b"\t", b"\x04", b"\x1a"):
            cursor.place += 1
        elif line.startswith(UEL):
            return False
        elif not line.startswith(b"@PJL"):
            return True
        else:
            line = _go_behind_line(window, cursor, line)
            _obey(cursor, jobs, line)
            if jobs.language:
                return cursor.fill(_LINE) and not cursor.data.startswith(UEL, cursor.place)
    return False


def _go_behind_line(window: Window, cursor: Cursor, line: bytes) -> bytes:
    """Move behind the line that starts with ``line``, or to the UEL in it."""
    start = cursor.offset
    near = _LINE_END.search(line)
    if near is not None:
        cursor.place += near.start() + (near[0] == b"\n")
        return line[: cursor.offset - start]
    found = Scanner(window, _LINE_END, start, window.size).find(start)
    if found is None:
        cursor.seek(window.size)
    else:
        cursor.seek(found.offset + found.text.startswith(b"\n"))
    return line[: cursor.offset - start]


def _obey(cursor: Cursor, jobs: _Jobs, line: bytes) -> None:
    if (job := _JOB.match(line)) is not None:
        jobs.open = job[1].upper() == b"JOB"
    elif (entered := _ENTER.match(line)) is not None:
        jobs.language = entered[1].upper()
    elif (download := _DOWNLOAD.match(line)) is not None:
        size = int(download[1])
        if size > cursor.size - cursor.offset:
            raise DamageError(
                "pjl.truncated",
                "the print job is cut off in a file that it sends to the printer",
                cursor.offset,
            )
        cursor.skip(size)


def _read_language(window: Window, cursor: Cursor, language: bytes) -> int | None:
    """The pages of the data at ``cursor``, which is left at the next UEL or at the end."""
    start = cursor.data[cursor.place : cursor.place + 16]
    pages: int | None = None
    if language == b"PCLXL" or (not language and start[1:].startswith(b" HP-PCL XL")):
        pages = pclxl.read_pages(cursor)
    elif language == b"PCL" or (not language and start.startswith(b"\x1b")):
        pages = pcl.read_pages(cursor)
    elif postscript.recognises(start):
        begin = cursor.offset
        _go_to_uel(window, cursor)
        if postscript.conforms(start):
            pages = postscript.read_pages(window, begin, cursor.offset)
    _go_to_uel(window, cursor)
    return pages


def _go_to_uel(window: Window, cursor: Cursor) -> None:
    if cursor.data.startswith(UEL, cursor.place):
        return
    found = Scanner(window, _UEL, cursor.offset, window.size).find(cursor.offset)
    cursor.seek(window.size if found is None else found.offset)
