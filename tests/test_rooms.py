"""The house: imports go down only, and some doors are for one room alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "hotfolder"
RANKS = {
    "core": 0,
    "formats": 1,
    "sidecars": 1,
    "files": 2,
    "indexes": 2,
    "comparing": 3,
    "legacy": 3,
    "watch": 3,
    "journal": 3,
    "store": 3,
    "archivesspace": 3,
    "flows": 4,
    "returns": 4,
    "service": 5,
    "sandbox": 5,
}
# A room may import rooms of a lower rank, itself, and these besides.
BESIDES = {("service", "sandbox")}
# Third-party packages and standard modules that one place alone may import.
DOORS = {
    "httpx": {"archivesspace/transport.py", "archivesspace/wire.py", "returns/http.py"},
    "httpcore": {"archivesspace/wire.py"},
    "sqlite3": {"journal", "sandbox"},
    "sqlite_utils": {"journal"},
    "watchdog": {"watch"},
    "starlette": {"sandbox"},
    "uvicorn": {"sandbox"},
    "daemon": {"service"},
    "cryptography": {"service/signingkey.py", "store/ciphers.py"},
    "reportlab": {"service/certifying.py"},
    "prometheus_client": {"service"},
    "pikepdf": {"formats", "indexes/pdfparts.py", "indexes/pdftext.py"},
    "pypdf": {"indexes/pdftext.py"},
    "pypdfium2": {"comparing/pdfreading.py"},
    "PIL": {"comparing"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module


def room_of(path: Path) -> str | None:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else None


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_go_down_only(path: Path) -> None:
    room = room_of(path)
    if room is None:
        return
    for module in imported(path):
        if not module.startswith("hotfolder."):
            continue
        other = module.split(".")[1]
        if other not in RANKS:  # hotfolder.__version__ and the like
            continue
        allowed = other == room or RANKS[other] < RANKS[room] or (room, other) in BESIDES
        if room == "sandbox":
            allowed = other in ("sandbox", "core")
        assert allowed, f"{path} imports {module}"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_doors_are_for_one_room(path: Path) -> None:
    place = name_of(path)
    for module in imported(path):
        owners = DOORS.get(module.split(".")[0])
        if owners is not None:
            assert place in owners or room_of(path) in owners, f"{path} imports {module}"


@pytest.mark.parametrize(
    "path", [path for path in modules() if room_of(path) == "core"], ids=name_of
)
def test_core_is_pure(path: Path) -> None:
    banned = {"os", "time", "socket", "sqlite3", "subprocess", "threading", "random", "pathlib"}
    assert not banned & {module.split(".")[0] for module in imported(path)}


def test_every_room_has_a_rank() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name[0] != "_"}
    assert rooms == set(RANKS)
