"""What has no end that could be seen: text, and everything that no reader knows.

Archived as what it is. Its name tells the format only where its head agrees or
says nothing; settling waits longer for it (``quiet_without_trailer``).
"""

from __future__ import annotations

import os

from hotfolder.core.records import Inspection

# (what the file starts with, format, media type); sources: TIFF 6.0 section 2, ZIP APPNOTE
# 4.3.7, PostScript DSC 3.0 section 3, HP PCL 5 section 4 (ESC E) and PJL (UEL).
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"%!PS", "ps", "application/postscript"),
    (b"\x04%!PS", "ps", "application/postscript"),
    (b"II*\x00", "tiff", "image/tiff"),
    (b"MM\x00*", "tiff", "image/tiff"),
    (b"PK\x03\x04", "zip", "application/zip"),
    (b"\x1b%-12345X", "pcl", "application/vnd.hp-PCL"),
    (b"\x1bE", "pcl", "application/vnd.hp-PCL"),
    (b"\x89PNG\r\n", "png", "image/png"),
    (b"\xff\xd8\xff", "jpeg", "image/jpeg"),
    (b"<?xml", "xml", "application/xml"),
    (b"{\\rtf", "rtf", "application/rtf"),
)
_TEXT_SUFFIXES = {
    b".txt": ("txt", "text/plain"),
    b".csv": ("csv", "text/csv"),
    b".html": ("html", "text/html"),
    b".htm": ("html", "text/html"),
    b".eml": ("eml", "message/rfc822"),
}
_CONTROLS = frozenset(range(32)) - {9, 10, 12, 13, 27}


def inspect(head: bytes, tail: bytes, name: bytes) -> Inspection:
    """See ``registry.inspect_spool``."""
    for magic, format_name, media_type in _MAGIC:
        if head.startswith(magic):
            return _without_trailer(format_name, media_type)
    if not _CONTROLS.intersection(head) and not _CONTROLS.intersection(tail):
        suffix = os.path.splitext(name)[1].lower()
        format_name, media_type = _TEXT_SUFFIXES.get(suffix, ("txt", "text/plain"))
        return _without_trailer(format_name, media_type)
    return _without_trailer("unknown", "application/octet-stream")


def _without_trailer(format_name: str, media_type: str) -> Inspection:
    return Inspection(format_name=format_name, media_type=media_type, has_trailer=False)
