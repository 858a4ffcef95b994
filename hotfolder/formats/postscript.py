"""PostScript: whole if it conforms to the Document Structuring Conventions and says so.

A file that begins ``%!PS-Adobe-`` must end in ``%%EOF``; its pages stand in ``%%Pages:``
of the header, or of the trailer where the header says ``(atend)``. Included documents
lie between ``%%BeginDocument`` and ``%%EndDocument`` and count for nothing; what is
between ``%%BeginData`` or ``%%BeginBinary`` and its end is data (Adobe, DSC 3.0, sections
4.5 to 7). Lines end in CR, LF or both. Any other ``%!PS`` file cannot show its end.

Where ``%%Pages:`` and the number of ``%%Page:`` comments contradict each other, one of
them is wrong and nobody can say which: the pages are not told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hotfolder.core.records import Inspection
from hotfolder.formats.damage import DamageError
from hotfolder.formats.scanning import Found, Scanner
from hotfolder.formats.window import Window

MEDIA_TYPE = "application/postscript"

# 04 ends a job on serial lines and is left behind by drivers, 1A by DOS.
PADDING = b"\x04\x1a\x00\r\n\t "
_CONFORMING = re.compile(rb"\x04?%!PS-Adobe-(\d\.\d)")
_COMMENT = re.compile(
    rb"%(?:%(?:Pages?:|BeginDocument|EndDocument|BeginBinary:|BeginData:|EOF)|!PS-Adobe-\d)"
)
_COUNT = re.compile(rb"[ \t]*(\d{1,9})(?!\d)")
_DATA = re.compile(rb"[ \t]*(\d{1,18})(?:[ \t]+\w+[ \t]+(\w+))?[^\r\n]*(\r\n|\r|\n)")
_BEGIN_DATA = (b"%%BeginData:", b"%%BeginBinary:")
_LINE_ENDS = (b"", b"\r", b"\n", b"\x04")


def recognises(head: bytes) -> bool:
    """Whether a file with this head is PostScript."""
    return head.startswith((b"%!PS", b"\x04%!PS"))


def conforms(head: bytes) -> bool:
    """Whether PostScript that begins so says that it conforms to the conventions."""
    return _CONFORMING.match(head) is not None


def inspect(window: Window, head: bytes, tail: bytes, *, full: bool) -> Inspection:
    """See ``registry.inspect_spool``."""
    conforming = _CONFORMING.match(head)
    if conforming is None:
        return Inspection(format_name="ps", media_type=MEDIA_TYPE, has_trailer=False)
    version = conforming[1].decode()
    pages: int | None = None
    try:
        check_end(tail, window.size)
        if full:
            pages = read_pages(window, 0, window.size)
    except DamageError as damage:
        return Inspection(
            format_name="ps",
            format_version=version,
            media_type=MEDIA_TYPE,
            fault=damage.fault(),
        )
    return Inspection(format_name="ps", format_version=version, media_type=MEDIA_TYPE, pages=pages)


def check_end(tail: bytes, size: int) -> None:
    """Raise ``DamageError`` unless the last line is ``%%EOF``."""
    ended = tail.rstrip(PADDING)
    if not ended.endswith(b"%%EOF") or ended[-6:-5] not in _LINE_ENDS:
        zeros = len(tail) < size and not tail.strip(b"\x00")
        raise DamageError(
            "ps.truncated",
            "the PostScript has no end: its last line is not %%EOF"
            + (" (the end of the file is all zeros)" if zeros else ""),
            size,
        )


@dataclass(slots=True)
class _Document:
    """What the comments of one document say."""

    declared: int | None = None
    counted: int = 0
    ended: bool = False

    def pages(self) -> int | None:
        if self.declared is None:
            # A conforming file without pages in it says ``%%Pages: 0``.
            return self.counted or None
        return self.declared if self.counted in (0, self.declared) else None


def read_pages(window: Window, start: int, end: int) -> int | None:
    """The pages of the conforming documents that follow one another in ``[start, end)``;
    None if it cannot be told. Raises ``DamageError`` if an included document has no end."""
    document = _Document()
    total: int | None = 0
    depth = included = 0  # of included documents, and where the outermost begins
    for found in _comments(window, start, end):
        text = found.text
        if text.startswith(b"%%BeginDocument"):
            included = included if depth else found.offset
            depth += 1
        elif text.startswith(b"%%EndDocument"):
            depth = max(0, depth - 1)
        elif depth:
            continue
        elif text.startswith(b"%!"):
            if document.ended:
                total = _add(total, document.pages())
                document = _Document()
        else:
            _note(document, text)
    if depth:
        raise DamageError(
            "ps.truncated",
            f"the PostScript ends inside a document that it includes at byte {included}",
            min(end, window.size),
        )
    return _add(total, document.pages())


def _comments(window: Window, start: int, end: int) -> Iterator[Found]:
    """The comments that matter, each at the beginning of its line, none of them in data."""
    scanner = Scanner(window, _COMMENT, start, end)
    offset = start
    while (found := scanner.find(offset)) is not None:
        offset = found.offset + 2
        if found.before not in _LINE_ENDS:
            continue
        if found.text.startswith(_BEGIN_DATA):
            offset = _behind_data(window, found)
        else:
            yield found


def _note(document: _Document, text: bytes) -> None:
    if text.startswith(b"%%EOF"):
        document.ended = True
    elif text.startswith(b"%%Page:"):
        document.counted += 1
    elif document.declared is None:
        # The header counts before the trailer, where it does not leave it to it.
        number = _COUNT.match(text, len(b"%%Pages:"))
        if number is not None:
            document.declared = int(number[1])


def _behind_data(window: Window, found: Found) -> int:
    """Where to go on behind ``%%BeginData`` and ``%%BeginBinary``: behind the data, if an
    end stands where the count says; otherwise the count is wrong, and nothing is skipped."""
    behind = found.offset + 2
    counted = _DATA.match(found.text, found.text.index(b":") + 1)
    if counted is None or counted[2] in (b"Lines", b"lines"):
        return behind
    end = found.offset + counted.end() + int(counted[1])
    ending = window.read(end, 32).lstrip(b"\r\n")
    return end if ending.startswith((b"%%EndData", b"%%EndBinary")) else behind


def _add(total: int | None, pages: int | None) -> int | None:
    return None if total is None or pages is None else total + pages
