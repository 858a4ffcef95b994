"""How a value stands in the metadata: what is compared with one is spelled like it."""

from __future__ import annotations

import unicodedata


def clean_value(text: str) -> str:
    """Without blanks around it, and composed (NFC): the same word has one spelling."""
    return unicodedata.normalize("NFC", text.strip())
