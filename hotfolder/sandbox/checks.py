"""Rules of the server that its schemas do not hold: dates, rights, events, instances.

The rules and their words are those of ``common/validations.rb`` and, for markup in
titles, of ``mixed_content_validator.rb``, for the parts of identifiers of
``backend/app/model/mixins/identifiers.rb`` in ArchivesSpace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from hotfolder.sandbox.contract import Json

Fault = tuple[str, str]  # property, complaint

IDENTIFIER_PART = 50  # characters; the schema allows 255
_MISSING = "missing required property"
_BASIS = {
    "copyright": ("status", "jurisdiction", "start_date"),
    "license": ("license_terms", "start_date"),
    "statute": ("statute_citation", "jurisdiction", "start_date"),
    "other": ("other_rights_basis", "start_date"),
}
_DECIMAL = re.compile(r"-?\d{0,9}(\.\d{1,5})?\Z")
_WHOLE = re.compile(r"-?\d+\Z")
_TAG = re.compile(r"<(/)?([A-Za-z][A-Za-z0-9:_-]*)([^>]*)>")
_TAG_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9:_-]*)")
_QUOTED = re.compile(r"""\s+[A-Za-z_:][\w:.-]*\s*=\s*(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_CURLY = re.compile("[\u201c\u201d\u2018\u2019]")
_FORBIDDEN = frozenset(
    {
        "script",
        "style",
        "iframe",
        "object",
        "embed",
        "applet",
        "meta",
        "link",
        "base",
        "form",
        "input",
        "button",
        "select",
        "textarea",
        "option",
        "optgroup",
        "label",
        "fieldset",
    }
)


def check_record(kind: str, record: Json) -> Iterator[Fault]:
    """What the server's own rules complain of in a record that fits its schema."""
    rule = _RULES.get(kind)
    if rule is not None:
        yield from rule(record)


def check_markup(title: str) -> str | None:
    """Why a title's markup is refused, or None. Only what looks like a tag counts."""
    if "<" not in title:
        return None
    if any(name.lower() in _FORBIDDEN for name in _TAG_NAME.findall(title)):
        return "mixed_content_disallowed_tag"
    open_tags: list[str] = []
    for closing, name, rest in _TAG.findall(title):
        if closing:
            if not open_tags or open_tags.pop() != name:
                return "mixed_content_invalid_inline_ead"
            continue
        if not _quoted(rest):
            return "mixed_content_invalid_inline_ead"
        if not rest.strip().endswith("/"):
            open_tags.append(name)
    return "mixed_content_invalid_inline_ead" if open_tags else None


def check_parts(record: Json) -> dict[str, list[str]]:
    """What is wrong with the parts of a record's identifier, by property."""
    parts = {f"id_{n}": str(record.get(f"id_{n}") or "") for n in range(4)}
    text = f"Max length is {IDENTIFIER_PART} characters"
    return {name: [text] for name, part in parts.items() if len(part) > IDENTIFIER_PART}


def _quoted(attributes: str) -> bool:
    if _CURLY.search(attributes):
        return False
    return "=" not in _QUOTED.sub(" ", attributes)


def _sloppy_date(text: str) -> date:
    negative = text.startswith("-")
    parts = [*text.removeprefix("-").split("-"), "01", "01"][:3]
    if not all(part.isdecimal() for part in parts):
        raise ValueError(text)
    if negative or parts[0] == "0000":  # before our era: the order of days is all that matters
        return date.min
    return date(int(parts[0]), int(parts[1]), int(parts[2]))


def _check_date(record: Json) -> Iterator[Fault]:
    days: dict[str, date] = {}
    for name in ("begin", "end"):
        text = record.get(name)
        if text is None:
            continue
        if name == "end" and "begin" in days and record["begin"].startswith(text):
            text = record["begin"]
        try:
            days[name] = _sloppy_date(text)
        except ValueError:
            yield name, "not a valid date"
    if len(days) == 2 and days["end"] < days["begin"]:
        yield "end", "must not be before begin"
    if all(record.get(name) is None for name in ("expression", "begin", "end")):
        yield "expression", "is required unless a begin or end date is given"
        yield "begin", "is required unless an expression or an end date is given"
        yield "end", "is required unless an expression or a begin date is given"


def _check_rights_statement(record: Json) -> Iterator[Fault]:
    for name in _BASIS.get(str(record.get("rights_type")), ()):
        if record.get(name) is None:
            yield name, _MISSING


def _check_instance(record: Json) -> Iterator[Fault]:
    if record.get("instance_type") == "digital_object":
        if record.get("digital_object") is None:
            yield "digital_object", "Can't be empty"
    elif record.get("digital_object") is not None:
        text = "An instance with a digital object reference must be of type 'digital_object'"
        yield "instance_type", text
    elif record.get("sub_container") is None:
        yield "sub_container", "Can't be empty"


def _check_event(record: Json) -> Iterator[Fault]:
    has_date, has_timestamp = "date" in record, "timestamp" in record
    if has_date == has_timestamp:
        text = (
            "Can't specify both a date and a timestamp"
            if has_date
            else "Must specify either a date or a timestamp"
        )
        yield "date", text
        yield "timestamp", text
    if has_timestamp and not _is_time(record["timestamp"]):
        yield "timestamp", "Must be an ISO8601-formatted string"


def _is_time(text: Any) -> bool:
    try:
        datetime.fromisoformat(str(text))
    except ValueError:
        return False
    return True


def _check_identifier(record: Json) -> Iterator[Fault]:
    given = [bool(record.get(f"id_{n}")) for n in range(4)]
    while given and not given[-1]:
        given.pop()
    if not all(given):
        yield "identifier", "must not contain blank entries"


def _check_archival_object(record: Json) -> Iterator[Fault]:
    if not record.get("dates") and not record.get("title"):
        yield "dates", "one or more required (or enter a Title)"
        yield "title", "must not be an empty string (or enter a Date)"


def _check_component(record: Json) -> Iterator[Fault]:
    names = ("dates", "title", "label")
    if not any(record.get(name) for name in names):
        for name in names:
            yield name, "you must provide a label, title or date"


def _check_name(record: Json) -> Iterator[Fault]:
    if record.get("sort_name") is None and not record.get("sort_name_auto_generate"):
        yield "sort_name", "Property is required but was missing"


def _check_user_defined(record: Json) -> Iterator[Fault]:
    for number in (1, 2, 3):
        whole, real = f"integer_{number}", f"real_{number}"
        if record.get(whole) is not None and not _WHOLE.match(record[whole]):
            yield whole, "must be an integer"
        if record.get(real) is not None and not _DECIMAL.match(record[real]):
            yield real, "must be a number with no more than nine digits and five decimal places"


_RULES: dict[str, Callable[[Json], Iterator[Fault]]] = {
    "date": _check_date,
    "rights_statement": _check_rights_statement,
    "instance": _check_instance,
    "event": _check_event,
    "resource": _check_identifier,
    "accession": _check_identifier,
    "archival_object": _check_archival_object,
    "digital_object_component": _check_component,
    "name_software": _check_name,
    "user_defined": _check_user_defined,
}
