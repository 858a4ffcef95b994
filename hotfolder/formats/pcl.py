"""PCL 5: how many pages are printed (HP, PCL 5 Technical Reference, chapters 2 to 5).

A page is ejected by a form feed, and, if something has been printed on it, by a reset
(``ESC E``), by the end of the job, and by commands that choose paper or orientation.
Escape sequences are read so that binary data behind them (raster, fonts, patterns,
transparent text) is passed over by its count and never taken for a form feed.

The number is not told (None) where it hangs on the printer or on macros: where text runs
over the end of the page by line feeds, where a macro that is stored has a form feed, or
where functions are displayed instead of obeyed.

A file that begins with ``ESC E`` alone cannot show its end: ``ESC E`` also stands in the
middle, between jobs. Only data that is cut off in its count is a fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hotfolder.core.records import Inspection
from hotfolder.formats.damage import DamageError
from hotfolder.formats.scanning import Cursor
from hotfolder.formats.window import Window

MEDIA_TYPE = "application/vnd.hp-PCL"
UEL = b"\x1b%-12345X"  # Universal Exit Language: leaves PCL, whatever it was doing

# Sequences without data that are not about page control, raster, macros, rectangles and
# transparent text. (No possessive quantifiers here: Python before 3.11.5 gets them wrong.)
_HARMLESS = rb"\x1b(?:\*[ad-z]|&[ac-eg-km-oq-z]|[()][`-~]?)[-+.0-9a-vx-z]*[@-VX-Z]"
# What puts nothing on a page, and what ejects none.
_UNSEEN = re.compile(rb"(?:[\x00-\x0b\x0d-\x1a\x1c-\x20]+|" + _HARMLESS + rb"){1,500}")
_QUIET = re.compile(rb"(?:[\x00-\x0b\x0d-\x1a\x1c-\xff]+|" + _HARMLESS + rb"){1,500}")
_ESCAPE, _FORM_FEED = 0x1B, 0x0C
_SEQUENCE = re.compile(rb"\x1b(?:([!-/])([`-~]?)|([0-~]))")
_PARAMETER = re.compile(rb"[ ]*([-+]?[0-9]{0,9}(?:\.[0-9]{0,9})?)([@-~])")
_NO_NUMBER = (b"", b"+", b"-", b".", b"+.", b"-.")  # mean zero
_LONGEST = 64  # bytes of one parameter, or of the start of a sequence
_RUN = 1 << 16  # bytes that are wanted at hand

# ESC & l: length, source, duplex, side, medium, size and orientation end a page.
_PAGE_CONTROL = frozenset(b"APHSGMO")
_AREA = (480, 336)  # 1/48 inch of text on Letter, upright and across; A4 has 3 more
_LINE = 8.0  # 1/48 inch: six lines to the inch


def recognises(head: bytes) -> bool:
    """Whether a file with this head is PCL without a wrapper."""
    return head.startswith(b"\x1bE")


def inspect(window: Window, *, full: bool) -> Inspection:
    """See ``registry.inspect_spool``."""
    pages: int | None = None
    if full:
        try:
            pages = read_pages(Cursor(window, 0))
        except DamageError as damage:
            return Inspection(
                format_name="pcl", media_type=MEDIA_TYPE, fault=damage.fault(), has_trailer=False
            )
    return Inspection(format_name="pcl", media_type=MEDIA_TYPE, pages=pages, has_trailer=False)


@dataclass(slots=True)
class _Printer:
    """What counts of a printer."""

    pages: int | None = 0
    marked: bool = False  # something is on the page
    drawing: bool = False  # in HP-GL/2, where a form feed does nothing
    storing: bool = False  # a macro
    across: bool = False
    line: float = _LINE
    fed: float = 0.0  # 1/48 inch by line feeds since the top of the page

    def eject(self) -> None:
        self.marked, self.fed = False, 0.0
        if self.storing:
            self.pages = None
        elif self.pages is not None:
            self.pages += 1

    def eject_if_marked(self) -> None:
        if self.marked and not self.storing:
            self.eject()

    def feed(self, lines: float) -> None:
        self.fed += lines * self.line
        if self.fed > _AREA[self.across] and not self.storing:
            self.pages = None

    def obey(self, command: bytes) -> None:
        """A sequence of two characters."""
        if command == b"E":  # resets
            self.eject_if_marked()
            self.drawing = self.storing = self.across = False
            self.line, self.fed = _LINE, 0.0
        elif command == b"=":
            self.feed(0.5)
        elif command == b"Y":  # displays functions from here on
            self.pages = None


def read_pages(cursor: Cursor) -> int | None:
    """The pages from ``cursor`` to the next UEL, where it is left, or to the end.
    Raises ``DamageError`` if the file ends inside a sequence or its data."""
    printer = _Printer()
    while cursor.fill(_RUN):
        found = (_QUIET if printer.marked else _UNSEEN).match(cursor.data, cursor.place)
        if found is not None:
            if not printer.drawing:
                printer.feed(cursor.data.count(b"\n", *found.span()))
            cursor.place = found.end()
            continue
        byte = cursor.data[cursor.place]
        if byte == _FORM_FEED:
            if not printer.drawing:
                printer.eject()
            cursor.place += 1
        elif byte != _ESCAPE:
            printer.marked = True
        elif cursor.data.startswith(UEL, cursor.place):
            break
        else:
            _obey(cursor, printer)
    printer.eject_if_marked()
    return printer.pages


def _obey(cursor: Cursor, printer: _Printer) -> None:
    """One escape sequence, with all that is combined in it and its data."""
    start = cursor.offset
    found = _SEQUENCE.match(cursor.data, cursor.place)
    if found is None:
        if start + 1 == cursor.size:
            raise _cut(start)
        cursor.place += 1  # no sequence; a printer passes over it
        return
    cursor.place = found.end()
    if found[3]:
        printer.obey(found[3])
        return
    family = found[1] + found[2]
    while (parameter := _read_parameter(cursor, start)) is not None:
        number = 0.0 if parameter[1] in _NO_NUMBER else float(parameter[1])
        letter = parameter[2].upper()[0]
        if _has_data(family, letter):
            if number > cursor.size - cursor.offset:
                raise _cut(start)
            cursor.skip(max(0, int(number)))
            printer.marked = printer.marked or family in (b"*b", b"&p")
        else:
            _apply(printer, family, letter, number)
        if parameter[2] <= b"^":
            return  # a small letter says that another parameter follows


def _read_parameter(cursor: Cursor, start: int) -> re.Match[bytes] | None:
    """The next parameter of the sequence that began at ``start``; None if it is broken
    off by something else."""
    if not cursor.fill(_LONGEST):
        raise _cut(start)
    parameter = _PARAMETER.match(cursor.data, cursor.place)
    if parameter is None:
        if cursor.size - cursor.offset < _LONGEST and not _foreign(cursor):
            raise _cut(start)
        return None
    cursor.place = parameter.end()
    return parameter


def _foreign(cursor: Cursor) -> bool:
    """Whether what follows is no parameter, however the file went on."""
    rest = cursor.data[cursor.place :].lstrip(b" ").lstrip(b"+-").lstrip(b"0123456789.")
    return bool(rest)


def _has_data(family: bytes, letter: int) -> bool:
    return (
        letter == 0x57  # W
        or (family == b"*b" and letter == 0x56)  # V: a plane of raster
        or (family == b"&p" and letter == 0x58)  # X: transparent text
    )


def _apply(printer: _Printer, family: bytes, letter: int, number: float) -> None:
    if family == b"&l":
        if letter in _PAGE_CONTROL:
            printer.eject_if_marked()
        if letter == 0x4F:  # O
            printer.across = int(number) % 2 == 1
        elif letter == 0x44 and number > 0:  # D: lines to the inch
            printer.line = 48 / number
        elif letter == 0x43 and number >= 0:  # C: 1/48 inch
            printer.line = number
    elif family == b"%":
        printer.drawing = letter == 0x42  # B; A goes back to PCL
    elif family == b"&f" and letter == 0x58:  # X
        printer.storing = number == 0 or (printer.storing and number != 1)
    elif family == b"*c" and letter == 0x50:  # P: fills a rectangle
        printer.marked = True


def _cut(start: int) -> DamageError:
    return DamageError(
        "pcl.truncated",
        f"the PCL is cut off: the command at byte {start} is not complete",
        start,
    )
