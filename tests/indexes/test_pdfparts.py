"""PDFs that tell their own documents: bookmarks and markers, whole, odd and hostile."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, NameTree, OutlineItem, Pdf, String

from hotfolder.core.errors import Corrupt, Fault, InputFault, OperatorFault
from hotfolder.core.indexed import IndexedDocument
from hotfolder.formats.pdfextract import extract_pages
from hotfolder.indexes.pdfparts import read_pdf_bookmarks, read_pdf_marked
from tests.fuzz.mutation import mutate

SAMPLES = Path(__file__).parent.parent / "samples"
STATEMENTS = (SAMPLES / "statements-8.pdf").read_bytes()
MARKER = r"customer (?P<customer_id>C\d+), account (?P<account>\d+), .* page 1 of"


def expected() -> list[tuple[str, str, int]]:
    """Customer, account and pages; a blank page ends those with an odd number."""
    with (SAMPLES / "statements-8.expected.csv").open(encoding="utf-8", newline="") as stream:
        return [
            (row["customer"], row["account"], int(row["pages"]) + int(row["pages"]) % 2)
            for row in csv.DictReader(stream)
        ]


def bookmarked(change: Callable[[Pdf], None]) -> bytes:
    with pikepdf.open(io.BytesIO(STATEMENTS)) as document:
        change(document)
        out = io.BytesIO()
        document.save(out)
        return out.getvalue()


def with_titles(titles: Sequence[tuple[str, int]]) -> bytes:
    def change(document: Pdf) -> None:
        with document.open_outline() as outline:
            outline.root.extend(OutlineItem(title, page) for title, page in titles)

    return bookmarked(change)


def bookmarks(data: bytes, level: int = 1) -> list[IndexedDocument]:
    return list(read_pdf_bookmarks(io.BytesIO(data), len(data), "run.pdf", level=level))


def code_of(data: bytes, level: int = 1) -> tuple[str, str]:
    with pytest.raises(InputFault) as caught:
        bookmarks(data, level)
    (fault,) = caught.value.faults
    assert fault.file == "run.pdf"
    return fault.code, fault.place


def marked(data: bytes, pattern: str = MARKER) -> list[IndexedDocument]:
    return list(read_pdf_marked(io.BytesIO(data), len(data), "run.pdf", pattern=pattern))


# -- bookmarks ---------------------------------------------------------------------------
def test_bookmarks_begin_documents() -> None:
    data = with_titles([("customer_id: C-1; date = 2026-06-30", 0), ("Mr B", 4), ("x: y", 17)])
    assert [(item.first_page, item.pages, item.fields) for item in bookmarks(data)] == [
        (
            1,
            4,
            (
                ("bookmark", "customer_id: C-1; date = 2026-06-30"),
                ("customer_id", "C-1"),
                ("date", "2026-06-30"),
            ),
        ),
        (5, 13, (("bookmark", "Mr B"),)),
        (18, 1, (("bookmark", "x: y"), ("x", "y"))),
    ]


def test_pages_before_the_first_bookmark_are_in_no_document() -> None:
    (document,) = bookmarks(with_titles([("a", 3)]))
    assert (document.first_page, document.pages) == (4, 15)


def test_bookmarks_of_another_level() -> None:
    def change(document: Pdf) -> None:
        with document.open_outline() as outline:
            for part in range(2):
                item = OutlineItem(f"part {part}", part * 9)
                item.children.extend(
                    OutlineItem(f"document {part}{place}", part * 9 + place) for place in range(2)
                )
                outline.root.append(item)

    data = bookmarked(change)
    assert [item.first_page for item in bookmarks(data)] == [1, 10]
    assert [(item.ordinal, item.first_page) for item in bookmarks(data, 2)] == [
        (1, 1),
        (2, 2),
        (3, 10),
        (4, 11),
    ]
    assert bookmarks(data, 3) == []


def outline_of(document: Pdf, *items: Dictionary) -> None:
    """An outline with these items, chained."""
    made = [document.make_indirect(item) for item in items]
    for one, other in pairwise(made):
        one.Next = other
    document.Root.Outlines = document.make_indirect(Dictionary(First=made[0], Last=made[-1]))


def page(document: Pdf, number: int) -> pikepdf.Object:
    return document.pages[number - 1].obj


def test_every_kind_of_destination_is_followed() -> None:
    def change(document: Pdf) -> None:
        document.Root.Dests = Dictionary({"/old": Array([page(document, 5), Name.Fit])})
        tree = NameTree.new(document)
        tree["new"] = Dictionary(D=Array([page(document, 7), Name.Fit]))
        document.Root.Names = Dictionary(Dests=tree.obj)
        outline_of(
            document,
            Dictionary(Title=String("array"), Dest=Array([page(document, 1), Name.Fit])),
            Dictionary(
                Title=String("action"),
                A=Dictionary(S=Name.GoTo, D=Array([page(document, 3), Name.Fit])),
            ),
            Dictionary(Title=String("old name"), Dest=Name("/old")),
            Dictionary(Title=String("new name"), Dest=String("new")),
        )

    found = bookmarks(bookmarked(change))
    assert [item.first_page for item in found] == [1, 3, 5, 7]


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"/Dest": Array([])},
        {"/Dest": Array([3, Name.Fit])},
        {"/Dest": String("nowhere")},
        {"/Dest": Name("/nowhere")},
        {"/A": Dictionary(S=Name.URI, URI=String("https://example.org"))},
        {"/A": Dictionary(S=Name.GoTo)},
        {"/Dest": 17},
    ],
)
def test_a_bookmark_that_leads_nowhere_rejects_the_file(item: dict[str, object]) -> None:
    """Under ``skip`` as well: the pages would go to the customer before."""

    def change(document: Pdf) -> None:
        outline_of(
            document,
            Dictionary(Title=String("a"), Dest=Array([page(document, 1), Name.Fit])),
            Dictionary({"/Title": String("b"), **item}),
        )

    data = bookmarked(change)
    assert code_of(data) == ("bookmark.page", "bookmark 2")
    skipped: list[Fault] = []
    with pytest.raises(InputFault):
        list(read_pdf_bookmarks(io.BytesIO(data), len(data), "run.pdf", skip=skipped.append))


@pytest.mark.parametrize("pages", [(4, 4), (4, 3), (1, 9, 5)])
def test_bookmarks_out_of_order_reject_the_file(pages: Sequence[int]) -> None:
    data = with_titles([(str(number), number) for number in pages])
    assert code_of(data) == ("bookmark.order", f"bookmark {len(pages)}")


def test_a_circle_of_bookmarks_ends() -> None:
    def change(document: Pdf) -> None:
        outline_of(
            document,
            *(
                Dictionary(Title=String(str(n)), Dest=Array([page(document, n), Name.Fit]))
                for n in (1, 2)
            ),
        )
        first = document.Root.Outlines.First
        first.Next.Next = first

    assert code_of(bookmarked(change))[0] == "bookmark.loop"


def test_a_title_that_cannot_be_a_field_is_skipped_with_its_pages() -> None:
    data = with_titles([("a", 0), ("x" * 70_000, 5), ("c", 9)])
    skipped: list[Fault] = []
    found = list(read_pdf_bookmarks(io.BytesIO(data), len(data), "run.pdf", skip=skipped.append))
    assert [(item.first_page, item.pages) for item in found] == [(1, 5), (10, 9)]
    assert [fault.code for fault in skipped] == ["index.value"]


def test_without_bookmarks_there_is_no_document() -> None:
    assert bookmarks(STATEMENTS) == []


def encrypted() -> bytes:
    with pikepdf.open(io.BytesIO(STATEMENTS)) as document:
        out = io.BytesIO()
        document.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
        return out.getvalue()


def test_an_encrypted_file_is_refused_in_words() -> None:
    assert code_of(encrypted()) == ("pdf.encrypted", "")
    with pytest.raises(InputFault, match="encrypted"):
        marked(encrypted())


# -- markers -----------------------------------------------------------------------------
def test_a_marker_begins_documents() -> None:
    found = marked(STATEMENTS)
    assert [(dict(item.fields)["customer_id"], dict(item.fields)["account"], item.pages)
            for item in found] == expected()  # fmt: skip
    assert [item.first_page for item in found] == [1, 3, 5, 9, 11, 13, 15, 17]


def test_a_marker_without_groups_has_no_fields() -> None:
    found = marked(STATEMENTS, "^Statement for .* page 1 of")
    assert [item.fields for item in found] == [()] * 8


def test_a_marker_that_is_nowhere_finds_nothing() -> None:
    assert marked(STATEMENTS, "Invoice") == []


def test_a_marker_that_is_no_expression_is_the_operators() -> None:
    with pytest.raises(OperatorFault, match="regular expression"):
        marked(STATEMENTS, "(")


def test_a_page_that_cannot_be_read_rejects_the_file() -> None:
    def change(document: Pdf) -> None:
        broken = document.make_stream(b"no such thing")
        broken.Filter = Name("/NoSuchDecode")
        page(document, 5).Contents = broken

    with pytest.raises(InputFault) as caught:
        marked(bookmarked(change))
    assert caught.value.faults[0].code == "marker.text"
    assert caught.value.faults[0].place == "page 5"


# -- taking out --------------------------------------------------------------------------
def extract(data: bytes, first: int, pages: int) -> bytes:
    out = io.BytesIO()
    extract_pages(io.BytesIO(data), len(data), first, pages, out, spool_sha256="ab" * 32)
    return out.getvalue()


def everything_in(data: bytes) -> bytes:
    """All objects, with their streams unpacked."""
    with pikepdf.open(io.BytesIO(data)) as document:
        out = io.BytesIO()
        document.save(
            out,
            compress_streams=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.all,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
        )
        return out.getvalue()


def customer_numbers(data: bytes) -> set[str]:
    return {dict(item.fields)["customer_id"] for item in marked(data)}


def test_only_the_customers_own_pages_are_taken_out() -> None:
    for document, (customer, _, pages) in zip(marked(STATEMENTS), expected(), strict=True):
        assert document.first_page is not None
        data = extract(STATEMENTS, document.first_page, pages)
        assert data == extract(STATEMENTS, document.first_page, pages)
        assert customer_numbers(data) == {customer}


def test_pictures_of_the_neighbours_stay_behind_where_all_pages_share_them() -> None:
    secret, mine = b"NEIGHBOUR-PICTURE", b"OWN-PICTURE"

    def change(document: Pdf) -> None:
        pictures = Dictionary()
        for label, data in (("/Own", mine), ("/Other", secret)):
            pictures[label] = document.make_stream(
                data, Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 1, 1])
            )
        shared = document.make_indirect(Dictionary(XObject=pictures))
        for number, name in ((3, b"/Own"), (5, b"/Other")):
            page(document, number).Resources = shared
            page(document, number).Contents = document.make_stream(name + b" Do")

    data = everything_in(extract(bookmarked(change), 3, 1))
    assert mine in data
    assert secret not in data


def test_nothing_leads_to_the_neighbours() -> None:
    secret = b"NEIGHBOUR-SECRET"

    def change(document: Pdf) -> None:
        own, other = page(document, 3), page(document, 5)
        other.Contents = document.make_stream(b"BT (" + secret + b") Tj ET")
        own.Annots = Array(
            [
                document.make_indirect(
                    Dictionary(
                        Type=Name.Annot,
                        Subtype=Name.Link,
                        Rect=[0, 0, 1, 1],
                        Dest=Array([other, Name.Fit]),
                    )
                ),
                document.make_indirect(
                    Dictionary(
                        Type=Name.Annot,
                        Subtype=Name.Text,
                        Rect=[0, 0, 1, 1],
                        Contents=String("a note"),
                        P=own,
                        Popup=Dictionary(Parent=other),
                    )
                ),
            ]
        )
        own.AA = Dictionary(O=Dictionary(S=Name.GoTo, D=Array([other, Name.Fit])))
        with document.open_outline() as outline:
            outline.root.append(OutlineItem(secret.decode(), 4))
        document.attachments["list.txt"] = secret
        document.docinfo["/Title"] = String(secret.decode())

    data = bookmarked(change)
    found = everything_in(extract(data, 3, 2))
    assert secret not in found
    assert b"a note" in found
    assert secret in everything_in(data)


@pytest.mark.parametrize(("first", "pages"), [(0, 1), (19, 1), (18, 2), (1, 19)])
def test_pages_that_are_not_there(first: int, pages: int) -> None:
    with pytest.raises(Corrupt):
        extract(STATEMENTS, first, pages)


def test_an_encrypted_spool_is_given_back_whole_only() -> None:
    with pytest.raises(OperatorFault, match="encrypted"):
        extract(encrypted(), 1, 1)


# -- harm --------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(4))
def test_harmed_files_end_in_words(seed: int) -> None:
    choose = random.Random(seed)
    sound = [STATEMENTS, with_titles([("a: b", 0), ("c", 4)])]
    for _ in range(15):
        data = mutate(choose, sound)
        for act in (
            partial(bookmarks, data),
            partial(bookmarks, data, 2),
            partial(marked, data),
            partial(extract, data, 2, 2),
        ):
            with suppress(InputFault, Corrupt, OperatorFault):
                act()
