"""Surveying: an old archive's export is read as a migration would read it, and nothing is
moved.

Each file is hashed, looked at and read with the rules that will hold for it; what is found
goes into a survey on disk (journal/surveys.py), so that memory stays flat and a survey that
is cut short goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from hotfolder.core.errors import Fault, InputFault, OperatorFault
from hotfolder.core.legacy import LegacyItem, LegacySource, MigrationProfile, OpenedItem
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.ports import Clock, Emit, Journal
from hotfolder.core.profiles import Rules
from hotfolder.core.records import Document, DocumentMetadata, Role, SpoolRow
from hotfolder.files.content import hash_file, open_regular
from hotfolder.flows.gone import find_destroyed
from hotfolder.flows.reading import SpoolReader
from hotfolder.formats import inspect_spool
from hotfolder.journal.surveys import Survey, SurveyedItem
from hotfolder.sidecars.unknowns import unknown_values

MOST_EXAMPLES = 20  # of one fault
BATCH = 200  # items in one change of the survey
_BATCH_BYTES = 256 << 20
_ASKED = 500  # documents that the journal is asked of at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """How far a survey came, and how fast."""

    finished: bool
    read: int  # items that this run read; those of before are not among them
    size: int
    seconds: float


class Surveying:
    """One survey of one export."""

    def __init__(
        self,
        *,
        profile: MigrationProfile,
        source: LegacySource,
        survey: Survey,
        journal: Journal,
        rules: Rules,
        clock: Clock,
        emit: Emit,
        scratch: bytes | None,
        stopped: Callable[[], bool],
        progress: Callable[[int], None] = lambda _done: None,
    ) -> None:
        """``scratch`` is a folder for what is too much for memory."""
        self._profile = profile
        self._folder = profile.folder
        self._source = source
        self._survey = survey
        self._journal = journal
        self._rules = rules
        self._clock = clock
        self._stopped = stopped
        self._progress = progress
        self._reader = SpoolReader(
            rules=rules,
            clock=clock,
            emit=emit,
            scratch=scratch,
            interrupted=stopped,
            noticed=self._notice,
        )
        self._identities: list[str] = []

    def run(self) -> Surveyed:
        """Read every item that the survey does not know. Raises ``InputFault`` if the export
        cannot be told to its end, ``Transient`` or ``OperatorFault``; what was read until
        then is in the survey. One that goes on, and finds that the export has changed
        since it was begun, begins anew."""
        done = self._walk()
        if done.finished and self._survey.is_stale():
            self._survey.clear()
            done = self._walk()
        if done.finished:
            self._survey.finish()
        return done

    def _walk(self) -> Surveyed:
        began = self._clock.monotonic()
        done = read = size = waiting = waiting_bytes = 0
        finished = True
        self._survey.begin()
        try:
            for item in self._source.items():
                if self._stopped():
                    finished = False
                    break
                done += 1
                if not self._survey.knows(item.source_id, item.size, item.mtime_ns):
                    self._examine(item)
                    read += 1
                    size += item.size
                    waiting += 1
                    waiting_bytes += item.size
                self._survey.meet(item.source_id)
                if waiting >= BATCH or waiting_bytes >= _BATCH_BYTES:
                    self._ask()
                    self._survey.commit()
                    self._survey.begin()
                    waiting = waiting_bytes = 0
                self._progress(done)
        finally:
            self._ask()
            self._survey.commit()
        return Surveyed(
            finished=finished,
            read=read,
            size=size,
            seconds=self._clock.monotonic() - began,
        )

    # -- one item -----------------------------------------------------------------------
    def _examine(self, item: LegacyItem) -> None:
        faults: tuple[Fault, ...] = item.faults
        sha256: str | None = None
        size = item.size
        if not faults:
            try:
                with self._source.open(item) as opened:
                    sha256, size = hash_file(opened.content.path)
                    self._read(item, opened, sha256, size)
            except InputFault as error:
                faults = error.faults
            except OperatorFault as error:
                if not error.code.startswith("file."):
                    raise
                faults = (Fault(code=error.code, message=error.message, remedy=error.hint),)
        for code in dict.fromkeys(fault.code for fault in faults):
            self._survey.count("fault", code, item.documents, size)
        for fault in faults:
            if fault.code == "field.missing":
                self._survey.count("missing", fault.place.rsplit(": ", 1)[-1])
            self._survey.add_example(fault.code, item.source_id, fault.message, MOST_EXAMPLES)
        code = faults[0].code if faults else ""
        self._survey.count("would_be", "rejected" if code else "taken", item.documents, size)
        self._survey.add_item(
            SurveyedItem(item.source_id, item.size, item.mtime_ns, sha256, item.documents, code)
        )

    def _read(self, item: LegacyItem, opened: OpenedItem, sha256: str, size: int) -> None:
        with open_regular(opened.content.path) as stream:
            inspection = inspect_spool(stream, size, item.name)
        self._survey.count("format", inspection.format_name, 1, size)
        paths = {part.name: part.path for part in (opened.content, *opened.sidecars)}
        row = self._row(item, opened, sha256, size)
        with self._reader.read(
            row, self._folder, paths.__getitem__, sha256=sha256, size=size, inspection=inspection
        ) as reading:
            if faults := find_destroyed(self._journal, reading.documents):
                raise InputFault(faults)
            if reading.skipped:
                self._survey.count("fault", "documents.skipped", reading.skipped)
            for document in reading.documents:
                if document.role is not Role.CARRIER:
                    self._count(document, item)

    def _row(self, item: LegacyItem, opened: OpenedItem, sha256: str, size: int) -> SpoolRow:
        """The spool that the item would be."""
        now = self._clock.now()
        return SpoolRow(
            id="survey",
            folder=self._folder.name,
            business_unit=self._folder.business_unit,
            name=item.name,
            sidecars=tuple(part.name for part in opened.sidecars),
            trigger=None,
            shared=(),
            state=SpoolState.CLAIMED,
            size=size,
            mtime_ns=item.mtime_ns,
            inode=0,
            sha256=sha256,
            format_name=None,
            pages=None,
            settled_by="migration",
            created_at=now,
            updated_at=now,
            attempts=0,
            next_at=None,
            last_error=None,
            first_spool_id=None,
            faults=(),
            held_from=None,
        )

    # -- counting -----------------------------------------------------------------------
    def _notice(self, metadata: DocumentMetadata) -> None:
        for name, value in unknown_values(metadata, self._folder.business_unit, self._rules):
            self._survey.count("unknown", f"{name}\t{value}")

    def _count(self, document: Document, item: LegacyItem) -> None:
        issued = document.metadata.issue_date
        assert issued is not None  # no document is made without
        size = document.range.length
        self._survey.count("year", f"{issued.year:04}", 1, size)
        self._survey.count("day", f"{document.series}\t{issued.isoformat()}")
        self._survey.count("series", document.series, 1, size)
        if not self._survey.add_identity(document.identity):
            self._survey.count("twice", "documents", 1, size)
            self._survey.add_example(
                "twice", item.source_id, "the export has this document twice", MOST_EXAMPLES
            )
            return
        self._identities.append(document.identity)
        if len(self._identities) >= _ASKED:
            self._ask()

    def _ask(self) -> None:
        """Which of the last documents are archived already."""
        if self._identities:
            known = self._journal.archived_among(self._identities)
            if known:
                self._survey.count("archived", "documents", len(known))
            self._identities.clear()


def days_of(survey: Survey) -> dict[str, dict[date, int]]:
    """Documents of each series by day of issue."""
    found: dict[str, dict[date, int]] = {}
    for name, count, _ in survey.counts("day"):
        series, day = name.split("\t")
        found.setdefault(series, {})[date.fromisoformat(day)] = count
    return found
