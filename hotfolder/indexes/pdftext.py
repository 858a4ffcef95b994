"""The text of a PDF's pages, a few pages at a time."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pikepdf

from hotfolder.indexes.faults import reject

LONGEST = 100_000  # characters of a page that are looked at
_TOGETHER = 20  # pages that are in memory at once


def page_texts(document: pikepdf.Pdf, name: str) -> Iterator[tuple[int, str]]:
    """Number (from 1) and text of each page, at most ``LONGEST`` characters.

    The pages are taken out of the file called ``name`` a few at a time, because what reads
    their text keeps all that it has read. Raises ``InputFault`` for a page whose text cannot
    be read: nobody can say then whose document it belongs to.
    """
    import pypdf  # noqa: PLC0415  large, and only for folders split by their text

    count = len(document.pages)
    for start in range(0, count, _TOGETHER):
        number = start
        try:
            with pikepdf.new() as part, io.BytesIO() as buffer:
                part.pages.extend(document.pages[start : start + _TOGETHER])
                part.save(buffer)
                for page in pypdf.PdfReader(buffer).pages:
                    number += 1
                    yield number, page.extract_text()[:LONGEST]
        except GeneratorExit:
            raise
        except Exception as error:  # pypdf's readers let many kinds through
            raise reject(
                "marker.text",
                f"the text of the page cannot be read ({type(error).__name__})",
                "send the PDF with an index of pages, or to a hot folder for single documents",
                file=name,
                place=f"page {max(number, start + 1)}",
            ) from error
