"""Intake: from settled drops to stored, journalled documents (DESIGN section 4, steps 3 to 5).

Everything works on batches, so that the syncs of many small spools are shared;
each spool is acknowledged only when it is durable itself. Intake needs no
server: with ArchivesSpace down it goes on to the store.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from functools import partial
from itertools import groupby

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import (
    HotfolderError,
    InputFault,
    OperatorFault,
    Transient,
)
from hotfolder.core.lifecycle import Backoff, SpoolState
from hotfolder.core.ports import Clock, Emit, Journal, Store
from hotfolder.core.profiles import FolderKind, FolderProfile, Rules
from hotfolder.core.records import (
    Drop,
    Inspection,
    Reading,
    SpoolRow,
)
from hotfolder.files.claim import ClaimRequest, claim_drops
from hotfolder.files.content import hash_file, open_regular
from hotfolder.files.layout import working_folder
from hotfolder.flows.aside import Aside
from hotfolder.flows.finish import Finisher
from hotfolder.flows.gone import find_destroyed
from hotfolder.flows.reading import SpoolReader, file_in, read_sidecar
from hotfolder.flows.storing import SpoolStorer, still_in, unconfigured
from hotfolder.flows.templates import TemplateReader
from hotfolder.flows.unexpected import last_frames
from hotfolder.flows.unfinished import explain_faults
from hotfolder.formats import inspect_spool

_UNREADABLE = OperatorFault(
    "hotfolder met a fault of its own while reading this spool",
    hint="keep the log line spool.unreadable for whoever maintains hotfolder; with a release"
    " that can read it, `hotfolder release` it",
    code="spool.unreadable",
)
BATCH = 256  # spools in one transaction; bounds memory and the work lost by a kill


class Intake:
    """Claims drops, reads them, stores them. ``claim`` may be called from the
    watcher threads; ``advance`` from one thread at a time."""

    def __init__(
        self,
        *,
        journal: Journal,
        store: Store,
        aside: Aside,
        finisher: Finisher,
        rules: Rules,
        folders: Mapping[str, FolderProfile],
        clock: Clock,
        emit: Emit,
        new_id: Callable[[], str],
        jitter: Callable[[], float],
        backoff: Backoff | None = None,
        scratch: bytes | None = None,
    ) -> None:
        """``scratch`` is a folder for what reading cannot hold in memory."""
        self._journal = journal
        self._aside = aside
        self._finisher = finisher
        self._interrupted = threading.Event()
        self._reader = SpoolReader(
            rules=rules,
            clock=clock,
            emit=emit,
            scratch=scratch,
            interrupted=self._interrupted.is_set,
        )
        self._storer = SpoolStorer(
            journal=journal, store=store, aside=aside, clock=clock, emit=emit
        )
        self._templates = TemplateReader(journal=journal, rules=rules)
        self._folders = dict(folders)
        self._clock = clock
        self._emit = emit
        self._new_id = new_id
        self._jitter = jitter
        self._backoff = backoff or Backoff()
        self._inspections: dict[str, Inspection] = {}

    def interrupt(self) -> None:
        """Give up the reading of a spool with many documents, for good: the daemon is to
        stop. It is read anew after the next start."""
        self._interrupted.set()

    def use_folders(self, folders: Mapping[str, FolderProfile]) -> None:
        """Replace the folder profiles (after SIGHUP)."""
        self._folders = dict(folders)

    # -- claim ------------------------------------------------------------------
    def claim(self, drops: Sequence[Drop], ids: Mapping[bytes, str] | None = None) -> int:
        """Take settled drops of one folder out of the producer's reach; returns how many.
        ``ids`` are those that their spools get, by the spool's name, where somebody has
        journalled them already.

        When it returns, the claimed files are in ``_working``, both directories
        are synced and the journal says CLAIMED. A drop that vanished or changed
        since it settled is left where it is and recorded as abandoned.
        """
        if not drops:
            return 0
        profile = self._folders[drops[0].folder]
        root = os.fsencode(profile.path)
        # The older file first: of two with one key, taken together, the later is the new version.
        ordered = sorted(drops, key=lambda drop: (drop.spool.mtime_ns, drop.spool.name))
        requests = [
            ClaimRequest(
                spool_id=self._new_id() if ids is None else ids[drop.spool.name], drop=drop
            )
            for drop in ordered
        ]
        self._journal.begin_claims(
            [(request.spool_id, profile.business_unit, request.drop) for request in requests],
            self._clock.now(),
        )
        # survives: killed from here on, recovery looks where the files are
        crashpoint("claim.journalled")
        outcomes = claim_drops(root, requests)
        claimed = [outcome.spool_id for outcome in outcomes if outcome.claimed]
        self._journal.finish_claims(claimed, self._clock.now())
        # survives: killed here, the spools are found CLAIMED and read
        crashpoint("claim.recorded")
        for outcome in outcomes:
            if not outcome.claimed:
                self._journal.abandon_claims([outcome.spool_id], outcome.reason, self._clock.now())
                self._emit("spool.abandoned", spool=outcome.spool_id, reason=outcome.reason)
        self._emit(
            "spool.claimed",
            folder=profile.name,
            count=len(claimed),
            bytes=sum(
                request.drop.spool.size
                for request, outcome in zip(requests, outcomes, strict=True)
                if outcome.claimed
            ),
        )
        return len(claimed)

    # -- read and store -----------------------------------------------------------
    def advance(self, limit: int = BATCH) -> int:
        """Read and store up to ``limit`` claimed spools; returns how many were moved on.

        A failure of disk or database defers the batch and is raised as
        ``Transient``; nothing has been acknowledged then that is not on disk.
        """
        rows = self._journal.spools(
            [SpoolState.CLAIMED, SpoolState.READ], due_at=self._clock.now(), limit=limit
        )
        if not rows:
            return 0
        try:
            ready = [row for row in rows if row.state is SpoolState.READ]
            claimed = [row for row in rows if row.state is SpoolState.CLAIMED]
            for alone, group in groupby(claimed, key=self._is_read_alone):
                for batch in ([row] for row in group) if alone else (list(group),):
                    ready += self._read(batch)
            self._store_rows(ready)
        except Transient as error:
            self._defer(rows, error)
            raise
        return len(rows)

    def _is_read_alone(self, row: SpoolRow) -> bool:
        """A spool with many documents keeps files open while it is read; a template is
        compared with the versions that are journalled."""
        profile = self._folders.get(row.folder)
        return profile is not None and (
            profile.documents.many or profile.kind is FolderKind.TEMPLATES
        )

    def _defer(self, rows: Sequence[SpoolRow], error: Transient) -> None:
        now = self._clock.now()
        wait = self._backoff.wait(max(row.attempts for row in rows) + 1, self._jitter())
        try:
            self._journal.defer_spools([row.id for row in rows], error.code, now + wait, now)
        except Transient:
            # The journal's disk is full as well: the caller's pause is all the waiting there is.
            self._emit("spool.not_deferred", count=len(rows), reason=error.code)

    def _read(self, rows: Sequence[SpoolRow]) -> list[SpoolRow]:
        by_id = {row.id: row for row in rows}
        with ExitStack() as stack:
            readings = [
                reading
                for row in rows
                if (reading := self._try_reading(row, stack)) is not None
                and not self._was_destroyed(row, reading)
            ]
            still = still_in(
                self._journal, SpoolState.CLAIMED, [item.spool_id for item in readings]
            )
            readings = [item for item in readings if item.spool_id in still]
            results = self._journal.record_readings(readings, self._clock.now())
        # survives: killed here, the spools are found READ and stored
        crashpoint("read.recorded")
        ready: list[SpoolRow] = []
        duplicates: list[SpoolRow] = []
        for reading, result in zip(readings, results, strict=True):
            row = replace(
                by_id[result.spool_id],
                state=result.state,
                sha256=reading.sha256,
                size=reading.size,
                first_spool_id=result.first_spool_id,
                documents=result.documents,
                skipped=reading.skipped,
                remarks=reading.warnings,
            )
            if reading.skipped:
                self._emit("spool.skipped", spool=row.id, documents=reading.skipped)
            if result.state is SpoolState.DUPLICATE:
                self._inspections.pop(row.id, None)
                self._emit("spool.duplicate", spool=row.id, first=result.first_spool_id)
                duplicates.append(row)
                continue
            if result.superseding:
                self._emit("spool.new_version", spool=row.id, documents=result.superseding)
            ready.append(row)
        self._finisher.finish_duplicates(duplicates)
        return ready

    def _was_destroyed(self, row: SpoolRow, reading: Reading) -> bool:
        """Whether the spool holds a document that was destroyed; it stands aside then."""
        faults = find_destroyed(self._journal, reading.documents)
        if faults:
            self._inspections.pop(row.id, None)
            self._aside.reject(row, faults)
        return bool(faults)

    def _try_reading(self, row: SpoolRow, stack: ExitStack) -> Reading | None:
        """The reading of one spool, open until ``stack`` ends; None if it stands aside now."""
        try:
            return stack.enter_context(self._open_reading(row))
        except InputFault as error:
            self._aside.reject(row, error.faults)
        except OperatorFault as error:
            self._aside.hold(row, error)
        except HotfolderError:
            raise
        except Exception:  # noqa: BLE001  one spool that hits a fault of ours stops no other
            self._emit("spool.unreadable", spool=row.id, error=last_frames())
            self._aside.hold(row, _UNREADABLE)
        return None

    def _open_reading(self, row: SpoolRow) -> AbstractContextManager[Reading]:
        if row.faults:
            raise InputFault(explain_faults(row, self._folders.get(row.folder)))
        profile = self._folders.get(row.folder)
        if profile is None:
            raise unconfigured(row.folder)
        place = working_folder(os.fsencode(profile.path), row.id)
        sha256, size = hash_file(path := os.path.join(place, os.path.basename(row.name)))
        if profile.kind is FolderKind.TEMPLATES:
            reading = self._templates.read(
                row, profile, place, sha256=sha256, size=size, read_sidecar=_read_sidecar_in
            )
            self._inspections[row.id] = reading.inspection
            return nullcontext(reading)
        with open_regular(path) as stream:
            inspection = inspect_spool(stream, size, row.name)
        self._inspections[row.id] = inspection
        return self._reader.read(
            row, profile, partial(file_in, place), sha256=sha256, size=size, inspection=inspection
        )

    def _store_rows(self, rows: Sequence[SpoolRow]) -> None:
        stored = self._storer.store(rows, self._folders, self._inspections)
        for spool_id in stored:
            self._inspections.pop(spool_id, None)


def _read_sidecar_in(place: bytes, name: bytes) -> bytes:
    return read_sidecar(file_in(place, name), name)
