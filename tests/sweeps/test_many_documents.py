"""Killed while a spool of two hundred documents is on its way. A few kills here;
``python -m tests.sweeps.many_documents`` does all."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotfolder.core.profiles import Describe
from tests.sweeps.many_documents import kill_and_check


@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("describe", "point", "occurrence"),
    [
        (Describe.DOCUMENTS, "read.recorded", 1),
        (Describe.DOCUMENTS, "unit.answered", 4),
        (Describe.DOCUMENTS, "unit.confirmed", 10),
        (Describe.SPOOL, "unit.answered", 1),
    ],
)
def test_killed_in_the_middle(
    tmp_path: Path, describe: Describe, point: str, occurrence: int
) -> None:
    kill_and_check(tmp_path, describe, point, occurrence)
