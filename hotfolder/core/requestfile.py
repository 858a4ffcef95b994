"""What stands in a request file: documents, by id or by what is known of them.

JSON: a list, or an object with ``documents`` and, if wanted, ``reason``. An item is an id
(any that hotfolder takes), or an object with ``id``, or one with criteria. CSV: a first
line with the names of columns, then a line for each document or each set of criteria; a
column ``reason`` on any line is that of the whole request.
Criteria: customer, account, type, case, from, to, text; all that are given must hold.
UTF-8, with or without a byte order mark. docs/returns.md has examples.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NoReturn

from hotfolder.core.csvlines import CsvLines, decode
from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.query import DocumentQuery
from hotfolder.core.references import split_reference

MAX_BYTES = 1 << 20
MAX_LINES = 10_000
_LONGEST = 1000  # characters of a value
_MOST_FAULTS = 100
_MOST_WORDS = 20
_CRITERIA = ("customer", "account", "type", "case", "from", "to", "text")
_KEYS = ("id", *_CRITERIA)
_REASON = "reason"
_CSV = CsvLines(code="request", columns=(*_KEYS, _REASON), limit=MAX_LINES)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLine:
    """One line: an id, or a question to the catalogue."""

    number: int  # from 1; of a CSV file, the line in it
    id: str = ""
    query: DocumentQuery | None = None
    asked: str = ""  # the id, or the names of the criteria


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFile:
    """All that a request file asks for."""

    lines: tuple[RequestLine, ...]
    reason: str = ""


def read_request(data: bytes, name: bytes) -> RequestFile:
    """Read a request file called ``name`` (it ends with .json or .csv). Raises
    ``InputFault`` with every fault, none of which quotes a value."""
    if len(data) > MAX_BYTES:
        _reject("request.size", f"it is longer than {MAX_BYTES:,} bytes", "make several of it")
    ending = name.lower().rpartition(b".")[2]
    if ending not in (b"json", b"csv"):
        _reject("request.name", "a request is a .json or a .csv file", "give it such a name")
    text = decode(data, "request")
    faults: list[Fault] = []
    reason = ""
    if ending == b"json":
        items, reason = _json_items(text, faults)
    else:
        items, reason = _csv_items(text, faults)
    lines = []
    for number, item in items:
        line = _line(number, item, faults)
        if line is not None:
            lines.append(line)
        if len(faults) >= _MOST_FAULTS:
            break
    if faults:
        raise InputFault(faults[:_MOST_FAULTS])
    if not lines:
        _reject("request.empty", "it asks for nothing", "name a document, or criteria")
    return RequestFile(lines=tuple(lines), reason=reason)


def is_whole(data: bytes, name: bytes) -> bool:
    """Whether the file shows by itself that it is whole: JSON does, CSV cannot."""
    if not name.lower().endswith(b".json") or len(data) > MAX_BYTES:
        return False
    try:
        json.loads(data.decode("utf-8-sig"), parse_int=_Number, parse_constant=_Number)
    except (ValueError, RecursionError):
        return False
    return True


class _Number:
    """A number, which no request has. Not read: one of a million digits takes minutes."""

    def __init__(self, text: str) -> None:
        self.length = len(text)


# -- JSON and CSV ---------------------------------------------------------------------
def _json_items(text: str, faults: list[Fault]) -> tuple[Iterator[tuple[int, Any]], str]:
    try:
        found = json.loads(
            text, object_pairs_hook=_object(faults), parse_int=_Number, parse_constant=_Number
        )
    except json.JSONDecodeError as error:
        _reject(
            "request.json",
            "it is no JSON",
            "correct it there; a comma or a quote is the usual cause",
            f"line {error.lineno}, column {error.colno}",
        )
    except (ValueError, RecursionError):
        _reject("request.json", "it cannot be read as JSON", "nest it less deeply")
    reason = ""
    if isinstance(found, dict):
        faults += [
            _fault("request.key", "a key is not known", _shown(key))
            for key in found
            if key not in ("documents", "reason")
        ][:_MOST_FAULTS]
        given = found.get("reason", "")
        if isinstance(given, str) and len(given) <= _LONGEST:
            reason = given
        else:
            faults.append(_fault("request.reason", "the reason is no short text", "reason"))
        found = found.get("documents")
    if not isinstance(found, list):
        _reject(
            "request.shape",
            "it is no list of documents",
            'write [ … ], or {"documents": [ … ]}',
        )
    if len(found) > MAX_LINES:
        _reject("request.lines", f"it has more than {MAX_LINES:,} lines", "make several of it")
    return iter(list(enumerate(found, 1))), reason


def _object(faults: list[Fault]) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    def make(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs) and len(faults) < _MOST_FAULTS:
            faults.append(_fault("request.key", "a key is given twice", ""))
        return found

    return make


def _csv_items(text: str, faults: list[Fault]) -> tuple[Iterator[tuple[int, Any]], str]:
    items = _CSV.read(text, faults)
    reasons = {item.pop(_REASON) for _, item in items if _REASON in item}
    if len(reasons) > 1 or any(len(reason) > _LONGEST for reason in reasons):
        faults.append(_fault("request.reason", "a request has one reason, a short text", "reason"))
    return iter(items), "".join(reasons) if len(reasons) == 1 else ""


# -- a line -----------------------------------------------------------------------------
def _line(number: int, item: Any, faults: list[Fault]) -> RequestLine | None:
    place = f"line {number}"
    if isinstance(item, str):
        item = {"id": item}
    if not isinstance(item, dict) or not item:
        faults.append(_fault("request.line", "it is neither an id nor criteria", place))
        return None
    wrong = [key for key in item if key not in _KEYS]
    texts = {key: value for key, value in item.items() if _is_text(value)}
    if wrong or len(texts) != len(item):
        faults.append(
            _fault(
                "request.line",
                f"keys are {', '.join(_KEYS)}, and their values are texts on one line",
                place,
            )
        )
        return None
    if "id" in texts:
        if len(texts) > 1:
            faults.append(_fault("request.line", "it has an id and criteria", place))
            return None
        return RequestLine(number=number, id=texts["id"].strip(), asked=texts["id"].strip())
    query = _query(texts, place, faults)
    if query is None:
        return None
    asked = ", ".join(name for name in _CRITERIA if name in texts)
    return RequestLine(number=number, query=query, asked=asked)


def _is_text(value: object) -> bool:
    return (
        isinstance(value, str)
        and bool(value.strip())
        and len(value) <= _LONGEST
        and value.isprintable()
    )


def _query(texts: Mapping[str, str], place: str, faults: list[Fault]) -> DocumentQuery | None:
    days: dict[str, date | None] = {"from": None, "to": None}
    for name in days:
        if name in texts:
            try:
                days[name] = date.fromisoformat(texts[name].strip())
            except ValueError:
                faults.append(_fault("request.date", f"{name} is no day like 2026-06-30", place))
                return None
    words = tuple(texts.get("text", "").split())
    if len(words) > _MOST_WORDS:
        faults.append(_fault("request.line", f"text has more than {_MOST_WORDS} words", place))
        return None
    kind, reference = split_reference(texts["case"]) if "case" in texts else (None, None)
    return DocumentQuery(
        customer_id=texts.get("customer"),
        account_number=texts.get("account"),
        document_type=texts.get("type"),
        issued_from=days["from"],
        issued_to=days["to"],
        case_ref=reference,
        case_kind=kind,
        words=words,
    )


# -- faults -----------------------------------------------------------------------------
def _shown(key: str) -> str:
    return key if key.isprintable() and len(key) <= 40 else "a key"


def _fault(code: str, message: str, place: str) -> Fault:
    return Fault(code=code, message=message, remedy="correct it there", place=place)


def _reject(code: str, message: str, remedy: str, place: str = "") -> NoReturn:
    raise InputFault([Fault(code=code, message=message, remedy=remedy, place=place)])
