"""HTML: ``</html>`` at the end is a weak sign.

The end tag may be left out (HTML Living Standard, 13.1.2.4), so a file without it is not
at fault: it only cannot show its end, and settling waits longer. With it, nothing but
blanks and comments may follow, and the end is seen. HTML is not checked further; what
begins with an XML declaration is read as XML.
"""

from __future__ import annotations

import os
import re

from hotfolder.core.records import Inspection

MEDIA_TYPE = "text/html"

_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")  # UTF-8, UTF-16
_COMMENT = rb"<!--(?:[^-]|-(?!->))*-->"
_START = re.compile(rb"(?:\s|" + _COMMENT + rb")*<(?:!doctype\s+html|html)[\s>]", re.IGNORECASE)
_END = re.compile(rb"</html\s*>(?:[\s\x00\x1a]|" + _COMMENT + rb")*\Z", re.IGNORECASE)
_SUFFIXES = (b".html", b".htm")


def recognises(head: bytes, name: bytes) -> bool:
    """Whether a file begins like HTML; or like a tag, and its name says that it is HTML."""
    text = _to_ascii(head)
    if _START.match(text):
        return True
    return text.lstrip().startswith(b"<") and os.path.splitext(name)[1].lower() in _SUFFIXES


def inspect(head: bytes, tail: bytes) -> Inspection:
    """See ``registry.inspect_spool``; there is nothing that only a full look would see."""
    wide = head.startswith(_MARKS[1:])
    ended = _END.search(tail.replace(b"\x00", b"") if wide else tail)
    return Inspection(format_name="html", media_type=MEDIA_TYPE, has_trailer=ended is not None)


def _to_ascii(head: bytes) -> bytes:
    """``head`` so that ASCII can be found in it, whichever Unicode it is."""
    for mark in _MARKS:
        if head.startswith(mark):
            return head[len(mark) :].replace(b"\x00", b"")
    return head
