"""[feedback] and [feed]: what contradicts what, secrets, plain records."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from hotfolder.core.facts import EventTypes, FactKind, FeedbackProfile, FeedProfile
from hotfolder.core.feedlines import REFERENCES
from hotfolder.core.profiles import ReturnKind, ReturnProfile
from hotfolder.service.settings_account import UnreadableError, parse_password, read_secret
from hotfolder.service.settings_model import FeedbackSection, FeedSection, SettingsFile
from hotfolder.service.settings_sources import Finding, nearest

_TYPE = re.compile(r"[a-z0-9_]{1,255}\Z")
_EVENTS = ("hold_events", "release_events", "decision_events")
_CALLBACK = ("feed", "callback")
# Key of the section that names a file, and the credential that comes before it.
_SECRETS = {"secret_file": "feed-callback", "signing_key_file": "feed-signing-key"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSecrets:
    """What the callback is told with."""

    secret: str = ""
    signing_key: str = ""


def check_feed(settings: SettingsFile) -> Iterator[Finding]:
    """Every contradiction; no file is touched."""
    yield from _check_events(settings.feedback)
    feed = settings.feed
    for key, given, known in (
        ("fields", feed.fields, sorted(REFERENCES)),
        ("kinds", feed.kinds, [kind.value for kind in FactKind]),
    ):
        for name in given:
            if name not in known:
                yield Finding(
                    ("feed", key), f"feed.{key}", f"there is no {name!r}", nearest(name, known)
                )
        if len(set(given)) != len(given):
            yield Finding(("feed", key), f"feed.{key}", "one comes twice", "remove it")
    yield from _check_callback(feed)


def _check_events(feedback: FeedbackSection) -> Iterator[Finding]:
    taken: dict[str, str] = {}
    for key in _EVENTS:
        for name in getattr(feedback, key):
            if not _TYPE.match(name):
                yield Finding(
                    ("feedback", key),
                    "feedback.events",
                    f"{name!r} is no type of events",
                    "write it as the list event_event_type has it",
                )
            elif name in ("request", "ingestion"):
                yield Finding(
                    ("feedback", key),
                    "feedback.events",
                    f"{name!r} has another meaning to hotfolder",
                    "take another type",
                )
            elif taken.setdefault(name, key) != key:
                yield Finding(
                    ("feedback", key),
                    "feedback.events",
                    f"{name!r} is in {taken[name]} too",
                    "let it mean one thing",
                )


def _check_callback(feed: FeedSection) -> Iterator[Finding]:
    item = feed.callback
    if not item.url:
        plain = type(item)()
        for key in sorted(item.model_fields_set):
            if getattr(item, key) != getattr(plain, key):
                yield Finding((*_CALLBACK, key), "feed.callback", "there is no url", "add url = …")
        return
    yield from _check_url(item.url)
    if not feed.path:
        yield Finding(
            ("feed", "path"),
            "feed.path",
            "a callback tells what is in the files, and there are none",
            "add path = …",
        )
    for name in ("connect_timeout", "read_timeout"):
        if getattr(item, name) > item.total_timeout:
            yield Finding(
                (*_CALLBACK, name),
                "feed.timeout",
                "it is longer than total_timeout",
                "make total_timeout the longest",
            )
    if item.ca_file and not item.verify_tls:
        yield Finding(
            (*_CALLBACK, "ca_file"),
            "feed.tls",
            "verify_tls = false makes it useless",
            "remove one of the two",
        )


def _check_url(url: str) -> Iterator[Finding]:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        yield Finding(
            (*_CALLBACK, "url"),
            "feed.url",
            "this is no address of a server",
            "write it like https://exstream.example/facts",
        )
    elif parts.username is not None or parts.password is not None or parts.fragment:
        yield Finding(
            (*_CALLBACK, "url"),
            "feed.url",
            "there is a login or a fragment in it",
            "use username and secret_file",
        )


def advise_feed(settings: SettingsFile) -> Iterator[Finding]:
    """What can be lived with, but should be known."""
    item = settings.feed.callback
    parts = urlsplit(item.url)
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        yield Finding(
            (*_CALLBACK, "url"),
            "configuration.clear",
            "facts about documents go over the network unencrypted",
            "use https, or a tunnel",
        )
    if parts.scheme == "https" and not item.verify_tls:
        yield Finding(
            (*_CALLBACK, "verify_tls"),
            "configuration.unverified",
            "any server may pass itself off as the receiver",
            "name the authority as ca_file and set verify_tls = true",
        )


def find_feed_secrets(
    settings: SettingsFile, environ: Mapping[str, str]
) -> tuple[FeedSecrets, list[Finding]]:
    """The secrets of the callback, from the credentials or the files, and what is wrong
    with where they are kept."""
    if not settings.feed.callback.url:
        return FeedSecrets(), []
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    found: dict[str, str] = {}
    findings: list[Finding] = []
    for key, name in _SECRETS.items():
        credential = os.path.join(directory, name)
        given = directory and os.path.exists(credential)
        path: str = credential if given else getattr(settings.feed.callback, key)
        if not path:
            continue
        try:
            found[key] = parse_password(read_secret(path))
        except UnreadableError as error:
            findings.append(
                Finding(
                    (*_CALLBACK, key),
                    "configuration.secret",
                    f"the file {path} {error}",
                    "write the secret and nothing else into it; let the service's user read it",
                )
            )
    if settings.feed.callback.username and "secret_file" not in found and not findings:
        findings.append(
            Finding(
                (*_CALLBACK, "secret_file"),
                "configuration.account",
                "there is a username without a password",
                "name a file as secret_file, or load the credential feed-callback",
            )
        )
    return FeedSecrets(
        secret=found.get("secret_file", ""), signing_key=found.get("signing_key_file", "")
    ), findings


def feedback_profile(item: FeedbackSection) -> FeedbackProfile:
    """How ArchivesSpace is looked at, as a plain record."""
    return FeedbackProfile(
        enabled=item.enabled,
        poll=item.poll,
        overlap=item.overlap,
        sweep=item.sweep,
        types=EventTypes(
            placed=frozenset(item.hold_events),
            released=frozenset(item.release_events),
            decisions=frozenset(item.decision_events),
        ),
    )


def feed_profile(item: FeedSection, secrets: FeedSecrets) -> FeedProfile:
    """The feed as a plain record."""
    call = item.callback
    return FeedProfile(
        path=item.path,
        formats=("csv", "jsonl") if item.formats == "both" else (item.formats,),
        fields=tuple(item.fields),
        kinds=frozenset(item.kinds),
        every=item.every,
        limit=item.limit,
        callback=ReturnProfile(
            name="feed.callback",
            kind=ReturnKind.HTTP,
            url=call.url,
            username=call.username,
            secret=secrets.secret,
            connect_timeout=call.connect_timeout,
            read_timeout=call.read_timeout,
            total_timeout=call.total_timeout,
            verify_tls=call.verify_tls,
            ca_file=call.ca_file,
        )
        if call.url
        else None,
        signing_key=secrets.signing_key,
    )
