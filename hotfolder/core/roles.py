"""What a name in a hot folder stands for: spool, sidecar, trigger, or nothing of ours."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from hotfolder.core.profiles import CompletionRule, FolderProfile

OWN_FOLDERS = (b"_working", b"_failed", b"_receipts")
_REMEMBERED = 4096  # roles
_OWN_FILES = (b".ERROR.txt", b".receipt.json", b".receipt.jsonl", b".receipt.txt")


class Role(Enum):
    """What a file is for."""

    IGNORED = "ignored"
    SPOOL = "spool"
    SIDECAR = "sidecar"  # metadata of one spool
    SHARED = "shared"  # metadata of all spools beside it
    TRIGGER = "trigger"
    MANIFEST = "manifest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """How sidecars are named (``sidecars.pairing``, bound to the folder's format)."""

    sidecars_of: Callable[[bytes], tuple[bytes, ...]]  # names, best first
    shared_of: Callable[[bytes], bytes | None]
    may_be_sidecar: Callable[[bytes], bool]
    indexes_of: Callable[[bytes], tuple[bytes, ...]] = lambda _: ()  # of those, the index's


class Roles:
    """The roles of names in one folder; names are relative to it, with ``/``.

    ``of`` gives the role of a name.
    """

    def __init__(self, profile: FolderProfile, pairing: Pairing) -> None:
        rule = profile.completion
        self._pairing = pairing
        self._ignored = _matcher((*rule.temporary, *profile.ignore))
        self._included = None if "*" in profile.include else _matcher(profile.include)
        # Each name is asked about a few times within moments, by look and by verdict.
        self.of = lru_cache(maxsize=_REMEMBERED)(self._find)
        self._trigger = b""
        self._manifest = b""
        if rule.rule is CompletionRule.TRIGGER:
            self._trigger = rule.trigger_suffix.encode("utf-8", "surrogateescape")
        if rule.rule is CompletionRule.MANIFEST:
            self._manifest = rule.manifest_suffix.encode("utf-8", "surrogateescape")

    def _find(self, name: bytes) -> Role:
        """The role of ``name``. Include patterns choose spools only: what comes with a
        spool need not match them."""
        folder, _, base = name.rpartition(b"/")
        if (
            name.startswith(OWN_FOLDERS)
            or base.endswith(_OWN_FILES)
            or (folder and hides(folder))
            or base.startswith(b".")
            or self._matches(self._ignored, name, base)
        ):
            return Role.IGNORED
        if self._trigger and base.endswith(self._trigger) and base != self._trigger:
            return Role.TRIGGER
        if self._manifest and base.endswith(self._manifest):
            return Role.MANIFEST
        if self._pairing.may_be_sidecar(name):
            return Role.SHARED if self._pairing.shared_of(name) == name else Role.SIDECAR
        if self._included is None or self._matches(self._included, name, base):
            return Role.SPOOL
        return Role.IGNORED

    def triggers_of(self, name: bytes) -> tuple[bytes, ...]:
        """The names that a trigger of the spool ``name`` may have, best first. ``x.ARD``
        speaks of ``x.ARD.OUT`` (arsload: reference/exstream-output-and-records-rules.md 2)."""
        first = stem(name)
        if self._trigger and first.endswith(self._trigger):
            return (name + self._trigger, first + self._trigger, first)
        return (name + self._trigger, first + self._trigger)

    def without_trigger(self, name: bytes) -> bytes:
        """A trigger's name without its suffix: a spool's name, or its stem."""
        return name[: -len(self._trigger)]

    @staticmethod
    def _matches(pattern: re.Pattern[bytes], name: bytes, base: bytes) -> bool:
        return pattern.match(base) is not None or (
            base is not name and pattern.match(name) is not None
        )


def hides(folder: bytes) -> bool:
    """Whether a folder inside a hot folder is none of ours to look into."""
    return folder.startswith((b".", *OWN_FOLDERS)) or b"/." in folder


def stem(name: bytes) -> bytes:
    """``name`` without its last extension; a leading dot begins no extension."""
    at = name.rfind(b".")
    slash = name.rfind(b"/")
    return name if at <= slash + 1 else name[:at]


def _matcher(patterns: Sequence[str]) -> re.Pattern[bytes]:
    """One expression for shell patterns. Names need not be UTF-8, so both sides are
    taken as bytes: ``?`` is one byte."""
    if not patterns:
        return re.compile(rb"(?!)")
    translated = [
        fnmatch.translate(pattern.encode("utf-8", "surrogateescape").decode("latin-1"))
        for pattern in patterns
    ]
    return re.compile("|".join(f"(?:{item})" for item in translated).encode("latin-1"))
