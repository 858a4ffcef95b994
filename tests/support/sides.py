"""Two files to be compared, and PDFs made to be read."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import BinaryIO, cast

import pikepdf

from hotfolder.comparing.findings import Findings, PageFinding, Rules, Side
from hotfolder.comparing.pdf import compare_pdfs


@contextmanager
def side(data: bytes, name: str = "a.pdf", *, derived: bool = False) -> Iterator[Side]:
    """``data`` as an open file without a name."""
    with tempfile.TemporaryFile() as stream:
        stream.write(data)
        stream.flush()
        yield Side(
            name=name,
            stream=cast("BinaryIO", stream),
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            format_name=name.rsplit(".", 1)[-1],
            derived=derived,
        )


def no_picture(page: PageFinding, _draw: Callable[[], bytes]) -> PageFinding:
    """Nobody wants to see it."""
    return page


def pdf_findings(
    before: bytes, after: bytes, rules: Rules | None = None, *, derived: bool = False
) -> Findings:
    """Two PDFs compared."""
    with side(before, "before.pdf", derived=derived) as one, side(after, "after.pdf") as other:
        return compare_pdfs(one, other, rules or Rules(), no_picture)


def make_pdf(
    contents: Sequence[bytes], *, size: tuple[float, float] = (300, 200), rotate: int = 0
) -> bytes:
    """A PDF with a page for each content stream, in Helvetica /F1."""
    with pikepdf.new() as document:
        font = document.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Font,
                Subtype=pikepdf.Name.Type1,
                BaseFont=pikepdf.Name.Helvetica,
                Encoding=pikepdf.Name.WinAnsiEncoding,
            )
        )
        for content in contents:
            document.add_blank_page()
            page = document.pages[-1]
            page.MediaBox = pikepdf.Array([0, 0, *(Decimal(str(edge)) for edge in size)])
            page.Contents = document.make_stream(content)
            page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
            if rotate:
                page.Rotate = rotate
        out = io.BytesIO()
        document.save(out, deterministic_id=True)
        return out.getvalue()


def shown(text: str, x: float = 20, y: float = 150) -> bytes:
    """A content stream that shows a line."""
    escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return b"BT /F1 12 Tf %g %g Td (%s) Tj ET\n" % (x, y, escaped.encode("cp1252"))
