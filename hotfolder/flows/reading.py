"""Reading a claimed drop: what its spool is, and which documents are in it.

Memory does not grow with the spool or its index: documents go into a file of their own
(``SpilledDocuments``), and of what is wrong the first hundred are kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

from hotfolder.core.errors import Fault, InputFault, Transient
from hotfolder.core.indexed import IndexedDocument
from hotfolder.core.ports import Clock, Emit
from hotfolder.core.profiles import Describe, FolderProfile, OnBadDocument, Rules
from hotfolder.core.records import Inspection, Reading, SpoolRow
from hotfolder.files.content import open_regular
from hotfolder.files.faults import os_errors
from hotfolder.flows.documentranges import DocumentRanges
from hotfolder.flows.spilling import SpilledDocuments
from hotfolder.indexes.ranges import describe_end, describe_gaps
from hotfolder.indexes.selection import IndexFile, SpoolFile, read_documents
from hotfolder.sidecars.interpretation import interpret, remarks_of
from hotfolder.sidecars.pairing import index_of
from hotfolder.sidecars.raw import display
from hotfolder.sidecars.spooldocuments import SpoolInterpreter, Summary
from hotfolder.sidecars.unknowns import Noticed

MAX_FAULTS = 100  # that are told of one spool; more help nobody
MAX_SIDECAR = 16 * 1024 * 1024  # bytes
_TELL_EVERY = 10.0  # seconds


class SpoolReader:
    """Reads drops that lie in ``_working``."""

    def __init__(
        self,
        *,
        rules: Rules,
        clock: Clock,
        emit: Emit,
        scratch: bytes | None,
        interrupted: Callable[[], bool],
        noticed: Noticed | None = None,
    ) -> None:
        """``scratch`` is a folder for what is too much for memory; ``interrupted`` is asked
        at every document, ``noticed`` told of what was said of each."""
        self._noticed = noticed
        self._interrupted = interrupted
        self._rules = rules
        self._clock = clock
        self._emit = emit
        self._scratch = scratch

    @contextmanager
    def read(
        self,
        row: SpoolRow,
        profile: FolderProfile,
        paths: Callable[[bytes], bytes],
        *,
        sha256: str,
        size: int,
        inspection: Inspection,
    ) -> Iterator[Reading]:
        """The reading of a drop whose files lie at ``paths`` of their names; its documents can
        be gone through until the block ends. Raises ``InputFault`` with every fault, up to
        ``MAX_FAULTS``, ``OperatorFault`` or ``Transient``."""
        received_on = datetime.fromtimestamp(row.created_at, UTC).date()
        index = index_of(row.name, row.sidecars, profile.documents.index_suffix)
        beside = [name for name in row.sidecars if name != index]
        sidecars = [(name, read_sidecar(paths(name), name)) for name in beside]
        shared = [(name, read_sidecar(paths(name), name)) for name in row.shared]
        if not profile.documents.many:
            yield interpret(
                spool=row,
                profile=profile,
                rules=self._rules,
                sha256=sha256,
                size=size,
                inspection=inspection,
                sidecars=sidecars,
                shared=shared,
                received_on=received_on,
                noticed=self._noticed,
            )
            return
        interpreter = SpoolInterpreter(
            spool=row,
            profile=profile,
            rules=self._rules,
            sidecars=sidecars,
            shared=shared,
            received_on=received_on,
            index=display(row.name if index is None else index),
            noticed=self._noticed,
        )
        faults = interpreter.check_spool(sha256, size, inspection)
        if faults:
            raise InputFault(faults)
        with ExitStack() as stack:
            documents = SpilledDocuments(self._scratch)
            stack.callback(documents.close)
            yield self._read_many(
                row,
                profile,
                interpreter,
                documents,
                SpoolFile(
                    stream=stack.enter_context(open_regular(paths(row.name))),
                    size=size,
                    name=os.path.basename(row.name),
                    shown=display(row.name),
                    format_name=inspection.format_name,
                    pages=inspection.pages,
                ),
                None
                if index is None
                else IndexFile(
                    stream=stack.enter_context(open_regular(paths(index))),
                    shown=display(index),
                ),
                # Apart from the reader's, which jumps about in its own.
                DocumentRanges(
                    stack.enter_context(open_regular(paths(row.name))),
                    sha256,
                    size,
                    # One that tells its own documents cannot be at odds with itself.
                    of_fields=index is not None and inspection.format_name == "afp",
                ),
                inspection,
            )

    def _read_many(
        self,
        row: SpoolRow,
        profile: FolderProfile,
        interpreter: SpoolInterpreter,
        documents: SpilledDocuments,
        spool: SpoolFile,
        index: IndexFile | None,
        ranges: DocumentRanges,
        inspection: Inspection,
    ) -> Reading:
        bad = _BadDocuments(skipping=profile.documents.on_bad_document is OnBadDocument.SKIP)
        summary = Summary()
        told = self._clock.monotonic()
        with os_errors("reading a spool"):
            found = read_documents(profile.documents, spool, index, bad.add)
            for item in bad.among(found):
                if self._interrupted():
                    raise Transient(
                        "the daemon stops before the spool is read",
                        hint="it is read anew after the next start",
                        code="daemon.stopping",
                    )
                try:
                    document = interpreter.interpret(item, ranges.place(item, spool))
                except InputFault as error:
                    bad.add(*error.faults)
                    continue
                documents.append(document)
                summary.add(document)
                if self._clock.monotonic() - told >= _TELL_EVERY:
                    told = self._clock.monotonic()
                    self._emit("spool.reading", spool=row.id, documents=summary.count)
        bad.check(spool, index, archived=summary.count)
        has_carrier = self._carry(profile, documents, summary, spool, ranges.sha256)
        remarks = (describe_gaps(found.gaps), describe_end(found))
        return Reading(
            spool_id=row.id,
            sha256=ranges.sha256,
            size=spool.size,
            inspection=inspection,
            documents=documents,
            warnings=(
                *remarks_of(inspection, spool.shown),
                *bad.faults,
                *(remark for remark in remarks if remark is not None),
            ),
            skipped=bad.count,
            has_carrier=has_carrier,
        )

    @staticmethod
    def _carry(
        profile: FolderProfile,
        documents: SpilledDocuments,
        summary: Summary,
        spool: SpoolFile,
        sha256: str,
    ) -> bool:
        many = profile.documents
        one_series = len(summary.series) == 1
        if many.describe is Describe.SPOOL and not one_series:
            raise InputFault(
                [
                    Fault(
                        code="documents.series",
                        message=f"its documents belong to {len(summary.series)} series, and this"
                        " folder describes a whole spool by one record",
                        remedy="write a spool for each series, or set documents.describe to"
                        ' "documents" for this folder',
                        file=spool.shown,
                    )
                ]
            )
        over = many.describe is Describe.AUTO and summary.count > many.describe_limit
        if many.describe is not Describe.SPOOL and not (over and one_series):
            return False
        documents.carry(
            summary.carrier(name=spool.shown, sha256=sha256, size=spool.size, pages=spool.pages)
        )
        return True


class _BadDocuments:
    """What is wrong with documents. One that is bad is counted once for each call."""

    def __init__(self, *, skipping: bool) -> None:
        self._skipping = skipping
        self.count = 0
        self.faults: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        """One bad document. Raises ``InputFault`` when there are enough to reject by."""
        self.count += 1
        self.faults += faults[: MAX_FAULTS - len(self.faults)]
        if not self._skipping and len(self.faults) >= MAX_FAULTS:
            raise InputFault(self.faults)

    def among(self, found: Iterable[IndexedDocument]) -> Iterator[IndexedDocument]:
        """The documents of ``found``. Where that ends in ``InputFault``, what was wrong
        before it is told with it."""
        try:
            yield from found
        except InputFault as error:
            more = [fault for fault in error.faults if fault not in self.faults]
            raise InputFault([*self.faults, *more]) from error

    def check(self, spool: SpoolFile, index: IndexFile | None, *, archived: int) -> None:
        """After the last document. Raises ``InputFault`` if they reject the drop."""
        if self.faults and not self._skipping:
            raise InputFault(self.faults)
        if not archived:
            raise InputFault(self.faults or [_no_document(spool, index)])


def _no_document(spool: SpoolFile, index: IndexFile | None) -> Fault:
    if index is not None:
        return Fault(
            code="documents.none",
            message="the index has no document",
            remedy="send an index that has; check that it is not cut off",
            file=index.shown,
        )
    return Fault(
        code="documents.none",
        message="no document was found in it",
        remedy="send a file that has documents, or send it to another hot folder",
        file=spool.shown,
    )


def file_in(place: bytes, name: bytes) -> bytes:
    """Where the file of a drop lies that was claimed into the folder ``place``."""
    return os.path.join(place, os.path.basename(name))


def read_sidecar(path: bytes, name: bytes) -> bytes:
    """The bytes of a sidecar called ``name``; one that is too large to be one is a fault."""
    with open_regular(path) as stream:
        data = stream.read(MAX_SIDECAR + 1)
    if len(data) > MAX_SIDECAR:
        raise InputFault(
            [
                Fault(
                    code="sidecar.size",
                    message="the metadata file is larger than 16 MiB",
                    remedy="send one metadata file per document, or an index",
                    file=display(name),
                )
            ]
        )
    return data
