"""A report as one page for people: no script, no other file, everything escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from hotfolder.core.notes import printable
from hotfolder.core.reports import Cell, Chart, Report, Sheet

# Told apart by those who do not see all colours, and on paper by their order.
_COLOURS = (
    "#2f6f9f", "#e0a030", "#c2452d", "#6b4c9a", "#8cc6e7", "#3f8f5b", "#8a8f98", "#c9ccd3",
    "#d99fc0", "#1c2026", "#8c5a2b", "#b9d27a",
)  # fmt: skip
_TURN = 137.5  # degrees: hues that follow one another lie far apart
_BAR, _GAP, _LABEL, _WIDTH = 18, 8, 190, 620  # pixels
_MOST_BARS = 60


def report_html(report: Report) -> Iterator[bytes]:
    """The page, piece by piece."""
    for piece in _pieces(report):
        yield piece.encode("utf-8", "backslashreplace")


def _pieces(report: Report) -> Iterator[str]:
    yield _HEAD.replace("TITLE", _text(report.title))
    yield f"<h1>{_text(report.title)}</h1>\n<p>As of {_text(report.at)}.</p>\n"
    cards = "".join(
        f"<div><b>{number:,}</b><span>{_text(name)}</span></div>" for name, number in report.totals
    )
    yield f'<div class="totals">{cards}</div>\n'
    for chart in report.charts:
        yield from _draw(chart)
    for sheet in report.sheets:
        yield from _table(sheet)
    if report.notes:
        items = "".join(f"<li>{_text(note)}</li>\n" for note in report.notes)
        yield f"<h2>How to read it</h2>\n<ul>\n{items}</ul>\n"
    yield "</body></html>\n"


def _draw(chart: Chart) -> Iterator[str]:
    yield f"<h2>{_text(chart.title)}</h2>\n"
    bars = chart.bars[:_MOST_BARS]
    most = max((sum(values) for _, values in bars), default=0)
    if not most:
        yield "<p>Nothing.</p>\n"
        return
    yield '<p class="legend">'
    for number, part in enumerate(chart.parts):
        yield f'<span><i style="background:{_colour(number)}"></i>{_text(part)}</span> '
    yield "</p>\n"
    height = len(bars) * (_BAR + _GAP)
    width = _LABEL + _WIDTH + 90
    yield (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img"'
        f' aria-label="{_text(chart.title)}">\n'
    )
    for row, (label, values) in enumerate(bars):
        yield from _bar(chart, row, label, values, most)
    yield "</svg>\n"
    if len(chart.bars) > len(bars):
        yield f"<p>{len(chart.bars) - len(bars):,} more are in the table.</p>\n"


def _bar(chart: Chart, row: int, label: str, values: tuple[int, ...], most: int) -> Iterator[str]:
    top = row * (_BAR + _GAP)
    base = top + _BAR - 4
    short = label if len(label) <= 26 else label[:25] + "…"
    yield f'<text x="{_LABEL - 8}" y="{base}" text-anchor="end">{_text(short)}</text>\n'
    left = float(_LABEL)
    for number, value in enumerate(values):
        wide = value / most * _WIDTH
        if value:
            yield (
                f'<rect x="{left:.1f}" y="{top}" width="{max(wide, 1.0):.1f}" height="{_BAR}"'
                f' fill="{_colour(number)}"><title>{_text(label)}, {_text(chart.parts[number])}:'
                f" {value:,}</title></rect>\n"
            )
        left += wide
    yield f'<text x="{left + 6:.1f}" y="{base}">{sum(values):,}</text>\n'


def _colour(number: int) -> str:
    """A part's own: there may be more parts (business units) than we chose colours for."""
    if number < len(_COLOURS):
        return _COLOURS[number]
    return f"hsl({number * _TURN % 360:.1f} 50% {35 + number % 3 * 15}%)"


def _table(sheet: Sheet) -> Iterator[str]:
    yield f"<h2>{_text(sheet.title)}</h2>\n<table><tr>"
    yield "".join(f"<th>{_text(header)}</th>" for header in sheet.headers) + "</tr>\n"
    for row in sheet.rows:
        yield "<tr>" + "".join(_cell(cell) for cell in row) + "</tr>\n"
    yield "</table>\n" if sheet.rows else "</table>\n<p>Nothing.</p>\n"


def _cell(cell: Cell) -> str:
    if isinstance(cell, int):
        return f'<td class="n">{cell:,}</td>'
    return f"<td>{_text(cell)}</td>"


def _text(text: str) -> str:
    return escape(printable(text))


_HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>TITLE</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2026; margin: 2rem auto;
 max-width: 75rem; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
.totals { display: flex; flex-wrap: wrap; gap: .75rem }
.totals div { border: 1px solid #ccd; border-radius: .4rem; padding: .5rem 1rem }
.totals b { display: block; font-size: 1.4rem; font-variant-numeric: tabular-nums }
.totals span { color: #5b6270 }
.legend span { white-space: nowrap }
.legend i { display: inline-block; width: .8em; height: .8em; margin: 0 .4em 0 .8em }
svg { max-width: 100%; height: auto } svg text { font-size: 13px; fill: #1c2026 }
table { border-collapse: collapse } th, td { text-align: left; padding: .2rem 1rem .2rem 0;
 border-bottom: 1px solid #e3e6ec; vertical-align: top; overflow-wrap: anywhere }
th, td:first-child { overflow-wrap: break-word }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
@media print { svg, tr { break-inside: avoid } h2 { break-after: avoid } }
</style></head><body>
"""
