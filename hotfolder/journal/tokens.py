"""Texts cut into the tokens that the journal's index of words has."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

TOKENIZER = "unicode61 remove_diacritics 2"  # of the table ``words``


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


def match_beginnings(tokens: Iterable[str]) -> str:
    """What to ask the index for all of these beginnings."""
    return " ".join(f'"{token}"*' for token in tokens)
