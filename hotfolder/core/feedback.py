"""What an archivist did, found by comparing a record with what the journal last knew of it.

Pure and total. Who saved a record last tells little: an archivist's edit may be followed
by one of ours. So the content decides: what hotfolder wrote is known by its identifier
and by the journal, and everything else is somebody's word.

``retention`` is the identifier of our retention statement, ``hold:<matter>`` those of our
holds (docs/archivesspace.md). Any other statement whose act forbids deletion, and which
has no end, is a hold.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from hotfolder.core.duties import ARCHIVIST
from hotfolder.core.facts import (
    Asked,
    EventTypes,
    FactKind,
    FactState,
    KnownRecord,
    Lost,
    NewFact,
    SeenEvent,
    SeenHold,
    SeenObject,
    Sight,
    Statement,
)

RETENTION = "retention"
HOLD = "hold:"
_DISPOSAL = re.compile(r"(?<![0-9a-z-])disposal-[0-9a-z]{12}(?![0-9a-z])")
_REPOSITORY = re.compile(r"\A/repositories/\d+")
_ANYBODY = "unknown"
_LONGEST = 200  # characters of a matter; a text from outside


def actor_of(user: str) -> str:
    """An archivist, as the audit chain names them."""
    return f"{ARCHIVIST}{user or _ANYBODY}"


def compare_object(known: KnownRecord, seen: SeenObject) -> Sight:
    """What became of a record since it was looked at last. Looked at twice without a
    change in between, the second gives no fact."""
    if seen.suppressed:
        return compare_lost(
            known, Lost(identity=known.identity, kind=FactKind.RECORD_SUPPRESSED, uri=seen.uri)
        )
    facts: list[NewFact] = []
    if known.absent is not None:
        facts.append(_fact(known, seen, FactKind.RECORD_BACK, "", {"was": known.absent.value}))
    elif seen.uri != (known.seen_at or known.uri):
        kind = FactKind.RECORD_TRANSFERRED
        facts.append(_fact(known, seen, kind, seen.uri, {"from": known.seen_at or known.uri}))
    end = _end_of_ours(seen)
    facts += _holds(known, seen)
    facts += _retention(known, seen, end)
    return Sight(
        identity=known.identity,
        uri=seen.uri,
        lock_version=seen.lock_version,
        changed_at=seen.changed_at,
        end=end,
        facts=tuple(facts),
    )


def compare_lost(known: KnownRecord, lost: Lost) -> Sight:
    """A record that is no longer to be seen where it was."""
    facts: tuple[NewFact, ...] = ()
    if known.absent is not lost.kind:
        facts = (
            NewFact(
                key=f"{lost.kind}|{known.uri}|{known.absent or ''}|{lost.uri}",
                kind=lost.kind,
                business_unit=known.business_unit,
                actor=actor_of(""),
                at=0.0,
                identity=known.identity,
                uri=lost.uri or known.uri,
            ),
        )
    return Sight(
        identity=known.identity,
        uri=known.uri,
        lock_version=0,
        changed_at=0,
        end=known.end,
        absent=lost.kind,
        facts=facts,
    )


# -- holds on the record ---------------------------------------------------------------
def _holds(known: KnownRecord, seen: SeenObject) -> Iterable[NewFact]:
    found = {item.identifier: item for item in seen.statements if _is_hold(item)}
    theirs = {name: item for name, item in found.items() if hold_in(name) not in known.ours}
    before = {hold.reference.partition("#")[2]: hold for hold in known.holds}
    for name in sorted(theirs):
        if name not in before:
            body = {"reference": f"{seen.uri}#{name}", "matter": matter_of(name)}
            yield _fact(known, seen, FactKind.HOLD_PLACED, name, body)
    for name, hold in sorted(before.items()):
        if name == RETENTION or name in found or hold.lost:
            continue
        released = _fact(known, seen, FactKind.HOLD_RELEASED, name, _released(hold))
        if why := _lost(hold, known, seen):
            why += "; nobody has released this hold: `hotfolder holds release` would"
            released = replace(released, refused=why, key=hold.lost_key)
        yield released
    for hold_id in sorted(known.written - {hold_in(name) for name in found}):
        # Placed at hotfolder, perhaps on many documents: one record does not release it.
        ended = next((i for i in seen.statements if hold_in(i.identifier) == hold_id), None)
        name = hold_id if ended is None else ended.identifier.removesuffix(f" {hold_id}")
        yield _fact(
            known,
            seen,
            FactKind.HOLD_RELEASED,
            hold_id,
            {"matter": matter_of(name)},
            refused="this hold was placed with hotfolder: `hotfolder holds release`",
            key=f"{FactKind.HOLD_RELEASED}|{seen.uri}|{hold_id}|"
            + ("removed" if ended is None else ended.end),
        )


def _lost(hold: SeenHold, known: KnownRecord, seen: SeenObject) -> str:
    """Why the statement of a hold is not there although nobody has removed it; empty if
    somebody has. ArchivesSpace was restored from a backup, or lacked the record."""
    if _in_repository(hold.reference.partition("#")[0]) != _in_repository(seen.uri):
        return "the record was made again, without what an archivist had written into it"
    if known.version is not None and seen.lock_version < known.version[0]:
        return "the record is an older one than before, as after a restore from a backup"
    return ""


def _in_repository(uri: str) -> str:
    """An address without its repository, which a transfer changes."""
    return _REPOSITORY.sub("", uri)


def _is_hold(statement: Statement) -> bool:
    return statement.keeps and not statement.end and statement.identifier != RETENTION


def hold_in(identifier: str) -> str:
    """The id of the hold of ours that the identifier of a statement ends in
    (``archivesspace.statements.hold_identifier``); of others the whole is no id."""
    return identifier.rpartition(" ")[2]


def matter_of(identifier: str) -> str:
    """The matter that an identifier names."""
    text = identifier.removeprefix(HOLD).strip()
    return text[:_LONGEST] or _ANYBODY


def _released(hold: SeenHold) -> dict[str, object]:
    return {"reference": hold.reference, "matter": hold.matter, "seen": hold.number}


# -- the end date of our statement -------------------------------------------------------
def _end_of_ours(seen: SeenObject) -> str | None:
    return next((item.end for item in seen.statements if item.identifier == RETENTION), None)


def _retention(known: KnownRecord, seen: SeenObject, end: str | None) -> Iterable[NewFact]:
    """``end`` against the last one seen, and against what hotfolder has told."""
    # A date that was overtaken is ours all the same, if we saved it, or are about to.
    expected = {known.retain_until} | (known.history if known.telling or seen.ours else frozenset())
    if end is None:
        if known.end is not None and not seen.ours:
            yield _fact(known, seen, FactKind.RETENTION_REMOVED, "", {"old": known.end})
        return
    if end == known.end:
        return
    told_before = known.end is None or known.end in expected
    if end in expected:
        if not told_before and not seen.ours:
            body = {"old": known.end or "", "new": end}
            yield _fact(known, seen, FactKind.RETENTION_RESTORED, end, body)
        return
    body = {"old": known.retain_until, "new": end}
    if not end or (known.retain_until and end > known.retain_until):
        held = any(hold.reference == f"{seen.uri}#{RETENTION}" for hold in known.holds)
        body |= {"reference": f"{seen.uri}#{RETENTION}", "matter": "retention in ArchivesSpace"}
        yield _fact(
            known,
            seen,
            FactKind.RETENTION_EXTENDED,
            end,
            body,
            refused="it is held for that already" if held else "",
        )
    else:
        yield _fact(known, seen, FactKind.RETENTION_CUT, end, body)


# -- events ------------------------------------------------------------------------------
def compare_event(
    event: SeenEvent,
    types: EventTypes,
    business_unit: str,
    disposals: Collection[str],
    holds: Iterable[SeenHold],
    before: Mapping[str, Asked] | None = None,
) -> list[NewFact]:
    """What an event decides. ``disposals`` are ours, of those that it may name; ``holds``
    those in force that events have placed on documents of this event; ``before`` what
    it has asked for already."""
    if event.ours:
        return []
    asked = before or {}
    if event.event_type in types.decisions:
        return _decisions(event, business_unit, disposals, asked)
    # What hotfolder tells of its own holds is no decision, even if somebody adds a note.
    if event.made or not event.identities:
        return []
    matter = next((item for item in event.matters if item.strip()), "")
    if event.event_type in types.placed and event.outcome != "cancelled":
        body: dict[str, object] = {
            "reference": event.uri,
            "matter": matter_of(matter or event.uri),
            "documents": sorted(event.identities),
        }
        return [_of_event(event, FactKind.HOLD_PLACED, business_unit, "", body)]
    if event.event_type in types.released:
        return list(_releases(event, business_unit, matter, holds, asked))
    return []


def _decisions(
    event: SeenEvent,
    business_unit: str,
    disposals: Collection[str],
    asked: Mapping[str, Asked],
) -> list[NewFact]:
    kinds = {"pass": FactKind.DISPOSAL_APPROVED, "fail": FactKind.DISPOSAL_REFUSED}
    kind = kinds.get(event.outcome)
    if kind is None:
        return []
    named = sorted(set(disposals_in(event)) & set(disposals))
    return [
        _of_event(event, kind, business_unit, name, {"disposal": name}, asked=asked)
        for name in named
    ]


def disposals_in(event: SeenEvent) -> list[str]:
    """The ids of disposals that an event names, as its refid or as a reference."""
    return [name for text in event.references for name in _DISPOSAL.findall(text)]


def _releases(
    event: SeenEvent,
    business_unit: str,
    matter: str,
    holds: Iterable[SeenHold],
    asked: Mapping[str, Asked],
) -> Iterable[NewFact]:
    """A release names documents, and perhaps the matter; a hold that is on others too is
    not released by it."""
    found = False
    for hold in holds:
        if matter and hold.matter != matter_of(matter):
            continue
        if not hold.identities & set(event.identities):
            continue
        found = True
        missing = len(hold.identities - set(event.identities))
        yield _of_event(
            event,
            FactKind.HOLD_RELEASED,
            business_unit,
            str(hold.number),
            _released(hold),
            refused=f"the hold is on {missing} other documents too: `hotfolder holds release`"
            if missing
            else "",
            asked=asked,
        )
    if not found:
        refused = "no hold that an event has placed is on these documents: `hotfolder holds list`"
        body = {"matter": matter_of(matter)} if matter else {}
        yield _of_event(event, FactKind.HOLD_RELEASED, business_unit, "", body, refused)


def _of_event(
    event: SeenEvent,
    kind: FactKind,
    business_unit: str,
    mark: str,
    body: Mapping[str, object],
    refused: str = "",
    asked: Mapping[str, Asked] | None = None,
) -> NewFact:
    key = f"{kind}|{event.uri}|{mark}"
    if _asks_again(event, kind, (asked or {}).get(mark)):
        key += f"|{event.lock_version}"
    return NewFact(
        key=key,
        kind=kind,
        business_unit=business_unit,
        actor=actor_of(event.changed_by),
        at=float(event.changed_at),
        identity=event.identities[0] if len(event.identities) == 1 else "",
        uri=event.uri,
        body=body,
        refused=refused,
    )


def _asks_again(event: SeenEvent, kind: FactKind, before: Asked | None) -> bool:
    """Whether this is more than what the event has said before: the other answer, the same
    after it was refused, or that of somebody else while the first waits."""
    if before is None:
        return False
    if before.kind is not kind or before.state is FactState.REFUSED:
        return True
    return before.state is FactState.WAITING and before.actor != actor_of(event.changed_by)


def _fact(
    known: KnownRecord,
    seen: SeenObject,
    kind: FactKind,
    mark: str,
    body: Mapping[str, object],
    refused: str = "",
    key: str = "",
) -> NewFact:
    return NewFact(
        key=key or f"{kind}|{seen.uri}|{mark}|{seen.lock_version}",
        kind=kind,
        business_unit=known.business_unit,
        actor=actor_of(seen.changed_by),
        at=float(seen.changed_at),
        identity=known.identity,
        uri=seen.uri,
        body=body,
        refused=refused,
    )
