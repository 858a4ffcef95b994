"""What an answer says of itself: manifest.json and manifest.csv of an answer folder, and
the note under a request in ArchivesSpace."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from hotfolder.core.notes import printable, printable_name
from hotfolder.core.orders import Fate, Fated, RequestRow
from hotfolder.core.reports import csv_cell

FORMAT = "hotfolder-answer/1"
_COLUMNS = (
    "line", "asked", "outcome", "identity", "file", "sidecar", "sha256", "bytes", "form",
    "derived", "why",
)  # fmt: skip
_LONGEST_NOTE = 8000  # characters; ArchivesSpace keeps 16,384 (event.outcome_note)


def manifest_json(
    row: RequestRow, fates: Sequence[Fated], *, reason: str, answered_at: float
) -> bytes:
    """Every line of the request and what became of it."""
    told = {
        "format": FORMAT,
        "request": row.id,
        "file": printable_name(row.name),
        "reason": reason,
        "answered": datetime.fromtimestamp(answered_at, UTC).isoformat(timespec="seconds"),
        "outcomes": dict(Counter(str(item.fate) for item in fates)),
        "lines": [asdict(item) for item in fates],
    }
    return (json.dumps(told, ensure_ascii=True, indent=1, sort_keys=True) + "\n").encode()


def manifest_csv(fates: Sequence[Fated]) -> bytes:
    """The same for a spreadsheet; a text that would be a formula there gets a quote."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for item in fates:
        cells = (
            item.line, item.asked, str(item.fate), item.identity, *(*item.files, "", "")[:2],
            item.sha256, item.size, item.form, "yes" if item.derived else "no", item.why,
        )  # fmt: skip
        writer.writerow([csv_cell(str(cell)) for cell in cells])
    return text.getvalue().encode("utf-8", "backslashreplace")


def answer_mark(request_id: str) -> str:
    """What stands in the first line of a request's answer, and in no other text."""
    return f"Request {request_id}."


def answer_note(fates: Sequence[Fated], to: str, request_id: str) -> tuple[str, str]:
    """Outcome (``fulfilled`` or ``fail``) and note for a request in ArchivesSpace: each
    document, and why it could not be given."""
    given = [item for item in fates if item.fate is Fate.GIVEN]
    outcome = "fulfilled" if fates and len(given) == len(fates) else "fail"
    told = f"hotfolder: {len(given)} of {len(fates)} documents given to {to}."
    lines = [f"{told} {answer_mark(request_id)}"]
    for item in sorted(fates, key=lambda item: item.fate is Fate.GIVEN):
        what = item.identity or item.asked or "request"
        lines.append(
            f"{what}: given" if item.fate is Fate.GIVEN else f"{what}: {item.fate}, {item.why}"
        )
    text = ""
    for number, line in enumerate(lines):
        if len(text) + len(line) > _LONGEST_NOTE:
            text += f"... and {len(lines) - number} more; `hotfolder requests show` has all\n"
            break
        text += printable(line) + "\n"
    return outcome, text.rstrip("\n")
