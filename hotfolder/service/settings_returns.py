"""Return profiles and request folders: what contradicts what, secrets, plain records."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from hotfolder.core.profiles import (
    AskedProfile,
    HandedFormat,
    RequestFolder,
    ReturnKind,
    ReturnProfile,
)
from hotfolder.core.returnname import check_pattern
from hotfolder.service.settings_account import UnreadableError, parse_password, read_secret
from hotfolder.service.settings_model import (
    AskedSection,
    RequestsSection,
    ReturnSection,
    SettingsFile,
)
from hotfolder.service.settings_records import completion_profile
from hotfolder.service.settings_sources import Finding, Place, nearest
from hotfolder.sidecars.handed import SUFFIXES

CREDENTIAL = "return-{name}"
_SUFFIXES = ("temporary_suffix", "sidecar_suffix", "trigger_suffix")
_OF_FOLDERS = frozenset({"path", "pattern", "sidecar", *_SUFFIXES})
_OF_HTTP = frozenset(
    {
        "url", "username", "secret_file", "connect_timeout", "read_timeout", "total_timeout",
        "verify_tls", "ca_file", "attempts",
    }
)  # fmt: skip


def check_returns(settings: SettingsFile, names: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    """Every contradiction in return profiles and requests; no file is touched."""
    for name, item in settings.returns.items():
        place = ("return", name)
        foreign, kind = (
            (_OF_HTTP, "folder") if item.kind is ReturnKind.FOLDER else (_OF_FOLDERS, "http")
        )
        for key in sorted(item.model_fields_set & foreign):
            yield Finding(
                (*place, key), "return.kind", f'kind = "{kind}" has no use for it', "remove it"
            )
        yield from (
            _check_folder(place, item)
            if item.kind is ReturnKind.FOLDER
            else _check_http(place, item)
        )
    for name, section in settings.requests.items():
        for unit in section.business_units:
            if unit not in names["units"]:
                yield Finding(
                    ("requests", name, "business_units"),
                    "requests.unit",
                    f"there is no business unit {unit!r}",
                    nearest(unit, sorted(names["units"])),
                )
    yield from _check_asked(settings.archivesspace.requests, names["return"])


def _check_folder(place: Place, item: ReturnSection) -> Iterator[Finding]:
    if not item.path:
        yield Finding((*place, "path"), "return.path", "a folder needs it", "add path = …")
    wrong = check_pattern(item.pattern)
    if wrong is not None:
        yield Finding(
            (*place, "pattern"),
            "return.pattern",
            wrong,
            "write it like {document_type}-{issue_date}-{order}",
        )
    for key in _SUFFIXES:
        suffix: str = getattr(item, key)
        if suffix and not (suffix.isascii() and suffix.isprintable() and len(suffix) <= 20):
            yield Finding(
                (*place, key), "return.suffix", "it is no plain suffix", "write it like .tmp"
            )
        elif "/" in suffix:
            yield Finding((*place, key), "return.suffix", "it is part of a name", "remove the /")
    if not item.temporary_suffix:
        yield Finding(
            (*place, "temporary_suffix"),
            "return.suffix",
            "without it half-written files would have their final names",
            "such as .tmp",
        )
    taken = [item.temporary_suffix, item.trigger_suffix, _sidecar_suffix(item)]
    given = [suffix for suffix in taken if suffix]
    if len(set(given)) != len(given):
        yield Finding(
            place,
            "return.suffix",
            "two of the files that belong together would have one name",
            "give temporary files, sidecar and trigger suffixes of their own",
        )


def _sidecar_suffix(item: ReturnSection) -> str:
    if item.sidecar is HandedFormat.NONE:
        return ""
    return item.sidecar_suffix or SUFFIXES[item.sidecar]


def _check_http(place: Place, item: ReturnSection) -> Iterator[Finding]:
    try:
        parts = urlsplit(item.url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        yield Finding(
            (*place, "url"),
            "return.url",
            "this is no address of a server",
            "write it like https://exstream.example:2718/archive",
        )
    elif parts.username is not None or parts.password is not None or parts.fragment:
        yield Finding(
            (*place, "url"),
            "return.url",
            "there is a login or a fragment in it",
            "use username and secret_file",
        )
    for name in ("connect_timeout", "read_timeout"):
        if getattr(item, name) > item.total_timeout:
            yield Finding(
                (*place, name),
                "return.timeout",
                "it is longer than total_timeout",
                "make total_timeout the longest",
            )
    if item.ca_file and not item.verify_tls:
        yield Finding(
            (*place, "ca_file"),
            "return.tls",
            "verify_tls = false makes it useless",
            "remove one of the two",
        )


def _check_asked(asked: AskedSection, returns: frozenset[str]) -> Iterator[Finding]:
    place = ("archivesspace", "requests")
    if asked.enabled and not asked.to:
        yield Finding(
            (*place, "to"), "requests.to", "it is not said who answers", "name a return profile"
        )
    for key, names in (("to", [asked.to] if asked.to else []), ("allowed", asked.allowed)):
        for name in names:
            if name not in returns:
                yield Finding(
                    (*place, key),
                    "requests.to",
                    f"there is no return profile {name!r}",
                    nearest(name, sorted(returns)) if returns else "add a [return.…] table",
                )


def advise_returns(settings: SettingsFile) -> Iterator[Finding]:
    """What can be lived with, but should be known."""
    for name, item in settings.returns.items():
        parts = urlsplit(item.url)
        if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            yield Finding(
                ("return", name, "url"),
                "configuration.clear",
                "documents and metadata go over the network unencrypted",
                "use https, or a tunnel",
            )
        if parts.scheme == "https" and not item.verify_tls:
            yield Finding(
                ("return", name, "verify_tls"),
                "configuration.unverified",
                "any server may pass itself off as the receiver",
                "name the authority as ca_file and set verify_tls = true",
            )


def find_secrets(
    settings: SettingsFile, environ: Mapping[str, str]
) -> tuple[dict[str, str], list[Finding]]:
    """The secrets of the HTTP profiles, from the credential ``return-NAME`` or the file,
    and what is wrong with where they are kept."""
    secrets: dict[str, str] = {}
    findings: list[Finding] = []
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    for name, item in settings.returns.items():
        if item.kind is not ReturnKind.HTTP:
            continue
        credential = os.path.join(directory, CREDENTIAL.format(name=name))
        path = credential if directory and os.path.exists(credential) else item.secret_file
        if not path:
            if item.username:
                findings.append(
                    Finding(
                        ("return", name, "secret_file"),
                        "configuration.account",
                        "there is a username without a password",
                        f"name a file as secret_file, or load the credential return-{name}",
                    )
                )
            continue
        try:
            secrets[name] = parse_password(read_secret(path))
        except UnreadableError as error:
            findings.append(
                Finding(
                    ("return", name, "secret_file"),
                    "configuration.secret",
                    f"the file {path} {error}",
                    "write the secret and nothing else into it; let the service's user read it",
                )
            )
    return secrets, findings


def return_profile(name: str, item: ReturnSection, secret: str) -> ReturnProfile:
    """A return profile as a plain record."""
    return ReturnProfile(
        name=name,
        kind=item.kind,
        form=item.form,
        path=item.path,
        pattern=item.pattern,
        temporary_suffix=item.temporary_suffix,
        sidecar=item.sidecar,
        sidecar_suffix=item.sidecar_suffix,
        trigger_suffix=item.trigger_suffix,
        url=item.url,
        username=item.username,
        secret=secret,
        connect_timeout=item.connect_timeout,
        read_timeout=item.read_timeout,
        total_timeout=item.total_timeout,
        verify_tls=item.verify_tls,
        ca_file=item.ca_file,
        attempts=item.attempts,
    )


def request_folder(name: str, item: RequestsSection) -> RequestFolder:
    """A request folder as a plain record."""
    return RequestFolder(
        name=name,
        path=item.path,
        business_units=tuple(item.business_units),
        completion=completion_profile(item.completion, network=item.network),
        form=item.form,
        sidecar=item.sidecar,
        limit=item.limit,
        network=item.network,
        poll=item.poll,
        rescan=item.rescan,
        owner=item.owner,
    )


def asked_profile(item: AskedSection) -> AskedProfile:
    """The requests of ArchivesSpace as a plain record."""
    return AskedProfile(
        enabled=item.enabled,
        poll=item.poll,
        overlap=item.overlap,
        to=item.to,
        allowed=tuple(item.allowed),
    )
