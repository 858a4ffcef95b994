"""``hotfolder setup``: what ArchivesSpace needs before hotfolder can deliver."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import click

from hotfolder import __version__
from hotfolder.archivesspace.preparing import KEEPS_ITS_OWN, THERE, Preparing, Step
from hotfolder.core.errors import EX_OK, EX_TEMPFAIL, OperatorFault
from hotfolder.files.content import write_new
from hotfolder.files.durability import sync_directories, sync_files
from hotfolder.files.faults import os_errors
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.actor import actor
from hotfolder.service.parts import SystemClock
from hotfolder.service.settings import Configuration, load
from hotfolder.service.settings_account import UnreadableError, parse_password, read_secret
from hotfolder.service.terminal import print_json, print_table

_BYTES = 24  # of chance in a password
_SECRET = 0o600


def set_up(
    config_path: str,
    *,
    as_json: bool,
    plan_only: bool,
    yes: bool,
    administrator: str,
    administrator_password_file: str | None,
    password_file: str | None,
) -> int:
    """Show the plan, ask, and make what is missing. 75 if something was declined."""
    configuration = load(config_path, only_looking=True)
    if not configuration.archive.username:
        configuration = replace(
            configuration, archive=replace(configuration.archive, username="hotfolder")
        )
    secret = _administrator_password(administrator, administrator_password_file)
    file = _PasswordFile(password_file)
    preparing = Preparing(
        configuration.archive,
        configuration.rules,
        administrator=replace(configuration.archive, username=administrator),
        password=secret,
        account_password=file.password,
        requests=configuration.asked.enabled,
        clock=SystemClock(),
        emit=_ignore,
        version=__version__,
    )
    try:
        steps = preparing.plan([folder.business_unit for folder in configuration.folders])
        if plan_only:
            _show(steps, {}, as_json=as_json)
            return EX_OK
        if not as_json:
            _show(steps, {}, as_json=False)
        file.check_place()
        said: dict[str, str] = {}
        try:
            _carry_out(steps, said, lambda text: yes or click.confirm(text, err=True))
        finally:
            _record(configuration, said)
    finally:
        preparing.close()
    if KEEPS_ITS_OWN in said.values():
        file.take_back()
    _show(steps, said, as_json=as_json)
    return EX_TEMPFAIL if "declined" in said.values() else EX_OK


def _carry_out(steps: Sequence[Step], said: dict[str, str], agreed: Callable[[str], bool]) -> None:
    """Make what is missing: list values each after an answer of its own, the rest after one.
    What came of each step is put into ``said``, as far as it got."""
    rest = [step for step in steps if step.there is not True and step.kind != "value"]
    together = not rest or agreed(f"Make {len(rest)} of these?")
    for step in steps:
        name = f"{step.kind} {step.subject}"
        if step.there is True:
            said[name] = THERE
        elif step.kind == "value":
            asked = agreed(f"Add to ArchivesSpace's list {step.subject}?")
            said[name] = step.make() if asked else "declined"
        else:
            said[name] = step.make() if together else "declined"


def _show(steps: Sequence[Step], said: dict[str, str], *, as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {
            "kind": step.kind,
            "subject": step.subject,
            "what": step.what,
            "there": step.there,
            "done": said.get(f"{step.kind} {step.subject}"),
        }
        for step in steps
    ]
    if as_json:
        print_json({"steps": rows})
        return
    there = {True: "there", False: "to be made", None: "made unless it is there"}
    print_table(
        "Done" if said else "Plan",
        ("kind", "subject", "what", ""),
        [
            (row["kind"], row["subject"], row["what"], row["done"] or there[row["there"]])
            for row in rows
        ],
    )


def _record(configuration: Configuration, said: dict[str, str]) -> None:
    """What was made, on the audit chain of the journal."""
    nothing = (THERE, KEEPS_ITS_OWN, "declined")
    details = {name: words for name, words in said.items() if words not in nothing}
    if not details:
        return
    journal = SqliteJournal(os.fsencode(configuration.journal_path))
    try:
        journal.append_audit(actor(), "setup.made", "archivesspace", details, time.time())
    finally:
        journal.close()


# -- passwords --------------------------------------------------------------------------
def _administrator_password(administrator: str, path: str | None) -> str:
    """Of the administrator: from a file, a credential, or the terminal; kept nowhere."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY", "")
    credential = os.path.join(directory, "archivesspace-admin-password")
    if path is None and directory and os.path.exists(credential):
        path = credential
    if path is None:
        return str(click.prompt(f"Password of {administrator}", hide_input=True, err=True))
    return _read(os.path.abspath(path))


class _PasswordFile:
    """Where the service account's password goes, durable before the account has it; one that
    an interrupted run has left there is taken."""

    def __init__(self, path: str | None) -> None:
        self._path = None if path is None else os.path.abspath(path)
        self._made = False

    def check_place(self) -> None:
        """Raise ``OperatorFault`` if nobody said where."""
        if self._path is None:
            raise OperatorFault(
                "nobody said where the account's password is to be written",
                hint="--password-file PATH, a file that only root and the service may read",
                code="setup.password",
            )

    def password(self) -> str:
        """The password in the file; a new one if there is no file."""
        assert self._path is not None
        if os.path.lexists(self._path):
            return _read(self._path)
        password = secrets.token_urlsafe(_BYTES)
        name = os.fsencode(self._path)
        with os_errors("writing the account's password"):
            write_new(name, f"{password}\n".encode(), _SECRET)
            sync_files([name])
            sync_directories([os.path.dirname(name)])
        self._made = True
        return password

    def take_back(self) -> None:
        """The account has another password: a file of this run is of no use."""
        if self._made and self._path is not None:
            os.unlink(self._path)


def _read(path: str) -> str:
    try:
        return parse_password(read_secret(path))
    except UnreadableError as error:
        raise OperatorFault(
            f"the password file {path} {error}",
            hint="it has the password and nothing else",
            code="setup.password",
        ) from error


def _ignore(_event: str, /, **_fields: object) -> None:
    """The command tells what it did in words of its own."""
