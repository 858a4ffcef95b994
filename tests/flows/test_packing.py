"""Folders that become template packages: when they are taken, and what is made of them."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from hotfolder.core import crashpoints
from hotfolder.core.profiles import (
    Completion,
    CompletionRule,
    FolderKind,
    FolderProfile,
    TemplatesProfile,
)
from hotfolder.files.layout import make_folders
from hotfolder.flows.packing import Packing
from tests.support.templates import FILES, make_manifest


class _Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class Yard:
    """A hot folder of templates, and its packer under a clock of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root / "hot"
        self.root.mkdir()
        make_folders(os.fsencode(self.root))
        self.clock = _Clock()
        self.told: list[tuple[str, dict[str, object]]] = []
        self.profile = FolderProfile(
            name="packages",
            path=str(self.root),
            business_unit="RETAIL",
            kind=FolderKind.TEMPLATES,
            completion=Completion(quiet=5, sidecar_wait=60),
            templates=TemplatesProfile(members=20, depth=4),
        )
        self.start()

    def start(self) -> None:
        self.packing = Packing(self.profile, clock=self.clock, emit=self.emit)

    def emit(self, event: str, /, **fields: object) -> None:
        self.told.append((event, fields))

    def put(self, name: str, files: Mapping[str, bytes], **manifest: Any) -> Path:
        """A folder with these files and a manifest that lists them."""
        place = self.root / name
        for member, data in files.items():
            (place / member).parent.mkdir(parents=True, exist_ok=True)
            (place / member).write_bytes(data)
        listed = [
            {"name": member, "size": len(data), "sha256": sha256(data).hexdigest()}
            for member, data in files.items()
        ]
        whole = make_manifest(**{"members": listed, **manifest})
        (place / "manifest.json").write_text(json.dumps(whole))
        return place

    def wait(self, seconds: float) -> None:
        """A look now, and one when so much time has passed."""
        self.packing.step()
        self.clock.at += seconds
        self.packing.step()
        self.clock.at += 1

    def packages(self) -> list[str]:
        return sorted(path.name for path in self.root.iterdir() if path.is_file())


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert package.testzip() is None
        return {name: package.read(name) for name in package.namelist()}


def test_a_complete_folder_is_packed_as_it_is(yard: Yard) -> None:
    files = {**FILES, "parts/größe.txt": b"deep\n", "empty": b""}
    manifest = (yard.put("letter", files) / "manifest.json").read_bytes()
    assert yard.packing.pending()
    yard.wait(4)
    assert yard.packages() == []
    yard.wait(5)
    assert yard.packages() == ["letter.zip"]
    assert members((yard.root / "letter.zip").read_bytes()) == {**files, "manifest.json": manifest}
    assert not (yard.root / "letter").exists()
    assert list((yard.root / "_working" / ".packing").iterdir()) == []
    yard.wait(1)
    assert not yard.packing.pending()
    assert yard.told == [("package.packed", {"folder": "packages", "count": 5})]


def test_the_same_folder_makes_the_same_file(yard: Yard) -> None:
    yard.put("letter", FILES)
    yard.wait(6)
    first = (yard.root / "letter.zip").read_bytes()
    place = yard.put("letter", FILES)
    os.utime(place / "letter.txt", (1, 1))
    yard.wait(6)
    assert yard.packages() == ["letter.zip"]  # found to be there
    assert (yard.root / "letter.zip").read_bytes() == first
    # Other bytes under the same name replace nothing.
    yard.put("letter", {**FILES, "more.txt": b"x"})
    yard.wait(6)
    assert (yard.root / "letter.zip").read_bytes() == first
    (other,) = [name for name in yard.packages() if name != "letter.zip"]
    assert members((yard.root / other).read_bytes())["more.txt"] == b"x"


def test_what_is_missing_is_waited_for(yard: Yard) -> None:
    place = yard.put("letter", FILES)
    (place / "logo.bin").rename(yard.root.parent / "later")
    yard.wait(30)
    assert yard.packages() == []
    (yard.root.parent / "later").rename(place / "logo.bin")
    yard.wait(6)
    assert yard.packages() == ["letter.zip"]


def test_what_changes_is_not_taken(yard: Yard) -> None:
    place = yard.put("letter", FILES)
    for second in range(10):
        yard.wait(2)
        os.utime(place / "letter.txt", (second, second))
    assert yard.packages() == []


def test_a_size_that_does_not_come_true_is_packed_in_the_end_for_its_reader(yard: Yard) -> None:
    yard.put("letter", FILES, members=[{"name": "letter.txt", "size": 1}])
    yard.wait(50)
    assert yard.packages() == []
    yard.wait(60)
    assert yard.packages() == ["letter.zip"]


def _link(place: Path) -> None:
    (place / "link").symlink_to("/etc/passwd")


def _fifo(place: Path) -> None:
    os.mkfifo(place / "fifo")


def _many(place: Path) -> None:
    for number in range(30):
        (place / f"{number}").touch()


def _deep(place: Path) -> None:
    deep = place / "a/b/c/d/e"
    deep.mkdir(parents=True)
    (deep / "f").touch()


def _no_manifest(place: Path) -> None:
    (place / "manifest.json").unlink()


@pytest.mark.parametrize("spoil", [_link, _fifo, _many, _deep, _no_manifest])
def test_what_can_be_no_package_stays_and_is_told_once(
    yard: Yard, spoil: Callable[[Path], None]
) -> None:
    place = yard.put("letter", FILES)
    spoil(place)
    for _ in range(3):
        yard.wait(70)
    assert place.is_dir()
    assert yard.packages() == []
    assert [event for event, _ in yard.told] == ["package.left"]
    assert not yard.packing.pending()


def test_folders_of_others_are_left_alone(yard: Yard) -> None:
    for name in ("letter.tmp", ".hidden", "_failed/2026-01-01"):
        (yard.root / name).mkdir(parents=True)
    (yard.root.parent / "elsewhere").mkdir()
    (yard.root / "link").symlink_to(yard.root.parent / "elsewhere")
    yard.wait(100)
    yard.wait(100)
    assert yard.told == []
    assert not yard.packing.pending()


def test_a_trigger_is_written_where_the_folder_wants_one(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.profile = replace(
        yard.profile, completion=replace(yard.profile.completion, rule=CompletionRule.TRIGGER)
    )
    yard.start()
    yard.put("letter", FILES)
    yard.wait(6)
    assert yard.packages() == ["letter.zip", "letter.zip.done"]


class _KilledError(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def killing() -> Iterator[Callable[[str], None]]:
    def arm(point: str) -> None:
        def hook(name: str) -> None:
            if name == point:
                crashpoints.arm(None)
                raise _KilledError

        crashpoints.arm(hook)

    yield arm
    crashpoints.arm(None)


@pytest.mark.parametrize("point", ["package.taken", "package.put", "package.packed"])
def test_killed_anywhere_the_same_file_is_there_once(
    yard: Yard, killing: Callable[[str], None], point: str
) -> None:
    yard.put("letter", FILES)
    killing(point)
    with pytest.raises(_KilledError):
        yard.wait(6)
    yard.start()
    yard.wait(6)
    assert yard.packages() == ["letter.zip"]
    assert members((yard.root / "letter.zip").read_bytes()).keys() == {*FILES, "manifest.json"}
    assert not (yard.root / "letter").exists()
    assert list((yard.root / "_working" / ".packing").iterdir()) == []
