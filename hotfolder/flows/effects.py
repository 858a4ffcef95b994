"""Effects: what a decision from ArchivesSpace asks for here: a hold, its release, a disposal.

Each may be had again, which changes nothing: a kill between an effect and its row in the
journal costs no more than that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from hotfolder.core.disposals import DisposalState
from hotfolder.core.duties import Duty
from hotfolder.core.errors import HotfolderError, Transient
from hotfolder.core.facts import FactKind, FactRow, FactState
from hotfolder.core.holds import Criteria, HoldRow
from hotfolder.core.ports import Journal

Port = TypeVar("Port")
May = Callable[[Duty, str, str], None]

# Of errors: what no further attempt changes. Anything else waits; a hold is not lost.
_REFUSALS = ("role.", "hold.", "disposal.", "document.")


class Holds(Protocol):
    """Where holds are placed and released (``flows.holding``)."""

    def place(
        self, *, matter: str, criteria: Criteria, actor: str, reason: str, source: str, key: str
    ) -> HoldRow:
        """Place a hold, once for each ``key``."""

    def release(self, hold_id: str, *, actor: str, reason: str) -> HoldRow:
        """Release it; harmless to repeat. ``KeyError`` if there is none."""


class Decisions(Protocol):
    """Where disposals are decided (``flows.disposing``)."""

    def approve(self, disposal: str, /, *, actor: str, authority: str) -> object:
        """PROPOSED to APPROVED. ``OperatorFault`` if it cannot be."""

    def withdraw(self, disposal: str, /, *, actor: str, reason: str) -> object:
        """PROPOSED or APPROVED to WITHDRAWN; raises alike."""


def apply(
    fact: FactRow, *, journal: Journal, holds: Holds, decisions: Decisions | None, may: May
) -> tuple[FactState, str, str]:
    """Do what ``fact`` asks for: its state then, why, and the hold that it placed. Raises
    what its effect raises (see ``is_refusal``)."""
    body = fact.body
    if fact.kind in (FactKind.HOLD_PLACED, FactKind.RETENTION_EXTENDED):
        documents = body.get("documents")
        names = documents if isinstance(documents, list) else [fact.identity]
        # Nobody is asked whether an archivist may: a hold destroys nothing.
        row = holds.place(
            matter=str(body["matter"]),
            criteria=Criteria(identities=tuple(map(str, names))),
            actor=fact.actor,
            reason=f"seen in ArchivesSpace: {fact.uri}",
            source="archivesspace",
            key=fact.key,
        )
        return FactState.DONE, "", row.id
    if fact.kind is FactKind.HOLD_RELEASED:
        return _release(fact, journal, holds, may)
    may(Duty.APPROVE, fact.business_unit, fact.actor)
    _decide(fact, str(body["disposal"]), journal, decisions)
    return FactState.DONE, "", ""


def is_refusal(error: HotfolderError) -> bool:
    """Whether no further attempt changes it."""
    return not isinstance(error, Transient) and error.code.startswith(_REFUSALS)


def _decide(fact: FactRow, disposal: str, journal: Journal, decisions: Decisions | None) -> None:
    state, approver = journal.decided(disposal)
    where = f"ArchivesSpace {fact.uri}"
    if fact.kind is FactKind.DISPOSAL_APPROVED:
        # What was approved before a crash is approved; by somebody else, it is refused.
        if approver != fact.actor:
            _given(decisions).approve(disposal, actor=fact.actor, authority=where)
    elif state != DisposalState.WITHDRAWN:
        _given(decisions).withdraw(disposal, actor=fact.actor, reason=where)


def _release(fact: FactRow, journal: Journal, holds: Holds, may: May) -> tuple[FactState, str, str]:
    seen = journal.seen_hold(int(str(fact.body["seen"])))
    if seen is None or seen.state is FactState.REFUSED:
        return FactState.DONE, "it was never placed here", ""
    if not seen.hold:
        raise Transient("its hold is still to be placed", code="feedback.order")
    may(Duty.RELEASE, fact.business_unit, fact.actor)
    holds.release(seen.hold, actor=fact.actor, reason=f"seen in ArchivesSpace: {fact.uri}")
    return FactState.DONE, "", ""


def _given(port: Port | None) -> Port:
    if port is None:
        raise Transient("nothing here carries this out", code="feedback.wiring")
    return port
