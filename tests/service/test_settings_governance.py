"""The governance file is read with the configuration, and faults of both are told at once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.support.settings import faults_in, load_text, sound_text

FILE = """\
[vocabularies]
channel = ["print", "email"]

[[rules]]
name = "letters"
when = { channel = "print" }
class = "FIN-7Y"
"""


def governed(root: Path, text: str, file: str) -> str:
    """A sound configuration with this governance file."""
    (root / "governance.toml").write_text(file)
    text = text.replace('channel = ["print", "email"]', "")
    return f'{text}\n[governance]\nfile = "{root}/governance.toml"\n'


def test_it_is_part_of_the_rules(tmp_path: Path) -> None:
    text = governed(tmp_path, sound_text(tmp_path), FILE)
    found = load_text(tmp_path, text)
    assert found.rules.values_for("RETAIL", "channel") == ("print", "email")
    assert [rule.name for rule in found.rules.governance.rules] == ["letters"]
    digest = hashlib.sha256((tmp_path / "governance.toml").read_bytes()).hexdigest()
    assert found.rules.governance.digest == digest

    # A comment may change while it runs, a rule may not.
    (tmp_path / "governance.toml").write_text(FILE + "# a comment\n")
    assert load_text(tmp_path, text).rules == found.rules
    (tmp_path / "governance.toml").write_text(FILE.replace('class = "FIN-7Y"', 'require = "title"'))
    assert load_text(tmp_path, text).rules != found.rules


@pytest.mark.parametrize(
    ("file", "code", "place"),
    [
        ("[vocabularies]\ncolour = ['red']", "governance.unknown", "vocabularies (line 1)"),
        ("\n[vocabularies]\nchannel = 3", "governance.shape", "vocabularies.channel (line 3)"),
        ("[[rules]]\nname = 'x'\nclass = 'FIN-8Y'", "governance.class", "rule 'x'"),
        ("[vocabularies", "governance.file", "governance.file"),
    ],
)
def test_what_is_wrong_in_it_is_named(tmp_path: Path, file: str, code: str, place: str) -> None:
    text = governed(tmp_path, sound_text(tmp_path), file) + "\n[log]\nlevel = 'loud'\n"
    faults = {fault.code: fault for fault in faults_in(tmp_path, text)}
    assert faults[code].place.startswith(place)
    assert "configuration.value" in faults  # that of the configuration is told too


def test_what_contradicts_the_configuration(tmp_path: Path) -> None:
    sound = sound_text(tmp_path)
    file = '[vocabularies]\nchannel = ["web"]\nretention_class = []\n'
    text = sound + f'defaults = {{ channel = "print" }}\n[governance]\nfile = "{tmp_path}/g.toml"\n'
    (tmp_path / "g.toml").write_text(file)
    assert {fault.code for fault in faults_in(tmp_path, text)} == {
        "governance.shape",  # an empty list
        "governance.vocabulary",  # channel has a list in the configuration too
        "folder.default",
    }
    for path, message in (("g.toml", "from the root"), (f"{tmp_path}/none", "there is no file")):
        (fault,) = faults_in(tmp_path, sound + f'[governance]\nfile = "{path}"\n')
        assert fault.code == "governance.file"
        assert message in fault.message


def test_what_old_archives_and_versions_of_classes_say_is_in_the_lists(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "inbox").mkdir()
    file = '[vocabularies]\nchannel = ["print"]\njurisdiction = ["DE"]\n'
    more = f"""
[[retention.FIN-7Y.versions]]
valid_from = 2027-01-01
jurisdiction = "Germany"
period = "P12Y"

[migrations.old]
kind = "folder"
path = "{tmp_path}/export"
inbox = "{tmp_path}/inbox"
business_unit = "RETAIL"
defaults = {{ channel = "fax" }}
values.channel = {{ PAPER = "print", TELEX = "telex" }}
"""
    text = governed(tmp_path, sound_text(tmp_path) + more, file)
    found = {fault.place.partition(" ")[0]: fault.code for fault in faults_in(tmp_path, text)}
    assert found == {
        "retention.FIN-7Y.versions.0.jurisdiction": "retention.jurisdiction",
        "migrations.old.defaults.channel": "folder.default",
        "migrations.old.values.channel.TELEX": "folder.default",
    }
