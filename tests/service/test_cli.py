"""The command line: what every command has, and what the manuals say of it."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hotfolder.core.errors import EX_CONFIG, EX_OK, EX_TEMPFAIL, EX_USAGE
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.cli import group, main
from hotfolder.service.starting import STARTING_CONFIGURATION
from tests.support.settings import sound_text

ROOT = Path(__file__).parent.parent.parent
MANUALS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SERVERS = {"sandbox"}  # their output is no answer


def walk(parent: click.Group, words: tuple[str, ...] = ()) -> dict[str, click.Command]:
    """Every command by its words; those of a group with the group's."""
    found: dict[str, click.Command] = {}
    for name, command in parent.commands.items():
        if isinstance(command, click.Group):
            found |= walk(command, (*words, name))
        else:
            found[" ".join((*words, name))] = command
    return found


COMMANDS = walk(group)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_an_example_and_json(name: str) -> None:
    done = CliRunner().invoke(group, [*name.split(), "--help"])
    assert done.exit_code == 0
    example = re.search(r"Example:\n\s+(hotfolder .*)", done.output)
    assert example is not None, done.output
    assert f"{example[1]} ".startswith(f"hotfolder {name} ")
    command = COMMANDS[name]
    options = {option for item in command.params for option in item.opts}
    assert name in SERVERS or "--json" in options
    assert command.help


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_example_is_one_that_the_command_takes(name: str) -> None:
    command = COMMANDS[name]
    assert command.epilog is not None
    line = re.split(r" [>|] ", command.epilog.splitlines()[0])[0]
    words = re.findall(r"'[^']*'|\S+", line)[1 + len(name.split()) :]
    context = command.make_context(name, [word.strip("'") for word in words])
    assert isinstance(context, click.Context)


@pytest.mark.parametrize("path", MANUALS, ids=lambda path: path.name)
def test_the_manuals_name_commands_and_options_that_there_are(path: Path) -> None:
    text = path.read_text()
    code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"(?m)^    (.*)$", text)
    for line in code:
        found = re.match(r"(?:sudo -u hotfolder )?hotfolder ([a-z]+)([^|#;>]*)", line)
        if found is None:
            continue
        assert found[1] in group.commands, line
        words = [found[1], *re.findall(r"^ ([a-z-]+)", found[2])]
        name = " ".join(words) if " ".join(words) in COMMANDS else found[1]
        if isinstance(group.commands[found[1]], click.Group):
            assert name in COMMANDS or not words[1:], line
        options = {option for item in _params(name) for option in item.opts}
        for option in re.findall(r"(?<!\S)--[a-z-]+", found[2]):
            assert option in {*options, "--help"}, line


def _params(name: str) -> list[click.Parameter]:
    return COMMANDS[name].params if name in COMMANDS else []


def test_init_writes_the_starting_configuration_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "hotfolder.toml"
    with pytest.raises(SystemExit) as done:
        main(["init", str(path)])
    assert done.value.code == 0
    assert path.read_text() == STARTING_CONFIGURATION
    assert not path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH)
    path.write_text("mine")
    capsys.readouterr()
    with pytest.raises(SystemExit) as done:
        main(["init", str(path), "--json"])
    assert done.value.code == EX_CONFIG
    assert json.loads(capsys.readouterr().out)["error"] == "init.exists"
    assert path.read_text() == "mine"
    with pytest.raises(SystemExit) as done:
        main(["init", str(path), "--force"])
    assert path.read_text() == STARTING_CONFIGURATION


def test_a_fault_is_told_on_standard_error_with_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "hotfolder.toml"
    path.write_text("[archivespace]\n")
    with pytest.raises(SystemExit) as done:
        main(["status", "--config", str(path)])
    assert done.value.code == EX_CONFIG
    told = capsys.readouterr()
    assert told.out == ""
    assert "did you mean archivesspace?" in told.err


def test_usage_faults_exit_64(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["hold", "0193f2a4b6c1"])
    assert done.value.code == 64
    assert "--reason" in capsys.readouterr().err


def test_an_argument_that_is_no_text_is_a_fault_of_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "hotfolder.toml"
    path.write_text(sound_text(tmp_path))
    SqliteJournal(os.fsencode(tmp_path / "journal.db")).close()
    with pytest.raises(SystemExit) as ended:
        main(["holds", "place", "--matter", "a\udcff", "--customer", "C", "--config", str(path)])
    assert ended.value.code == EX_USAGE
    assert "not UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("streams", "code"),
    [("<&- >&- 2>&-", EX_OK), (">&-", EX_OK), ("2>&-", EX_OK), (">/dev/full", EX_TEMPFAIL)],
)
def test_what_becomes_of_the_output_is_no_fault_of_hotfolder(
    tmp_path: Path, streams: str, code: int
) -> None:
    (tmp_path / "hotfolder.toml").write_text(sound_text(tmp_path))
    SqliteJournal(os.fsencode(tmp_path / "journal.db")).close()
    done = subprocess.run(
        [
            *("sh", "-c", f'exec "$0" -m hotfolder status --config hotfolder.toml {streams}'),
            sys.executable,
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert ("standard output cannot be written" in done.stderr) == (code == EX_TEMPFAIL)
