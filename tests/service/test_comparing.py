"""``hotfolder compare`` at a terminal and in scripts."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from hotfolder.core.errors import (
    EX_CONFIG,
    EX_DATAERR,
    EX_IOERR,
    EX_NOINPUT,
    EX_OK,
    EX_USAGE,
    HotfolderError,
)
from hotfolder.core.profiles import DocumentsProfile, IndexFormat
from hotfolder.core.records import AuditRow, CatalogueRow
from hotfolder.journal.journal import SqliteJournal
from hotfolder.sandbox.communications import make_communication
from hotfolder.sandbox.pdfwriter import write_pdf
from hotfolder.service.cli import group
from tests.support.flow_world import World
from tests.support.settings import sound_text

SAMPLES = Path(__file__).parent.parent / "samples"


def code_of(done: Result) -> int:
    """As the entry point would exit."""
    if isinstance(done.exception, HotfolderError):
        return done.exception.exit_code
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        if type(done.exception).__name__ == "UsageError":
            return EX_USAGE
        raise done.exception
    return int(done.return_value)


def ask(*arguments: str | Path) -> Result:
    return CliRunner().invoke(group, ["compare", *map(str, arguments)], standalone_mode=False)


@dataclass
class Shelf:
    """An archive with the documents of a sample."""

    root: Path
    rows: list[CatalogueRow]

    def ask(self, *arguments: str | Path) -> Result:
        return ask(*arguments, "--config", self.root / "hotfolder.toml")

    def audit(self) -> list[AuditRow]:
        journal = SqliteJournal(str(self.root / "journal.db").encode(), must_exist=True)
        try:
            rows = journal.audit()
        finally:
            journal.close()
        return [
            row
            for row in rows
            if row.action.startswith(("document.", "retrieval.", "spool.damaged"))
        ]


class Statements(World):
    @property
    def profile(self):  # type: ignore[no-untyped-def]
        return replace(super().profile, defaults={"document_type": "statement"})


def fill(root: Path, sample: str, profile: DocumentsProfile, index: str = "") -> Shelf:
    world = Statements(root=root, documents=profile)
    world.start()
    shutil.copy(SAMPLES / sample, world.hot / sample)
    if index:
        (world.hot / f"{sample}.json").write_text(index)
    world.settle()
    (row,) = world.rows()
    rows = list(world.running.journal.iterate_documents(row.id))
    world.stop()
    (root / "hotfolder.toml").write_text(sound_text(root))
    return Shelf(root, rows)


@pytest.fixture
def afp(tmp_path: Path) -> Shelf:
    return fill(tmp_path, "statements-40.afp", DocumentsProfile(index=IndexFormat.AFP))


@pytest.fixture
def pdf(tmp_path: Path) -> Shelf:
    lines = "".join(
        json.dumps({"customer": f"C{page}", "date": "2026-06-30", "first_page": page, "pages": 2})
        + "\n"
        for page in range(1, 19, 2)
    )
    profile = DocumentsProfile(index=IndexFormat.JSON, suffix=".json")
    return fill(tmp_path, "statements-8.pdf", profile, lines)


def exact(row: CatalogueRow) -> bytes:
    place = row.document.range
    return (SAMPLES / "statements-40.afp").read_bytes()[place.offset : place.offset + place.length]


def test_a_document_inside_an_afp_spool(afp: Shelf) -> None:
    row = afp.rows[3]
    copy = afp.root / "again.afp"
    copy.write_bytes(exact(row))
    done = afp.ask(row.document.identity, copy, "--reason", "dispute 7")
    assert (code_of(done), done.stdout.startswith("Identical")) == (EX_OK, True)
    spool = (SAMPLES / "statements-40.afp").read_bytes()
    copy.write_bytes(spool[:17] + exact(row) + spool[-17:])
    done = afp.ask(row.document.identity, copy, "--json")
    assert (code_of(done), json.loads(done.stdout)["outcome"]) == (EX_OK, "equal")
    copy.write_bytes(spool)
    assert code_of(afp.ask(row.document.identity, copy)) == 1
    first, *others = afp.audit()
    assert len(others) == 2
    assert (first.action, first.subject) == ("document.retrieved", row.document.identity)
    details = {key: first.details[key] for key in ("form", "reason", "derived", "sha256")}
    assert details == {
        "form": "exact",
        "reason": "dispute 7",
        "derived": False,
        "sha256": row.document.range.sha256,
    }


def changed(row: CatalogueRow, target: Path) -> Path:
    """The pages of the document, taken out of the spool by another program, with a box."""
    first = row.document.range.first_page
    assert first is not None
    with pikepdf.open(SAMPLES / "statements-8.pdf") as document, pikepdf.new() as out:
        out.pages.extend(document.pages[first - 1 : first + 1])
        out.pages[1].contents_add(b"q 1 0 0 1 0 0 cm 0 g 300 400 50 20 re f Q")
        out.save(target)
    return target


def test_pages_of_a_pdf_and_a_report_with_pictures(pdf: Shelf) -> None:
    row = pdf.rows[0]
    copy = changed(row, pdf.root / "again.pdf")
    out = pdf.root / "comparison"
    done = pdf.ask(row.document.identity, copy, "--out", out, "--json")
    assert code_of(done) == 1
    told = json.loads(done.stdout)
    (page,) = told["different_pages"]
    assert (page["page"], page["picture"]["file"]) == (2, "page-0002.png")
    assert told["archived"]["derived"] is True
    written = json.loads((out / "report.json").read_text())
    assert written == {key: value for key, value in told.items() if key != "report"}
    assert sorted(path.name for path in out.iterdir()) == [
        "page-0002.png",
        "report.html",
        "report.json",
    ]
    with Image.open(out / "page-0002.png") as picture:
        assert (208, 0, 48) in {
            colour for _, colour in picture.convert("RGB").getcolors(1 << 24) or ()
        }
    assert b"data:image/png;base64," in (out / "report.html").read_bytes()
    words = pdf.ask(row.document.identity, copy).stdout
    assert "page 2" in words
    region = ["--ignore-region", "2:295,415,60,35"]
    assert code_of(pdf.ask(row.document.identity, copy, *region)) == EX_OK


def test_what_was_damaged_in_the_store_is_not_compared_and_that_is_recorded(pdf: Shelf) -> None:
    copy = changed(pdf.rows[0], pdf.root / "again.pdf")
    (path,) = (pdf.root / "store").rglob("statements-8.pdf")
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    out = pdf.root / "comparison"
    done = pdf.ask(pdf.rows[0].document.identity, copy, "--out", out)
    assert code_of(done) == EX_IOERR
    assert not out.exists()
    row, marked = pdf.audit()
    assert (row.action, row.details["code"]) == ("retrieval.refused", "store.fixity")
    assert (marked.action, marked.subject) == ("spool.damaged", pdf.rows[0].spool_id)


def test_without_a_reason_nothing_is_told_where_one_is_demanded(pdf: Shelf) -> None:
    copy = changed(pdf.rows[0], pdf.root / "again.pdf")
    with (pdf.root / "hotfolder.toml").open("a") as stream:
        stream.write("\n[retrieve]\nreason_required = true\n")
    done = pdf.ask(pdf.rows[0].document.identity, copy)
    assert (code_of(done), done.stdout) == (EX_CONFIG, "")
    (row,) = pdf.audit()
    assert (row.action, row.details["code"]) == ("retrieval.refused", "retrieve.reason")
    assert code_of(pdf.ask(pdf.rows[0].document.identity, copy, "--reason", "dispute 7")) == 1
    assert pdf.audit()[-1].details["to"] == "comparison"


def test_any_name_and_any_copy_of_the_store_will_do(afp: Shelf) -> None:
    (afp.root / "store").rename(afp.root / "copy")
    text = sound_text(afp.root)
    path = f'path = "{afp.root}/store"\n'
    assert path in text
    more = f'{path}copies = ["{afp.root}/copy"]\n'
    (afp.root / "hotfolder.toml").write_text(text.replace(path, more))
    copy = afp.root / "again.afp"
    copy.write_bytes(exact(afp.rows[3]))
    done = afp.ask(afp.rows[3].document.identity[:40], copy, "--json")
    assert code_of(done) == EX_OK, done.stderr
    assert json.loads(done.stdout)["identity"] == afp.rows[3].document.identity
    several = afp.ask(afp.rows[3].spool_id, copy)
    assert code_of(several) == EX_DATAERR, "a spool of forty documents"


def test_a_copy_that_cannot_be_read(pdf: Shelf) -> None:
    copy = pdf.root / "again.pdf"
    copy.write_bytes((SAMPLES / "statements-8.pdf").read_bytes()[:-100])
    done = pdf.ask(pdf.rows[0].document.identity, copy)
    assert code_of(done) == EX_DATAERR
    copy.write_bytes(b"")
    assert code_of(pdf.ask(pdf.rows[0].document.identity, copy)) == EX_DATAERR
    link = pdf.root / "link.pdf"
    link.symlink_to(SAMPLES / "statements-8.pdf")
    assert code_of(pdf.ask(pdf.rows[0].document.identity, link)) == EX_DATAERR
    assert pdf.audit() == []


def test_what_is_not_there(pdf: Shelf) -> None:
    copy = changed(pdf.rows[0], pdf.root / "again.pdf")
    done = pdf.ask("hf-" + "0" * 64, copy)
    assert (code_of(done), "--files" in done.stderr) == (EX_NOINPUT, True)
    assert code_of(pdf.ask(pdf.rows[0].document.identity, pdf.root / "none.pdf")) == EX_NOINPUT
    assert code_of(ask(pdf.root / "none.pdf", copy, "--files")) == EX_NOINPUT


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Two files that differ in a word on both pages; there is no archive."""
    one, other = tmp_path / "a.pdf", tmp_path / "b.pdf"
    whole = write_pdf(make_communication(1, 3))
    one.write_bytes(whole)
    other.write_bytes(whole.replace(b"26097423", b"26097424"))
    return one, other


def report(*arguments: str | Path) -> Any:
    return json.loads(ask(*arguments, "--files", "--json").stdout)


def test_two_files(pair: tuple[Path, Path], tmp_path: Path) -> None:
    one, other = pair
    assert code_of(ask(one, one, "--files")) == EX_OK
    assert [page["page"] for page in report(one, other)["different_pages"]] == [1, 2]
    ignored = ["--ignore-text", r"job \d+", "--ignore-region", "*:57,780,300,20"]
    assert report(one, other, *ignored)["outcome"] == "equal"
    out = tmp_path / "same"
    assert code_of(ask(one, one, "--files", "--out", out)) == EX_OK
    assert "Identical" in (out / "report.html").read_text()


def test_pictures_of_so_many_pages(pair: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    ask(*pair, "--files", "--out", out, "--pictures", "1")
    assert sorted(path.name for path in out.glob("*.png")) == ["page-0001.png"]
    assert "no picture of this page" in (out / "report.html").read_text()


def test_a_folder_with_something_in_it_stays_as_it_is(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    done = ask(*pair, "--files", "--out", tmp_path)
    assert code_of(done) == EX_USAGE
    assert not (tmp_path / "report.json").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ("--ignore-text", "("),
        ("--ignore-text", "x*"),
        ("--ignore-region", "1:2,3,4"),
        ("--ignore-region", "0:1,2,3,4"),
    ],
)
def test_rules_that_are_none(pair: tuple[Path, Path], wrong: tuple[str, str]) -> None:
    assert code_of(ask(*pair, "--files", *wrong)) == EX_USAGE


def test_a_terminal_gets_no_escape_sequences(pair: tuple[Path, Path], tmp_path: Path) -> None:
    evil = tmp_path / "b\x1b[2J.pdf"
    shutil.copy(pair[1], evil)
    assert "\x1b" not in ask(pair[0], evil, "--files").output
