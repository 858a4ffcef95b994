"""Bags of evidence in tests: made, unpacked, tampered with, sealed again, judged."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotfolder.core.canonical import dump
from hotfolder.core.ports import Desk
from hotfolder.core.profiles import DocumentsProfile, FolderProfile, IndexFormat, RetrieveProfile
from hotfolder.core.records import CatalogueRow, SignedHead, TreeHead
from hotfolder.core.treeheads import signed_bytes
from hotfolder.flows import custody
from hotfolder.flows.evidence import Bagged, Evidence
from hotfolder.journal.journal import SqliteJournal
from tests.support.flow_world import World

SAMPLES = Path(__file__).parent.parent / "samples"
VERIFIER = Path(custody.__file__).parent / "data" / "verify.py"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


class Samples(World):
    """A world whose drops are the sample spools."""

    @property
    def profile(self) -> FolderProfile:
        return replace(super().profile, defaults={"document_type": "statement"})


def afp_world(root: Path, *, encrypted: bool = False, copies: int = 0, **options: Any) -> World:
    """Forty statements of as many customers, in one AFP spool."""
    world = Samples(
        root=root,
        documents=DocumentsProfile(index=IndexFormat.AFP, **options),
        unit_size=50,
        encrypted=encrypted,
        copies=copies,
    )
    world.start()
    shutil.copy(SAMPLES / "statements-40.afp", world.hot / "statements.afp")
    world.settle()
    return world


def pdf_world(root: Path, *, encrypted: bool = False) -> World:
    """Eight statements in a PDF, each some pages of it, and an index beside it."""
    with (SAMPLES / "statements-8.expected.csv").open(encoding="utf-8", newline="") as stream:
        expected = list(csv.DictReader(stream))
    page = 1
    lines = ""
    for item in expected:
        count = int(item["pages"])
        entry = {"customer": item["customer"], "date": item["date"], "first_page": page,
                 "pages": count}  # fmt: skip
        lines += json.dumps(entry) + "\n"
        page += count
    world = Samples(
        root=root,
        documents=DocumentsProfile(index=IndexFormat.JSON, suffix=".json"),
        encrypted=encrypted,
    )
    world.start()
    shutil.copy(SAMPLES / "statements-8.pdf", world.hot / "statements.pdf")
    (world.hot / "statements.pdf.json").write_text(lines)
    world.settle()
    return world


def letter_world(root: Path, content: bytes = b"c1 a letter", **fields: str) -> World:
    """One letter of one customer, with its sidecar."""
    world = World(root=root)
    world.start()
    known = {"customer_id": "c1", "document_type": "letter", "issue_date": "2026-06-30"}
    world.drop(content, json.dumps(known | fields).encode(), "letter")
    world.settle()
    return world


def documents(world: World) -> list[CatalogueRow]:
    """Those of the one spool that there is."""
    (row,) = world.rows()
    assert not row.faults, row.faults
    return list(world.running.journal.iterate_documents(row.id))


def fingerprint(key: Ed25519PrivateKey) -> str:
    return hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()


def sign_now(journal: SqliteJournal, now: float, key: Ed25519PrivateKey = KEY) -> None:
    """Sign the head of the tree as it is."""
    size = journal.audit_size()
    head = TreeHead(
        log=journal.log_id(),
        tree_size=size,
        root=journal.tree_root(size).hex(),
        at="2026-07-01T00:00:00Z",
    )
    signed = SignedHead(
        head=head,
        key=fingerprint(key),
        public_key=key.public_key().public_bytes_raw(),
        signature=key.sign(signed_bytes(head)),
    )
    journal.add_tree_head(signed, now)


def maker(
    world: World, *, desk: Desk | None = None, key: Ed25519PrivateKey | None = KEY
) -> Evidence:
    """What makes bags of what is in this world."""
    works = world.running

    def sign() -> None:
        assert key is not None
        sign_now(works.journal, world.clock.now(), key)

    return Evidence(
        journal=works.journal,
        store=works.store,
        desk=desk,
        sign=None if key is None else sign,
        clock=world.clock,
        emit=works.emit,
        terms=RetrieveProfile(),
        version="0.9",
    )


def make(world: World, identity: str, path: Path, **options: Any) -> Bagged:
    """A bag at ``path``."""
    with_spool = options.pop("with_spool", None)
    flow = maker(world, **options)
    return flow.make(identity, os.fsencode(path), actor="anna", with_spool=with_spool)


def judge(
    path: Path, *arguments: str, verifier: Path = VERIFIER
) -> subprocess.CompletedProcess[str]:
    """What verify.py says of a bag, in a Python of its own."""
    return subprocess.run(
        [sys.executable, "-I", str(verifier), str(path), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def load_verifier() -> ModuleType:
    """verify.py as a module, for many looks."""
    spec = importlib.util.spec_from_file_location("bag_verifier", VERIFIER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def unpack(path: Path, target: Path) -> Path:
    """The folder of the bag."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(target)
    (folder,) = target.iterdir()
    return folder


def seal(folder: Path) -> None:
    """Make the manifests fit what is in the folder, as a forger would."""
    names = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    data = [name for name in names if name.startswith("data/")]
    total = sum((folder / name).stat().st_size for name in data)
    info = folder / "bag-info.txt"
    lines = [line for line in info.read_text().splitlines() if "Oxum" not in line]
    info.write_text("\n".join([*lines, f"Payload-Oxum: {total}.{len(data)}"]) + "\n")
    for kind in ("manifest", "tagmanifest"):
        chosen = data if kind == "manifest" else [
            name for name in names if name not in data and not name.startswith("tagmanifest-")
        ]  # fmt: skip
        for algorithm in ("sha256", "sha512"):
            text = "".join(
                f"{hashlib.new(algorithm, (folder / name).read_bytes()).hexdigest()}  {name}\n"
                for name in chosen
            )
            (folder / f"{kind}-{algorithm}.txt").write_text(text)


def change(folder: Path, name: str, edit: Callable[[Any], object]) -> None:
    """Change a JSON file of a bag, and write it canonically."""
    path = folder / name
    value = json.loads(path.read_bytes())
    edit(value)
    path.write_text(dump(value) + "\n")
