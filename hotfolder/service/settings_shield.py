"""[archivesspace.fields]: what ArchivesSpace is not to have, and the key of pseudonyms."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from hotfolder.core.shielding import IDENTIFIERS, WITHHELD, Shield
from hotfolder.service.settings_account import UnreadableError, is_open_to_all, read_secret
from hotfolder.service.settings_model import FieldsSection, SettingsFile
from hotfolder.service.settings_sources import Finding, nearest

CREDENTIAL = "pseudonym-key"
SHORTEST = 32  # characters of a key
_AT = ("archivesspace", "fields")


def find_shield(settings: SettingsFile, environ: Mapping[str, str]) -> tuple[Shield, list[Finding]]:
    """What is kept back, and everything that is wrong with it or with the key."""
    fields = settings.archivesspace.fields
    findings = list(_check(fields))
    keys: tuple[str, ...] = ()
    if fields.pseudonyms:
        path = _place_of_key(fields, environ)
        try:
            keys = _read_keys(path) if path else ()
        except UnreadableError as error:
            findings.append(
                Finding(
                    (*_AT, "key_file"),
                    "configuration.secret",
                    f"the file of keys {path} {error}",
                    "`openssl rand -hex 32` makes a key; one in a line, the newest first",
                )
            )
        if not path:
            findings.append(
                Finding(
                    (*_AT, "key_file"),
                    "fields.key",
                    "pseudonyms need a key",
                    f"name its file as key_file, or load the credential {CREDENTIAL}",
                )
            )
    return (
        Shield(withhold=tuple(fields.withhold), pseudonyms=tuple(fields.pseudonyms), keys=keys),
        findings,
    )


def advise_shield(settings: SettingsFile) -> Iterator[Finding]:
    """A key that others may read."""
    path = settings.archivesspace.fields.key_file
    if path and is_open_to_all(path):
        yield Finding(
            (*_AT, "key_file"),
            "configuration.open",
            f"everybody on this machine may read the keys in {path}",
            f"chmod o= {path}",
        )


def _check(fields: FieldsSection) -> Iterator[Finding]:
    for key, names, known in (
        ("withhold", fields.withhold, WITHHELD),
        ("pseudonyms", fields.pseudonyms, IDENTIFIERS),
    ):
        for name in names:
            if name not in known:
                yield Finding(
                    (*_AT, key),
                    "fields.unknown",
                    f"{name!r} cannot be kept back"
                    if key == "withhold"
                    else f"{name!r} cannot have a pseudonym",
                    nearest(name, known),
                )
    for name in sorted(set(fields.withhold) & set(fields.pseudonyms)):
        yield Finding(
            (*_AT, "pseudonyms"),
            "fields.twice",
            f"{name!r} is withheld too",
            "leave it in one of the two lists",
        )


def _place_of_key(fields: FieldsSection, environ: Mapping[str, str]) -> str:
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    credential = os.path.join(directory, CREDENTIAL)
    return credential if directory and os.path.exists(credential) else fields.key_file


def _read_keys(path: str) -> tuple[str, ...]:
    keys = tuple(line.strip() for line in read_secret(path).splitlines() if line.strip())
    if not keys:
        raise UnreadableError("is empty")
    if any(len(key) < SHORTEST for key in keys):
        raise UnreadableError(f"has a key of fewer than {SHORTEST} characters")
    return keys
