"""Text as ArchivesSpace takes it; deterministic, and the original stays in our catalogue.

The stock database cannot hold four-byte characters (400 ``db_error``), titles are
read as mixed content since 4.2.0 (unbalanced markup is a 400), and most columns are
255 characters (reference 1.1 and 9).
"""

from __future__ import annotations

import hashlib

TITLE_LIMIT = 8000  # below the schema's 8,192 for archival objects and the column's 8,704
SHORT_LIMIT = 255
# of ``id_0``: less than in the schema (MAX_LENGTH in backend/app/model/mixins/identifiers.rb)
IDENTIFIER_LIMIT = 50
# of ``text_1`` to ``text_5``: a column of 65,535 bytes (``TextField`` in common/db/db_migrator.rb),
# of which a character takes three at most, whatever the schema says (65,000 characters)
TEXT_LIMIT = 65_535 // 3
NOTE_LIMIT = 16_384  # of ``outcome_note`` in the schema of an event
_SUFFIX_DIGITS = 32
_CUT = " …"


def clean_text(text: str) -> str:
    """``text`` without control characters, with blanks for line breaks and tabs, and
    U+FFFD for what the database cannot hold."""
    return "".join(_acceptable(char) for char in text).strip()


def _acceptable(char: str) -> str:
    code = ord(char)
    if char in "\t\n\r\x0b\x0c\x85\u2028\u2029":
        return " "
    if code < 0x20 or 0x7F <= code <= 0x9F or code in (0xFFFE, 0xFFFF, 0xFEFF):
        return ""
    if code > 0xFFFF or 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return char


def clean_title(text: str, fallback: str) -> str:
    """A title: as ``clean_text``, ``&`` and ``<`` escaped, at most 8,000 characters
    with no escape cut in two; ``fallback`` (treated alike) if nothing is left."""
    for candidate in (text, fallback):
        parts: list[str] = []
        size = 0
        for char in clean_text(candidate):
            part = {"&": "&amp;", "<": "&lt;"}.get(char, char)
            size += len(part)
            if size > TITLE_LIMIT:
                break
            parts.append(part)
        title = "".join(parts).strip()
        if title:
            return title
    return "Untitled"


def clean_value(text: str, *, prefix: str = "", limit: int = SHORT_LIMIT) -> str:
    """``prefix`` and ``text`` in at most ``limit`` characters; empty if ``text`` is blank.

    Where characters had to be replaced, removed or cut off, ``~`` and the beginning
    of the SHA-256 of the original follow, so that two values never become one and
    either can be found by who knows the original.
    """
    cleaned = clean_text(text)
    if not text.strip():
        return ""
    if cleaned == text.strip() and len(prefix) + len(cleaned) <= limit:
        return prefix + cleaned
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    suffix = "~" + digest[:_SUFFIX_DIGITS]
    return prefix + cleaned[: max(0, limit - len(prefix) - len(suffix))] + suffix


def clean_note(text: str, limit: int = NOTE_LIMIT) -> str:
    """A note for people: as ``clean_text``, but for its line breaks and indents, which
    stay; cut to ``limit`` characters with an ellipsis, empty where there is no room for any."""
    lines = ("".join(map(_acceptable, line)).rstrip() for line in text.splitlines())
    note = "\n".join(lines).strip("\n")
    if len(note) <= limit:
        return note
    return note[: limit - len(_CUT)].rstrip() + _CUT if limit > len(_CUT) else ""


def add_note(written: str, text: str) -> str:
    """``text`` below what is ``written`` already, none of which is changed; cut, or left
    out, where both do not fit."""
    added = clean_note(text, NOTE_LIMIT - len(written) - 1 if written else NOTE_LIMIT)
    return f"{written}\n{added}" if written and added else written or added
