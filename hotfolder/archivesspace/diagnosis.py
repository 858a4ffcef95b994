"""What ``hotfolder check`` says of ArchivesSpace: each part tried for real, every fault
named at once, nothing changed on the server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hotfolder.archivesspace.calls import Calls
from hotfolder.archivesspace.eventposts import TYPES
from hotfolder.archivesspace.neededvalues import needed_values
from hotfolder.archivesspace.permissions import (
    EVERYWHERE,
    MAKING_AGENTS,
    missing_permissions,
    needed_permissions,
    permission_remedy,
)
from hotfolder.archivesspace.requestevents import REQUEST_VALUES
from hotfolder.archivesspace.series import Places
from hotfolder.archivesspace.vocabulary import Vocabulary
from hotfolder.core.errors import Fault, HotfolderError, OperatorFault
from hotfolder.core.profiles import ArchiveProfile, BusinessUnit, Rules
from hotfolder.core.telling import NATIVE, event_types

CLOCKS = 60.0  # seconds; a difference that a time service never lets grow
OLDEST = (3, 5)  # record shapes are stable from 3.5.1 (reference 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was tried. ``fault`` is None when it is as it should be;
    ``advice`` marks a fault that delivery can live with."""

    subject: str  # such as "login" or "repository ACC"
    said: str
    fault: Fault | None = None
    advice: bool = False


def diagnose(
    calls: Calls,
    places: Places,
    vocabulary: Vocabulary,
    *,
    profile: ArchiveProfile,
    rules: Rules,
    requests: bool,
    events: frozenset[str] = frozenset(),
    made: frozenset[str] = frozenset(),
) -> list[Finding]:
    """Try everything that can be tried; what depends on a failed step is left out.
    ``requests``: archivists' requests are answered, which needs more list values.
    ``events``: types of events that archivists' decisions are looked for in; ``made``:
    those of events that the configuration has recorded besides those of delivery.

    Never raises what ``core.errors`` can say: it becomes a finding.
    """
    findings: list[Finding] = []
    try:
        findings.append(_version(calls.read_version()))
        calls.transport.forget()
        held = calls.transport.permissions()
        if requests:
            findings.append(_clocks(calls.transport.ahead))
        findings.append(Finding(subject="login", said=f"{profile.username} is logged in"))
        for unit in rules.business_units:
            findings += _repository(places, unit, held, profile, rules)
        findings.append(_agent(places, held))
        wanted = needed_values(profile, rules) | (REQUEST_VALUES if requests else frozenset())
        wanted |= set(_event_types(vocabulary, profile)) | {(TYPES, name) for name in made}
        findings += _lists(vocabulary, wanted)
        findings += _events(vocabulary, events)
        findings += _slots(calls, profile)
    except HotfolderError as error:
        findings.append(_failed("server", error))
    return findings


def _version(version: str | None) -> Finding:
    if version is None:
        return Finding(
            subject="version",
            said="the server answers, but does not tell its version (it does since 4.0.0)",
            fault=Fault(
                code="archive.version",
                message="the version of ArchivesSpace is not known",
                remedy="make sure that it is 3.5.1 or later",
            ),
            advice=True,
        )
    said = f"ArchivesSpace {version} answers"
    numbers = re.match(r"v?(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) >= OLDEST:
        return Finding(subject="version", said=said)
    return Finding(
        subject="version",
        said=said,
        fault=Fault(
            code="archive.version",
            message=f"ArchivesSpace {version} is older than 3.5.1, or of an unknown kind",
            remedy="upgrade it; hotfolder is tried with 4.2.1",
        ),
        advice=True,
    )


def _clocks(ahead: float | None) -> Finding:
    """Requests are looked for by our clock, and the server dates them by its own."""
    if ahead is None:
        return Finding(subject="clock", said="the server does not tell its time")
    said = f"the server's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} ours"
    if abs(ahead) <= CLOCKS:
        return Finding(subject="clock", said=said)
    return Finding(
        subject="clock",
        said=said,
        fault=Fault(
            code="archive.clock",
            message="the clocks differ: requests may be found late, or not at all",
            remedy="set both by the same time service; until then let"
            " [archivesspace.requests] overlap be longer than the difference",
        ),
        advice=True,
    )


def _repository(
    places: Places,
    unit: BusinessUnit,
    held: Mapping[str, frozenset[str]],
    profile: ArchiveProfile,
    rules: Rules,
) -> Iterator[Finding]:
    subject = f"repository {unit.repository}"
    try:
        repository = places.find_repository(unit.code)
    except OperatorFault as error:
        yield _failed(subject, error)
        return
    yield Finding(subject=subject, said=f"is {repository.uri}")
    missing = missing_permissions(held, repository.uri, needed_permissions(profile.least_privilege))
    yield Finding(
        subject=f"permissions in {unit.repository}",
        said="are sufficient" if not missing else f"lack {', '.join(missing)}",
        fault=Fault(
            code="archive.permission",
            message=f"the account lacks {', '.join(missing)} in repository {unit.repository}",
            remedy=permission_remedy(missing),
        )
        if missing
        else None,
    )
    if repository.published:
        yield Finding(
            subject=subject,
            said="is published",
            fault=Fault(
                code="archive.published",
                message=f"repository {unit.repository} is published",
                remedy="customers' documents do not belong on the public interface:"
                " take 'Publish' off the repository",
            ),
            advice=True,
        )
    if "view_repository" not in missing:
        for series in rules.series:
            found = places.find_resource(repository.uri, series.code)
            said = f"is {found['uri']}" if found else "will be made with the first delivery"
            yield Finding(subject=f"series {series.code} in {unit.repository}", said=said)


def _agent(places: Places, held: Mapping[str, frozenset[str]]) -> Finding:
    """Without the agent of this version nothing is delivered; that of the next is advice."""
    if "update_agent_record" in held.get(EVERYWHERE, frozenset()):
        return Finding(subject="agent", said="the account may make the software agent")
    there = places.has_agent()
    return Finding(
        subject="agent",
        said="the account may not make the software agent of a new version"
        if there
        else "the software agent of this version is not there, and the account may not make it",
        fault=Fault(
            code="archive.agent",
            message=f"the account lacks {MAKING_AGENTS}",
            remedy="let `hotfolder setup` make the agent after each upgrade, or give the right",
        ),
        advice=there,
    )


def _event_types(vocabulary: Vocabulary, profile: ArchiveProfile) -> Iterator[tuple[str, str]]:
    """Of the events that tell of changes: as configured, or what stands in for it."""
    for name, kind in event_types(profile.changes).items():
        if kind:
            there = vocabulary.allows(TYPES, kind)
            yield TYPES, kind if there else NATIVE[name]


def _lists(vocabulary: Vocabulary, wanted: frozenset[tuple[str, str]]) -> Iterator[Finding]:
    vocabulary.forget()
    faults = vocabulary.missing(wanted)
    if not faults:
        yield Finding(
            subject="controlled values", said=f"all {len(wanted)} that are needed are there"
        )
    for fault in faults:
        yield Finding(subject="controlled values", said=fault.message, fault=fault)


def _events(vocabulary: Vocabulary, types: frozenset[str]) -> Iterator[Finding]:
    """A type that is in no list is one that nobody can use: no fault of ours."""
    for fault in vocabulary.missing(("event_event_type", name) for name in types):
        yield Finding(subject="events of archivists", said=fault.message, fault=fault, advice=True)


def _slots(calls: Calls, profile: ArchiveProfile) -> Iterator[Finding]:
    known = calls.read_schema("user_defined")
    slots = profile.slots
    for name in ("document_type", "channel", "retention_class", "retain_until", "hold"):
        slot = getattr(slots, name)
        if slot and slot not in known:
            message = f"ArchivesSpace has no user_defined slot {slot} for {name}"
            fault = Fault(
                code="archive.slot",
                message=message,
                remedy="choose another slot in [archive.slots]",
            )
            yield Finding(subject="slots", said=message, fault=fault)


def _failed(subject: str, error: HotfolderError) -> Finding:
    return Finding(
        subject=subject,
        said=error.message,
        fault=Fault(code=error.code, message=error.message, remedy=error.hint or "try again"),
    )
