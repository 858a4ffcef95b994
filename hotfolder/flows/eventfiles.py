"""Event folders: files of events that start clocks (docs/retention.md).

A file moves to ``_working/<id>/`` by one rename; from there it is read, its events are
journalled, its receipt is written, and it goes. The journal needs no claim of its own for
it: what lies in ``_working`` is what is to be done, and an event carries the file's id and
its line as its source, under which the journal takes it once. A kill at any point ends
with each event once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime

from hotfolder.core.clocks import NewEvent
from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.eventfile import MAX_BYTES, read_events
from hotfolder.core.notes import events_note
from hotfolder.core.ports import Clock, Emit, Journal
from hotfolder.core.profiles import EventFolder
from hotfolder.core.receipts import instant
from hotfolder.core.records import Drop
from hotfolder.core.retention import Subject
from hotfolder.files.aside import move_aside
from hotfolder.files.claim import ClaimRequest, claim_drops
from hotfolder.files.content import open_regular, write_atomically
from hotfolder.files.faults import os_errors
from hotfolder.files.layout import folder_paths, working_folder
from hotfolder.files.working import list_files, list_working, remove_working

FORMAT = "hotfolder-events-receipt/1"
_SUFFIX = b".receipt.json"
_LONGEST_NAME = 255  # bytes; Linux NAME_MAX
_PAGE = 2000  # events in one transaction: others write in between
_ACTOR = "hotfolder"  # who may write into the folder is the folder's owner's affair


class EventFiles:
    """Takes files of events; one folder is served by one thread."""

    def __init__(
        self,
        *,
        journal: Journal,
        folders: Mapping[str, EventFolder],
        known: Collection[str],
        clock: Clock,
        emit: Emit,
        new_id: Callable[[], str],
        page: int = _PAGE,
    ) -> None:
        """``known`` are the events that classes wait for."""
        self._journal = journal
        self.folders = dict(folders)
        self._known = frozenset(known)
        self._clock = clock
        self._emit = emit
        self._new_id = new_id
        self._page = page

    def recover(self, name: str) -> None:
        """After a start: what lies in ``_working`` is taken."""
        self.advance(name)

    def settle_claims(self, name: str) -> None:
        """After a claim that failed half-way: as after a start."""
        self.advance(name)

    def claim(self, name: str, drops: Sequence[Drop]) -> int:
        """Take settled files out of the folder; returns how many."""
        if not drops:
            return 0
        requests = [ClaimRequest(spool_id=self._new_id(), drop=drop) for drop in drops]
        outcomes = claim_drops(os.fsencode(self.folders[name].path), requests)
        # survives: killed here, the next start finds them in _working
        crashpoint("events.claimed")
        return sum(outcome.claimed for outcome in outcomes)

    def advance(self, name: str) -> int:
        """Take what lies in ``_working``; returns how many files came to their end. Raises
        ``Transient`` or ``OperatorFault``: the file waits."""
        root = os.fsencode(self.folders[name].path)
        claimed = list_working(root)
        for file_id in claimed:
            self._take(self.folders[name], root, file_id)
        return len(claimed)

    def _take(self, profile: EventFolder, root: bytes, file_id: str) -> None:
        names = list_files(root, file_id)
        if names:
            path = os.path.join(working_folder(root, file_id), names[0])
            try:
                events = self._read(path, names[0], file_id)
            except InputFault as error:
                self._set_aside(profile, root, file_id, names[0], error.faults)
                return
            numbers = self._record(events)
            # survives: killed here, the events are found by their source, and not added
            crashpoint("events.recorded")
            self._write_receipt(root, file_id, names[0], events, numbers)
            # survives: killed here, the same receipt is written again
            crashpoint("events.receipted")
            self._emit("events.taken", folder=profile.name, file=file_id, count=len(events))
        remove_working(root, [file_id])

    def _read(self, path: bytes, name: bytes, file_id: str) -> list[NewEvent]:
        with open_regular(path) as stream, os_errors("reading a file of events"):
            data = stream.read(MAX_BYTES + 1)
        events = read_events(data, name, source=file_id, actor=_ACTOR, known=self._known)
        unknown = [
            event
            for event in events
            if event.kind is Subject.DOCUMENT and self._journal.get_document(event.subject) is None
        ]
        if unknown:
            raise InputFault(
                [
                    Fault(
                        code="events.document",
                        message="no document has this identity",
                        remedy="correct it, or send the line when the document is archived",
                        place=f"line {str(event.source).rpartition(':')[2]}",
                    )
                    for event in unknown[:100]
                ]
            )
        return events

    def _record(self, events: Sequence[NewEvent]) -> list[int]:
        numbers: list[int] = []
        for first in range(0, len(events), self._page):
            chosen = events[first : first + self._page]
            numbers += self._journal.record_events(chosen, self._clock.now())
        return numbers

    def _write_receipt(
        self,
        root: bytes,
        file_id: str,
        name: bytes,
        events: Sequence[NewEvent],
        numbers: Sequence[int],
    ) -> None:
        receipt = {
            "format": FORMAT,
            "file": {"id": file_id, "name": os.fsdecode(name).encode("utf-8", "replace").decode()},
            "events": [
                {"line": int(str(event.source).rpartition(":")[2]), "number": number}
                for event, number in zip(events, numbers, strict=True)
            ],
            "receipted": instant(self._clock.now()),
        }
        # The end of the id is part of the name: a file of this name may come every night.
        suffix = b"." + file_id[-8:].encode() + _SUFFIX
        path = os.path.join(
            folder_paths(root).receipts, name[: _LONGEST_NAME - len(suffix)] + suffix
        )
        write_atomically(path, json.dumps(receipt, indent=1).encode() + b"\n")

    def _set_aside(
        self,
        profile: EventFolder,
        root: bytes,
        file_id: str,
        name: bytes,
        faults: Sequence[Fault],
    ) -> None:
        """Move the file to ``_failed`` with a note; harmless to repeat."""
        at = datetime.fromtimestamp(self._clock.now(), UTC)
        note = events_note(
            name, faults, folder=profile.name, owner=profile.owner, reference=file_id, at=at
        )
        move_aside(root, file_id, at.date().isoformat(), name, note.encode())
        # survives: killed here, nothing is left in the working folder but itself
        crashpoint("events.set_aside")
        remove_working(root, [file_id])
        self._emit("events.rejected", folder=profile.name, file=file_id, faults=len(faults))
