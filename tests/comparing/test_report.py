"""The report: it says what was found, and nothing in it comes alive."""

from __future__ import annotations

import json
from html.parser import HTMLParser

from hotfolder.comparing.findings import (
    Change,
    Changes,
    Difference,
    Findings,
    Outcome,
    PageFinding,
    PictureFinding,
    Region,
    Rules,
)
from hotfolder.comparing.report import Compared, report_data, report_html, report_json
from hotfolder.comparing.summary import describe
from tests.support.sides import side

EVIL = "<script>alert(1)</script>\x1b[2J\ud800&\"'"


class Tags(HTMLParser):
    """Every element with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def compared(outcome: Outcome = Outcome.DIFFERENT) -> Compared:
    page = PageFinding(
        number=2,
        text=Changes(listed=(Change(before=EVIL, after="b", lead=EVIL, trail=EVIL),), count=3),
        picture=PictureFinding(pixels=7, greatest=90, regions=(Region(1, 2, 3, 4),)),
        dpi=100,
        differences=(Difference(what=EVIL, before=EVIL, after=""),),
        picture_name="page-0002.png",
    )
    different = outcome is Outcome.DIFFERENT
    with side(b"one", EVIL + ".pdf") as one, side(b"other", "b.pdf") as other:
        return Compared(
            archived=one,
            rerendered=other,
            rules=Rules(ignored_regions=((0, Region(1, 2, 3, 4)),), ignored_texts=(EVIL,)),
            findings=Findings(
                outcome=outcome,
                pages=(3, 3),
                different_pages=(page,) if different else (),
                pages_different=5 if different else 0,
                pages_tolerated=1,
                remarks=(Difference(what="Title", before=EVIL, after=""),),
                notes=(EVIL,),
            ),
            at="2026-06-30T00:00:00.000Z",
            identity="hf-1",
        )


def test_nothing_from_a_document_becomes_markup() -> None:
    text = b"".join(report_html(compared(), lambda name: b"PNG of " + name.encode())).decode()
    parser = Tags()
    parser.feed(text)
    parser.close()
    assert "script" not in {tag for tag, _ in parser.found}
    assert "\x1b" not in text
    names = {name for _, attributes in parser.found for name in attributes}
    assert not {name for name in names if name.startswith("on")}
    for tag, attributes in parser.found:
        assert (attributes.get("src") or "data:image/png;base64,").startswith("data:image/png")
        assert "href" not in attributes, tag
    assert "default-src 'none'" in text
    assert "4 more pages differ" in text
    assert "2 more changes" in text


def test_json_tells_the_same_to_programs() -> None:
    data = json.loads(report_json(compared()))
    assert data == json.loads(json.dumps(report_data(compared())))
    assert data["format"] == "hotfolder-comparison/1"
    assert (data["outcome"], data["identity"]) == ("different", "hf-1")
    (page,) = data["different_pages"]
    assert page["picture"]["regions"] == [{"left": 1, "top": 2, "width": 3, "height": 4}]
    assert page["text"]["listed"][0]["before"] == EVIL
    assert data["rules"]["ignored_regions"][0]["page"] == "*"


def test_the_sentence_says_which_of_the_three_it_is() -> None:
    assert describe(compared().findings).startswith("Different: 5 of 3 pages")
    equal = describe(compared(Outcome.EQUAL).findings)
    assert equal.startswith("Equal in content")
    assert "1 page differ by no more than is tolerated" in equal
    assert describe(compared(Outcome.IDENTICAL).findings).startswith("Identical")
