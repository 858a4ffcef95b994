"""Readers of what comes from outside: an answer, or a fault in words.

Bounded here; ``python -m tests.fuzz.run`` goes on for as long as it is told.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from hotfolder.core.errors import InputFault
from tests.fuzz.readers import make_readers
from tests.fuzz.run import FOUND, fuzz

READERS = make_readers()


@pytest.mark.parametrize("name", READERS)
def test_samples_are_sound(name: str) -> None:
    for sample in READERS[name].samples:
        READERS[name].read(sample)


@pytest.mark.parametrize("name", READERS)
def test_harmed_samples_end_in_words(name: str) -> None:
    tally = fuzz(READERS[name], seed=2026, runs=400, seconds=0)
    assert [(error, data[:200]) for data, error in tally.found] == []
    assert tally.accepted < tally.runs or name == "plain"


@pytest.mark.parametrize(
    "path", sorted(FOUND.rglob("*")), ids=lambda path: f"{path.parent.name}-{path.name}"
)
def test_what_was_found_once_stays_mended(path: Path) -> None:
    if path.is_file():
        with suppress(InputFault):
            READERS[path.parent.name].read(path.read_bytes())
