"""``hotfolder retrieve`` at a terminal and in scripts."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hotfolder.core.errors import EX_NOINPUT, EX_OK, EX_USAGE, Corrupt
from hotfolder.core.profiles import DocumentsProfile, IndexFormat
from hotfolder.core.records import CatalogueRow
from hotfolder.service.cli import group
from tests.support.flow_world import World
from tests.support.settings import sound_text

SAMPLE = Path(__file__).parent.parent / "samples" / "statements-40.afp"


@dataclass
class Shelf:
    """A journal and a store with forty statements in them, and how to ask for one."""

    root: Path
    rows: list[CatalogueRow]

    def ask(self, *arguments: str) -> Result:
        config = ["--config", str(self.root / "hotfolder.toml")]
        return CliRunner().invoke(group, ["retrieve", *arguments, *config], standalone_mode=False)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.chdir(tmp_path)
    world = World(root=tmp_path, documents=DocumentsProfile(index=IndexFormat.AFP))
    world.start()
    shutil.copy(SAMPLE, world.hot / "run.afp")
    world.settle()
    (row,) = world.rows()
    rows = list(world.running.journal.iterate_documents(row.id))
    world.stop()
    (tmp_path / "hotfolder.toml").write_text(sound_text(tmp_path))
    return Shelf(tmp_path, rows)


def exact(row: CatalogueRow) -> bytes:
    place = row.document.range
    return SAMPLE.read_bytes()[place.offset : place.offset + place.length]


def test_the_exact_bytes_go_to_a_file(shelf: Shelf) -> None:
    row = shelf.rows[7]
    target = shelf.root / "statement.afp"
    done = shelf.ask(row.document.identity, "--output", str(target), "--json")
    assert done.return_value == EX_OK
    assert target.read_bytes() == exact(row)
    told = json.loads(done.stdout)
    assert (told["form"], told["derived"]) == ("exact", False)
    assert told["sha256"] == hashlib.sha256(exact(row)).hexdigest()
    assert told["bytes"] == len(exact(row))
    words = shelf.ask(row.document.identity, "-o", str(target), "--force").stdout
    assert told["sha256"] in words


def test_or_to_standard_output(shelf: Shelf) -> None:
    row = shelf.rows[0]
    assert shelf.ask(row.document.identity, "-o", "-").stdout_bytes == exact(row)
    assert shelf.ask(row.document.identity, "-o", "-", "--json").return_value == EX_USAGE


def test_a_document_alone_is_said_to_be_derived(shelf: Shelf) -> None:
    row = shelf.rows[0]
    target = shelf.root / "alone.afp"
    done = shelf.ask(row.document.identity, "--as", "alone", "-o", str(target), "--json")
    told = json.loads(done.stdout)
    assert (told["derived"], told["sha256"], told["spool_sha256"]) == (True, None, row.spool_sha256)
    assert exact(row) in target.read_bytes()
    assert "derived" in shelf.ask(row.document.identity, "--as", "alone").stdout


def test_the_whole_spool(shelf: Shelf) -> None:
    target = shelf.root / "spool.afp"
    shelf.ask(shelf.rows[0].document.identity, "--as", "spool", "-o", str(target))
    assert target.read_bytes() == SAMPLE.read_bytes()


def test_nothing_is_overwritten(shelf: Shelf) -> None:
    target = shelf.root / "there.afp"
    target.write_bytes(b"mine")
    done = shelf.ask(shelf.rows[0].document.identity, "-o", str(target))
    assert done.return_value == EX_USAGE
    assert "--force" in done.stderr
    assert target.read_bytes() == b"mine"


def test_what_is_not_there(shelf: Shelf) -> None:
    done = shelf.ask("hf-" + "0" * 64)
    assert done.return_value == EX_NOINPUT
    assert "hotfolder find" in done.stderr


def test_nothing_is_written_of_a_damaged_spool(shelf: Shelf) -> None:
    (path,) = (shelf.root / "store").rglob("run.afp")
    path.chmod(0o600)
    path.write_bytes(SAMPLE.read_bytes()[:-1] + b"x")
    target = shelf.root / "statement.afp"
    done = shelf.ask(shelf.rows[0].document.identity, "-o", str(target))
    assert isinstance(done.exception, Corrupt)
    assert not target.exists()
