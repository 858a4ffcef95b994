"""What is ours in a record, changed; everything else as the server gave it. Pure.

Ours are the rights statements that we know by their identifiers, our ``user_defined``
slots for class, last day and hold, and the file version of the document. An update empties
what it omits (reference 2.3), so the whole record goes back, fields that we do not know
included.

Archivists may change what is ours. A date there that we never sent is theirs: the later of
theirs and of a new one of ours stands, and is told as a conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from hotfolder.archivesspace.calls import Record, as_record, as_records
from hotfolder.archivesspace.mapping import JsonRecord, file_uri
from hotfolder.archivesspace.slots import fill_slot
from hotfolder.archivesspace.statements import (
    HOLD,
    RETENTION,
    class_of,
    hold_statement,
    is_of_hold,
    needs_statement,
    retention_statement,
)
from hotfolder.core.changes import Amendment, RetentionEnd
from hotfolder.core.holdmark import HoldMark
from hotfolder.core.profiles import ArchiveProfile, Rules

_COMPUTED = ("linked_events", "linked_instances", "collection")  # not written by an update


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A record with a change of ours; equal to what was read if it says so already."""

    record: JsonRecord
    new: tuple[JsonRecord, ...]  # statements that were not there
    conflicts: tuple[str, ...]


def merge(
    record: Record,
    amendment: Amendment,
    *,
    profile: ArchiveProfile,
    rules: Rules,
    allows: Callable[[str, str], bool],
) -> Merged:
    """``record``, as it was read, with what is to be told of its document."""
    return _Merge(record, amendment, profile, rules, allows).merge()


def hides_a_link(record: Record) -> bool:
    """Whether the record shows a link but not to what (the server leaves out the records
    that are suppressed): it would be lost if the record were sent back."""
    return any(_has_none(value) for name, value in record.items() if name not in _COMPUTED)


def later_end(current: str | None, sent: Sequence[str | None], wanted: str | None) -> str | None:
    """The end that stands: ``wanted``, unless ``current`` is none that was ever ``sent`` and
    is later. None is no end, later than any."""
    if current in sent or current == wanted:
        return wanted
    return None if current is None or wanted is None else max(current, wanted)


class _Merge:
    def __init__(
        self,
        record: Record,
        amendment: Amendment,
        profile: ArchiveProfile,
        rules: Rules,
        allows: Callable[[str, str], bool],
    ) -> None:
        self._record = record
        self._amendment = amendment
        self._profile = profile
        self._rules = rules
        self._allows = allows
        self._statements = [
            dict(item) for item in as_records(record.get("rights_statements") or [])
        ]
        self._new: list[JsonRecord] = []
        self._conflicts: list[str] = []

    def merge(self) -> Merged:
        amendment = self._amendment
        changed = dict(self._record)
        if amendment.retention is not None:
            self._merge_retention(amendment.retention)
        for mark in amendment.holds:
            self._merge_hold(mark)
        if self._statements != (self._record.get("rights_statements") or []):
            changed["rights_statements"] = self._statements
        slots = self._slots()
        if slots != (self._record.get("user_defined") or {}):
            changed["user_defined"] = slots
        if amendment.destroyed:
            self._empty_files(changed)
        return Merged(
            record=changed, new=tuple(self._new), conflicts=tuple(dict.fromkeys(self._conflicts))
        )

    # -- retention ----------------------------------------------------------------------
    def _merge_retention(self, end: RetentionEnd) -> None:
        ours = [item for item in self._statements if item.get("identifier") == RETENTION]
        sent = [_text(item.retain_until) for item in self._amendment.sent]
        for item in ours:
            self._end(item, sent, _text(end.retain_until), "the end of retention")
        if ours or not self._needs(end):
            return
        before = self._amendment.sent
        if before and all(self._needs(item) for item in before):  # so it was there
            self._conflicts.append("our retention statement was removed there, and is there again")
        issued = self._amendment.row.document.metadata.issue_date
        self._add(retention_statement(issued or self._archived(), end.retain_until))

    def _needs(self, end: RetentionEnd) -> bool:
        document = replace(self._amendment.row.document, retain_until=end.retain_until)
        return needs_statement(
            document, class_of(document, self._rules), self._profile, self._rules
        )

    def _archived(self) -> date:
        return datetime.fromtimestamp(self._amendment.row.archived_at or 0, UTC).date()

    # -- holds ----------------------------------------------------------------------------
    def _merge_hold(self, mark: HoldMark) -> None:
        ours = [item for item in self._statements if is_of_hold(item.get("identifier"), mark)]
        for item in ours:
            if mark.released_on is not None:
                self._end(item, [None], mark.released_on.isoformat(), f"the end of {mark.hold}")
            elif item.get("end_date"):
                self._conflicts.append(f"{mark.hold} was ended there")
        if not ours and mark.is_new:
            shield = self._profile.shield
            self._add(hold_statement(shield.mark(mark, self._amendment.row.document)))
        elif not ours:
            self._conflicts.append(f"the statement of {mark.hold} was removed there")

    def _add(self, statement: JsonRecord) -> None:
        self._new.append(statement)
        self._statements.append(statement)

    def _end(
        self, statement: JsonRecord, sent: Sequence[str | None], wanted: str | None, what: str
    ) -> None:
        """Let a statement and its acts against deletion end at ``wanted``."""
        self._set_end(statement, sent, wanted, what)
        acts = [dict(act) for act in as_records(statement.get("acts") or [])]
        for act in acts:
            if (act.get("act_type"), act.get("restriction")) == ("delete", "disallow"):
                self._set_end(act, sent, wanted, what)
        if acts != (statement.get("acts") or []):
            statement["acts"] = acts

    def _set_end(
        self, part: JsonRecord, sent: Sequence[str | None], wanted: str | None, what: str
    ) -> None:
        current = part.get("end_date")
        end = self._stands(current if isinstance(current, str) else None, sent, wanted, what)
        if end is None:
            part.pop("end_date", None)
            return
        part["end_date"] = end
        start = part.get("start_date")
        if isinstance(start, str) and end < start and end == wanted:
            part["start_date"] = end

    def _stands(
        self, current: str | None, sent: Sequence[str | None], wanted: str | None, what: str
    ) -> str | None:
        if current != wanted and current not in sent:
            self._conflicts.append(f"{what} was changed there; the later one stands")
        return later_end(current, sent, wanted)

    # -- slots ------------------------------------------------------------------------------
    def _slots(self) -> JsonRecord:
        names, amendment = self._profile.slots, self._amendment
        found = self._record.get("user_defined")
        slots: JsonRecord = dict(as_record(found)) if found else {"jsonmodel_type": "user_defined"}
        before = dict(slots)
        end = amendment.retention
        if end is not None and names.retain_until:
            days = [_text(item.retain_until) for item in amendment.sent]
            # An empty slot says nothing: it may not have been configured then.
            sent = [None, *(self._fill(names.retain_until, day) for day in days)]
            wanted = self._fill(names.retain_until, _text(end.retain_until))
            current = slots.get(names.retain_until)
            stands = self._stands(current or None, sent, wanted, "the day in its slot")
            _put(slots, names.retain_until, stands)
        if end is not None and names.retention_class:
            self._put_class(slots, names.retention_class, end)
        if amendment.holds and names.hold:
            held = amendment.held or any(
                str(item.get("identifier")).startswith(HOLD) and not item.get("end_date")
                for item in self._statements
            )
            if bool(slots.get(names.hold)) != held:
                slots[names.hold] = held
        return slots if slots != before else dict(as_record(found or {}))

    def _put_class(self, slots: JsonRecord, slot: str, end: RetentionEnd) -> None:
        sent = [self._fill(slot, item.retention_class) for item in self._amendment.sent]
        wanted = self._fill(slot, end.retention_class)
        if wanted in sent:
            return
        current = slots.get(slot)
        if current in (None, "", *sent):
            _put(slots, slot, wanted)
        elif current != wanted:
            self._conflicts.append("the class in its slot was changed there, and was kept")

    def _fill(self, slot: str, value: str | None) -> str | None:
        content = None if value is None else fill_slot(slot, value, self._allows)
        return content if isinstance(content, str) else None

    # -- destroyed --------------------------------------------------------------------------
    def _empty_files(self, changed: JsonRecord) -> None:
        row = self._amendment.row
        uri, sha256 = file_uri(self._profile, row.document.identity), row.file_fixity[0]
        files = as_records(self._record.get("file_versions") or [])
        others = [
            item
            for item in files
            if item.get("file_uri") != uri and str(item.get("checksum")).lower() != sha256
        ]
        if others:
            self._conflicts.append("file versions that are not ours were kept")
        if len(others) != len(files):
            changed["file_versions"] = others


def _put(slots: JsonRecord, slot: str, value: str | None) -> None:
    if value is None:
        slots.pop(slot, None)
    else:
        slots[slot] = value


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _has_none(value: Any) -> bool:
    if isinstance(value, list):
        return any(item is None or _has_none(item) for item in value)
    if isinstance(value, Mapping):
        return any(_has_none(item) for item in value.values())
    return False
