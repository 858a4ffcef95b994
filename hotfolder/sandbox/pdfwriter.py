"""PDF 1.7 files, small and whole, as a composition engine prints them.

Structure: ISO 32000-1, 7.5 (header, objects, cross-reference table, trailer); base-14
fonts with WinAnsiEncoding (9.6.2.2, annex D); Info strings in UTF-16BE (7.9.2.2).
Streams are not compressed: deflate's output differs between builds of zlib, and the
bytes must be the same everywhere for the same communication.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from hotfolder.sandbox.communications import Communication
from hotfolder.sandbox.draw import Draw
from hotfolder.sandbox.layout import HEIGHT, WIDTH, Page, compose_pages

_FONTS = (("plain", b"Helvetica"), ("bold", b"Helvetica-Bold"), ("fixed", b"Courier"))
_FONT_NAMES = {name: b"/F%d" % place for place, (name, _) in enumerate(_FONTS, start=1)}
_HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"  # four high bytes: a binary file (7.5.2)
_CHUNK = 1024 * 1024
_CATALOG, _PAGES, _INFO, _FIRST_FONT = 1, 2, 3, 4
_FIRST_PAGE = _FIRST_FONT + len(_FONTS)


def write_pdf(communication: Communication) -> bytes:
    """The communication as a PDF with its title, author, dates and pages."""
    pages = compose_pages(communication)
    return _assemble(
        [_content(page) for page in pages],
        title=communication.title,
        created=b"D:%sZ" % f"{communication.issue_date:%Y%m%d}040000".encode(),
        subject=communication.document_type,
    )


def write_bare_pdf(title: str, lines: Page) -> bytes:
    """A PDF of one page without anything that a communication has."""
    return _assemble([_content(lines)], title=title, created=b"D:20260101000000Z", subject="")


def large_pdf_chunks(size: int, seed: int) -> Iterator[bytes]:
    """A whole PDF of exactly ``size`` bytes (at least 4 KiB), in pieces of up to 1 MiB.

    One page, and a stream of bytes that do not compress, as a scanned spool has. The
    bytes repeat every few MiB.
    """
    content = _content(())
    body = _fixed_objects([content], "Large spool", b"D:20260101000000Z", "")
    number = len(body) + 1
    filling = size - 4096
    if filling < 0:
        raise ValueError("a large PDF has at least 4096 bytes")
    trailer = b""
    for _ in range(3):  # the table's and stream's own lengths depend on the filling
        head, offsets = _number(body)
        opening = b"%d 0 obj\n<</Length %d>>\nstream\n" % (number, filling)
        offsets.append(len(head))
        start = len(head) + len(opening) + filling + len(_CLOSING)
        trailer = _trailer(offsets, start, hashlib.sha256(str((size, seed)).encode()).digest())
        filling += size - (start + len(trailer))
    head, _ = _number(body)
    yield head + b"%d 0 obj\n<</Length %d>>\nstream\n" % (number, filling)
    blocks = [Draw("filling", seed, index).bytes(_CHUNK) for index in range(4)]
    left, index = filling, 0
    while left:
        piece = blocks[index % len(blocks)][:left]
        yield piece
        left -= len(piece)
        index += 1
    yield _CLOSING + trailer


_CLOSING = b"\nendstream\nendobj\n"


def _assemble(contents: list[bytes], *, title: str, created: bytes, subject: str) -> bytes:
    head, offsets = _number(_fixed_objects(contents, title, created, subject))
    return head + _trailer(offsets, len(head), hashlib.sha256(head).digest())


def _fixed_objects(contents: list[bytes], title: str, created: bytes, subject: str) -> list[bytes]:
    kids = b" ".join(b"%d 0 R" % (_FIRST_PAGE + 2 * index) for index in range(len(contents)))
    fonts = b"".join(
        b"%s %d 0 R" % (_FONT_NAMES[name], _FIRST_FONT + place)
        for place, (name, _) in enumerate(_FONTS)
    )
    objects = [
        b"<</Type/Catalog/Pages %d 0 R/Lang(en)>>" % _PAGES,
        b"<</Type/Pages/Count %d/Kids[%s]/MediaBox[0 0 %d %d]/Resources<</Font<<%s>>>>>>"
        % (len(contents), kids, WIDTH, HEIGHT, fonts),
        b"<</Title%s/Subject%s/Author(Meridian Mutual)/Creator(OpenText Exstream 16.6)"
        b"/Producer(hotfolder sandbox)/CreationDate(%s)>>"
        % (_text_string(title), _text_string(subject), created),
        *(
            b"<</Type/Font/Subtype/Type1/BaseFont/%s/Encoding/WinAnsiEncoding>>" % base
            for _, base in _FONTS
        ),
    ]
    for index, content in enumerate(contents):
        objects.append(
            b"<</Type/Page/Parent %d 0 R/Contents %d 0 R>>" % (_PAGES, _FIRST_PAGE + 2 * index + 1)
        )
        objects.append(b"<</Length %d>>\nstream\n%s\nendstream" % (len(content), content))
    return objects


def _number(objects: list[bytes]) -> tuple[bytes, list[int]]:
    """The header and numbered objects, and where each object starts."""
    parts, offsets, at = [_HEADER], [], len(_HEADER)
    for number, value in enumerate(objects, start=1):
        part = b"%d 0 obj\n%s\nendobj\n" % (number, value)
        offsets.append(at)
        parts.append(part)
        at += len(part)
    return b"".join(parts), offsets


def _trailer(offsets: list[int], start: int, digest: bytes) -> bytes:
    size = len(offsets) + 1
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    ident = digest[:16].hex().encode()
    return (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n"
        b"<</Size %d/Root %d 0 R/Info %d 0 R/ID[<%s><%s>]>>\nstartxref\n%d\n%%%%EOF\n"
        % (size, table, size, _CATALOG, _INFO, ident, ident, start)
    )


def _content(page: Page) -> bytes:
    shown = []
    for line in page:
        text = line.text.encode("cp1252", "replace")
        text = text.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        shown.append(
            b"%s %d Tf 1 0 0 1 %d %d Tm (%s) Tj"
            % (_FONT_NAMES[line.font], line.size, line.x, line.y, text)
        )
    return b"BT\n%s\nET" % b"\n".join(shown)


def _text_string(text: str) -> bytes:
    return b"<feff%s>" % text.encode("utf-16-be").hex().encode()
