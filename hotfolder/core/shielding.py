"""Fields of customers that ArchivesSpace is not to have, or has under a pseudonym alone.

What is sent is made of a document whose fields were shielded here. A value that is kept back
may also stand in another text, such as a title or a reference: a text that shows it is left
out, and a title is made of the document's type and day. Pure.

A pseudonym is HMAC-SHA-256 (RFC 2104) over business unit, field and value, cut to 128 bits:
the same customer has the same one in a unit, and nobody without the key can tell whose it
is, or try all customer numbers.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from hotfolder.core.holdmark import HoldMark
from hotfolder.core.records import Document, Role

IDENTIFIERS = (
    "customer_id",
    "account_number",
    "policy_number",
    "case_refs",
    "claim_refs",
    "dispute_refs",
    "change_refs",
    "job_number",
    "external_job_id",
    "tracker_id",
)
WITHHELD = (*IDENTIFIERS, "customer_name", "title", "channel")
# What else of a document is sent as it is, or may be part of what is sent.
_SENT = (*IDENTIFIERS, "title", "channel", "legacy_id")
_PREFIX = "ps-"
_DIGITS = 32
_TELLING = 4  # characters: a shorter value stands in many texts by chance


def pseudonym(key: str, business_unit: str, name: str, value: str) -> str:
    """What stands for ``value`` of a field in the records of a business unit."""
    message = "".join(f"{len(part)}:{part}" for part in (business_unit, name, value))
    digest = hmac.new(key.encode(), message.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return _PREFIX + digest.hexdigest()[:_DIGITS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shield:
    """What is kept back; empty, nothing is. Without a key, what should have a pseudonym is
    withheld. The first of ``keys`` is in force, the others made earlier pseudonyms."""

    withhold: tuple[str, ...] = ()
    pseudonyms: tuple[str, ...] = ()
    keys: tuple[str, ...] = field(default=(), repr=False)

    def document(self, document: Document, business_unit: str) -> Document:
        """``document`` as it may be sent."""
        if not (self.withhold or self.pseudonyms):
            return document
        secrets = list(self._secrets(document))
        known = document.metadata
        changes: dict[str, Any] = {}
        for name in _SENT:
            value = getattr(known, name)
            if name in self.withhold:
                kept: Any = () if isinstance(value, tuple) else None
            elif name in self.pseudonyms:
                kept = self._replaced(business_unit, name, value)
            elif isinstance(value, tuple):
                kept = tuple(text for text in value if not shows_any(text, secrets))
            else:
                kept = None if value is not None and shows_any(value, secrets) else value
            changes[name] = kept
        if "customer_name" in self.withhold:
            changes["customer_name"] = None
        # The name that a migrated file had in its old archive is sent too, and stands there.
        changes["extra"] = {
            name: values
            for name, values in known.extra.items()
            if not any(shows_any(text, secrets) for text in values)
        }
        hidden = "title" in self.withhold or shows_any(document.title, secrets)
        if document.role is Role.CARRIER and self._of_customers():
            # Whose values the names of a file may show, a record of many does not know.
            changes |= {"extra": {}, "legacy_id": None}
            hidden = True
        return replace(
            document,
            metadata=replace(known, **changes),
            title="" if hidden else document.title,
        )

    def mark(self, mark: HoldMark, document: Document) -> HoldMark:
        """A hold as it may be sent with ``document``, whose matter may name the customer."""
        if not shows_any(mark.matter, list(self._secrets(document))):
            return mark
        return replace(mark, matter="")

    def _replaced(self, business_unit: str, name: str, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(
                pseudonym(self.keys[0], business_unit, name, text) for text in value if self.keys
            )
        if value is None or not self.keys:
            return None
        return pseudonym(self.keys[0], business_unit, name, value)

    def _of_customers(self) -> bool:
        """Whether anything is kept back that differs from document to document."""
        return bool({*self.withhold, *self.pseudonyms} - {"title", "channel"})

    def _secrets(self, document: Document) -> Iterator[str]:
        """The values that nothing may show."""
        for name in dict.fromkeys((*self.withhold, *self.pseudonyms)):
            value = getattr(document.metadata, name)
            if name in ("title", "channel") or not value:
                continue  # said of the document, and true of many
            if name == "customer_name":
                yield value  # of "Jo Li" no word tells by itself
                yield from (word for word in _words(value) if len(word) >= _TELLING - 1)
            else:
                yield from value if isinstance(value, tuple) else (value,)


def shows_any(text: str, values: list[str]) -> bool:
    """Whether one of the values can be read in ``text``, whatever stands between its letters
    and digits there. A short value must be a word of its own."""
    if not values or not text:
        return False
    words = _words(text)
    joined = "".join(words)
    for value in values:
        wanted = "".join(_words(value))
        if wanted and (wanted in words or (len(wanted) >= _TELLING and wanted in joined)):
            return True
    return False


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char if char.isalnum() else " " for char in folded).split()
