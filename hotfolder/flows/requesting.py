"""Request folders: a file that lists documents, or says what they are like, gets an
answer folder (docs/returns.md).

A request file is claimed as a drop is: the intent is journalled, the file moves to
``_working/<id>/``, and the journal says that it is there. The answer is made beside it,
journalled when it is durable, and there at once by one rename. A kill at any point ends
in one answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from hotfolder.core.answers import manifest_csv, manifest_json
from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import (
    Fault,
    HotfolderError,
    InputFault,
    OperatorFault,
    Transient,
)
from hotfolder.core.lifecycle import Backoff, SpoolState
from hotfolder.core.notes import request_note
from hotfolder.core.orders import Fate, RequestRow, RequestState
from hotfolder.core.pacing import within_a_step
from hotfolder.core.ports import Clock, Desk, Emit, Journal, Store
from hotfolder.core.profiles import RequestFolder, RetrieveProfile
from hotfolder.core.records import Drop, SpoolRow
from hotfolder.core.requestfile import MAX_BYTES, RequestFile, read_request
from hotfolder.files.answers import AnswerFolder, discard_answer, free_answer_name, give_answer
from hotfolder.files.aside import move_aside
from hotfolder.files.claim import ClaimRequest, claim_drops, recover_claims, return_claim
from hotfolder.files.content import open_regular
from hotfolder.files.faults import os_errors
from hotfolder.files.layout import working_folder
from hotfolder.files.working import list_working, remove_working
from hotfolder.flows.answers import AnswerWriter
from hotfolder.flows.fates import expand
from hotfolder.flows.naming import resolve_document


class Requests:
    """Claims request files and answers them; one folder is served by one thread."""

    def __init__(
        self,
        *,
        journal: Journal,
        store: Store,
        folders: Mapping[str, RequestFolder],
        desk: Desk | None,
        terms: RetrieveProfile,
        clock: Clock,
        emit: Emit,
        new_id: Callable[[], str],
        jitter: Callable[[], float],
        backoff: Backoff | None = None,
    ) -> None:
        """``desk`` is asked for documents that the catalogue does not know by a name."""
        self._journal = journal
        self._writer = AnswerWriter(journal=journal, store=store, clock=clock, emit=emit)
        self.folders = dict(folders)
        self._desk = desk
        self._terms = terms
        self._clock = clock
        self._emit = emit
        self._new_id = new_id
        self._jitter = jitter
        self._backoff = backoff or Backoff()

    # -- claims -----------------------------------------------------------------------
    def recover(self, name: str) -> None:
        """After a start: settle what a crash left in the folder's ``_working``."""
        root = os.fsencode(self.folders[name].path)
        self.settle_claims(name)
        for request_id in list_working(root):
            row = self._journal.get_request(request_id)
            if row is None or row.id != request_id:
                return_claim(root, request_id)  # the journal was lost: it is asked anew
            elif row.state is RequestState.REJECTED:
                self._set_aside(row, self._faults_of(row))
            elif row.state in (RequestState.ANSWERED, RequestState.ABANDONED):
                discard_answer(root, request_id)
                remove_working(root, [request_id])

    def settle_claims(self, name: str) -> None:
        """Decide claims that were journalled and perhaps made."""
        rows = [
            row for row in self._journal.open_requests(name) if row.state is RequestState.CLAIMING
        ]
        if not rows:
            return
        root = os.fsencode(self.folders[name].path)
        for outcome in recover_claims(root, [_as_spool(row) for row in rows]):
            self._settle(outcome.spool_id, outcome.claimed, outcome.reason)

    def claim(self, name: str, drops: Sequence[Drop]) -> int:
        """Take settled request files out of the folder; returns how many."""
        if not drops:
            return 0
        requests = [ClaimRequest(spool_id=self._new_id(), drop=drop) for drop in drops]
        self._journal.begin_requests(
            name, [(item.spool_id, item.drop) for item in requests], self._clock.now()
        )
        # survives: killed from here on, recovery looks where the files are
        crashpoint("request.journalled")
        outcomes = claim_drops(os.fsencode(self.folders[name].path), requests)
        crashpoint("request.claimed")
        for outcome in outcomes:
            self._settle(outcome.spool_id, outcome.claimed, outcome.reason)
        return sum(outcome.claimed for outcome in outcomes)

    def _settle(self, request_id: str, claimed: bool, reason: str) -> None:
        if claimed:
            self._journal.receive_request(request_id, self._clock.now())
            # survives: killed here, the next start answers it
            crashpoint("request.recorded")
            self._emit("request.received", request=request_id, kind="folder")
        else:
            self._journal.abandon_request(request_id, reason, self._clock.now())

    # -- answers ----------------------------------------------------------------------
    def advance(self, name: str) -> int:
        """Answer what is due; returns how many requests came to their end."""
        ended = 0
        due = self._journal.open_requests(name, due_at=self._clock.now())
        for row in within_a_step(due, self._clock.monotonic):
            if row.state is RequestState.CLAIMING:
                continue
            try:
                self._answer(row)
                ended += 1
            except (Transient, OperatorFault) as error:
                self._defer(row, error)
        return ended

    def _answer(self, row: RequestRow) -> None:
        profile = self.folders[row.source]
        root = os.fsencode(profile.path)
        if row.state is RequestState.RECEIVED:
            try:
                row = self._make(row, profile, root)
            except InputFault as error:
                self._journal.reject_request(row.id, error.message, self._clock.now())
                self._emit("request.rejected", request=row.id, reason=error.code)
                self._set_aside(row, error)
                return
        give_answer(root, row.id, bytes.fromhex(row.answer))
        # survives: killed here, the answer is there, and the journal is told
        crashpoint("answer.renamed")
        self._journal.close_request(row.id, "", self._clock.now())
        # survives: killed here, recovery removes the working copy
        crashpoint("answer.recorded")
        remove_working(root, [row.id])
        given = sum(item.fate is Fate.GIVEN for item in row.fates)
        self._emit("request.answered", request=row.id, given=given, lines=len(row.fates))

    def _make(self, row: RequestRow, profile: RequestFolder, root: bytes) -> RequestRow:
        """RECEIVED to STAGED: the answer lies in ``_working``, on disk."""
        request = self._read_request(row)
        units = profile.business_units
        resolve = partial(
            resolve_document,
            self._journal,
            self._desk,
            business_units=units,
            limit=profile.limit + 1,  # one more shows that there are too many
        )
        items = list(expand(self._journal, resolve, request.lines, units, profile.limit))
        folder = AnswerFolder(root, row.id)
        fates = self._writer.write(folder, profile, items)
        at = self._clock.now()
        folder.write(
            "manifest.json", [manifest_json(row, fates, reason=request.reason, answered_at=at)]
        )
        folder.write("manifest.csv", [manifest_csv(fates)])
        folder.sync()
        # survives: killed here, the answer is made anew
        crashpoint("answer.written")
        name = free_answer_name(root, row.name)
        self._journal.stage_request(row.id, fates, name.hex(), at, note=request.reason)
        # survives: killed here, the answer is renamed as it is
        crashpoint("answer.staged")
        return replace(row, state=RequestState.STAGED, fates=fates, answer=name.hex())

    def _defer(self, row: RequestRow, error: HotfolderError) -> None:
        wait = self._backoff.wait(row.attempts + 1, self._jitter())
        now = self._clock.now()
        self._journal.defer_request(row.id, str(error), now + wait, now)
        self._emit("request.deferred", request=row.id, reason=error.code)

    # -- bad ones ---------------------------------------------------------------------
    def _read(self, row: RequestRow) -> bytes:
        root = os.fsencode(self.folders[row.source].path)
        path = os.path.join(working_folder(root, row.id), os.path.basename(row.name))
        with open_regular(path) as stream, os_errors("reading a request"):
            return stream.read(MAX_BYTES + 1)

    def _read_request(self, row: RequestRow) -> RequestFile:
        request = read_request(self._read(row), row.name)
        if self._terms.reason_required and not request.reason.strip():
            raise InputFault(
                [
                    Fault(
                        code="request.reason",
                        message="it does not say why, and no document is given without a reason",
                        remedy='add "reason": "…" to JSON, or a column reason to CSV',
                    )
                ]
            )
        return request

    def _faults_of(self, row: RequestRow) -> InputFault | None:
        """What is wrong with a file that was rejected: asked again of the same bytes."""
        try:
            self._read_request(row)
        except InputFault as error:
            return error
        except OperatorFault:
            return None  # the file has moved; only the empty folder is left
        return None

    def _set_aside(self, row: RequestRow, error: InputFault | None) -> None:
        """Move the file to ``_failed`` with a note; harmless to repeat."""
        profile = self.folders[row.source]
        root = os.fsencode(profile.path)
        at = datetime.fromtimestamp(row.updated_at, UTC)
        note = request_note(row, error.faults if error else (), owner=profile.owner, at=at)
        discard_answer(root, row.id)
        move_aside(root, row.id, at.date().isoformat(), os.path.basename(row.name), note.encode())
        remove_working(root, [row.id])


def _as_spool(row: RequestRow) -> SpoolRow:
    """A request file as what claims are about."""
    return SpoolRow(
        id=row.id,
        folder=row.source,
        business_unit="",
        name=row.name,
        sidecars=(),
        trigger=None,
        shared=(),
        state=SpoolState.CLAIMING,
        size=row.size,
        mtime_ns=row.mtime_ns,
        inode=row.inode,
        sha256=None,
        format_name=None,
        pages=None,
        settled_by="",
        created_at=row.created_at,
        updated_at=row.updated_at,
        attempts=row.attempts,
        next_at=row.next_at,
        last_error=row.last_error,
        first_spool_id=None,
        faults=(),
        held_from=None,
    )
