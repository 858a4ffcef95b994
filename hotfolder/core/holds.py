"""Legal holds: what one is, and which documents it holds.

A hold is a matter and criteria. All that the criteria give must be true of a document
(as in ``core.query``); a document that comes later is held too, unless the criteria end
at a number. What a hold does to retention: nothing. It stops disposal until it is
released, and the retention date was never changed (MoReq2010, R9: a hold prevents
destruction and leaves the schedule alone).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from enum import StrEnum
from typing import Any

from hotfolder.core.canonical import dump


class HoldPhase(StrEnum):
    """How far a hold has come. It stops disposal from the first to ``PLACED``."""

    GATHERING = "GATHERING"  # in force; its members are being written down
    MARKING = "MARKING"  # in force; the marks in the store are being made
    PLACED = "PLACED"  # acknowledged: journal and every store have it
    TELLING = "TELLING"  # released; what ArchivesSpace is to be told is written down
    LIFTING = "LIFTING"  # released; the marks in the store are being taken away
    LIFTED = "LIFTED"  # acknowledged


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFacts:
    """What criteria look at of a document."""

    identity: str
    business_unit: str
    series: str
    number: int = 0  # in the order of the journal
    spool_id: str = ""
    customer_id: str | None = None
    account_number: str | None = None
    policy_number: str | None = None
    document_type: str | None = None
    retention_class: str | None = None
    issue_date: date | None = None
    references: frozenset[tuple[str, str]] = frozenset()  # (kind, reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Which documents a hold holds: those of which all that is given is true.

    Texts are compared exactly, the document type without regard to the case of A to Z.
    ``words`` are those of ``core.query``; only the journal can compare them. Criteria that
    select nothing hold nothing but what is a member already.
    """

    identities: tuple[str, ...] = ()
    business_unit: str | None = None
    customer_id: str | None = None
    account_number: str | None = None
    policy_number: str | None = None
    case_ref: str | None = None  # of any kind, unless ``case_kind`` says which
    case_kind: str | None = None
    document_type: str | None = None
    retention_class: str | None = None
    series: str | None = None
    issued_from: date | None = None
    issued_to: date | None = None  # this day included
    words: tuple[str, ...] = ()
    spool_id: str | None = None
    last_number: int | None = None  # no document that was journalled after this one

    @property
    def selects(self) -> bool:
        """Whether anything is asked of a document, besides when it came."""
        return any(
            getattr(self, item.name) not in (None, ())
            for item in fields(self)
            if item.name not in ("case_kind", "last_number")
        )

    def fits(self, facts: HoldFacts) -> bool:
        """Whether all but the words is true of a document."""
        return (
            self.selects
            and (not self.identities or facts.identity in self.identities)
            and _same(self.business_unit, facts.business_unit)
            and _same(self.customer_id, facts.customer_id)
            and _same(self.account_number, facts.account_number)
            and _same(self.policy_number, facts.policy_number)
            and _same(self.retention_class, facts.retention_class)
            and _same(self.series, facts.series)
            and _same(self.spool_id, facts.spool_id)
            and _same(_folded(self.document_type), _folded(facts.document_type))
            and self._refers(facts)
            and self._issued(facts.issue_date)
            and (self.last_number is None or facts.number <= self.last_number)
        )

    def _refers(self, facts: HoldFacts) -> bool:
        return self.case_ref is None or any(
            reference == self.case_ref and self.case_kind in (None, kind)
            for kind, reference in facts.references
        )

    def _issued(self, day: date | None) -> bool:
        if self.issued_from is None and self.issued_to is None:
            return True
        return day is not None and (self.issued_from or day) <= day <= (self.issued_to or day)


def _same(wanted: str | None, found: str | None) -> bool:
    return wanted is None or wanted == found


def _folded(text: str | None) -> str | None:
    """Without regard to the case of A to Z, as SQLite's NOCASE has it."""
    return None if text is None else text.translate(_LOWER)


_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_DAYS = ("issued_from", "issued_to")
_LISTS = {"identities": "identity", "words": "words"}  # field -> name in the journal
_NAMES = {item.name: _LISTS.get(item.name, item.name) for item in fields(Criteria)}
_KEPT = ("id", "matter", "mandate", "originator", "reason", "source", "placed_by")


def dump_criteria(criteria: Criteria) -> str:
    """Criteria as the journal has them: canonical JSON of what is given."""
    given: dict[str, object] = {}
    for name, written in _NAMES.items():
        value = getattr(criteria, name)
        if value in (None, ()):
            continue
        if isinstance(value, tuple):
            given[written] = list(value)
        else:
            given[written] = value.isoformat() if isinstance(value, date) else value
    return dump(given)


def load_criteria(text: str) -> Criteria:
    """The inverse of ``dump_criteria``. ``ValueError`` for what this release does not
    know: criteria that are not understood must not be taken for none."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("criteria are no object")  # noqa: TRY004  a value, not our type
    fields_of = {written: name for name, written in _NAMES.items()}
    given: dict[str, Any] = {}
    for written, value in found.items():
        name = fields_of.get(written)
        if name is None:
            raise ValueError(f"unknown criterion {written!r}")
        given[name] = _read(name, written, value)
    return Criteria(**given)


def _read(name: str, written: str, value: object) -> Any:
    if name in _LISTS:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
    elif name == "last_number":
        if type(value) is int:
            return value
    elif isinstance(value, str):
        return date.fromisoformat(value) if name in _DAYS else value
    raise ValueError(f"criterion {written!r} has no value that could be one")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHold:
    """A hold that is not journalled yet."""

    id: str
    matter: str
    actor: str
    criteria: Criteria
    mandate: str = ""
    originator: str = ""
    reason: str = ""
    source: str = "hotfolder"  # hotfolder | archivesspace


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRow:
    """A hold as the journal has it. Never changed, but for being released."""

    number: int
    id: str
    matter: str
    mandate: str
    originator: str
    reason: str
    criteria: Criteria
    source: str
    placed_at: float
    placed_by: str
    released_at: float | None
    released_by: str | None
    release_reason: str
    phase: HoldPhase
    documents: int  # that it holds, or held
    spools: int
    acknowledged_at: float | None  # when journal and stores had it

    @property
    def in_force(self) -> bool:
        """Whether it stops disposal."""
        return self.released_at is None


def dump_hold(row: HoldRow) -> bytes:
    """A hold as the store keeps it, for a journal that is lost. Without the number at which
    its criteria end: in another journal it would be another document's."""
    kept = {name: getattr(row, name) for name in _KEPT}
    criteria = json.loads(dump_criteria(replace(row.criteria, last_number=None)))
    return dump({**kept, "placed_at": row.placed_at, "criteria": criteria}).encode()


def load_hold(data: bytes) -> tuple[NewHold, float]:
    """A hold that the store has kept, and when it was placed. ``ValueError`` if it is none."""
    try:
        found = json.loads(data)
        hold = NewHold(
            actor=str(found["placed_by"]),
            criteria=load_criteria(json.dumps(found["criteria"])),
            **{name: str(found[name]) for name in _KEPT if name != "placed_by"},
        )
        return hold, float(found["placed_at"])
    except (KeyError, TypeError) as error:
        raise ValueError("this is no hold") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What criteria would hold now."""

    documents: int
    spools: int
    too_late: int = 0  # documents that are being destroyed, or were


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHold:
    """What deciding needs of a hold in force."""

    number: int
    id: str
    criteria: Criteria


_LEADERS = ("case_ref", "policy_number", "account_number", "customer_id", "spool_id")


@dataclass(slots=True)
class HoldIndex:
    """The holds in force, found by what a document has: however many there are, only
    those are looked at that might hold it."""

    holds: tuple[OpenHold, ...]
    _leading: Mapping[tuple[str, str], list[OpenHold]] = field(init=False)
    _others: list[OpenHold] = field(init=False)
    asks_references: bool = field(init=False)  # whether any looks at references

    def __post_init__(self) -> None:
        leading: dict[tuple[str, str], list[OpenHold]] = {}
        self._others = []
        for hold in self.holds:
            places = _places_of(hold.criteria)
            for place in places:
                leading.setdefault(place, []).append(hold)
            if not places and hold.criteria.selects:
                self._others.append(hold)
        self._leading = leading
        self.asks_references = any(hold.criteria.case_ref is not None for hold in self.holds)

    def __bool__(self) -> bool:
        return bool(self._leading) or bool(self._others)

    def fitting(self, facts: HoldFacts) -> Iterator[OpenHold]:
        """The holds of whose criteria all but the words is true of a document."""
        found: dict[int, OpenHold] = {}
        for place in _places_in(facts):
            found.update((hold.number, hold) for hold in self._leading.get(place, ()))
        for hold in (*found.values(), *self._others):
            if hold.criteria.fits(facts):
                yield hold


def _places_of(criteria: Criteria) -> list[tuple[str, str]]:
    """Where the index has a hold: at one criterion that few documents share."""
    if criteria.identities:
        return [("identity", identity) for identity in dict.fromkeys(criteria.identities)]
    for name in _LEADERS:
        value = getattr(criteria, name)
        if value is not None:
            return [(name, value)]
    return []


def _places_in(facts: HoldFacts) -> Iterable[tuple[str, str]]:
    yield ("identity", facts.identity)
    for name in _LEADERS[1:]:
        value = getattr(facts, name)
        if value is not None:
            yield (name, value)
    for reference in {reference for _, reference in facts.references}:
        yield ("case_ref", reference)
