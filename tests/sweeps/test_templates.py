"""Packages of templates under a process that is killed at every named point of their way."""

from __future__ import annotations

import sys
from pathlib import Path

from hotfolder.core.crashpoints import POINTS
from tests.support import forked
from tests.support.serving import serving
from tests.support.templates import TemplatePlace, make_package
from tests.sweeps.scenes import ENVIRON, ROOT

_CHILD = """
import sys
from pathlib import Path
from tests.support.line import arm_crash
from tests.support.templates import TemplatePlace

arm_crash(sys.argv[3], 1)
TemplatePlace(Path(sys.argv[1]), sys.argv[2]).pass_once()
"""
# Those that a package passes; of what is set aside, and of heads, other sweeps tell.
_PASSED = [
    *(point for point in POINTS if not point.startswith(("aside.", "head."))),
    "template.told",
    "event.told",
]


def killed_at(place: TemplatePlace, point: str) -> bool:
    child = [sys.executable, "-c", _CHILD, str(place.root), place.url, point]
    done = forked.run(child, cwd=ROOT, env=ENVIRON)
    assert done.returncode in (0, 137), done.stderr
    return done.returncode == 137


def test_killed_at_every_named_point(tmp_path: Path) -> None:
    with serving() as sandbox:
        place = TemplatePlace(tmp_path, sandbox.url)
        for number, point in enumerate(_PASSED, 1):
            name = f"v{number}.zip"
            parent = str(number - 1) if number > 1 else None
            place.drop(name, make_package(version=str(number), parent=parent))
            assert killed_at(place, point), point
            place.pass_once()
            check(place, number, point)


def check(place: TemplatePlace, number: int, point: str) -> None:
    """Every version once: in the journal, on the server, with each of its events."""
    versions = place.ask("templates", "history", "statement-letter")["versions"]
    assert [row["version"] for row in versions] == [str(one) for one in range(1, number + 1)], point
    documents = place.documents()
    assert sorted(item["identity"] for item in documents) == sorted(
        row["identity"] for row in versions
    ), point
    assert sorted(row["record"] for row in versions) == sorted(item["uri"] for item in documents)
    assert [len(unit["documents"]) for unit in place.units()] == [1] * number, point
    for kind in ("ingestion", "agreement_signed", "publication"):
        assert len(place.events(kind)) == number, (point, kind)
    assert place.receipt(f"v{number}.zip")["outcome"] == "archived", point
    assert [entry.name for entry in (place.packages / "_working").iterdir()] == [], point
