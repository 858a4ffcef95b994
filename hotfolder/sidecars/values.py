"""Texts of a sidecar into typed values, in one way only or not at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date

from hotfolder.core.references import REFERENCE_FIELDS
from hotfolder.core.spelling import clean_value

LONGEST = 255  # characters: external ids and slots in ArchivesSpace (reference 1.1)
LONGEST_TITLE = 16_384

_DATES = frozenset({"issue_date", "trigger_date", "legacy_date"})
_LISTS = frozenset({*REFERENCE_FIELDS.values(), "access"})


class UnreadableValueError(Exception):
    """A text that is no such value; never quoted, as it may be a customer's."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy


def read_value(name: str, texts: Sequence[str]) -> str | int | date | tuple[str, ...]:
    """The value of the canonical field ``name`` from all its texts (at least one).

    Raises ``UnreadableValueError``.
    """
    cleaned = [_clean(name, text) for text in texts]
    if name in _LISTS:
        parts = [part.strip() for text in cleaned for part in re.split(r"[;,|]", text)]
        return tuple(dict.fromkeys(part for part in parts if part))
    distinct = list(dict.fromkeys(cleaned))
    if len(distinct) > 1:
        raise UnreadableValueError(
            "field.several", f"{name} has {len(distinct)} different values", "leave one"
        )
    if name in _DATES:
        return _read_date(name, distinct[0])
    if name == "declared_size":
        return _read_size(distinct[0])
    if name == "declared_sha256":
        return _read_checksum(distinct[0])
    return distinct[0]


def _clean(name: str, text: str) -> str:
    found = clean_value(text)
    limit = LONGEST_TITLE if name == "title" else LONGEST
    if len(found) > limit:
        raise UnreadableValueError(
            "field.length", f"{name} has more than {limit} characters", "shorten it"
        )
    # Almost every value is printable, which is quickly said.
    if not found.isprintable() and any(
        unicodedata.category(letter) in ("Cc", "Cs") for letter in found
    ):
        raise UnreadableValueError(
            "field.control", f"{name} has control characters in it", "take them out"
        )
    return found


def _read_date(name: str, text: str) -> date:
    found = parse_date(text)
    if found is None:
        raise UnreadableValueError(
            "field.date",
            f"{name} is no date that can be read in one way only",
            "write it as YYYY-MM-DD, for example 2026-06-30",
        )
    return found


def _read_size(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise UnreadableValueError(
            "field.number", "the declared size is no whole number", "write digits only"
        )
    return int(text)


def _read_checksum(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        raise UnreadableValueError(
            "field.checksum",
            "the checksum is no SHA-256 (64 hexadecimal digits)",
            "leave it out, or send the SHA-256",
        )
    return text.lower()


def parse_date(text: str) -> date | None:
    """YYYY-MM-DD (with or without a time behind it), YYYYMMDD or DD.MM.YYYY; None for
    anything else. Slashes are refused: 03/04 is two days, depending on the reader."""
    for pattern in (
        r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})(?:[T ]\d{2}:\d{2}.*)?",
        r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})",
        r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})",
    ):
        match = re.fullmatch(pattern, text, re.ASCII)
        if match is not None:
            try:
                return date(int(match["y"]), int(match["m"]), int(match["d"]))
            except ValueError:
                return None
    return None
