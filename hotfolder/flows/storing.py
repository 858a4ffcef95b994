"""Storing: spools that were read are written to the store, a batch at a time.

Of a batch that the store refuses each spool is tried by itself: one that is at fault stands
aside, and stops no other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from hotfolder.core.canonical import document_line, spool_to_json
from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.documenttree import RootOfLines
from hotfolder.core.errors import Corrupt, HotfolderError, InputFault, OperatorFault
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.ports import Clock, Emit, Journal, Store
from hotfolder.core.profiles import FolderKind, FolderProfile
from hotfolder.core.records import Documents, Inspection, Reading, SpoolRow, StoreRequest
from hotfolder.files.content import open_regular
from hotfolder.files.layout import working_folder
from hotfolder.flows.aside import Aside
from hotfolder.flows.spilling import JournalledDocuments
from hotfolder.formats import inspect_spool


class SpoolStorer:
    """Stores; used by one thread at a time."""

    def __init__(
        self, *, journal: Journal, store: Store, aside: Aside, clock: Clock, emit: Emit
    ) -> None:
        self._journal = journal
        self._store = store
        self._aside = aside
        self._clock = clock
        self._emit = emit

    def store(
        self,
        rows: Sequence[SpoolRow],
        folders: Mapping[str, FolderProfile],
        inspections: Mapping[str, Inspection],
    ) -> list[str]:
        """Store these READ spools; the ids of those that are STORED now. ``inspections`` are
        those of the spools that were read since the start."""
        pairs = [
            (row, request)
            for row in rows
            if (request := self._request(row, folders.get(row.folder), inspections.get(row.id)))
            is not None
        ]
        if not pairs:
            return []
        try:
            stored = self._store.write_spools([request for _, request in pairs])
        except (Corrupt, InputFault, OperatorFault) as error:
            if len(pairs) == 1:
                self._stop_row(pairs[0][0], error)
                return []
            # One of the batch is at fault: each by itself, so that the others go on.
            stored = []
            for row, request in pairs:
                try:
                    stored += self._store.write_spools([request])
                except (Corrupt, InputFault, OperatorFault) as alone:
                    self._stop_row(row, alone)
        still = still_in(self._journal, SpoolState.READ, [item.spool_id for item in stored])
        stored = [item for item in stored if item.spool_id in still]
        roots = {request.spool_id: _root_of(request) for _, request in pairs}
        self._journal.record_stored(
            [replace(item, documents_root=roots[item.spool_id]) for item in stored],
            self._clock.now(),
        )
        # survives: killed here, the documents wait for a unit
        crashpoint("store.recorded")
        for item in stored:
            self._emit("spool.stored", spool=item.spool_id, bytes=item.content_size)
        return [item.spool_id for item in stored]

    def _stop_row(self, row: SpoolRow, error: HotfolderError) -> None:
        """A spool that cannot be stored: corrupt, or its working copy was tampered
        with. A fault of the store itself concerns all spools and is raised."""
        if isinstance(error, Corrupt):
            self._aside.mark_corrupt(row, error)
        elif isinstance(error, InputFault) or error.code == "file.missing":
            self._aside.hold(row, error)
        else:
            raise error

    def _request(
        self, row: SpoolRow, profile: FolderProfile | None, inspection: Inspection | None
    ) -> StoreRequest | None:
        """What to store for a READ spool; the documents come from the journal, which
        has given them their versions."""
        if profile is None:
            self._aside.hold(row, unconfigured(row.folder))
            return None
        place = working_folder(os.fsencode(profile.path), row.id)
        path = os.path.join(place, os.path.basename(row.name))
        if row.sha256 is None:
            raise Corrupt(f"spool {row.id} is READ without a checksum", code="journal.checksum")
        if inspection is None:
            try:
                with open_regular(path) as stream:
                    inspection = inspect_spool(stream, row.size, row.name)
            except (InputFault, OperatorFault) as error:
                self._stop_row(row, error)
                return None
        documents: Documents
        if row.documents is not None and row.documents > 1:
            documents = JournalledDocuments(self._journal, row)
        else:
            documents = tuple(item.document for item in self._journal.documents_of(row.id))
        many = len(documents) > 1  # a carrier beside the only one makes two
        template = (
            self._journal.template_in(row.id) if profile.kind is FolderKind.TEMPLATES else None
        )
        reading = Reading(
            spool_id=row.id,
            sha256=row.sha256,
            size=row.size,
            inspection=inspection,
            documents=documents,
            template=template,
        )
        names = [*row.sidecars, *row.shared]
        return StoreRequest(
            spool_id=row.id,
            content_path=path,
            content_name=os.path.basename(row.name),
            sha256=row.sha256,
            size=row.size,
            sidecar_paths=tuple(os.path.join(place, os.path.basename(name)) for name in names),
            metadata=spool_to_json(row, reading, many=many),
            created_at=row.created_at,
            documents=RootOfLines(partial(map, document_line, documents)) if many else None,
            encrypted=profile.encrypt_documents,
        )


def still_in(journal: Journal, state: SpoolState, spool_ids: Sequence[str]) -> set[str]:
    """Which of these are in ``state``: somebody may have held one in the meantime."""
    states = journal.states_of(spool_ids)
    return {spool_id for spool_id in spool_ids if states[spool_id] is state}


def unconfigured(folder: str) -> OperatorFault:
    """A spool came from a folder that is in the configuration no more."""
    return OperatorFault(
        f"the hot folder {folder!r} is no longer configured",
        hint="put its profile back, then `hotfolder release` the spool",
        code="folder.unknown",
    )


def _root_of(request: StoreRequest) -> str:
    """The root over the documents, which have passed by on their way into the store."""
    lines = request.documents
    return (lines.root or "") if isinstance(lines, RootOfLines) else ""
