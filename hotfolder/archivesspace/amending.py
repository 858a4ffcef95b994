"""Amending: what there is to tell of a document is brought into its record as it stands.

Read, merge, send back with the ``lock_version`` that was read: whoever was quicker is
never overwritten (409, reference 2.3), the record is read and merged anew. A record that
says already what it is to say is not sent, so a repetition is harmless.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from hotfolder.archivesspace.answer import Unanswered
from hotfolder.archivesspace.calls import Calls, Record, Updated, text_of
from hotfolder.archivesspace.eventposts import ATTEMPTS, UNANSWERED
from hotfolder.archivesspace.merging import hides_a_link, merge
from hotfolder.archivesspace.vocabulary import Vocabulary
from hotfolder.core.changes import CONTENDED, Amended, Amendment
from hotfolder.core.errors import Transient
from hotfolder.core.profiles import ArchiveProfile, Rules


class RecordChanges:
    """Changes records of documents; keeps nothing between calls. ``doubt`` is called when
    an answer makes it doubtful that the lists are still as remembered."""

    def __init__(
        self,
        calls: Calls,
        vocabulary: Vocabulary,
        profile: ArchiveProfile,
        rules: Rules,
        *,
        doubt: Callable[[], None],
    ) -> None:
        self._calls = calls
        self._vocabulary = vocabulary
        self._profile = profile
        self._rules = rules
        self._doubt = doubt

    def amend(self, repository: str, amendment: Amendment) -> Amended:
        """Bring ``amendment`` into the record of its document, in this repository.

        Raises ``Transient`` if it may or may not be there, or could not be brought in now:
        to be repeated. ``OperatorFault`` for a controlled value that the server lacks.
        """
        unanswered = 0
        for _ in range(ATTEMPTS):
            record = self._read(repository, amendment)
            if record is None:
                return Amended(outcome="gone", reason="ArchivesSpace has no such record")
            uri = text_of(record, "uri")
            reason = _unchangeable(record)
            if reason:
                return Amended(outcome="refused", reason=reason, uri=uri)
            merged = merge(
                record,
                amendment,
                profile=self._profile,
                rules=self._rules,
                allows=self._vocabulary.allows,
            )
            if merged.record == record:
                outcome = "changed" if unanswered else "unchanged"
                return Amended(outcome=outcome, conflicts=merged.conflicts, uri=uri)
            if unanswered == UNANSWERED:
                break
            self._vocabulary.check(merged.new)
            try:
                answer = self._calls.update(uri, merged.record)
            except Unanswered:
                unanswered += 1
                continue  # the next look tells
            if isinstance(answer, Updated):
                return Amended(outcome="changed", conflicts=merged.conflicts, uri=uri)
            if answer.fields or answer.status == 413:
                self._doubt()  # a list may have changed
                return Amended(outcome="refused", reason=answer.words, uri=uri)
            # 409, and 400 of the database: nothing was saved. 404: it went a moment ago.
        if unanswered:
            raise Unanswered("ArchivesSpace did not say whether it changed a record")
        raise Transient("a record could not be changed now", code=CONTENDED)

    def _read(self, repository: str, amendment: Amendment) -> Record | None:
        """The record of the document: where it was, or wherever it is since a server was
        restored. The server compares keys by collation; here they are compared exactly."""
        identity, uri = amendment.row.document.identity, amendment.row.record_uri or ""
        if re.fullmatch(re.escape(repository) + r"/digital_objects/[0-9]{1,18}", uri):
            record = self._calls.read_record(uri)
            if record is not None and record.get("digital_object_id") == identity:
                return record
        for found in self._calls.find_by_id(
            repository, "digital_objects", "digital_object_id", [identity]
        ):
            if found.get("digital_object_id") == identity:
                # Read as it is changed: what a look-up resolves may have another shape.
                return self._calls.read_record(text_of(found, "uri"))
        return None


def _unchangeable(record: Record) -> str:
    """Why a record cannot be sent back as it was read; empty if it can."""
    if record.get("suppressed") is True:
        return "the record is suppressed"
    if hides_a_link(record):
        return "the record is linked to a suppressed one, and would lose the link"
    return ""
