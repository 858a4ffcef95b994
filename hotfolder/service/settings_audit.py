"""[audit]: where the signing key is, and where signed heads go."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from hotfolder.core.errors import OperatorFault
from hotfolder.core.profiles import AuditProfile
from hotfolder.service.settings_account import is_open_to_all
from hotfolder.service.settings_model import AuditSection
from hotfolder.service.settings_sources import Finding

CREDENTIAL = "audit-signing-key"


def audit_profile(audit: AuditSection, environ: Mapping[str, str]) -> AuditProfile:
    """How the audit chain is signed. The key is systemd's credential, if there is one."""
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    credential = os.path.join(directory, CREDENTIAL)
    given = directory and os.path.exists(credential)
    return AuditProfile(
        signing_key=credential if given else audit.signing_key,
        heads=tuple(audit.heads),
        hour=audit.hour,
    )


def check_audit(audit: AuditSection, profile: AuditProfile, *, try_key: bool) -> Iterator[Finding]:
    """What is wrong with it; with ``try_key`` the key is read, too."""
    for path in audit.heads:
        if not os.path.isabs(path):
            yield Finding(
                ("audit", "heads"),
                "audit.heads",
                f"{path!r} is not named from the root",
                "begin it with /",
            )
    if len({os.path.normpath(path) for path in audit.heads}) != len(audit.heads):
        yield Finding(("audit", "heads"), "audit.heads", "a directory comes twice", "remove one")
    if audit.signing_key and not os.path.isabs(audit.signing_key):
        yield Finding(
            ("audit", "signing_key"),
            "audit.key",
            "the signing key is not named from the root",
            "begin it with /",
        )
    elif try_key and profile.signing_key:
        from hotfolder.service.signingkey import read_key  # noqa: PLC0415  cryptography is slow to load

        try:
            read_key(profile.signing_key)
        except OperatorFault as error:
            yield Finding(("audit", "signing_key"), error.code, error.message, error.hint)


def advise_audit(audit: AuditSection, profile: AuditProfile) -> Iterator[Finding]:
    """What can be lived with, but should be known."""
    if audit.signing_key and is_open_to_all(audit.signing_key):
        yield Finding(
            ("audit", "signing_key"),
            "configuration.open",
            f"everybody on this machine may read the signing key {audit.signing_key}",
            f"chmod o= {audit.signing_key}",
        )
    if profile.signing_key and not profile.heads:
        yield Finding(
            ("audit", "heads"),
            "audit.heads",
            "signed heads stay in the journal: who can change it can take them away",
            "name a directory on another machine, or on write-once storage",
        )
