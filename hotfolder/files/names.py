"""Names from directories: hostile until checked.

The longest name is 255 bytes (NAME_MAX, limits.h); numbered and suffixed names are
cut to that, at a character where the name is UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

NAME_MAX = 255
_SPOOL_ID = re.compile(r"[0-9a-z][0-9a-z-]{0,63}\Z")


def check_spool_id(spool_id: str) -> bytes:
    """``spool_id`` as a directory name; ``ValueError`` if it could not be one of ours."""
    if not _SPOOL_ID.match(spool_id):
        raise ValueError(f"not a spool id: {spool_id!r}")
    return spool_id.encode()


def is_spool_id(name: bytes) -> bool:
    """Whether a directory entry may be a claimed drop."""
    return _SPOOL_ID.match(name.decode("ascii", "replace")) is not None


def split_name(name: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """Folders and last part of a name relative to a hot folder.

    ``ValueError`` if it is absolute, empty, holds a NUL or a part that leads away.
    """
    parts = name.split(b"/")
    if b"\0" in name or any(part in (b"", b".", b"..") for part in parts):
        raise ValueError("not a name inside the hot folder")
    return tuple(parts[:-1]), parts[-1]


def cut(name: bytes, limit: int) -> bytes:
    """The first ``limit`` bytes at most, without splitting a UTF-8 character."""
    if len(name) <= limit:
        return name
    try:
        name.decode()
    except UnicodeDecodeError:
        return name[:limit]
    return name[:limit].decode("utf-8", "ignore").encode()


def with_suffix(name: bytes, suffix: bytes) -> bytes:
    """``name`` and ``suffix``, the name cut so that both fit."""
    return cut(name, NAME_MAX - len(suffix)) + suffix


def _split_extension(name: bytes) -> tuple[bytes, bytes]:
    at = name.rfind(b".")
    return (name, b"") if at <= 0 else (name[:at], name[at:])


def belongs(name: bytes, spool: bytes) -> bool:
    """Whether ``name`` is the spool's own or begins like it (``letter.pdf``, ``letter.xml``)."""
    return name.startswith(_split_extension(spool)[0])


def numbered(names: Sequence[bytes], spool: bytes, number: int) -> list[bytes]:
    """Other names for the files of one drop, so that they still belong together.

    ``letter.pdf`` and ``letter.pdf.json`` become ``letter.1.pdf`` and
    ``letter.1.pdf.json``; a file that does not begin like the spool gets the number
    before its own extension. Number 0 leaves them as they are.
    """
    if number == 0:
        return list(names)
    stem = _split_extension(spool)[0]
    mark = b".%d" % number
    found = []
    for name in names:
        start, rest = _split_extension(name)
        if belongs(name, spool):
            start, rest = stem, name[len(stem) :]
        rest = rest[: NAME_MAX - len(mark) - 1]
        found.append(cut(start, NAME_MAX - len(mark) - len(rest)) + mark + rest)
    return found
