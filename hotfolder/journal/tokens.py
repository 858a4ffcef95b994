"""Texts cut into the tokens that the journal's index of words has."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

TOKENIZER = "unicode61 remove_diacritics 2"  # of the table ``words``
_MOST_TERMS = 100  # that begin alike and are asked for one by one


class Tokens:
    """SQLite's own tokenizer, so that a text looked at by itself and a text found through
    the index are judged alike."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        conn.execute(
            "CREATE VIRTUAL TABLE one USING fts5"
            f" (text, content = '', columnsize = 0, tokenize = '{TOKENIZER}')"
        )
        conn.execute("CREATE VIRTUAL TABLE terms USING fts5vocab (one, 'row')")

    def of(self, text: str) -> list[str]:
        """Its tokens, each once: lower case, without accents."""
        self._conn.execute("BEGIN")
        try:
            self._conn.execute("INSERT INTO one (rowid, text) VALUES (1, ?)", (text,))
            return [term for (term,) in self._conn.execute("SELECT term FROM terms")]
        finally:
            self._conn.execute("ROLLBACK")

    def begin_in(self, text: str, wanted: Sequence[str]) -> bool:
        """Whether each of these tokens is the beginning of one in the text."""
        there = self.of(text)
        return all(any(token.startswith(one) for token in there) for one in wanted)


@contextmanager
def tokenizing() -> Iterator[Tokens]:
    """A tokenizer, in memory."""
    conn = sqlite3.connect(":memory:", isolation_level=None)
    try:
        yield Tokens(conn)
    finally:
        conn.close()


def has_word(text: str) -> bool:
    """Whether anything in the text is a word for the index."""
    with tokenizing() as tokens:
        return bool(tokens.of(text))


def match_terms(conn: sqlite3.Connection, tokens: Iterable[str]) -> str:
    """The same as ``match_beginnings``, by the terms that the index has: those are read
    only as far as they are needed, while of a beginning every entry is read first (a
    second for each million)."""
    return " AND ".join(_any_of(_terms(conn, token), token) for token in tokens)


def _any_of(terms: Sequence[str], token: str) -> str:
    if len(terms) > _MOST_TERMS:
        return f'"{token}"*'
    return "(" + " OR ".join(f'"{term}"' for term in terms or [token]) + ")"


def _terms(conn: sqlite3.Connection, token: str) -> list[str]:
    """The terms that begin so, up to one more than ``_MOST_TERMS``; from each to the next,
    past all its entries."""
    found: list[str] = []
    place, last = token, token + chr(sys.maxunicode)
    while len(found) <= _MOST_TERMS:
        row = conn.execute(
            "SELECT term FROM temp.terms WHERE term >= ? AND term <= ? LIMIT 1", (place, last)
        ).fetchone()
        if row is None:
            break
        found.append(row[0])
        place = row[0] + "\x01"
    return found


def match_beginnings(tokens: Iterable[str]) -> str:
    """What to ask the index for all of these beginnings."""
    return " ".join(f'"{token}"*' for token in tokens)
