"""Reconciling: the export is read again from its first byte to its last, and compared with
what became of each item."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hotfolder.core.errors import InputFault, OperatorFault
from hotfolder.core.legacy import LegacyItem, LegacySource, MigrationProfile, item_line
from hotfolder.core.ports import Clock, Journal
from hotfolder.core.reconciliation import Reconciliation, SourceLine, merge
from hotfolder.files.content import hash_file
from hotfolder.journal.surveys import Survey, SurveyedItem

BATCH = 500  # items in one change of the survey


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """The comparison, and the SHA-256 of the list of all items."""

    done: Reconciliation
    list_sha256: str


class Reconciling:
    """One reconciliation; changes nothing but its survey."""

    def __init__(
        self,
        *,
        profile: MigrationProfile,
        source: LegacySource,
        survey: Survey,
        journal: Journal,
        clock: Clock,
        stopped: Callable[[], bool],
        progress: Callable[[int], None] = lambda _done: None,
    ) -> None:
        self._profile = profile
        self._source = source
        self._survey = survey
        self._journal = journal
        self._clock = clock
        self._stopped = stopped
        self._progress = progress

    def read_source(self) -> bool:
        """Hash every item of the export into the survey; False if told to stop: the next
        goes on. Raises as the source does."""
        done = 0
        self._survey.begin()
        try:
            for item in self._source.items():
                if self._stopped():
                    return False
                if not self._survey.knows(item.source_id, item.size, item.mtime_ns):
                    self._survey.add_item(self._read(item))
                self._survey.meet(item.source_id)
                done += 1
                if not done % BATCH:
                    self._survey.commit()
                    self._survey.begin()
                self._progress(done)
            # What was read before it was stopped, and is gone since, is no proof of anything.
            self._survey.forget_unmet()
        finally:
            self._survey.commit()
        return True

    def _read(self, item: LegacyItem) -> SurveyedItem:
        sha256: str | None = None
        size = item.size
        code = item.faults[0].code if item.faults else ""
        if not item.faults:
            try:
                with self._source.open(item) as opened:
                    sha256, size = hash_file(opened.content.path)
            except InputFault as error:
                code = error.code
            except OperatorFault as error:
                if not error.code.startswith("file."):
                    raise
                code = error.code
        return SurveyedItem(item.source_id, size, item.mtime_ns, sha256, item.documents, code)

    def compare(self, write: Callable[[bytes], object] = lambda _line: None) -> Reconciled:
        """Both sides, item by item, in flat memory. ``write`` gets a line for each:
        ``what reason sha256 size id``, with ``-`` where there is none; the reason of what was
        destroyed is its disposal. The id is last, because it may have blanks in it. What is in
        the export is told as it is there."""
        done = Reconciliation(counted=self._profile.counts_documents)
        digest = hashlib.sha256()
        items = self._journal.iterate_items(self._profile.name)
        for line, item in merge(self._lines(), items):
            became = done.compare(line, item)
            told = line or item
            assert told is not None  # one of both is there
            reason = "-"
            if item is not None:
                reason = item.faults[0].code if item.faults else item.disposal or "-"
            data = f"{became} {reason} ".encode() + item_line(
                told.sha256, told.size, told.source_id
            )
            digest.update(data)
            write(data)
        return Reconciled(done=done, list_sha256=digest.hexdigest())

    def _lines(self) -> Iterator[SourceLine]:
        for item in self._survey.items():
            yield SourceLine(
                source_id=item.source_id,
                size=item.size,
                sha256=item.sha256,
                documents=item.documents,
            )
