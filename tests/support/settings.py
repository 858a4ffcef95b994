"""A configuration that has no fault, to be made faulty in one place."""

from __future__ import annotations

from pathlib import Path

from hotfolder.core.errors import Fault, OperatorFault
from hotfolder.service.settings import Configuration, load

_SOUND = """\
[archivesspace]
url = "http://localhost:8089"
username = "hotfolder"
password_file = "{root}/password"

[journal]
path = "{root}/journal.db"

[store]
path = "{root}/store"

[vocabularies]
channel = ["print", "email"]

[retention.FIN-7Y]
title = "Financial communications"
period = "P7Y"

[units.RETAIL]
name = "Retail"
repository = "RETAIL"

[series.STMT]
title = "Statements"
document_types = ["statement", "bill"]
retention_class = "FIN-7Y"

[folders.statements]
path = "{root}/in"
business_unit = "RETAIL"
"""


def sound_text(root: Path) -> str:
    """The text of a configuration under ``root``; makes the folder and the password."""
    (root / "in").mkdir(exist_ok=True)
    password = root / "password"
    password.write_text("correct horse\n")
    password.chmod(0o600)
    return _SOUND.format(root=root)


def load_text(root: Path, text: str, environ: dict[str, str] | None = None) -> Configuration:
    """Load ``text`` as the configuration, with no environment but ``environ``."""
    path = root / "hotfolder.toml"
    path.write_text(text)
    return load(str(path), environ or {})


def faults_in(root: Path, text: str, environ: dict[str, str] | None = None) -> tuple[Fault, ...]:
    """The faults of ``text``; none if it loads."""
    try:
        load_text(root, text, environ)
    except OperatorFault as error:
        return error.faults
    return ()
