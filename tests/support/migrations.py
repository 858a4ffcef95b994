"""An installation with a sandbox to which exports of old archives are moved."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hotfolder.journal.journal import SqliteJournal
from hotfolder.sandbox.configuration import REPOSITORIES, demo_configuration, hot_folders
from hotfolder.sandbox.legacy import KINDS, legacy_tables
from hotfolder.sandbox.sandbox import Sandbox
from hotfolder.service.cli import main
from hotfolder.service.parts import SystemClock
from hotfolder.store.ocfl import OcflStore
from tests.support.serving import call, log_in, make_repository, records, server_documents

COUNT = 24  # documents in an export
_SEED = b"a seed of thirty-two bytes, known"[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command printed as JSON, and its exit code."""

    code: int
    data: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything there is, under ``root``."""

    root: Path
    sandbox: Sandbox

    @property
    def exports(self) -> Path:
        return self.root / "export"

    @property
    def config(self) -> Path:
        return self.root / "hotfolder.toml"

    @property
    def store(self) -> OcflStore:
        return OcflStore(os.fsencode(self.root / "store"), clock=SystemClock())

    def json(self, *arguments: str, config: bool = True) -> Answer:
        """Run a command in this process."""
        text = io.StringIO()
        place = ["--config", str(self.config)] if config else []
        with redirect_stdout(text):
            try:
                main([*arguments, "--json", *place])
            except SystemExit as ended:
                code = int(ended.code or 0)
        return Answer(code=code, data=json.loads(text.getvalue() or "null"))

    def change(self, old: str, new: str) -> None:
        """Edit the configuration."""
        text = self.config.read_text()
        assert old in text
        self.config.write_text(text.replace(old, new))

    @contextmanager
    def journal(self) -> Iterator[SqliteJournal]:
        journal = SqliteJournal(os.fsencode(self.root / "journal.db"))
        try:
            yield journal
        finally:
            journal.close()

    def server_documents(self) -> list[dict[str, Any]]:
        return server_documents(self.sandbox.url)

    def record(self, uri: str | None) -> Any:
        return call(self.sandbox.url, str(uri), log_in(self.sandbox.url))

    def events(self) -> list[Any]:
        return list(records(self.sandbox.url, "/repositories/2/events"))


@contextmanager
def migration_site(root: Path, *, extra: str = "") -> Iterator[Site]:
    """A site with the migrations ``folder``, ``cmod``, ``csv``, ``sip`` and ``twin``, which is
    another of the first kind."""
    for name in (*KINDS, "twin"):
        (root / "inbox" / name).mkdir(parents=True)
        (root / "export" / name).mkdir(parents=True)
    for path in hot_folders(str(root)).values():
        os.makedirs(path)
    (root / "password").write_text("admin")
    (root / "password").chmod(0o600)
    (root / "key").write_bytes(_SEED)
    with Sandbox() as sandbox:
        for code in REPOSITORIES:
            make_repository(sandbox.url, code)
        tables = legacy_tables(str(root / "export"), str(root / "inbox"), extra=extra)
        twin = tables.split("[migrations.cmod]")[0]
        twin = twin.replace("migrations.folder", "migrations.twin").replace("/folder", "/twin")
        site = Site(root=root, sandbox=sandbox)
        site.config.write_text(
            demo_configuration(
                str(root),
                sandbox.url,
                password_file=str(root / "password"),
                signing_key=str(root / "key"),
                unit_size=7,
            )
            + f"\n{tables}\n{twin}"
        )
        SqliteJournal(os.fsencode(root / "journal.db")).close()
        yield site


def tree_of(root: Path) -> dict[str, tuple[Any, ...]]:
    """Everything below a folder: kind, mode, size, times of change, SHA-256."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in sorted(root.rglob("*")):
        told = path.lstat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path.relative_to(root))] = (
            told.st_mode,
            told.st_size,
            told.st_mtime_ns,
            told.st_ctime_ns,
            told.st_ino,
            digest,
        )
    return found
