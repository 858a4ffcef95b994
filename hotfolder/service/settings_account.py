"""The account on ArchivesSpace: address, user and password, from where they are kept.

The password comes from the credential of systemd (``LoadCredential``), else from
``password_file``, else from the configuration, else from ArchivesSnake's own file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from hotfolder.service.settings_model import ArchiveSection
from hotfolder.service.settings_sources import Finding

CREDENTIAL = "archivesspace-password"
_LONGEST = 65_536  # bytes of a file with a password in it


class UnreadableError(Exception):
    """A file of secrets that cannot be used; the text says why and never what is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How to log in; empty where it is not known."""

    url: str
    username: str
    password: str = field(repr=False)


def find_account(
    archive: ArchiveSection, environ: Mapping[str, str]
) -> tuple[Account, list[Finding]]:
    """The account, and everything that is wrong with where it is kept."""
    findings: list[Finding] = []
    snake = _read_snake(archive.archivessnake, environ, findings)
    named = _named(archive, snake)
    if not findings:  # else the file that should have said it is complained of already
        findings += [
            Finding(
                ("archivesspace", name),
                "configuration.account",
                f"ArchivesSpace's {name} is not known",
                f"add {name} = …",
            )
            for name, value in (("url", named.url), ("username", named.username))
            if not value
        ]
    password = _find_password(archive, environ, snake, findings)
    return replace(named, password=password), findings


def name_account(archive: ArchiveSection, environ: Mapping[str, str]) -> Account:
    """Address and user name, without the password and without a fault: for who need not be
    able to read the service's secrets."""
    return _named(archive, _read_snake(archive.archivessnake, environ, []))


def _named(archive: ArchiveSection, snake: Mapping[str, str]) -> Account:
    url = archive.url or snake.get("baseurl", "")
    username = archive.username or snake.get("username", "")
    return Account(url=url.rstrip("/"), username=username, password="")


def _find_password(
    archive: ArchiveSection,
    environ: Mapping[str, str],
    snake: Mapping[str, str],
    findings: list[Finding],
) -> str:
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    credential = os.path.join(directory, CREDENTIAL)
    if directory and os.path.exists(credential):
        return _read_password(credential, findings)
    if archive.password_file:
        return _read_password(archive.password_file, findings)
    password = snake.get("password", "")
    if archive.password is not None:
        password = archive.password.get_secret_value()
    if not password and not any(item.place[-1] == "archivessnake" for item in findings):
        findings.append(
            Finding(
                ("archivesspace", "password_file"),
                "configuration.account",
                "ArchivesSpace's password is not known",
                f"name a file as password_file, or load the credential {CREDENTIAL}",
            )
        )
    return password


def advise(archive: ArchiveSection, account: Account, config_path: str) -> Iterator[Finding]:
    """What can be lived with, but should be known: secrets that others may see."""
    secrets = {
        ("archivesspace", "password_file"): archive.password_file,
        ("archivesspace", "password"): config_path if archive.password is not None else "",
    }
    for place, path in secrets.items():
        if path and is_open_to_all(path):
            yield Finding(
                place,
                "configuration.open",
                f"everybody on this machine may read the password in {path}",
                f"chmod o= {path}",
            )
    parts = urlsplit(account.url)
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        yield Finding(
            ("archivesspace", "url"),
            "configuration.clear",
            "password and records go over the network unencrypted",
            "use https, or a tunnel",
        )
    if parts.scheme == "https" and not archive.verify_tls:
        yield Finding(
            ("archivesspace", "verify_tls"),
            "configuration.unverified",
            "any server may pass itself off as ArchivesSpace",
            "name the authority as ca_file and set verify_tls = true",
        )


def is_open_to_all(path: str) -> bool:
    """Whether any account of this machine may read ``path``."""
    try:
        return bool(os.stat(path).st_mode & stat.S_IROTH)
    except OSError:
        return False


def _read_password(path: str, findings: list[Finding]) -> str:
    try:
        return parse_password(read_secret(path))
    except UnreadableError as error:
        findings.append(
            Finding(
                ("archivesspace", "password_file"),
                "configuration.secret",
                f"the password file {path} {error}",
                "write the password and nothing else into it; let the service's user read it",
            )
        )
        return ""


def parse_password(text: str) -> str:
    """The secret that a file holds. Raises ``UnreadableError`` if it cannot be one."""
    password = text.removesuffix("\n").removesuffix("\r")
    if not password:
        raise UnreadableError("is empty")
    if not password.isprintable():
        raise UnreadableError("has more than one line or control characters in it")
    return password


def read_secret(path: str) -> str:
    """The text of a file of secrets. Raises ``UnreadableError``."""
    if not os.path.isabs(path):
        raise UnreadableError("is not named from the root: begin it with /")
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise UnreadableError("is no ordinary file")
        with Path(path).open("rb") as stream:
            data = stream.read(_LONGEST + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no such name"
        raise UnreadableError(f"cannot be read: {why}") from error
    if len(data) > _LONGEST:
        raise UnreadableError("is too long")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError("is not UTF-8") from error


def _read_snake(
    wanted: bool | str, environ: Mapping[str, str], findings: list[Finding]
) -> Mapping[str, str]:
    """ArchivesSnake's own configuration: baseurl, username, password; its other keys
    mean nothing here. The place is ``ASNAKE_CONFIG_FILE`` or ``~/.archivessnake.yml``."""
    if not wanted:
        return {}
    path = wanted if isinstance(wanted, str) else environ.get("ASNAKE_CONFIG_FILE", "")
    path = path or "~/.archivessnake.yml"
    if path.startswith("~/"):
        path = os.path.join(environ.get("HOME", "/"), path[2:])
    try:
        return _parse_snake(read_secret(path))
    except UnreadableError as error:
        findings.append(
            Finding(
                ("archivesspace", "archivessnake"),
                "configuration.archivessnake",
                f"{path} {error}",
                "write baseurl, username and password into it, or remove archivessnake",
            )
        )
        return {}


def _parse_snake(text: str) -> Mapping[str, str]:
    try:
        found: Any = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise UnreadableError("is no YAML") from None  # the parser's text quotes the file
    if not isinstance(found, dict):
        raise UnreadableError("is no list of keys and values")
    values: dict[str, str] = {}
    for name in ("baseurl", "username", "password"):
        value = found.get(name)
        if value is not None and not isinstance(value, str):
            raise UnreadableError(f"has a {name} that is no text: put it in quotes")
        values[name] = value or ""
    return values
