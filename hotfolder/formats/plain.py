"""What has no end that could be seen: text, and everything that no reader knows.

Archived as what it is. Its name tells the format only where its head agrees or
says nothing; settling waits longer for it (``quiet_without_trailer``).
"""

from __future__ import annotations

import os

from hotfolder.core.records import Inspection

# (what the file starts with, format, media type); sources: PNG 5.2, JFIF (SOI and a marker),
# RTF 1.9 header.
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n", "png", "image/png"),
    (b"\xff\xd8\xff", "jpeg", "image/jpeg"),
    (b"{\\rtf", "rtf", "application/rtf"),
)
_TEXT_SUFFIXES = {
    b".txt": ("txt", "text/plain"),
    b".csv": ("csv", "text/csv"),
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
