"""``hotfolder audit``: the audit chain, looked at, proved, signed and verified."""

from __future__ import annotations

from typing import Any

import click

from hotfolder.service.options import CONFIG, JSON, Command


@click.group
def audit() -> None:
    """The audit chain: who did what, in an order that nobody can change unseen.

    docs/audit.md says what it proves and how others verify it without hotfolder.
    """


@audit.command(cls=Command, epilog="hotfolder audit verify --key 3f5c…")
@CONFIG
@JSON
@click.option("--key", "keys", multiple=True, help="Only this key may have signed (repeatable).")
@click.option("--heads", multiple=True, help="Compare with the heads in this directory, too.")
def verify(config_path: str, as_json: bool, **options: Any) -> int:
    """Recompute the whole chain and verify every signed head, here and in [audit] heads.

    Exit code 74 if anything is not as it was written; the first broken link is named.
    """
    from hotfolder.service import auditing  # noqa: PLC0415  see cli.py

    return auditing.verify(config_path, as_json=as_json, **options)


@audit.command(cls=Command, epilog="hotfolder audit sign")
@CONFIG
@JSON
def sign(config_path: str, as_json: bool) -> int:
    """Sign the chain as it stands, now. The daemon does it once a day by itself."""
    from hotfolder.service import auditing  # noqa: PLC0415  see cli.py

    return auditing.sign(config_path, as_json=as_json)


@audit.command("list", cls=Command, epilog="hotfolder audit list 0193f2a4b6c1")
@CONFIG
@JSON
@click.argument("subject", required=False)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--after", default=0, help="Go on after the link with this number.")
def list_links(config_path: str, as_json: bool, subject: str | None, **options: Any) -> int:
    """Links of the chain, oldest first; of one spool, document, unit or request."""
    from hotfolder.service import auditing  # noqa: PLC0415  see cli.py

    return auditing.list_links(config_path, subject, as_json=as_json, **options)


@audit.command(cls=Command, epilog="hotfolder audit proof 1204 > proof.json")
@CONFIG
@JSON
@click.argument("number", type=click.IntRange(1))
def proof(config_path: str, as_json: bool, number: int) -> int:  # noqa: ARG001  it is always JSON
    """One link with the proof that a signed head has it, as JSON for somebody else."""
    from hotfolder.service import auditing  # noqa: PLC0415  see cli.py

    return auditing.prove(config_path, number)


@audit.command("make-key", cls=Command, epilog="hotfolder audit make-key audit-signing-key")
@JSON
@click.argument("path")
def make_key(as_json: bool, path: str) -> int:
    """Make the key that signs, and write it to PATH (mode 0600, never overwritten).

    Keep what it prints elsewhere: by that others know the key.
    """
    from hotfolder.service import auditing  # noqa: PLC0415  see cli.py

    return auditing.make_key(path, as_json=as_json)
