"""What ArchivesSpace has been told, put together: one event and one link of the audit
chain for each change set. Pure.

A change set is what happened for one reason to documents that were told of together: a
hold, its release, a disposal, a class. The ``refid`` of its event is a function of what
happened to which documents, so that it is recorded once. Nothing of customers is in it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from hotfolder.core.canonical import dump
from hotfolder.core.changes import Amended, Change, DocumentChanges, ToldChanges, ToTell
from hotfolder.core.profiles import ChangesProfile
from hotfolder.core.records import ArchiveEvent

# Of the list that comes with ArchivesSpace (reference 1.2), where the one that PREMIS has
# was not added to it.
NATIVE = {"hold": "assessment", "release": "assessment", "destruction": "deletion",
          "retention": "assessment"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Set:
    """What belongs together."""

    business_unit: str
    name: str  # hold | release | destruction | retention
    subject: str
    digest: str


def compose(
    done: Sequence[tuple[DocumentChanges, Amended]], profile: ChangesProfile
) -> list[ToldChanges]:
    """One ``ToldChanges`` for each change set in what was told together."""
    sets: dict[_Set, list[tuple[DocumentChanges, Amended, ToTell]]] = defaultdict(list)
    for changes, amended in done:
        for row in changes.rows:
            key = _Set(changes.business_unit, _name(row), row.subject, row.digest)
            sets[key].append((changes, amended, row))
    return [_compose(key, members, profile) for key, members in sets.items()]


def event_types(profile: ChangesProfile) -> dict[str, str]:
    """The type of the event of each kind of change set; empty: it gets none."""
    return {
        "hold": profile.hold,
        "release": profile.release,
        "destruction": profile.destruction,
        "retention": profile.retention,
    }


def _compose(
    key: _Set, members: Sequence[tuple[DocumentChanges, Amended, ToTell]], profile: ChangesProfile
) -> ToldChanges:
    happened = sorted(
        [changes.amendment.row.document.identity, row.created_at] for changes, _, row in members
    )
    digest = _digest([key.name, key.subject, happened])
    refid = f"hf:{key.name}:{digest[:40]}"
    uris = tuple(dict.fromkeys(amended.uri or changes.uri for changes, amended, _ in members))
    edited = sum(bool(amended.conflicts) for _, amended, _ in members)
    kind = event_types(profile)[key.name]
    event = ArchiveEvent(
        refid=refid,
        event_type=kind,
        fallback=NATIVE[key.name],
        at=max(row.created_at for _, _, row in members),
        outcome="pass",
        note=_note(key, len(members), edited),
        record_uris=uris,
    )
    return ToldChanges(
        business_unit=key.business_unit,
        subject=refid if key.name == "retention" else key.subject,
        details={
            "change": key.name,
            "documents": len(members),
            "edited": edited,
            "records_sha256": _digest(sorted(uris)),
            "refid": refid if kind else "",
        },
        outcomes=tuple(
            (row.number, "; ".join((amended.outcome, *amended.conflicts)))
            for _, amended, row in members
        ),
        event=event if kind else None,
    )


def _note(key: _Set, count: int, edited: int) -> str:
    documents = f"{count} document{'' if count == 1 else 's'}"
    text = {
        "hold": f"legal hold {key.subject} on {documents}",
        "release": f"legal hold {key.subject} released from {documents}",
        "destruction": f"{documents} destroyed under {key.subject},"
        f" certificate SHA-256 {key.digest}",
        "retention": f"last day of retention of {documents} decided anew, class {key.subject}",
    }[key.name]
    return f"{text}; edits of archivists were kept in {edited}" if edited else text


def _name(row: ToTell) -> str:
    if row.kind is Change.HOLD:
        return "release" if row.released else "hold"
    return "destruction" if row.kind is Change.DESTROYED else "retention"


def _digest(value: object) -> str:
    return hashlib.sha256(dump(value).encode()).hexdigest()
