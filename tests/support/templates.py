"""Template packages, and a place that archives them: a configuration, a sandbox, a daemon."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from hotfolder.core.errors import HotfolderError
from hotfolder.core.profiles import FolderProfile
from hotfolder.core.records import AuditRow, Drop
from hotfolder.files.layout import make_folders
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.cli import group
from hotfolder.service.composition import assemble
from hotfolder.service.settings import load
from tests.support import forked
from tests.support.line import deliver_all, drops_in
from tests.support.serving import server_documents, server_events, server_units

APPROVED = {"person": "Jana Ito", "role": "legal", "date": "2024-12-01", "decision": "approved"}
FILES = {"letter.txt": b"Dear customer,\n", "logo.bin": bytes(range(256))}
_CONFIGURATION = """\
[archivesspace]
least_privilege = {least}
url = "{url}"
username = "admin"
password_file = "{root}/password"
[journal]
path = "{root}/journal.db"
[store]
path = "{root}/store"
[metrics]
port = 0
[retention.TPL]
title = "Templates"
period = "P10Y"
[units.RETAIL]
name = "Retail"
repository = "RETAIL"
[series.STMT]
title = "Statements"
document_types = ["statement"]
key = ["customer_id", "document_type", "issue_date"]
[folders.hot]
path = "{root}/hot"
business_unit = "RETAIL"
completion = {{ rule = "trigger", sidecar_wait = 0.5 }}
[folders.packages]
path = "{root}/packages"
business_unit = "RETAIL"
kind = "templates"
completion = {{ quiet = 0.1, quiet_without_trailer = 0.1 }}
defaults = {{ retention_class = "TPL" }}
"""


def make_manifest(**fields: Any) -> dict[str, Any]:
    """A manifest without a fault; ``fields`` over it, those that are None left out."""
    found = {
        "format": "hotfolder-template/1",
        "name": "statement-letter",
        "family": "statements",
        "version": "1",
        "effective_from": "2025-01-01",
        "author": "Ada Okafor",
        "change_note": "First of all",
        "approvals": [APPROVED],
        **fields,
    }
    return {key: value for key, value in found.items() if value is not None}


def pack(
    files: Mapping[str, bytes], manifest: Mapping[str, Any] | None = None, *, method: int = 8
) -> bytes:
    """A ZIP with these files, and the manifest if there is one."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as package:
        for name, data in files.items():
            package.writestr(zipfile.ZipInfo(name), data, method)
        if manifest is not None:
            info = zipfile.ZipInfo("manifest.json")
            package.writestr(info, json.dumps(manifest, indent=1), method)
    return stream.getvalue()


def make_package(files: Mapping[str, bytes] = FILES, **fields: Any) -> bytes:
    """A package with its manifest in it."""
    return pack(files, make_manifest(**fields))


def is_spool(drop: Drop) -> bool:
    """Whether this is no file that is being written."""
    return not drop.spool.name.startswith(b".")


def _silent(_event: str, /, **_fields: object) -> None:
    """Nobody listens."""


class TemplatePlace:
    """A hot folder of templates, one of documents, and a server."""

    def __init__(
        self, root: Path, url: str, more: str = "", *, least_privilege: bool = False
    ) -> None:
        self.root = root
        self.url = url
        self.packages = root / "packages"
        self.hot = root / "hot"
        for path in (self.packages, self.hot):
            path.mkdir(exist_ok=True)
        password = root / "password"
        password.write_text("admin\n")
        password.chmod(0o600)
        self.config = root / "hotfolder.toml"
        self.config.write_text(
            _CONFIGURATION.format(url=url, root=root, least=str(least_privilege).lower()) + more
        )

    def drop(self, name: str, data: bytes, manifest: Mapping[str, Any] | None = None) -> None:
        """A package as a producer writes it, its manifest beside it if it is given."""
        if manifest is not None:
            (self.packages / f"{name}.json").write_text(json.dumps(manifest))
        temporary = self.packages / f".{name}.tmp"
        temporary.write_bytes(data)
        temporary.rename(self.packages / name)

    def lay(self, name: str, files: Mapping[str, bytes], **fields: Any) -> None:
        """A package as a folder, with a manifest that lists its files."""
        place = self.packages / name
        for member, data in files.items():
            (place / member).parent.mkdir(parents=True, exist_ok=True)
            (place / member).write_bytes(data)
        listed = [{"name": member, "size": len(data)} for member, data in files.items()]
        manifest = make_manifest(**{"members": listed, **fields})
        (place / "manifest.json").write_text(json.dumps(manifest))

    def drop_document(self, name: str, content: bytes = b"text\n", **fields: str) -> None:
        """A statement that names its template."""
        known = {
            "customer_id": "C-1",
            "document_type": "statement",
            "issue_date": "2025-06-30",
            "template": "statement-letter",
            "template_version": "2",
            **fields,
        }
        (self.hot / name).write_bytes(content)
        (self.hot / f"{name}.json").write_text(json.dumps(known))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """``hotfolder`` with the configuration."""
        return forked.run(
            [sys.executable, "-m", "hotfolder", *arguments, "--config", str(self.config)]
        )

    def work(self) -> None:
        """The daemon in a process of its own, until nothing is left to do."""
        done = self.run("run", "--until-idle")
        assert done.returncode == 0, done.stderr

    def pass_once(self) -> None:
        """What the daemon does with all that lies there, in this process and one thread."""
        works = assemble(load(str(self.config)), _silent)
        try:
            for name, path in (("packages", self.packages), ("hot", self.hot)):
                profile = FolderProfile(name=name, path=str(path), business_unit="RETAIL")
                make_folders(os.fsencode(path))
                works.intake.claim([drop for drop in drops_in(profile) if is_spool(drop)])
            works.finisher.recover()
            while works.intake.advance():
                pass
            deliver_all(works)
            works.finisher.finish()
            while works.templates.step() == 0.0 or works.tell.step():
                pass
        finally:
            works.close()

    def ask(self, *arguments: str, code: int = 0) -> Any:
        """The answer to a command with ``--json``."""
        given = [*arguments, "--json", "--config", str(self.config)]
        done = CliRunner().invoke(group, given, standalone_mode=False)
        if isinstance(done.exception, HotfolderError):
            assert done.exception.exit_code == code, done.exception
            return None
        assert done.return_value == code, (done.output, done.exc_info)
        return json.loads(done.stdout)

    def links(self) -> Sequence[AuditRow]:
        """The audit chain."""
        journal = SqliteJournal(os.fsencode(self.root / "journal.db"))
        try:
            return journal.audit()
        finally:
            journal.close()

    def receipt(self, name: str) -> Any:
        """The receipt of a package."""
        return json.loads((self.packages / "_receipts" / f"{name}.receipt.json").read_text())

    def note(self, name: str) -> str:
        """The error note of a package that was rejected, without its line breaks."""
        (found,) = self.packages.glob(f"_failed/*/{name}.ERROR.txt")
        return " ".join(found.read_text().split())

    def documents(self) -> Sequence[dict[str, Any]]:
        """What the server has."""
        return server_documents(self.url)

    def units(self) -> Sequence[dict[str, Any]]:
        """Its archival objects that list documents."""
        return server_units(self.url)

    def events(self, kind: str) -> Sequence[dict[str, Any]]:
        """Its events of one type."""
        return [event for event in server_events(self.url) if event["event_type"] == kind]
