"""Who acts is who logged in, whatever the environment says."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from hotfolder.service import actor as module
from hotfolder.service.actor import actor

ROOT = pwd.getpwuid(0).pw_name


@pytest.mark.parametrize(
    ("kept", "sudo", "who"),
    [
        ("0", "anna", ROOT),
        ("4294967295", "anna", "anna"),
        ("4294967295", "", pwd.getpwuid(os.getuid()).pw_name),
        ("3999999999", "anna", "uid-3999999999"),
        ("", "anna", "anna"),
        (None, "anna", "anna"),
        (None, "", pwd.getpwuid(os.getuid()).pw_name),
    ],
)
def test_who_acts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str | None, sudo: str, who: str
) -> None:
    if kept is not None:
        (tmp_path / "loginuid").write_text(kept)
    monkeypatch.setattr(module, "LOGIN_UID", str(tmp_path / "loginuid"))
    monkeypatch.setenv("SUDO_USER", sudo)
    monkeypatch.setenv("LOGNAME", "somebody-else")
    assert actor() == who
