"""Parts of a running hotfolder, each made from the configuration, for the daemon and for
commands that need that part alone."""

from __future__ import annotations

import os
import random
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from hotfolder import __version__
from hotfolder.core.errors import OperatorFault
from hotfolder.core.facts import FeedProfile
from hotfolder.core.lifecycle import Backoff
from hotfolder.core.ports import Clock, Emit, Journal, Receiver
from hotfolder.core.profiles import (
    AuditProfile,
    DisposalProfile,
    FolderProfile,
    RetrieveProfile,
    ReturnKind,
    ReturnProfile,
)
from hotfolder.core.retention import Schedule
from hotfolder.flows.disposing import Certifier, Disposing, Surroundings
from hotfolder.flows.feeding import Feeding
from hotfolder.flows.holding import Holding
from hotfolder.flows.returning import Returns
from hotfolder.flows.signing import Signer, Signing
from hotfolder.journal.journal import SqliteJournal
from hotfolder.returns.http import HttpReceiver
from hotfolder.service.masterkey import read_keyring
from hotfolder.service.settings import Configuration
from hotfolder.store.copies import CopiesStore
from hotfolder.store.ocfl import OcflStore

RANDOM = random.SystemRandom()  # after an outage no two installations come back at once
NO_TERMS = RetrieveProfile()


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds on a clock that nobody sets."""
        return time.monotonic()


class SpoolIds:
    """Makes spool ids: 12 hexadecimal digits of milliseconds, 4 of a count within the
    millisecond, 16 random. They sort in the order in which they were made, in one
    process even when the clock is set back, and never meet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def __call__(self) -> str:
        """The next id."""
        with self._lock:
            self._last = max(self._last + 1, (time.time_ns() // 1_000_000) << 16)
            return f"{self._last:016x}{secrets.token_hex(8)}"


class LazyCertifier:
    """``flows.disposing.Certifier``; what it needs is loaded when something is certified."""

    def __init__(self, audit: AuditProfile) -> None:
        self._audit = audit

    def sign(self, data: bytes) -> Mapping[str, str] | None:
        """See ``SiteCertifier.sign``."""
        return self._certifier().sign(data)

    def render(self, certificate: bytes) -> bytes:
        """See ``SiteCertifier.render``."""
        return self._certifier().render(certificate)

    def _certifier(self) -> Certifier:
        from hotfolder.service.certifying import SiteCertifier  # noqa: PLC0415  reportlab is slow to load

        return SiteCertifier(self._audit)


def open_store(
    configuration: Configuration,
    emit: Emit,
    *,
    clock: Clock | None = None,
    must_have_keys: bool = False,
) -> OcflStore | CopiesStore:
    """The store with its copies, if there are any. Nothing of it is made or looked at yet.

    Master keys that cannot be read are missed where something is encrypted; with
    ``must_have_keys`` that is an ``OperatorFault`` at once.
    """
    ticking = clock or SystemClock()
    try:
        keyring = read_keyring(configuration.keys)
    except OperatorFault:
        if must_have_keys:
            raise
        keyring = None  # who only looks need not be allowed to read them
    roots = [
        OcflStore(os.fsencode(path), clock=ticking, keyring=keyring)
        for path in (configuration.store_path, *configuration.store_copies)
    ]
    return roots[0] if len(roots) == 1 else CopiesStore(roots, emit=emit)


def roots_of(store: OcflStore | CopiesStore) -> tuple[OcflStore, ...]:
    """Each root as a store of its own, the leading one first."""
    return store.roots if isinstance(store, CopiesStore) else (store,)


def make_holding(
    *, journal: SqliteJournal, store: OcflStore | CopiesStore, clock: Clock, emit: Emit
) -> Holding:
    """What places and releases legal holds."""
    return Holding(
        journal=journal,
        store=store,
        clock=clock,
        emit=emit,
        new_id=lambda: f"hold-{secrets.token_hex(6)}",
    )


def make_returns(
    *,
    journal: SqliteJournal,
    store: OcflStore | CopiesStore,
    profiles: Sequence[ReturnProfile],
    terms: RetrieveProfile = NO_TERMS,
    clock: Clock,
    emit: Emit,
    new_id: Callable[[], str] | None = None,
    jitter: Callable[[], float] = RANDOM.random,
    backoff: Backoff | None = None,
) -> Returns:
    """The way out again, which needs no ArchivesSpace. No network is touched yet."""
    receivers: dict[str, Receiver] = {
        profile.name: HttpReceiver(profile, clock=clock, version=__version__)
        for profile in profiles
        if profile.kind is ReturnKind.HTTP
    }
    return Returns(
        journal=journal,
        store=store,
        profiles={profile.name: profile for profile in profiles},
        receivers=receivers,
        terms=terms,
        clock=clock,
        emit=emit,
        new_id=new_id or SpoolIds(),
        jitter=jitter,
        backoff=backoff,
    )


def make_feeding(
    *,
    journal: SqliteJournal,
    profile: FeedProfile,
    clock: Clock,
    emit: Emit,
    jitter: Callable[[], float] = RANDOM.random,
    backoff: Backoff | None = None,
) -> Feeding:
    """The feed, which needs no ArchivesSpace. No network is touched yet."""
    called = profile.callback
    return Feeding(
        journal=journal,
        profile=profile,
        callback=None
        if called is None
        else HttpReceiver(
            called, clock=clock, version=__version__, code="feed", place="[feed.callback]"
        ),
        clock=clock,
        emit=emit,
        jitter=jitter,
        backoff=backoff,
    )


def make_disposing(
    *,
    journal: SqliteJournal,
    store: OcflStore | CopiesStore,
    schedule: Schedule,
    folders: Mapping[str, FolderProfile],
    clock: Clock,
    emit: Emit,
    state: bytes | None = None,
    audit: AuditProfile | None = None,
    profile: DisposalProfile | None = None,
) -> Disposing:
    """What lists, decides and destroys. Certificates lie in ``state``, the folder of the
    journal, unless the profile names another."""
    wanted = profile or DisposalProfile()
    roots = len(store.roots) if isinstance(store, CopiesStore) else 1
    return Disposing(
        journal=journal,
        store=store,
        schedule=schedule,
        folders=folders,
        surroundings=Surroundings(
            folder=os.fsencode(wanted.certificates)
            or (os.path.join(state, b"certificates") if state else b""),
            roots=roots,
            version=__version__,
            event=wanted.event,
            most=wanted.most,
        ),
        certifier=LazyCertifier(audit or AuditProfile()),
        clock=clock,
        emit=emit,
        new_id=lambda: secrets.token_hex(6),
    )


def make_signing(journal: Journal, audit: AuditProfile, clock: Clock, emit: Emit) -> Signing:
    """What signs tree heads, with the key of ``audit``."""

    def read_key() -> Signer:
        from hotfolder.service import signingkey  # noqa: PLC0415  cryptography is slow to load

        if not audit.signing_key:
            raise OperatorFault(
                "there is no key to sign with",
                hint="`hotfolder audit make-key PATH`, then [audit] signing_key",
                code="audit.key",
            )
        return signingkey.read_key(audit.signing_key)

    return Signing(
        journal=journal,
        read_key=read_key,
        directories=audit.heads,
        hour=audit.hour,
        clock=clock,
        emit=emit,
    )
