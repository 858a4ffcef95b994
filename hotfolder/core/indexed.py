"""One document of a spool that holds many, as an index or the spool itself tells it."""

from __future__ import annotations

from typing import NamedTuple


class IndexedDocument(NamedTuple):
    """Where a document lies and what is said of it, before anybody says what it means.

    It lies in bytes (``offset``, ``length``) or in pages (``first_page`` from 1,
    ``pages``) of the spool, or of ``file``, another file of the same drop (a bare name).
    ``fields`` are names and values in the producer's words and order; a name may come
    more than once. ``place`` says where in the index it stands, for notes to people.
    ``cut``: the index ends behind it without a line end, and may have been cut off.

    A tuple, because a hundred thousand are made in a second: a frozen dataclass takes four
    times as long (bench/bench_afp.py).
    """

    ordinal: int  # from 1, in the order of the index
    place: str
    fields: tuple[tuple[str, str], ...]
    offset: int | None = None
    length: int | None = None
    first_page: int | None = None
    pages: int | None = None
    file: bytes | None = None
    cut: bool = False
