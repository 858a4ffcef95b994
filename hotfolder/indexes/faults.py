"""How a reader of indexes says what is wrong, and what any field may be."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hotfolder.core.errors import Fault, InputFault

Skip = Callable[[Fault], None]

MAX_FIELDS = 2000
MAX_NAME = 255  # characters
MAX_VALUE = 65_000  # characters: the longest text that ArchivesSpace keeps (reference 1.1)
_MAX_NUMBER = 2**63 - 1  # what the journal can hold
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_NEGATIVE = re.compile(r"[-\u2212][0-9]+", re.ASCII)
_UNFIT = re.compile("[\0\ud800-\udfff]")


class BadDocument(Exception):
    """One document cannot be used; the rest of the index can."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy

    def fault(self, file: str, place: str) -> Fault:
        """The same as a fault at ``place`` of the index ``file``."""
        return Fault(
            code=self.code, message=self.message, remedy=self.remedy, file=file, place=place
        )


def reject(code: str, message: str, remedy: str, *, file: str, place: str = "") -> InputFault:
    """One fault of the whole index as an exception."""
    return InputFault([Fault(code=code, message=message, remedy=remedy, file=file, place=place)])


def blame(fault: Fault, skip: Skip | None, *, cut: bool = False) -> None:
    """Tell ``skip`` of a bad document; raise ``InputFault`` if there is none.

    A bad document in the last line of an index that lacks its line end (``cut``) is
    always raised: there may have been more behind it.
    """
    if cut:
        raise reject(
            "index.truncated",
            f"{fault.message}; the index ends there, without a line end: it may be cut off",
            "send the whole index again",
            file=fault.file,
            place=fault.place,
        )
    if skip is None:
        raise InputFault([fault])
    skip(fault)


def check_fields(fields: Sequence[tuple[str, str]], most: int = MAX_FIELDS) -> None:
    """Raise ``BadDocument`` if there are too many fields, or one is too long or holds
    what no text has: NUL, or half a character (``\\ud800`` in JSON)."""
    if len(fields) > most:
        raise BadDocument(
            "index.fields",
            f"the document has more than {most} fields",
            "leave out what does not describe the document",
        )
    for name, value in fields:
        if len(value) > MAX_VALUE or len(name) > MAX_NAME:
            raise BadDocument(
                "index.value",
                f"a field has more than {MAX_VALUE} characters, or its name more than {MAX_NAME}",
                "shorten it",
            )
        if value.isprintable() and name.isprintable():
            continue
        if _UNFIT.search(value) or _UNFIT.search(name):
            raise BadDocument(
                "index.characters",
                "a field has a NUL or half a character in it",
                "write the index in the code page that is configured; a text cut at a length"
                " in bytes, or UTF-16 read as something else, are the usual causes",
            )


def read_number(text: str, what: str, least: int = 0) -> int:
    """A count or position in digits. Raises ``BadDocument`` if it is none, or below
    ``least``, or larger than any file."""
    text = text.strip()
    if not _DIGITS.fullmatch(text):
        if _NEGATIVE.fullmatch(text):
            raise BadDocument("index.number", f"{what} is negative", "correct it")
        raise BadDocument(
            "index.number",
            f"{what} is missing" if not text else f"{what} is no whole number",
            "write it in digits, without separators",
        )
    digits = text.lstrip("0") or "0"
    number = int(digits) if len(digits) <= 19 else _MAX_NUMBER + 1
    if number > _MAX_NUMBER:
        raise BadDocument("index.number", f"{what} is larger than any file", "correct it")
    if number < least:
        raise BadDocument(
            "index.number", f"{what} is {number}; it counts from {least}", "correct it"
        )
    return number


def read_file_name(text: str) -> bytes:
    """The bare name of a file of the same drop. Raises ``BadDocument`` for everything
    that could lead elsewhere: separators of either kind, ``..``, control characters."""
    text = text.strip()
    name = text.encode("utf-8", "surrogatepass")
    if "/" in text or "\\" in text:
        raise BadDocument(
            "index.path",
            "the index names a file with a path",
            "name files of the same drop only, without a path",
        )
    if text in (".", "..") or _UNFIT.search(text) or not text.isprintable() or len(name) > 255:
        raise BadDocument(
            "index.path", "the index names a file that cannot be one", "correct the file name"
        )
    return name
