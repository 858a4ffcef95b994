"""Rebuild: a new journal from the store and the server, after the journal was lost.

The store has every spool with its canonical metadata; the server has the identity
and checksum of everything delivered. What the store has and the server lacks is
STORED and will be delivered like any other. Working copies that reached neither
are put back into their hot folder by ``Finisher.recover`` (they were never
acknowledged). May be interrupted and run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from hotfolder.core.canonical import SpoolDescription, spool_from_json
from hotfolder.core.documenttree import root_of_leaves
from hotfolder.core.errors import Corrupt, Destroyed
from hotfolder.core.holds import load_hold
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.ports import Archive, Clock, Emit, Journal, Store
from hotfolder.core.records import (
    ArchivedDocument,
    CatalogueRow,
    Disposition,
    Reading,
    Role,
    SpoolRow,
)
from hotfolder.core.tombstones import read_tombstone
from hotfolder.flows.adopt import differs, sort_present
from hotfolder.flows.damage import mark_damaged

CHUNK = 500  # documents that are looked up on the server at once


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildReport:
    """What a rebuild found; all counts."""

    spools: int
    documents: int
    confirmed: int
    unreadable: int
    differing: int


@dataclass(slots=True)
class _Counts:
    spools: int = 0
    documents: int = 0
    confirmed: int = 0
    unreadable: int = 0
    differing: int = 0


class Rebuild:
    """Fills an empty (or half-rebuilt) journal."""

    def __init__(
        self, *, journal: Journal, store: Store, archive: Archive, clock: Clock, emit: Emit
    ) -> None:
        self._journal = journal
        self._store = store
        self._archive = archive
        self._clock = clock
        self._emit = emit

    def run(self, progress: Callable[[int], None] = lambda _done: None) -> RebuildReport:
        """Read every object of the store and look its documents up on the server.

        ``progress`` is called with the number of spools read so far. Each spool is
        on disk in the journal before the next is read. Raises ``Transient`` or
        ``OperatorFault`` if the server cannot be asked.
        """
        counts = _Counts()
        self._restore_holds()
        rows = self._restore_all(counts, progress)
        while chunk := list(islice(rows, CHUNK)):
            counts.documents += sum(row.document.role is not Role.CARRIER for row in chunk)
            self._confirm([row for row in chunk if row.document.role is not Role.CARRIED], counts)
        self._bury()
        return RebuildReport(
            spools=counts.spools,
            documents=counts.documents,
            confirmed=counts.confirmed,
            unreadable=counts.unreadable,
            differing=counts.differing,
        )

    def _restore_holds(self) -> None:
        """Holds first: what they hold becomes a member when its spool is journalled."""
        for data in self._store.kept_holds():
            try:
                hold, placed_at = load_hold(data)
            except ValueError:
                # Its marks stay, so that nothing that it held is purged.
                self._emit("hold.unreadable")
                continue
            self._journal.place_hold(hold, placed_at)

    def _restore_all(
        self, counts: _Counts, progress: Callable[[int], None]
    ) -> Iterator[CatalogueRow]:
        """Journal one spool after another; gives out their documents."""
        for spool_id, stone in self._store.tombstones():
            # What was destroyed stays so; what a crash left of it goes now.
            self._store.purge(spool_id, stone)
            self._journal.restore_tombstones(read_tombstone(stone), self._clock.now())
        for spool_id, stone in self._store.part_tombstones():
            found = read_tombstone(stone)
            ordinals = [item.ordinal for item in found if item.ordinal is not None]
            self._store.purge_parts(spool_id, found[0].disposal, ordinals, stone)
        for stored in self._store.iterate():
            try:
                description = spool_from_json(
                    self._store.read_metadata(stored.spool_id),
                    partial(self._store.read_documents, stored.spool_id),
                )
                told = replace(
                    stored,
                    documents_root=root_of_leaves(self._store.read_leaves(stored.spool_id)),
                    destroyed=tuple(sorted(self._store.destroyed_parts(stored.spool_id))),
                )
                self._give_way(description.reading)
                self._journal.restore_spool(
                    spool_row(description), description.reading, told, self._clock.now()
                )
            except Corrupt as error:
                self._emit("store.unreadable", spool=stored.spool_id, reason=error.code)
                counts.unreadable += 1
                continue
            counts.spools += 1
            progress(counts.spools)
            yield from self._journal.iterate_documents(stored.spool_id)

    def _give_way(self, reading: Reading) -> None:
        """Who has documents of this spool already and is damaged stands aside, so that they
        are found where they are whole: they came again because of that damage."""
        damaged = [
            (spool_id, error)
            for spool_id in self._journal.spools_with(reading)
            if (error := self._damage(spool_id)) is not None
        ]
        if not damaged or self._damage(reading.spool_id) is not None:
            return
        for spool_id, error in damaged:
            mark_damaged(
                self._journal,
                spool_id,
                error,
                actor="hotfolder",
                now=self._clock.now(),
                emit=self._emit,
            )

    def _damage(self, spool_id: str) -> Corrupt | None:
        """Why the store cannot give the bytes of a spool; None if it can, or was made to
        forget some of them."""
        try:
            self._store.open_content(spool_id).close()
        except KeyError:
            return Corrupt("the store does not have the spool", code="store.missing")
        except Corrupt as error:
            return error
        except Destroyed:
            return None
        return None

    def _bury(self) -> None:
        """Documents whose keys went, last: by now they are back in their spools and units,
        where they are found no more from here on."""
        for _, stone in self._store.part_tombstones():
            self._journal.restore_tombstones(read_tombstone(stone), self._clock.now())

    def _confirm(self, rows: list[CatalogueRow], counts: _Counts) -> None:
        for business_unit in sorted({row.business_unit for row in rows}):
            ours = [row for row in rows if row.business_unit == business_unit]
            there = self._archive.find_documents(
                business_unit, [row.document.identity for row in ours]
            )
            same = {
                row.document.identity: there[row.document.identity]
                for row in ours
                if row.document.identity in there and _is_its(row, there[row.document.identity])
            }
            counts.differing += len(there) - len(same)
            for row in ours:
                if row.document.identity in there and row.document.identity not in same:
                    self._emit("spool.differs", spool=row.spool_id, reason="archive.differs")
            counts.confirmed += self._restore_units(business_unit, ours, same)

    def _restore_units(
        self, business_unit: str, ours: Iterable[CatalogueRow], same: dict[str, ArchivedDocument]
    ) -> int:
        """Returns how many documents are in whole units; the others wait, and are found
        again when they are sent."""
        rows = {row.document.identity: row for row in ours}
        confirmed = 0
        for unit in sort_present(self._archive, business_unit, same).units:
            # A unit is of one series and cycle, so any of its members tells both.
            place = rows[next(iter(unit.documents))].document
            self._journal.restore_unit(
                unit, business_unit, place.series, place.cycle, self._clock.now()
            )
            confirmed += sum(self._described_by(rows[name]) for name in unit.documents)
        return confirmed

    def _described_by(self, row: CatalogueRow) -> int:
        """How many documents the record of this one describes."""
        if row.document.role is not Role.CARRIER:
            return 1
        spool = self._journal.get_spool(row.spool_id)
        return (spool.documents or 0) if spool is not None else 0


def _is_its(row: CatalogueRow, there: ArchivedDocument) -> bool:
    """Whether the record is this document's; that of a destroyed one has lost its file."""
    gone = row.disposition is Disposition.DESTROYED and there.sha256 is None
    return gone or not differs(row, there)


def spool_row(description: SpoolDescription) -> SpoolRow:
    """The row that a spool found in the store gets; its state is set by the journal."""
    return SpoolRow(
        id=description.spool_id,
        folder=description.folder,
        business_unit=description.business_unit,
        name=description.name,
        sidecars=description.sidecars,
        trigger=None,
        shared=(),
        state=SpoolState.STORED,
        size=description.reading.size,
        mtime_ns=description.mtime_ns,
        inode=0,
        sha256=description.reading.sha256,
        format_name=description.reading.inspection.format_name,
        pages=description.reading.inspection.pages,
        settled_by=description.settled_by,
        created_at=description.created_at,
        updated_at=description.created_at,
        attempts=0,
        next_at=None,
        last_error=None,
        first_spool_id=None,
        faults=(),
        held_from=None,
    )
