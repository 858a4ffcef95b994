"""``hotfolder keys``: the master keys of encrypted spools."""

from __future__ import annotations

import click

from hotfolder.service.options import CONFIG, JSON, Command


@click.group
def keys() -> None:
    """The keys of folders with encrypt_documents.

    docs/encryption.md says what they protect, and how to keep the master key: without it
    nothing that is encrypted can be read again, by nobody.
    """


@keys.command(cls=Command, epilog="hotfolder keys make /etc/hotfolder/store-master-key")
@JSON
@click.argument("path")
def make(as_json: bool, path: str) -> int:
    """Make a master key, and write it to PATH (mode 0600, never overwritten).

    Keep a copy elsewhere before the first spool is encrypted with it.
    """
    from hotfolder.service import keeping  # noqa: PLC0415  see cli.py

    return keeping.make(path, as_json=as_json)


@keys.command("list", cls=Command, epilog="hotfolder keys list")
@CONFIG
@JSON
def list_keys(config_path: str, as_json: bool) -> int:
    """How many spools each master key wraps, in each root of the store.

    No secret is shown: keys have ids. Exit code 78 if one is in use that is not here.
    """
    from hotfolder.service import keeping  # noqa: PLC0415  see cli.py

    return keeping.list_keys(config_path, as_json=as_json)


@keys.command(cls=Command, epilog="hotfolder keys rotate")
@CONFIG
@JSON
def rotate(config_path: str, as_json: bool) -> int:
    """Wrap the keys of all spools anew, by the current master key.

    Objects stay as they are. May be interrupted and run again, beside a daemon that has
    been started with the new key. Exit code 74 if keys of a spool are damaged.
    """
    from hotfolder.service import keeping  # noqa: PLC0415  see cli.py

    return keeping.rotate(config_path, as_json=as_json)
