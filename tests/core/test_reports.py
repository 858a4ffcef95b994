"""Reports as CSV and as a page: hostile names stay text."""

from __future__ import annotations

import csv
import io
import re
from datetime import date

from hypothesis import example, given
from hypothesis import strategies as st

from hotfolder.core.figures import retention_report
from hotfolder.core.reportpage import report_html
from hotfolder.core.reports import Chart, Report, Sheet, sheet_csv

NASTY = '<script>alert("1")</script>&\x1b[2J'


def report(name: str, numbers: tuple[int, ...] = (3, 0, 7)) -> Report:
    return Report(
        title="Retention",
        at="2026-06-30T00:00:00Z",
        totals=(("documents", 1_234_567),),
        sheets=(
            Sheet(name="by-unit", title="By unit", headers=("unit", "n"), rows=((name, 1_000),)),
        ),
        charts=(Chart(title="Bars", parts=("a", "b", name), bars=((name, numbers),)),),
        notes=(name,),
    )


def page(name: str, numbers: tuple[int, ...] = (3, 0, 7)) -> str:
    return b"".join(report_html(report(name, numbers))).decode()


def test_names_are_escaped() -> None:
    text = page(NASTY)
    assert "<script" not in text
    assert "\x1b" not in text
    assert "default-src 'none'" in text
    assert "1,234,567" in text


def test_bars_are_as_long_as_their_numbers() -> None:
    text = page("unit")
    bars = [
        (float(left), float(wide))
        for left, wide in re.findall(r'<rect x="([\d.]+)" y="0" width="([\d.]+)"', text)
    ]
    assert len(bars) == 2  # nothing is drawn for a part that is 0
    (first, wide), (second, wider) = bars
    assert abs(wider / wide - 7 / 3) < 0.01
    assert abs(first + wide - second) < 0.11
    assert ">10</text>" in text


def test_no_two_parts_of_a_chart_have_one_colour() -> None:
    parts = tuple(f"part {number}" for number in range(40))
    text = b"".join(
        report_html(
            Report(
                title="Volumes",
                at="2026-06-30T00:00:00Z",
                totals=(),
                sheets=(),
                charts=(Chart(title="Bars", parts=parts, bars=(("unit", (1,) * len(parts)),)),),
            )
        )
    ).decode()
    assert len(set(re.findall(r'<i style="background:([^"]+)"', text))) == len(parts)
    assert len(set(re.findall(r'<rect [^>]*fill="([^"]+)"', text))) == len(parts)


def test_every_standing_of_the_retention_report_has_a_chosen_colour() -> None:
    shown = retention_report(
        (),
        (),
        {},
        by="unit",
        at="2026-06-30T00:00:00Z",
        today=date(2026, 6, 30),
        overdue_after=90,
    )
    parts = shown.charts[0].parts
    drawn = Report(
        title=shown.title,
        at=shown.at,
        totals=(),
        sheets=(),
        charts=(Chart(title="Bars", parts=parts, bars=(("unit", (1,) * len(parts)),)),),
    )
    colours = re.findall(r'<i style="background:([^"]+)"', b"".join(report_html(drawn)).decode())
    assert len(set(colours)) == len(parts)
    assert all(colour.startswith("#") for colour in colours)


def test_nothing_to_draw() -> None:
    assert "<rect" not in page("unit", (0, 0, 0))


@given(st.text(max_size=50))
@example("\uff1dHYPERLINK(1)")
def test_no_cell_is_a_formula(name: str) -> None:
    data = sheet_csv(report(name).sheets[0]).decode()
    header, row = csv.reader(io.StringIO(data, newline=""))
    assert header == ["unit", "n"]
    assert not row[0].startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
    assert row[1] == "1000"
    assert page(name)
