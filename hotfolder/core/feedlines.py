"""The feed's format, version 1: facts as JSON lines (jsonlines.org) and as CSV (RFC 4180).

Both say the same: one line for each fact, the same keys in the same order, texts only;
what is not known is null, and an empty cell. Docs: docs/feed.md.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from hotfolder.core.facts import FeedFact

SCHEMA = "hotfolder-feed/1"
# What a consumer may be given of a document besides its identity: a column of the
# catalogue, or (the second) the name within its metadata.
REFERENCES: Mapping[str, str | None] = {
    "source": None,
    "business_key": None,
    "document_type": None,
    "customer_id": None,
    "account_number": None,
    "policy_number": None,
    "issue_date": None,
    "channel": None,
    "series": None,
    "version": None,
    "retention_class": None,
    "retain_until": None,
    "job_number": None,
    "tracker_id": "tracker_id",
    "record_uri": None,
}
# Of a fact itself, and what its body may say.
FIXED = (
    "schema", "file", "line", "fact", "kind", "source", "at", "recorded_at", "actor",
    "business_unit", "identity", "state", "reason",
)  # fmt: skip
BODY = (
    "hold", "matter", "mandate", "reference", "documents", "disposal", "certificate_sha256",
    "old", "new", "uri",
)  # fmt: skip
# A cell that begins like this is a formula to a spreadsheet (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def keys_of(fields: Sequence[str]) -> list[str]:
    """Every key of a line, in order."""
    return [*FIXED, *BODY, *(f"document_{name}" for name in fields)]


def line_of(number: int, line: int, told: FeedFact, fields: Sequence[str]) -> dict[str, object]:
    """One fact as a flat object."""
    fact, body = told.fact, told.fact.body
    values: dict[str, object] = {
        "schema": SCHEMA,
        "file": number,
        "line": line,
        "fact": fact.number,
        "kind": fact.kind.value,
        "source": fact.source,
        "at": _moment(fact.at),
        "recorded_at": _moment(fact.recorded_at),
        "actor": fact.actor,
        "business_unit": fact.business_unit or None,
        "identity": fact.identity or None,
        "state": fact.state.value,
        "reason": fact.reason or None,
        "uri": fact.uri or None,
    }
    for name in BODY:
        if name != "uri":
            values[name] = body.get(name) or None
    values["hold"] = values["hold"] or told.hold or None
    for name in fields:
        values[f"document_{name}"] = told.references.get(name)
    return {name: values[name] for name in keys_of(fields)}


def json_lines(number: int, facts: Iterable[FeedFact], fields: Sequence[str]) -> Iterator[bytes]:
    """A file as JSON lines, UTF-8."""
    for line, told in enumerate(facts, 1):
        text = json.dumps(line_of(number, line, told, fields), ensure_ascii=False)
        yield text.encode("utf-8", "backslashreplace") + b"\n"


def csv_rows(number: int, facts: Iterable[FeedFact], fields: Sequence[str]) -> Iterator[bytes]:
    """A file as CSV with a header, UTF-8. A cell that a spreadsheet would run begins with
    an apostrophe; lists are joined by blanks."""
    yield _row(keys_of(fields))
    for line, told in enumerate(facts, 1):
        yield _row(line_of(number, line, told, fields).values())


def harmless(cell: str) -> str:
    """``cell`` as no spreadsheet runs it."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _row(values: Iterable[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([harmless(_cell(value)) for value in values])
    return text.getvalue().encode("utf-8", "backslashreplace")


def _cell(value: object) -> str:
    if value is None:
        return ""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _moment(at: float) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC).isoformat(timespec="milliseconds")
