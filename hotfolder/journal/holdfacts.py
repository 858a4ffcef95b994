"""What the criteria of a hold look at of a document, as the journal has it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from types import TracebackType
from typing import Any, Self

from hotfolder.core.holds import HoldFacts
from hotfolder.core.references import REFERENCE_FIELDS
from hotfolder.journal.tokens import Tokens, tokenizing

_FACTS = (
    "d.number, d.identity, d.business_unit, d.series, s.id, d.customer_id, d.account_number,"
    " d.policy_number, d.document_type, d.retention_class, d.issue_date"
)
_REFERENCES = ", ".join(
    f"json_extract(d.metadata, '$.{name}')" for name in REFERENCE_FIELDS.values()
)


def columns(*, references: bool) -> str:
    """What ``facts_from`` reads, of ``documents AS d`` and ``spools AS s``."""
    return f"{_FACTS}, {_REFERENCES}" if references else _FACTS


def facts_from(row: Sequence[Any]) -> HoldFacts:
    """A row of ``columns``; what follows those is left alone."""
    return HoldFacts(
        number=row[0],
        identity=row[1],
        business_unit=row[2],
        series=row[3],
        spool_id=row[4],
        customer_id=row[5],
        account_number=row[6],
        policy_number=row[7],
        document_type=row[8],
        retention_class=row[9],
        issue_date=date.fromisoformat(row[10]) if row[10] else None,
        references=frozenset(_references(row[11:])),
    )


def _references(texts: Sequence[str | None]) -> Iterator[tuple[str, str]]:
    for kind, text in zip(REFERENCE_FIELDS, texts, strict=False):
        if text is not None:
            for reference in json.loads(text):
                yield kind, reference


class Matcher:
    """Compares words as ``find --text`` does; SQLite's tokenizer is made at need."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._tokens: Tokens | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def has_words(self, text: str, words: Sequence[str]) -> bool:
        """Whether each word is the beginning of one in the text; True without words."""
        if not words:
            return True
        if self._tokens is None:
            self._tokens = self._stack.enter_context(tokenizing())
        wanted = self._tokens.of(" ".join(words))
        return bool(wanted) and self._tokens.begin_in(text, wanted)
