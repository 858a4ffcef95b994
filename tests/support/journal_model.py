"""A journal as a few lists: what the docstrings of the port promise, done naively."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hotfolder.core.identity import unit_ref_id
from hotfolder.core.lifecycle import SPOOL_MOVES, UNIT_MOVES, SpoolState, UnitState
from hotfolder.core.records import Document

S, U = SpoolState, UnitState
ARRIVED = (S.STORED, S.DELIVERED, S.DONE)


@dataclass(slots=True, eq=False)
class ModelUnit:
    """A unit; ``members`` of a refused one are those that it had."""

    ref_id: str
    state: UnitState = U.PLANNED
    members: list[ModelDocument] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class ModelDocument:
    """A document of one spool; others may have the same identity."""

    identity: str
    business_key: str
    spool: ModelSpool
    version: int
    live: bool = True
    kept: bool = True
    waiting: bool = False
    recorded: bool = False
    unit: ModelUnit | None = None


@dataclass(slots=True, eq=False)
class ModelSpool:
    """A spool and its documents."""

    number: int
    state: SpoolState = S.CLAIMING
    left: SpoolState = S.CLAIMING
    path: list[SpoolState] = field(default_factory=lambda: [S.CLAIMING])
    documents: list[ModelDocument] = field(default_factory=list)


class Model:
    """Every method returns False, and changes nothing, where the journal must refuse."""

    def __init__(self) -> None:
        self.spools: list[ModelSpool] = []
        self.units: list[ModelUnit] = []
        self.documents: list[ModelDocument] = []  # in the order in which they were read

    # -- spools ---------------------------------------------------------------------
    def move(self, spool: ModelSpool, old: SpoolState, new: SpoolState) -> bool:
        if spool.state is not old or new not in SPOOL_MOVES[old]:
            return False
        self._become(spool, new)
        return True

    def read(self, spool: ModelSpool, documents: Sequence[Document]) -> SpoolState | None:
        """The state that the spool gets; None if it may not be read."""
        if spool.state is not S.CLAIMED:
            return None
        fresh: dict[str, Document] = {}
        for document in documents:
            if not any(item.live for item in self._called(document.identity)):
                fresh.setdefault(document.identity, document)
        self._become(spool, S.READ if fresh else S.DUPLICATE)
        for document in fresh.values():
            versioned = self._versioned(spool, document)
            spool.documents.append(versioned)
            self.documents.append(versioned)
        return spool.state

    def store(self, spool: ModelSpool) -> bool:
        if not self.move(spool, S.READ, S.STORED):
            return False
        for document in spool.documents:
            self._let_wait(document)
        self._deliver([spool])
        return True

    def set_aside(self, spool: ModelSpool, state: SpoolState) -> bool:
        in_flight = any(item.unit and item.unit.state is U.SENT for item in spool.documents)
        if (in_flight and state is not S.HELD) or state not in SPOOL_MOVES[spool.state]:
            return False
        if spool.state is not S.HELD:
            spool.left = spool.state
        self._become(spool, state)
        for document in spool.documents:
            if document.unit and document.unit.state is U.PLANNED:
                self._dissolve(document.unit)
        for document in spool.documents:
            document.waiting = False
            document.live = state is S.HELD
            document.kept = state is not S.REJECTED
        return True

    def release(self, spool: ModelSpool) -> SpoolState | None:
        """The state that it goes back to; None if it may not."""
        if spool.state not in (S.HELD, S.CORRUPT):
            return None
        for document in spool.documents:
            others = [item for item in self._called(document.identity) if item is not document]
            if any(item.live for item in others):
                return None
        self._become(spool, S.STORED if spool.left in ARRIVED else spool.left)
        for document in spool.documents:
            if not document.kept:
                numbers = [item.version for item in self._kept(document.business_key)]
                if document.version in numbers:
                    document.version = max(numbers) + 1
            document.live = document.kept = True
        for document in spool.documents:
            self._let_wait(document)
        self._deliver([spool])
        return spool.state

    # -- units ----------------------------------------------------------------------
    def plan(self, limit: int) -> ModelUnit | None:
        members = [item for item in self.documents if item.waiting][:limit]
        return self._plan(members) if members else None

    def replan(self, unit: ModelUnit, groups: Sequence[Sequence[ModelDocument]]) -> bool:
        chosen = [item for group in groups for item in group]
        legal = (
            U.REFUSED in UNIT_MOVES[unit.state]
            and all(groups)
            and len(set(chosen)) == len(chosen)
            and all(item.unit is unit and not item.recorded for item in chosen)
        )
        if not legal:
            return False
        members = list(unit.members)
        self._refuse(unit)
        for group in groups:
            self._plan(group)
        for item in members:
            self._let_wait(item)
        return True

    def send(self, unit: ModelUnit) -> bool:
        if unit.state not in (U.PLANNED, U.SENT):
            return False
        unit.state = U.SENT
        return True

    def confirm(self, unit: ModelUnit, there: Iterable[ModelDocument]) -> bool:
        if U.CONFIRMED not in UNIT_MOVES[unit.state]:
            return False
        unit.state = U.CONFIRMED
        for item in there:
            item.recorded = True
        for item in [item for item in unit.members if not item.recorded]:
            unit.members.remove(item)
            item.unit = None
            self._let_wait(item)
        self._deliver(self.spools)
        return True

    def confirm_documents(self, found: Iterable[ModelDocument]) -> bool:
        chosen = list(found)
        if not all(item.live for item in chosen):
            return False
        for item in chosen:
            item.waiting, item.recorded = False, True
        for item in chosen:
            if item.unit and item.unit.state is U.PLANNED:
                self._dissolve(item.unit)
        self._deliver([item.spool for item in chosen])
        return True

    def lose_unit(self, unit: ModelUnit) -> bool:
        if U.PLANNED not in UNIT_MOVES[unit.state]:
            return False
        unit.state = U.PLANNED
        for item in unit.members:
            item.recorded = False
        aside = any(item.spool.state not in ARRIVED for item in unit.members)
        if aside or unit_ref_id([item.identity for item in unit.members]) != unit.ref_id:
            self._dissolve(unit)
        return True

    def lose_documents(self, lost: Iterable[ModelDocument]) -> None:
        for item in lost:
            under_way = item.unit and item.unit.state in (U.PLANNED, U.SENT)
            if item.live and item.recorded and not under_way:
                if item.unit:
                    item.unit.members.remove(item)
                item.unit, item.recorded = None, False
                self._let_wait(item)

    # -- how ------------------------------------------------------------------------
    def _called(self, identity: str) -> list[ModelDocument]:
        return [item for item in self.documents if item.identity == identity]

    def _kept(self, business_key: str) -> list[ModelDocument]:
        return [item for item in self.documents if item.business_key == business_key and item.kept]

    def _versioned(self, spool: ModelSpool, document: Document) -> ModelDocument:
        corrupt = next((item for item in self._called(document.identity) if item.kept), None)
        if corrupt is not None:
            corrupt.kept = False
            version = corrupt.version
        else:
            version = 1 + max(
                (item.version for item in self._kept(document.business_key)), default=0
            )
        return ModelDocument(document.identity, document.business_key, spool, version)

    def _become(self, spool: ModelSpool, state: SpoolState) -> None:
        spool.state = state
        spool.path.append(state)

    def _let_wait(self, item: ModelDocument) -> None:
        if item.live and not item.recorded and item.unit is None and item.spool.state in ARRIVED:
            item.waiting = True

    def _plan(self, members: Sequence[ModelDocument]) -> ModelUnit:
        names = [item.identity for item in members]
        while unit_ref_id(names) in [
            unit.ref_id for unit in self.units if unit.state is not U.REFUSED
        ]:
            names.append(unit_ref_id(names))
        unit = ModelUnit(unit_ref_id(names), members=list(members))
        for item in members:
            item.unit, item.waiting = unit, False
        self.units.append(unit)
        return unit

    def _refuse(self, unit: ModelUnit) -> None:
        unit.state = U.REFUSED
        for item in unit.members:
            item.unit = None

    def _dissolve(self, unit: ModelUnit) -> None:
        members = list(unit.members)
        self._refuse(unit)
        for item in members:
            self._let_wait(item)

    def _deliver(self, spools: Iterable[ModelSpool]) -> None:
        for spool in dict.fromkeys(spools):
            if spool.state is S.STORED and all(item.recorded for item in spool.documents):
                self._become(spool, S.DELIVERED)
