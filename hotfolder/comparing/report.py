"""The report of a comparison: JSON for programs, and a page for people that needs nothing
else: no script, no other file, everything from the documents escaped."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from hotfolder.comparing.findings import (
    ARCHIVED,
    RERENDERED,
    Difference,
    Findings,
    PageFinding,
    Rules,
    Side,
)
from hotfolder.comparing.summary import describe, describe_page
from hotfolder.core.notes import printable

FORMAT = "hotfolder-comparison/1"
ReadPicture = Callable[[str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two documents and what was found; ``at`` is when, in ISO 8601. ``identity`` is that
    of the archived document, if it is one."""

    archived: Side
    rerendered: Side
    rules: Rules
    findings: Findings
    at: str
    identity: str = ""


def report_data(compared: Compared) -> dict[str, Any]:
    """The report as JSON types."""
    findings, rules = compared.findings, compared.rules
    return {
        "format": FORMAT,
        "outcome": str(findings.outcome),
        "summary": describe(findings),
        "compared_at": compared.at,
        "identity": compared.identity or None,
        "archived": _side_data(compared.archived),
        "rerendered": _side_data(compared.rerendered),
        "pages": {
            "archived": findings.pages[0],
            "rerendered": findings.pages[1],
            "different": findings.pages_different,
            "tolerated": findings.pages_tolerated,
        },
        "differences": [asdict(item) for item in findings.differences],
        "different_pages": [_page_data(page) for page in findings.different_pages],
        "remarks": [asdict(item) for item in findings.remarks],
        "notes": list(findings.notes),
        "rules": {
            "dpi": rules.dpi,
            "tolerance": rules.tolerance,
            "shift": rules.shift,
            "ignored_regions": [
                {"page": page or "*", **region._asdict()} for page, region in rules.ignored_regions
            ],
            "ignored_texts": list(rules.ignored_texts),
            "code_page": rules.code_page,
        },
    }


def _side_data(side: Side) -> dict[str, Any]:
    return {
        "name": side.name,
        "format": side.format_name,
        "bytes": side.size,
        "sha256": side.sha256,
        "derived": side.derived,
    }


def _page_data(page: PageFinding) -> dict[str, Any]:
    return {
        "page": page.number or None,
        "only_in": page.only_in or None,
        "text": {"changes": page.text.count, "listed": [asdict(i) for i in page.text.listed]},
        "picture": {
            "dpi": page.dpi or None,
            "pixels": page.picture.pixels,
            "greatest_step": page.picture.greatest,
            "regions": [region._asdict() for region in page.picture.regions],
            "file": page.picture_name or None,
        },
        "differences": [asdict(item) for item in page.differences],
    }


def report_json(compared: Compared) -> bytes:
    """``report.json``."""
    return (json.dumps(report_data(compared), indent=2, ensure_ascii=True) + "\n").encode()


def report_html(compared: Compared, read_picture: ReadPicture) -> Iterator[bytes]:
    """``report.html``, piece by piece: a picture at a time is in memory."""
    for piece in _pieces(compared, read_picture):
        yield piece.encode("utf-8", "backslashreplace")


def _pieces(compared: Compared, read_picture: ReadPicture) -> Iterator[str]:
    findings = compared.findings
    yield _HEAD
    yield f'<h1 class="{findings.outcome}">{_text(describe(findings))}</h1>\n'
    yield _sides(compared)
    for note in findings.notes:
        yield f"<p>{_text(note)}</p>\n"
    if findings.differences:
        yield "<h2>The documents as a whole</h2>\n" + _table(findings.differences)
    for page in findings.different_pages:
        yield from _page(page, read_picture)
    left = findings.pages_different - len(findings.different_pages)
    if findings.pages_different and left > 0:
        yield f"<p>{left:,} more pages differ.</p>\n"
    if findings.remarks:
        yield "<h2>Differs, and is no content</h2>\n" + _table(findings.remarks)
    yield _rules(compared.rules, findings)
    yield "</body></html>\n"


def _sides(compared: Compared) -> str:
    rows = []
    for label, side in ((ARCHIVED, compared.archived), (RERENDERED, compared.rerendered)):
        derived = " (derived: pages taken out of their spool)" if side.derived else ""
        rows.append(
            f"<tr><th>{label}</th><td>{_text(side.name)}{derived}</td>"
            f"<td>{_text(side.format_name)}</td><td>{side.size:,} bytes</td>"
            f"<td><code>{_text(side.sha256)}</code></td></tr>\n"
        )
    identity = f"<p>Document <code>{_text(compared.identity)}</code></p>\n"
    return (
        (identity if compared.identity else "")
        + "<table><tr><th></th><th>name</th><th>format</th><th>size</th><th>SHA-256</th></tr>\n"
        + "".join(rows)
        + f"</table>\n<p>Compared at {_text(compared.at)}.</p>\n"
    )


def _table(differences: Sequence[Difference]) -> str:
    rows = "".join(
        f"<tr><th>{_text(item.what)}</th><td>{_text(item.before)}</td>"
        f"<td>{_text(item.after)}</td></tr>\n"
        for item in differences
    )
    return f"<table><tr><th></th><th>{ARCHIVED}</th><th>{RERENDERED}</th></tr>\n{rows}</table>\n"


def _page(page: PageFinding, read_picture: ReadPicture) -> Iterator[str]:
    title = f"Page {page.number}" if page.number else "The text"
    yield f"<h2>{title}: {_text(describe_page(page))}</h2>\n"
    if page.differences:
        yield _table(page.differences)
    if page.text.listed:
        yield "<ol>\n"
        for change in page.text.listed:
            yield (
                f"<li>{_text(change.lead)} <del>{_text(change.before)}</del>"
                f" <ins>{_text(change.after)}</ins> {_text(change.trail)}</li>\n"
            )
        yield "</ol>\n"
        left = page.text.count - len(page.text.listed)
        if left:
            yield f"<p>{left:,} more changes of the text.</p>\n"
    if page.picture_name:
        data = base64.b64encode(read_picture(page.picture_name)).decode()
        words = f"page {page.number} of both documents side by side"
        yield f'<img alt="{words}" src="data:image/png;base64,{data}">\n'
    elif page.picture.pixels:
        yield "<p>There is no picture of this page: more than were asked for differ.</p>\n"


def _rules(rules: Rules, findings: Findings) -> str:
    lines = []
    if any(page.dpi for page in findings.different_pages) or findings.pages_tolerated:
        lines.append(
            f"Pages were drawn in {rules.dpi} dpi. A pixel differs if a colour is more than"
            f" {rules.tolerance} of 255 steps away, within {rules.shift} pixels around it."
        )
    for number, region in rules.ignored_regions:
        where = f"page {number}" if number else "all pages"
        place = ", ".join(f"{part:g}" for part in region)
        lines.append(f"Ignored on {where}: {place} (left, top, width, height in points).")
    lines += [f"Ignored text: {text}" for text in rules.ignored_texts]
    if not lines:
        return ""
    items = "".join(f"<li>{_text(line)}</li>\n" for line in lines)
    return f"<h2>How it was compared</h2>\n<ul>\n{items}</ul>\n"


def _text(text: str) -> str:
    return escape(printable(text))


_HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Comparison</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2026; margin: 2rem auto;
 max-width: 75rem; padding: 0 1rem }
h1 { font-size: 1.4rem; border-left: .5rem solid #2b7a4b; padding-left: .75rem }
h1.different { border-color: #d00030 }
h2 { font-size: 1.1rem; margin-top: 2rem; border-top: 1px solid #ccd; padding-top: 1rem }
table { border-collapse: collapse; max-width: 100% }
th, td { text-align: left; vertical-align: top; padding: .2rem 1rem .2rem 0;
 overflow-wrap: anywhere }
th { font-weight: 600; overflow-wrap: normal }
del { background: #ffd9df } ins { background: #d5f2dc; text-decoration: none }
img { max-width: 100%; border: 1px solid #ccd; margin-top: .5rem }
code { font-size: .85em }
@media print { img { max-height: 24cm } h2 { break-after: avoid } }
</style></head><body>
"""
