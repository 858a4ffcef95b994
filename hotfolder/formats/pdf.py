"""PDF: ISO 32000-1, 7.5. Whole if it ends in ``%%EOF`` and opens without recovery.

Both are needed: pikepdf's default would open a file cut in half and say nothing
(reference/exstream-output-and-records-rules.md, section 4). A cut exactly at an
earlier revision of an incremental file cannot be seen in the content; that is why
settling asks for quiet or a signal as well.
"""

from __future__ import annotations

import re

import pikepdf

from hotfolder.core.errors import Fault
from hotfolder.core.records import Inspection
from hotfolder.formats import pjl
from hotfolder.formats.window import Window

_VERSION = re.compile(rb"%PDF-(\d\.\d)")
_PADDING = b"\x00\r\n \x1a\t"
_HEAD_SLACK = (
    1024  # Acrobat accepts the header within the first 1024 bytes; some spoolers prefix PJL
)


def recognises(head: bytes) -> bool:
    """Whether a file with this head is a PDF."""
    return b"%PDF-" in head[:_HEAD_SLACK]


def inspect(window: Window, head: bytes, tail: bytes, *, full: bool) -> Inspection:
    """See ``registry.inspect_spool``."""
    match = _VERSION.search(head)
    version = match.group(1).decode() if match else ""
    ended = (pjl.strip_end(tail) if pjl.recognises(head) else tail).rstrip(_PADDING)
    if not ended.endswith(b"%%EOF"):
        zeros = window.size > len(tail) and not tail.strip(b"\x00")
        return _inspection(
            version,
            fault=Fault(
                code="pdf.truncated",
                message="the PDF has no end: its last line is not %%EOF"
                + (" (the end of the file is all zeros)" if zeros else ""),
                remedy="send the whole file again",
                place=f"byte {window.size}",
            ),
        )
    if not full:
        return _inspection(version)
    try:
        with pikepdf.open(
            window.reader(),
            attempt_recovery=False,
            suppress_warnings=True,
            access_mode=pikepdf.AccessMode.stream,
        ) as document:
            return _inspection(document.pdf_version, pages=len(document.pages))
    except pikepdf.PasswordError:
        # Whole as far as can be seen: encrypted output is archived as what it is.
        return _inspection(version)
    except (pikepdf.PdfError, RuntimeError, ValueError, OverflowError) as error:
        # qpdf reports damage as PdfError, and limits it runs into as RuntimeError.
        return _inspection(
            version,
            fault=Fault(
                code="pdf.damaged",
                message=f"the PDF cannot be opened: {_words(error)}",
                remedy="print or export it again; open it in a PDF reader to see whether it works",
            ),
        )


def _inspection(
    version: str, *, pages: int | None = None, fault: Fault | None = None
) -> Inspection:
    return Inspection(
        format_name="pdf",
        format_version=version,
        media_type="application/pdf",
        pages=pages,
        fault=fault,
    )


def _words(error: Exception) -> str:
    """What qpdf says, without the name it gave the stream and cut to a line."""
    text = str(error).rsplit(": ", 1)[-1]
    return re.sub(r"[^ -~]", " ", text)[:160] or type(error).__name__
