"""[retention.*]: the classes of the schedule and their versions."""

from __future__ import annotations

from collections.abc import Iterator

from hotfolder.core.retention import (
    SLUG,
    ClassVersion,
    Cutoff,
    Period,
    RetentionClass,
    RetentionTrigger,
    Subject,
)
from hotfolder.core.schedules import ambiguities
from hotfolder.service.settings_model import RetentionSection, SettingsFile
from hotfolder.service.settings_sources import Finding

_NONE = Period()


def retention_classes(settings: SettingsFile) -> dict[str, RetentionClass]:
    """The schedule; the settings have no fault."""
    return {code: _class_of(code, item) for code, item in settings.retention.items()}


def _class_of(code: str, item: RetentionSection) -> RetentionClass:
    return RetentionClass(
        code=code,
        title=item.title,
        trigger=RetentionTrigger(item.trigger),
        period=Period.parse(item.period) if item.period else None,
        mandate=item.mandate,
        action=item.action,
        event=item.event,
        of=tuple(Subject(kind) for kind in item.of),
        offset=Period.parse(item.offset) if item.offset else _NONE,
        cutoff=Cutoff(item.cutoff),
        shortens=item.shortens,
        later=tuple(_versions(item)),
    )


def _versions(item: RetentionSection) -> Iterator[ClassVersion]:
    for number, version in enumerate(item.versions, 2):
        # What a version leaves out is as in the class.
        said = item.model_copy(update=version.model_dump(exclude_none=True))
        permanent = said.trigger == "permanent"
        yield ClassVersion(
            number=number,
            trigger=RetentionTrigger(said.trigger),
            period=Period.parse(said.period) if said.period and not permanent else None,
            valid_from=version.valid_from,
            business_unit=version.business_unit or None,
            jurisdiction=version.jurisdiction or None,
            event=said.event if said.trigger == "event" else "",
            of=tuple(Subject(kind) for kind in said.of) if said.trigger == "event" else (),
            offset=Period.parse(said.offset) if said.offset else _NONE,
            cutoff=Cutoff(said.cutoff),
            action=said.action,
            reaches_back=version.applies == "all",
            shortens=version.shortens,
        )


def check_retention(settings: SettingsFile) -> Iterator[Finding]:
    """Everything that is wrong in the classes."""
    for code, item in settings.retention.items():
        before = True
        for finding in _check_class(settings, code, item):
            before = False
            yield finding
        if before:
            yield from _check_ambiguity(code, item)


def _check_class(settings: SettingsFile, code: str, item: RetentionSection) -> Iterator[Finding]:
    place = ("retention", code)
    if item.trigger == "permanent" and item.period:
        yield Finding(
            (*place, "period"), "retention.period", "permanent has no period", "remove it"
        )
    yield from _check_said(place, item)
    for number, version in enumerate(item.versions):
        inside = (*place, "versions", str(number))
        said = item.model_copy(update=version.model_dump(exclude_none=True))
        if said.trigger == "permanent" and version.period:
            yield Finding(
                (*inside, "period"), "retention.period", "permanent has no period", "remove it"
            )
        yield from _check_said(inside, said)
        if version.business_unit and version.business_unit not in settings.units:
            yield Finding(
                (*inside, "business_unit"),
                "retention.unit",
                f"there is no business unit {version.business_unit!r}",
                "one of: " + ", ".join(sorted(settings.units)),
            )
        known = settings.vocabularies.jurisdiction
        if version.jurisdiction and known and version.jurisdiction not in known:
            yield Finding(
                (*inside, "jurisdiction"),
                "retention.jurisdiction",
                f"jurisdiction {version.jurisdiction!r} is not in the vocabulary",
                "one of: " + ", ".join(known),
            )


def _check_said(place: tuple[str, ...], said: RetentionSection) -> Iterator[Finding]:
    if said.trigger != "permanent":
        yield from _check_period((*place, "period"), said.period)
    if said.offset:
        yield from _check_period((*place, "offset"), said.offset)
    if said.event and not SLUG.match(said.event):
        yield Finding(
            (*place, "event"),
            "retention.event",
            f"{said.event!r} is no name of an event",
            "write it in small letters and digits with hyphens, like contract-end",
        )
    elif said.event and said.trigger != "event":
        yield Finding(
            (*place, "event"),
            "retention.event",
            f"there is an event, but the trigger is {said.trigger}",
            'remove it, or write trigger = "event"',
        )


def _check_period(place: tuple[str, ...], text: str) -> Iterator[Finding]:
    try:
        Period.parse(text)
    except ValueError:
        yield Finding(
            place,
            "retention.period",
            "this is no period" if text else "the period is missing",
            "write it like P7Y, P18M or P90D",
        )


def _check_ambiguity(code: str, item: RetentionSection) -> Iterator[Finding]:
    for one, other in ambiguities(_class_of(code, item)):
        yield Finding(
            ("retention", code, "versions", str(other.number - 2)),
            "retention.ambiguous",
            f"versions {one.number} and {other.number} are meant for the same documents, and"
            " neither is more specific",
            "add a version for both the business unit and the jurisdiction, or remove one",
        )
