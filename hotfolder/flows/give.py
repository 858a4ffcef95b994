"""Give: documents out of the archive, to somebody, on the record.

Nothing leaves before the audit chain says who got what and why; what is refused is on it
too. A file is whole on the disk before that row is written, and has its name only after
it: whoever sees the file finds the row, and a row without a file is an attempt that was
cut short and may be repeated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import Corrupt, HotfolderError
from hotfolder.core.ports import Clock, Emit, Journal, Store
from hotfolder.core.profiles import RetrieveProfile
from hotfolder.core.records import ArchiveEvent, AuditRow, CatalogueRow
from hotfolder.files.faults import os_errors
from hotfolder.files.staging import staged_file
from hotfolder.flows.retrieve import Form, OpenSpool, Retrieved, retrieve
from hotfolder.flows.terms import record_refusal, require_reason

_IN_MEMORY = 8 << 20  # bytes of a derived document; more go into a file without a name
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What was given."""

    row: CatalogueRow
    form: Form
    derived: bool
    sha256: str
    size: int


class Giving:
    """Gives documents to one person for one reason."""

    def __init__(
        self,
        *,
        journal: Journal,
        store: Store,
        clock: Clock,
        emit: Emit,
        actor: str,
        reason: str = "",
        profile: RetrieveProfile | None = None,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._emit = emit
        self._actor = actor
        self._reason = reason.strip()
        self._profile = profile or RetrieveProfile()
        self._store = store
        self._spools = OpenSpool(store)

    def close(self) -> None:
        """Close what is open of the store."""
        self._spools.close()

    def demand_reason(self, identity: str) -> None:
        """Raise ``OperatorFault`` if a reason must be given and is not; on the chain then."""
        try:
            require_reason(self._profile, self._reason)
        except HotfolderError as error:
            self._refuse(identity, None, error)
            raise

    def to_file(
        self, identity: str, form: Form | None, path: bytes, *, to: str = "file", force: bool
    ) -> Given | None:
        """The document to ``path``, whole or not at all; None if something is there and
        may not be replaced. On disk when this returns. Raises as ``retrieve`` does."""
        with self._found(identity, form) as found, staged_file(path, found.pieces) as staged:
            given = self._compared(found, staged.sha256, staged.size)
            self._record(given, to)
            # survives: killed here, the document is not there and is asked for again
            crashpoint("give.recorded")
            return given if staged.put(replace=force) else None

    def to_stream(
        self, identity: str, form: Form | None, stream: BinaryIO, *, to: str = "standard output"
    ) -> Given:
        """The document to an open stream. Raises as ``retrieve`` does."""
        with self._found(identity, form) as found:
            if found.sha256 is not None and found.size is not None:
                given = self._compared(found, found.sha256, found.size)
                self._record(given, to)
                # Else what the stream does not take would be said of the store.
                with os_errors(f"writing to {to}"):
                    stream.writelines(found.pieces)
                    stream.flush()
                return given
            # Made anew: nobody knows its digest before all of it is there.
            with SpooledTemporaryFile(max_size=_IN_MEMORY) as made:
                given = self._fill(found, cast("BinaryIO", made))
                self._record(given, to)
                with os_errors(f"writing to {to}"):
                    while piece := made.read(_CHUNK):
                        stream.write(piece)
                    stream.flush()
            return given

    def to_scratch(
        self, identity: str, form: Form | None, stream: BinaryIO, *, to: str, **details: str
    ) -> Given:
        """The document to a file that nobody else sees, for a flow that tells of it; read
        from its beginning. ``details`` go on the chain too. Raises as ``retrieve`` does."""
        with self._found(identity, form) as found:
            given = self._fill(found, stream)
            self._record(given, to, **details)
            return given

    def _fill(self, found: Retrieved, stream: BinaryIO) -> Given:
        digest, size = hashlib.sha256(), 0
        with os_errors("writing a file"):
            for piece in found.pieces:
                digest.update(piece)
                size += len(piece)
                stream.write(piece)
            stream.seek(0)
        return self._compared(found, digest.hexdigest(), size)

    @contextmanager
    def _found(self, identity: str, form: Form | None) -> Iterator[Retrieved]:
        """The document; a refusal is journalled, and damage is an alarm."""
        self.demand_reason(identity)
        try:
            with retrieve(self._journal, self._store, identity, form, spools=self._spools) as found:
                yield found
        except HotfolderError as error:
            # A full disk or a lock refuses nothing: the same may be asked for again.
            if isinstance(error, Corrupt) or error.code.startswith("retrieve."):
                self._refuse(identity, form, error)
            raise

    def _compared(self, found: Retrieved, sha256: str, size: int) -> Given:
        if found.sha256 is not None and found.sha256 != sha256:
            raise Corrupt(
                "what was read of the store the second time is not what was verified",
                hint="nothing is given out; look at the disk",
                code="retrieve.fixity",
            )
        return Given(
            row=found.row, form=found.form, derived=found.derived, sha256=sha256, size=size
        )

    # -- on the record -------------------------------------------------------------
    def _record(self, given: Given, to: str, **details: str) -> None:
        row = self._journal.append_audit(
            self._actor,
            "document.retrieved",
            given.row.document.identity,
            {
                "form": str(given.form),
                "reason": self._reason,
                "to": to,
                "derived": given.derived,
                "sha256": given.sha256,
                **details,
            },
            self._clock.now(),
        )
        if self._profile.archivesspace_events and given.row.record_uri is not None:
            self._journal.add_events(
                given.row.business_unit, [_event(row, given)], self._clock.now()
            )

    def _refuse(self, identity: str, form: Form | None, error: HotfolderError) -> None:
        record_refusal(
            self._journal,
            identity,
            error,
            actor=self._actor,
            reason=self._reason,
            form=str(form or ""),
            now=self._clock.now(),
            emit=self._emit,
        )


def _event(row: AuditRow, given: Given) -> ArchiveEvent:
    assert given.row.record_uri is not None
    return ArchiveEvent(
        # A function of the row on the chain: the same act is told once.
        refid=f"hf:{row.digest[:40]}:retrieved",
        event_type="request",
        at=row.at,
        outcome="fulfilled",
        note=(
            f"Given back by hotfolder, form {given.form}, SHA-256 {given.sha256};"
            f" row {row.number} of its audit chain."
        ),
        record_uris=(given.row.record_uri,),
        role="requested",
    )
