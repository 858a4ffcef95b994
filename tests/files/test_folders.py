"""The folders of a hot folder, and whole trees."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hotfolder.core.errors import OperatorFault
from hotfolder.files.layout import folder_paths, make_folders, working_folder
from hotfolder.files.ownership import describe_owner
from hotfolder.files.tree import (
    list_directory,
    make_directory,
    make_parents,
    move_directory,
    remove_empty,
    remove_tree,
    seal_directory,
    walk_files,
)


def test_the_folders_are_made_once(tmp_path: Path) -> None:
    root = os.fsencode(tmp_path)
    make_folders(root)
    make_folders(root)
    paths = folder_paths(root)
    for path in (paths.working, paths.failed, paths.receipts):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o750
    assert sorted(os.listdir(root)) == [b"_failed", b"_receipts", b"_working"]


def test_a_missing_root_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(OperatorFault) as caught:
        make_folders(os.fsencode(tmp_path / "unmounted"))
    assert caught.value.code == "file.missing"
    assert not (tmp_path / "unmounted").exists()


@pytest.mark.parametrize("what", ["link", "file"])
def test_something_else_under_the_name_is_refused(tmp_path: Path, what: str) -> None:
    if what == "link":
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "_working").symlink_to("elsewhere")
    else:
        (tmp_path / "_working").write_bytes(b"")
    with pytest.raises(OperatorFault):
        make_folders(os.fsencode(tmp_path))


@pytest.mark.parametrize("bad", ["../x", "", "a/b", "."])
def test_no_id_leads_out_of_working(bad: str) -> None:
    with pytest.raises(ValueError, match="not a spool id"):
        working_folder(b"/hot", bad)


def test_a_tree_goes_whole_and_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "keep").write_bytes(b"")
    inner = tmp_path / "tree" / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "file").write_bytes(b"")
    (inner / "link").symlink_to(tmp_path / "outside")
    tree = os.fsencode(tmp_path / "tree")
    assert list(walk_files(tree)) == [b"a/b/file", b"a/b/link"]
    for folder in (inner, inner.parent, tmp_path / "tree"):
        seal_directory(os.fsencode(folder))
    remove_tree(tree)
    remove_tree(tree)
    assert not (tmp_path / "tree").exists()
    assert (tmp_path / "outside" / "keep").exists()
    assert list_directory(tree) == []


def test_a_link_in_the_place_of_a_tree_goes_alone(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir(mode=0o755)
    (tmp_path / "outside" / "keep").write_bytes(b"")
    (tmp_path / "tree").symlink_to("outside")
    remove_tree(os.fsencode(tmp_path / "tree"))
    assert not (tmp_path / "tree").is_symlink()
    assert (tmp_path / "outside" / "keep").exists()
    assert stat.S_IMODE((tmp_path / "outside").stat().st_mode) == 0o755


def test_parents_are_made_and_removed_when_empty(tmp_path: Path) -> None:
    top = os.fsencode(tmp_path)
    make_parents(top + b"/a/b/c", top)
    make_parents(top + b"/a/b/c", top)
    assert os.path.isdir(top + b"/a/b/c")
    assert not make_directory(top + b"/a")
    make_directory(top + b"/a/other")
    assert remove_empty(top + b"/a/b/c", top) == top + b"/a"
    os.rmdir(top + b"/a/other")
    assert remove_empty(top + b"/a/b/c", top) == top
    assert os.listdir(top) == []


def test_a_directory_never_replaces_one_with_entries(tmp_path: Path) -> None:
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_bytes(b"")
    assert not move_directory(os.fsencode(tmp_path / "new"), os.fsencode(tmp_path / "old"))
    assert os.listdir(tmp_path / "old") == ["old"]


def test_an_owner_is_described(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path)
    assert describe_owner(path) == []
    tmp_path.chmod(0o777)
    assert len(describe_owner(path)) == 1
    tmp_path.chmod(0o700)
    (tmp_path / "file").write_bytes(b"")
    assert describe_owner(path + b"/file")[0][0] == "it is not a folder"
    assert len(describe_owner(path + b"/gone")) == 1
