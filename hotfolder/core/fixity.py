"""Fixity: what a scrub of the store finds, and what a round of it adds up to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hotfolder.core.canonical import dump
from hotfolder.core.records import ArchiveEvent

UNITS_IN_EVENT = 100  # archival objects that one event is linked to


class Outcome(StrEnum):
    """What was found of one object in one root."""

    WHOLE = "whole"
    DAMAGED = "damaged"  # it is not what its inventory says, or the inventory is damaged
    DIFFERS = "differs"  # sound in itself, and not what was journalled
    MISSING = "missing"
    UNREADABLE = "unreadable"  # the disk or its permissions would not let it be read
    UNKNOWN = "unknown"  # no row of the journal knows it
    DESTROYED = "destroyed"  # a disposal destroyed it, or keys of it, and it is here again

    @property
    def is_damage(self) -> bool:
        """Whether the archive does not have the object as it was taken."""
        return self in (Outcome.DAMAGED, Outcome.DIFFERS, Outcome.MISSING)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixityRound:
    """One round: it covers every spool up to ``upto`` that the store has to have."""

    number: int
    began_at: float
    upto: int
    root: int  # number of the root in which the walk at its end is; 0 before it
    position: str  # path of the last object that the walk has seen there
    ended_at: float | None
    finished: bool
    totals: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixityTarget:
    """A spool to be verified."""

    number: int
    spool_id: str
    folder: str
    sha256: str
    size: int
    before: Mapping[int, str] = field(default_factory=dict)  # last outcome, by root


@dataclass(frozen=True, slots=True, kw_only=True)
class FixityResult:
    """What was found of one spool in one root."""

    spool: int
    spool_id: str
    root: int  # 1 is the store, 2 its first copy
    outcome: Outcome
    at: float
    inventory_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixityStatus:
    """How the scrub stands, for ``hotfolder status``."""

    open_round: FixityRound | None
    last_round: FixityRound | None  # that was finished
    verified: int  # spools verified since the moment that was asked for
    damaged: int  # spools that were not whole when they were last looked at
    oldest_at: float | None  # when the spool was verified that waits longest
    never: int  # spools of the store that were never verified
    oldest_never_at: float | None  # when the oldest of them was taken


class ResultsDigest:
    """SHA-256 over all results of a round: a line of canonical JSON for each, [spool id,
    root, outcome, SHA-256 of the inventory], by spool and root."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, spool_id: str, root: int, outcome: str, inventory_sha256: str) -> None:
        """The next result."""
        self._digest.update(dump([spool_id, root, outcome, inventory_sha256]).encode() + b"\n")

    def hexdigest(self) -> str:
        """Of all so far."""
        return self._digest.hexdigest()


def fixity_events(
    units: Iterable[tuple[str, str, bool]], began_at: float, at: float
) -> dict[str, list[ArchiveEvent]]:
    """Events ``fixity_check`` by business unit, each about up to a hundred archival
    objects. ``units`` are (business unit, uri, passed)."""
    groups: dict[tuple[str, bool], list[str]] = {}
    for business_unit, uri, passed in units:
        groups.setdefault((business_unit, passed), []).append(uri)
    events: dict[str, list[ArchiveEvent]] = {}
    for (business_unit, passed), uris in sorted(groups.items()):
        for start in range(0, len(uris), UNITS_IN_EVENT):
            some = uris[start : start + UNITS_IN_EVENT]
            events.setdefault(business_unit, []).append(_event(some, passed, began_at, at))
    return events


def _event(uris: Sequence[str], passed: bool, began_at: float, at: float) -> ArchiveEvent:
    outcome = "pass" if passed else "fail"
    # A function of what it says: the same round is told once.
    key = hashlib.sha256(dump([began_at, outcome, list(uris)]).encode()).hexdigest()
    return ArchiveEvent(
        refid=f"hf:{key[:40]}:fixity",
        event_type="fixity_check",
        at=at,
        outcome=outcome,
        note=(
            "Every file of these documents in the store of hotfolder was read and has the"
            " SHA-256 that was recorded."
            if passed
            else "Of some documents the store of hotfolder does not have every file as it was"
            " recorded; its journal tells which."
        ),
        record_uris=tuple(uris),
    )
