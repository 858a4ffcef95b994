"""JSON lines: an object for each document, one in each line.

Where it lies stands in it under the usual names (``offset`` and ``length``,
``first_page`` and ``pages``, ``file``); the rest are fields, or ``fields`` or
``metadata`` has them. Values are texts, numbers, booleans or lists of them; objects in
objects give dotted names. Numbers keep their digits as written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from hotfolder.core.indexed import IndexedDocument
from hotfolder.indexes.faults import MAX_FIELDS, BadDocument, Skip, blame, check_fields
from hotfolder.indexes.lines import Lines, Source
from hotfolder.indexes.placing import Placing, locate
from hotfolder.indexes.scripts import open_text

_DEEPEST = 20
_NESTED = ("fields", "metadata")


class _Number(str):
    """A number, with its digits as they were written."""

    __slots__ = ()


class _Twice(Exception):
    pass


def _no_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice
    return found


_DECODER = json.JSONDecoder(
    object_pairs_hook=_no_twins,
    parse_float=_Number,
    parse_int=_Number,
    parse_constant=_Number,
)


def read_json_lines(
    stream: BinaryIO,
    file: str,
    *,
    columns: Mapping[str, str] | None = None,
    code_page: str = "",
    skip: Skip | None = None,
) -> Iterator[IndexedDocument]:
    """The documents of an index called ``file``. ``columns`` maps roles (``offset``,
    ``first_page``, ...) to names; UTF-8 unless ``code_page``."""
    source = Source(stream, file)
    text = open_text(source, code_page)
    placing = Placing(columns or {})
    lines = Lines(source)
    ordinal = 0
    for number, line in lines:
        if not line.strip(b" \t\r\x1a"):
            continue
        ordinal += 1
        place = f"line {number}"
        try:
            found = _parse(text.decode(line, number))
            document = _document(found, placing, ordinal, place)
        except BadDocument as bad:
            blame(bad.fault(file, place), skip, cut=lines.cut)
        else:
            yield document


def _parse(line: str) -> dict[str, object]:
    try:
        found = _DECODER.decode(line)
    except json.JSONDecodeError as error:
        raise BadDocument(
            "index.json",
            f"the line is no JSON: {error.msg}, in column {error.colno}",
            "write one object in each line; a line end inside an object is the usual cause",
        ) from error
    except _Twice as error:
        raise BadDocument("index.twice", "a name stands there twice", "leave one") from error
    except RecursionError as error:
        raise _too_deep() from error
    if not isinstance(found, dict):
        raise BadDocument(
            "index.json",
            "the line is no object",
            'write one object in each line, like {"offset": 0, "length": 812, "customer_id": "…"}',
        )
    return found


def _document(
    found: dict[str, object], placing: Placing, ordinal: int, place: str
) -> IndexedDocument:
    pairs: list[tuple[str, str]] = []
    inner: list[tuple[str, str]] = []
    for name, value in found.items():
        if name in _NESTED and isinstance(value, dict):
            for key, item in value.items():
                _flatten(key, item, inner, 0)
        else:
            _flatten(name, value, pairs, 0)
    places, fields = placing.split(pairs)
    fields += inner
    check_fields(fields)
    where = locate(places)
    return IndexedDocument(
        ordinal=ordinal,
        place=place,
        fields=tuple(fields),
        offset=where.offset,
        length=where.length,
        first_page=where.first_page,
        pages=where.pages,
        file=where.file,
    )


def _flatten(name: str, value: object, pairs: list[tuple[str, str]], depth: int) -> None:
    if depth > _DEEPEST:
        raise _too_deep()
    if isinstance(value, bool):
        pairs.append((name, "true" if value else "false"))
    elif isinstance(value, str):
        pairs.append((name, str(value)))
    elif isinstance(value, list):
        for item in value:
            _flatten(name, item, pairs, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            _flatten(f"{name}.{key}", item, pairs, depth + 1)
    if len(pairs) > MAX_FIELDS + 10:
        check_fields(pairs)


def _too_deep() -> BadDocument:
    return BadDocument(
        "index.json", f"the line is nested deeper than {_DEEPEST}", "write the fields side by side"
    )
