"""Whatever the file says, the answer is a configuration or a list of faults."""

from __future__ import annotations

import json
import math
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hotfolder.core.errors import OperatorFault
from hotfolder.service.settings import load
from tests.support.settings import sound_text
from tests.support.settings_doc import keys, sections

_WORDS = sorted({key for model in sections().values() for key in keys(model)} | set(sections()))
_NAMES = st.sampled_from(_WORDS) | st.text(min_size=1, max_size=8)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["RETAIL", "STMT", "FIN-7Y", "statement", "/", "/tmp", "P7Y", "print", ".done", "{identity}"]
)
_LEAVES = st.booleans() | st.integers(-(2**40), 2**40) | st.floats() | _TEXTS
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=6,
)
_CHANGES = st.lists(
    st.tuples(st.lists(st.integers(0, 40), max_size=5), _NAMES, _VALUES), max_size=5
)


def write_toml(value: Any) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(k)} = {write_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(write_toml, value)) + "]"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return json.dumps(value)


def _text(value: str) -> str:
    return (
        '"'
        + "".join(letter if letter.isalnum() else f"\\U{ord(letter):08x}" for letter in value)
        + '"'
    )


def change(tree: dict[str, Any], path: list[int], name: str, value: Any) -> None:
    """Put ``value`` somewhere: under a known key (by ``path``), or a new one."""
    node = tree
    for step in path:
        found = sorted(node)
        if not found:
            break
        key = found[step % len(found)]
        if not isinstance(node[key], dict) or step % 5 == 0:
            node[key] = value
            return
        node = node[key]
    node[name] = value


@given(_CHANGES, st.dictionaries(_NAMES, _TEXTS, max_size=3))
@settings(max_examples=100, deadline=None)
def test_any_file_gives_a_configuration_or_faults(
    changes: list[tuple[list[int], str, Any]], variables: dict[str, str]
) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        tree = tomllib.loads(sound_text(root))
        for path, name, value in changes:
            change(tree, path, name, value)
        text = "\n".join(f"{_text(key)} = {write_toml(value)}" for key, value in tree.items())
        config = root / "hotfolder.toml"
        config.write_text(text)
        environ = {
            f"HOTFOLDER_{name.replace('.', '__').upper()}": value
            for name, value in variables.items()
        }
        for only_looking in (False, True):
            try:
                found = load(str(config), environ, only_looking=only_looking)
            except OperatorFault as error:
                faults = error.faults
            else:
                faults = ()
                assert found.folders or not tree.get("folders")
            assert all(fault.remedy and fault.message and fault.place for fault in faults)
