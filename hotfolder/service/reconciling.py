"""``hotfolder migrate reconcile`` and ``verify``: every item of an old archive is accounted
for, in a statement that is signed."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from hotfolder.core.canonical import dump
from hotfolder.core.errors import (
    EX_DATAERR,
    EX_IOERR,
    EX_NOINPUT,
    EX_OK,
    EX_TEMPFAIL,
    HotfolderError,
)
from hotfolder.core.receipts import instant
from hotfolder.core.reconciliation import reconciliation_data, reconciliation_report
from hotfolder.core.reportpage import report_html
from hotfolder.files.content import new_file, write_all
from hotfolder.flows.reconciling import Reconciling
from hotfolder.journal.surveys import remove_survey
from hotfolder.service.actor import actor
from hotfolder.service.migrationlock import survey_path
from hotfolder.service.migrationsurvey import surveying
from hotfolder.service.parts import SystemClock
from hotfolder.service.reporting import check_places, give_report
from hotfolder.service.settings import Configuration
from hotfolder.service.signals import stop_on_signals
from hotfolder.service.terminal import Progress, print_json

PURPOSE = b"hotfolder-reconciliation/1"


def reconcile(
    config_path: str,
    name: str,
    *,
    as_json: bool,
    report: str | None,
    html: str | None,
    item_list: str | None,
) -> int:
    """Prove it; 74 if something differs, 75 if it was stopped."""
    check_places(new=[item_list], replaced=[report, html])
    with (
        stop_on_signals() as stopping,
        surveying(config_path, name, "reconcile") as (
            configuration,
            journal,
            profile,
            survey,
            source,
        ),
    ):
        with Progress("items read again", as_json=as_json, total=_total(journal, name),
                      time_left=True) as bar:  # fmt: skip
            reconciling = Reconciling(
                profile=profile,
                source=source,
                survey=survey,
                journal=journal,
                clock=SystemClock(),
                stopped=stopping.is_set,
                progress=bar.reached,
            )
            if not reconciling.read_source():
                click.echo("stopped; give it again, and it goes on from here", err=True)
                return EX_TEMPFAIL
        with _list_file(item_list) as write:
            compared = reconciling.compare(write)
        survey.finish()
        at = str(instant(time.time()))
        data = reconciliation_data(profile, compared.done, at, compared.list_sha256)
        signed, words = _signed(configuration, data)
        journal.append_audit(
            actor(),
            "migration.reconciled",
            name,
            {
                "proven": data["proven"],
                "items": data["source"]["items"],
                "sha256": data["source"]["sha256"],
                "statement": hashlib.sha256(dump(data).encode()).hexdigest(),
            },
            time.time(),
        )
    remove_survey(survey_path(configuration, name, "reconcile"))
    page = reconciliation_report(data, words)
    texts: list[tuple[bytes, bytes]] = []
    if report is not None:
        texts.append((_absolute(report), (json.dumps(signed, indent=2) + "\n").encode()))
    if html is not None:
        texts.append((_absolute(html), b"".join(report_html(page))))
    for text in texts:
        write_all([text])
    if as_json:
        print_json(signed)
    else:
        give_report(page, as_json=False, html=None, csv_folder=None)
        for note in page.notes[:1] + page.notes[2:]:
            click.echo(note)
    return EX_OK if data["proven"] else EX_IOERR


def _absolute(path: str) -> bytes:
    return os.fsencode(os.path.abspath(path))


def _total(journal: Any, name: str) -> int | None:
    return journal.migration_counts(name).total or None


@contextmanager
def _list_file(path: str | None) -> Iterator[Callable[[bytes], object]]:
    if path is None:
        yield lambda _line: None
        return
    with new_file(_absolute(path)) as stream:
        yield stream.write


def _signed(configuration: Configuration, data: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The statement with its signature, and what is said of that."""
    if not configuration.audit.signing_key:
        return {"statement": data, "signature": None}, "Not signed: there is no signing key."
    from hotfolder.service import signingkey  # noqa: PLC0415  cryptography is slow to load

    try:
        key = signingkey.read_key(configuration.audit.signing_key)
    except HotfolderError as error:
        return {"statement": data, "signature": None}, f"Not signed: {error.message}."
    signature = key.sign_statement(PURPOSE, dump(data).encode())
    name = hashlib.sha256(key.public_key).hexdigest()
    return {
        "statement": data,
        "signature": {
            "algorithm": "Ed25519",
            "purpose": PURPOSE.decode(),
            "key": name,
            "public_key": base64.b64encode(key.public_key).decode(),
            "signature": base64.b64encode(signature).decode(),
        },
    }, f"Signed with the key {name[:16]}."


def verify_report(path: str, *, key: str | None, as_json: bool) -> int:
    """Whether a reconciliation is as it was signed; 65 if it is not."""
    from hotfolder.service import signingkey  # noqa: PLC0415  cryptography is slow to load

    try:
        found = json.loads(Path(path).read_bytes())
        statement, signature = found["statement"], found["signature"]
        public_key = base64.b64decode(signature["public_key"])
        name = hashlib.sha256(public_key).hexdigest()
        good = signingkey.verify_statement(
            public_key,
            base64.b64decode(signature["signature"]),
            PURPOSE,
            dump(statement).encode(),
        )
        proven = bool(statement["proven"])
    except FileNotFoundError:
        click.echo(f"there is no file {path}", err=True)
        return EX_NOINPUT
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        click.echo("this is no reconciliation with a signature", err=True)
        return EX_DATAERR
    expected = key is None or name.startswith(key)
    if as_json:
        print_json({"signature": good, "key": name, "expected_key": expected, "proven": proven})
    else:
        click.echo(f"signature {'good' if good else 'BAD'}, key {name}")
        if not expected:
            click.echo("it is NOT the key that was named")
        click.echo("it says that all is proven" if proven else "it says that something differs")
    return EX_OK if good and expected else EX_DATAERR
