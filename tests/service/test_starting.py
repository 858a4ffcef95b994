"""What an operator reads first: the starting configuration and its manual."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from hotfolder.service.starting import STARTING_CONFIGURATION
from tests.support.settings import load_text
from tests.support.settings_doc import DOCS, filled, keys, named, sections


def at_home(root: Path, text: str) -> str:
    """The text with its paths under ``root``, where they exist."""
    (root / "in").mkdir()
    (root / "password").write_text("x")
    (root / "password").chmod(0o600)
    return (
        text.replace("/etc/hotfolder/archivesspace-password", str(root / "password"))
        .replace("/srv/exstream/statements", str(root / "in"))
        .replace("/var/lib/hotfolder", str(root))
    )


def uncommented(text: str) -> str:
    """The text with every key that is only shown."""
    return re.sub(r"(?m)^# (\w+ = |\[)", r"\1", text)


def test_it_loads_once_its_paths_exist(tmp_path: Path) -> None:
    found = load_text(tmp_path, at_home(tmp_path, STARTING_CONFIGURATION))
    assert [folder.name for folder in found.folders] == ["statements"]
    assert found.advice == ()


def test_the_keys_it_shows_have_their_defaults(tmp_path: Path) -> None:
    text = at_home(tmp_path, STARTING_CONFIGURATION)
    bare = load_text(tmp_path, text)
    # Keys of other rules and indexes are shown with their defaults, but only one can be chosen;
    # examples of maps show how they look.
    # A folder of spools has no use for the limits of packages.
    whole = re.sub(
        r"(?ms)^\[folders\.statements\.templates\].*?(?=^\[)",
        "",
        uncommented(text.split("# [return.reprint]")[0]),  # tables that one may have
    )
    shown = re.sub(
        r"(?m)^(trigger_suffix|manifest_suffix|field_map|defaults|ca_file|suffix|code_page"
        r"|columns|separator|line_separator|attributes|elements|level = 1|marker|allow_overlap"
        r"|on_bad_document|describe|describe_limit)\b.*$",
        "",
        whole,
    )
    assert shown.count("\n") > 150
    assert replace(load_text(tmp_path, shown), path=bare.path) == bare


def test_it_shows_every_key() -> None:
    shown = tomllib.loads(uncommented(STARTING_CONFIGURATION))
    for path, model in sections().items():
        tables = [shown]
        for part in path.split("."):
            tables = [
                inner
                for table in tables
                for found in (table.values() if part == "NAME" else [table[part]])
                for inner in (found if isinstance(found, list) else [found])
            ]
        # The password has no place in a file that is shown. A profile has the keys of its
        # kind: together they have all.
        shown_keys = {key for table in tables for key in table}
        assert shown_keys >= set(keys(model)) - {"password"}, path


def test_every_line_is_short() -> None:
    assert max(len(line) for line in STARTING_CONFIGURATION.splitlines()) <= 88


def test_the_manual_is_that_of_the_model() -> None:
    text = DOCS.read_text()
    assert named(text) == set(sections())
    assert filled(text) == text, "python -m tests.support.settings_doc writes it anew"


@pytest.mark.parametrize("path", sorted(sections()))
def test_every_key_has_a_description(path: str) -> None:
    model = sections()[path]
    for name in keys(model):
        assert model.model_fields[name].description, f"{path}.{name}"
