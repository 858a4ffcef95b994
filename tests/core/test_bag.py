"""Bags as other programs understand them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import bagit
import pytest

from hotfolder.core.bag import bag_entries, measure, text_part
from hotfolder.core.zipping import zip_pieces

INFO = [("External-Identifier", "hf-1"), ("External-Description", "two\nlines: of it")]


def made(root: Path, files: dict[str, bytes]) -> Path:
    payload = [measure(text_part(f"data/{name}", data)) for name, data in files.items()]
    tags = [measure(text_part("verify.py", b"print()"))]
    path = root / "bag.zip"
    path.write_bytes(b"".join(zip_pieces(bag_entries("bag", payload, tags, INFO))))
    with zipfile.ZipFile(path) as archive:
        archive.extractall(root)
    return root / "bag"


def test_it_is_valid(tmp_path: Path) -> None:
    bag = bagit.Bag(str(made(tmp_path, {"a.txt": b"a", "b/c.txt": b"c", "empty": b""})))
    assert bag.validate()
    assert bag.info["Payload-Oxum"] == "2.3"
    assert bag.info["External-Description"] == "two lines: of it"
    assert sorted(bag.payload_files()) == ["data/a.txt", "data/b/c.txt", "data/empty"]


@pytest.mark.parametrize(
    "name", ["", "/a", "../a", "a/../b", "a//b", "a\\b", "A", "ä", "a b", "a\nb", "-a", ".a", "a/"]
)
def test_names_that_may_not_stand_in_a_bag(name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        measure(text_part(name, b""))


def test_no_name_twice() -> None:
    part = measure(text_part("data/a", b""))
    with pytest.raises(ValueError, match="twice"):
        bag_entries("bag", [part, part], [], [])
