"""``[migrations.NAME]``: an export is only read, so nothing else may go on in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.settings import faults_in, load_text, sound_text

_TABLE = """
[migrations.old]
kind = "{kind}"
path = "{path}"
inbox = "{inbox}"
business_unit = "RETAIL"
"""


def codes(root: Path, path: str, inbox: str = "inbox", kind: str = "folder") -> set[str]:
    text = sound_text(root) + _TABLE.format(
        kind=kind, path=path and str(root / path), inbox=root / inbox
    )
    return {fault.code for fault in faults_in(root, text)}


@pytest.mark.parametrize(
    ("path", "inbox", "kind"),
    [
        ("inbox/export", "inbox", "folder"),
        ("export", "export/inbox", "folder"),
        ("in", "inbox", "folder"),
        ("in/deep", "inbox", "sip"),
        ("list.csv", "inbox", "csv"),
        ("", "inbox", "folder"),
        ("link", "inbox", "folder"),
    ],
)
def test_an_export_lies_apart(tmp_path: Path, path: str, inbox: str, kind: str) -> None:
    (tmp_path / "export" / "inbox").mkdir(parents=True)
    (tmp_path / "inbox").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "export")
    if path == "link":  # where an inbox lies in it by the name that was written
        inbox = "link/inbox"
    expected = "path.relative" if not path else "path.overlap"
    assert expected in codes(tmp_path, path, inbox, kind)


def test_an_export_beside_everything_is_sound(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    place = tmp_path / "inboxes"  # begins alike, and is another
    text = sound_text(tmp_path) + _TABLE.format(kind="folder", path=place, inbox=tmp_path / "inbox")
    assert load_text(tmp_path, text).migrations[0].path == str(place)
