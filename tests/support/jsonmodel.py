"""Checks a record against the server's own schemas, as recorded; finds every fault."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

_OBJECT = re.compile(r"JSONModel\(:(\w+)\) object\Z")
_URI = re.compile(r"JSONModel\(:(\w+)\) uri\Z")
_COLLECTIONS = {"agent_software": "software", "repository": "repositories"}


def faults_in(
    record: Mapping[str, Any],
    kind: str,
    schemas: Mapping[str, Any],
    lists: Mapping[str, Any],
    place: str = "",
) -> Iterator[str]:
    """Every way in which ``record`` is not a valid ``kind`` to send."""
    yield from _object(record, schemas[kind], schemas, lists, place or kind)


def _object(
    record: Mapping[str, Any],
    properties: Mapping[str, Any],
    schemas: Mapping[str, Any],
    lists: Mapping[str, Any],
    place: str,
) -> Iterator[str]:
    for name, rule in properties.items():
        if rule.get("ifmissing") == "error" and name not in record and name != "jsonmodel_type":
            yield f"{place}/{name} is missing"
    for name, value in record.items():
        if name not in properties:
            yield f"{place}/{name} is unknown"  # the server would drop it without a word
        elif name not in ("jsonmodel_type", "uri") and properties[name].get("readonly"):
            yield f"{place}/{name} is not for us to set"
        else:
            yield from _value(value, properties[name], schemas, lists, f"{place}/{name}")


def _value(
    value: Any,
    rule: Mapping[str, Any],
    schemas: Mapping[str, Any],
    lists: Mapping[str, Any],
    place: str,
) -> Iterator[str]:
    kind = rule["type"]
    if isinstance(kind, list):
        options = [item if isinstance(item, dict) else {"type": item} for item in kind]
        if all(list(_value(value, {**rule, **item}, schemas, lists, place)) for item in options):
            yield f"{place} fits none of {len(options)} types"
    elif kind == "array":
        yield from _array(value, rule, schemas, lists, place)
    elif kind == "object":
        yield from _object(value, rule["properties"], schemas, lists, place)
    elif match := _OBJECT.match(kind):
        if value.get("jsonmodel_type") != match[1]:
            yield f"{place} does not say that it is a {match[1]}"
        yield from _object(value, schemas[match[1]], schemas, lists, place)
    elif match := _URI.match(kind):
        collection = _COLLECTIONS.get(match[1], match[1] + "s")
        if not re.search(rf"/{collection}/(\d+|import_[a-f0-9-]+)\Z", str(value)):
            yield f"{place} is no uri of a {match[1]}"
    else:
        yield from _scalar(value, rule, lists, place)


def _array(
    value: Any,
    rule: Mapping[str, Any],
    schemas: Mapping[str, Any],
    lists: Mapping[str, Any],
    place: str,
) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{place} is no list"
        return
    if len(value) < rule.get("minItems", 0):
        yield f"{place} has too few items"
    for number, item in enumerate(value):
        yield from _value(item, rule["items"], schemas, lists, f"{place}/{number}")


def _scalar(
    value: Any, rule: Mapping[str, Any], lists: Mapping[str, Any], place: str
) -> Iterator[str]:
    kind = rule["type"]
    if kind == "boolean" and not isinstance(value, bool):
        yield f"{place} is no boolean"
    if kind == "integer" and type(value) is not int:
        yield f"{place} is no integer"
    if kind not in ("string", "date"):
        return
    if not isinstance(value, str):
        yield f"{place} is no text"
        return
    if kind == "date":
        try:
            date.fromisoformat(value)
        except ValueError:
            yield f"{place} is no date"
    if not rule.get("minLength", 0) <= len(value) <= rule.get("maxLength", 10**9):
        yield f"{place} has {len(value)} characters"
    if "pattern" in rule and not re.match(rule["pattern"].replace(r"\z", r"\Z"), value):
        yield f"{place} does not match its pattern"
    allowed = lists.get(rule.get("dynamic_enum", ""))
    if allowed is not None and value not in allowed:
        yield f"{place} has a value that is not in {rule['dynamic_enum']}"
