"""Retention schedules as a whole: sound, written down, and compared with one another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from hotfolder.core.canonical import dump
from hotfolder.core.retention import (
    ClassVersion,
    Cutoff,
    Period,
    RetentionClass,
    RetentionTrigger,
    Schedule,
    Subject,
)


def dump_schedule(schedule: Schedule) -> str:
    """The schedule as canonical JSON, with everything on which dates depend."""
    return dump(
        {
            code: [_to_dict(item) for item in found.versions]
            for code, found in sorted(schedule.items())
        }
    )


def event_names(schedule: Schedule) -> frozenset[str]:
    """The events that some version of some class waits for."""
    return frozenset(
        version.event for found in schedule.values() for version in found.versions if version.event
    )


def schedule_digest(schedule: Schedule) -> str:
    """SHA-256 of ``dump_schedule``: the same for schedules that decide the same."""
    return hashlib.sha256(dump_schedule(schedule).encode()).hexdigest()


def load_schedule(text: str) -> Schedule:
    """The inverse of ``dump_schedule``, without titles and mandates."""
    return {
        code: _class_of(code, [_from_dict(item) for item in versions])
        for code, versions in json.loads(text).items()
    }


def named_after(schedule: Schedule, other: Schedule) -> Schedule:
    """``schedule`` with the titles and mandates of the classes that ``other`` has."""
    return {
        code: replace(found, title=other[code].title, mandate=other[code].mandate)
        if code in other
        else found
        for code, found in schedule.items()
    }


def _class_of(code: str, versions: Sequence[ClassVersion]) -> RetentionClass:
    first = versions[0]
    return RetentionClass(
        code=code,
        title=code,
        trigger=first.trigger,
        period=first.period,
        action=first.action,
        event=first.event,
        of=first.of,
        offset=first.offset,
        cutoff=first.cutoff,
        shortens=first.shortens,
        later=tuple(versions[1:]),
    )


def _to_dict(version: ClassVersion) -> dict[str, Any]:
    return {
        "number": version.number,
        "trigger": version.trigger.value,
        "period": str(version.period) if version.period else None,
        "valid_from": version.valid_from.isoformat(),
        "business_unit": version.business_unit,
        "jurisdiction": version.jurisdiction,
        "event": version.event,
        "of": [kind.value for kind in version.of],
        "offset": str(version.offset),
        "cutoff": version.cutoff.value,
        "action": version.action,
        "reaches_back": version.reaches_back,
        "shortens": version.shortens,
    }


def _from_dict(values: dict[str, Any]) -> ClassVersion:
    return ClassVersion(
        **{
            **values,
            "trigger": RetentionTrigger(values["trigger"]),
            "period": Period.parse(values["period"]) if values["period"] else None,
            "valid_from": date.fromisoformat(values["valid_from"]),
            "of": tuple(Subject(kind) for kind in values["of"]),
            "offset": Period.parse(values["offset"]),
            "cutoff": Cutoff(values["cutoff"]),
        }
    )


def ambiguities(found: RetentionClass) -> list[tuple[ClassVersion, ClassVersion]]:
    """Pairs of versions of which neither is more specific, where no other decides: for a
    business unit and for a jurisdiction; or the same twice."""
    pairs: list[tuple[ClassVersion, ClassVersion]] = []
    for place, one in enumerate(found.versions):
        for other in found.versions[place + 1 :]:
            scopes = {(item.business_unit, item.jurisdiction) for item in (one, other)}
            same = len(scopes) == 1 and one.valid_from == other.valid_from
            if same or (
                one.specificity == other.specificity == 1
                and (one.business_unit is None) != (other.business_unit is None)
                and not any(
                    item.specificity == 2  # of both
                    and item.business_unit in (one.business_unit, other.business_unit)
                    and item.jurisdiction in (one.jurisdiction, other.jurisdiction)
                    and item.valid_from <= max(one.valid_from, other.valid_from)
                    for item in found.versions
                )
            ):
                pairs.append((one, other))
    return pairs


def covers(new: ClassVersion, old: ClassVersion) -> bool:
    """Whether ``new`` ends the retention of no document earlier than ``old`` would."""
    if new.trigger is RetentionTrigger.PERMANENT or new.period is None:
        return True
    if old.trigger is RetentionTrigger.PERMANENT or old.period is None:
        return False
    same = (new.trigger, new.event, new.of) == (old.trigger, old.event, old.of)
    later = list(Cutoff).index(new.cutoff) >= list(Cutoff).index(old.cutoff)
    return same and later and new.period.covers(old.period) and new.offset.covers(old.offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortening:
    """A class that would let documents go earlier than a schedule before, and does not
    say so."""

    code: str
    old: ClassVersion
    new: ClassVersion


def undeclared(before: Schedule, after: Schedule, today: date) -> list[Shortening]:
    """Where ``after`` may end the retention of archived documents earlier than ``before``
    without ``shortens`` in the version that does. Careful: it may name what shortens
    nothing (another trigger, say), never the other way round."""
    found: list[Shortening] = []
    for code, old in before.items():
        new = after.get(code)
        if new is not None:
            found += _undeclared_of(old, new, today)
    return found


def _undeclared_of(old: RetentionClass, new: RetentionClass, today: date) -> list[Shortening]:
    every = (*old.versions, *new.versions)
    # "" stands for a unit or jurisdiction that no version names.
    units = ["", *sorted({item.business_unit for item in every if item.business_unit})]
    places = ["", *sorted({item.jurisdiction for item in every if item.jurisdiction})]
    days = sorted({item.valid_from for item in every if item.valid_from <= today})
    found: dict[tuple[int, int], Shortening] = {}
    for unit in units:
        for place in places:
            for day in days:
                said = _regime(new, unit, place, day)
                if any(version.shortens for version in said):
                    continue
                for version in _regime(old, unit, place, day):
                    if not any(covers(item, version) for item in said):
                        pair = (version.number, said[0].number)
                        found.setdefault(pair, Shortening(code=new.code, old=version, new=said[0]))
    return list(found.values())


def _regime(
    found: RetentionClass, business_unit: str, jurisdiction: str, day: date
) -> Sequence[ClassVersion]:
    """The version in force on a day, and those that reach back over it."""
    meant = sorted(
        (item for item in found.versions if item.meant_for(business_unit, jurisdiction)),
        key=lambda version: (version.specificity, version.valid_from, version.number),
    )
    base = max(place for place, item in enumerate(meant) if item.valid_from <= day)
    return [meant[base], *(item for item in meant[base + 1 :] if item.reaches_back)]
