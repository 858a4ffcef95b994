"""What ``hotfolder keys`` does."""

from __future__ import annotations

from typing import Any

import click

from hotfolder.core.errors import EX_CONFIG, EX_IOERR, EX_OK, Corrupt, OperatorFault
from hotfolder.service.masterkey import make_master
from hotfolder.service.parts import open_store, roots_of
from hotfolder.service.settings import load
from hotfolder.service.terminal import Progress, print_json, print_table
from hotfolder.store.keystore import KeyStore


def make(path: str, *, as_json: bool) -> int:
    """A new master key."""
    name = make_master(path).id.hex()
    if as_json:
        print_json({"written": path, "key": name})
    else:
        click.echo(f"{path} written, for the service's user alone")
        click.echo(f"  key {name}")
        click.echo("Keep a copy elsewhere now: without it what it encrypts is lost for good.")
    return EX_OK


def list_keys(config_path: str, *, as_json: bool) -> int:
    """Who wraps what; 78 if a master key is missing."""
    found: list[dict[str, Any]] = []
    for number, keys in enumerate(_key_stores(config_path), 1):
        counts = keys.count()
        current = keys.keyring.current.id.hex() if keys.is_usable else ""
        found += [
            {
                "root": number,
                "key": name,
                "spools": counts.get(name, 0),
                "current": name == current,
                "here": keys.is_usable and bytes.fromhex(name) in keys.keyring,
            }
            for name in sorted({current, *counts} - {""})
        ]
    if as_json:
        print_json(found)
    elif not found:
        click.echo("Nothing is encrypted here, and there is no master key.")
    else:
        print_table(
            "",
            ("ROOT", "KEY", "SPOOLS", "STATE"),
            [(item["root"], item["key"], item["spools"], _word(item)) for item in found],
        )
    return EX_OK if all(item["here"] for item in found) else EX_CONFIG


def _word(item: dict[str, Any]) -> str:
    if item["current"]:
        return "current"
    return "old" if item["here"] else "MISSING"


def rotate(config_path: str, *, as_json: bool) -> int:
    """Wrap everything anew; 74 if some of it cannot be."""
    wrapped = before = 0
    current = ""
    damaged: list[dict[str, object]] = []
    with Progress("spools looked at", as_json=as_json) as progress:
        for number, keys in enumerate(_key_stores(config_path), 1):
            if not keys.is_usable:
                raise _no_master_key()
            keys.introduce()
            current = keys.keyring.current.id.hex()
            whole = True
            for spool_id in keys.spools():
                try:
                    if keys.rewrap(spool_id):
                        wrapped += 1
                    else:
                        before += 1
                except Corrupt as error:
                    whole = False
                    damaged.append({"root": number, "spool": spool_id, "code": error.code})
                progress.reached(wrapped + before)
            if whole:
                keys.forget_others()
    if as_json:
        print_json({"wrapped": wrapped, "before": before, "damaged": damaged})
    else:
        click.echo(f"{wrapped:,} wrapped anew, {before:,} were already")
        for item in damaged:
            click.echo(f"root {item['root']}: the keys of spool {item['spool']} are damaged")
        if not damaged:
            # By name: who has had no other key must not take this for the one to destroy.
            click.echo(f"All is wrapped by the key {current}: keep it. One before it is of no more")
            click.echo("use here: destroy that, wherever it is kept.")
    return EX_IOERR if damaged else EX_OK


def _key_stores(config_path: str) -> list[KeyStore]:
    configuration = load(config_path)
    store = open_store(configuration, lambda _event, /, **_fields: None, must_have_keys=True)
    return [root.keys for root in roots_of(store)]


def _no_master_key() -> OperatorFault:
    return OperatorFault(
        "there is no master key, so no keys can be wrapped by it",
        hint="make one with `hotfolder keys make`, and set store.master_key; docs/encryption.md",
        code="keys.none",
    )
