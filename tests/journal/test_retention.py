"""Dates of a spool that is described as one record."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

from hotfolder.core.clocks import NewEvent
from hotfolder.core.records import DocumentMetadata, Role
from hotfolder.core.retention import Period, RetentionClass, RetentionTrigger, Subject
from hotfolder.journal.journal import SqliteJournal
from tests.support.journals import claim, make_document, make_reading

SCHEDULE = {
    "POL": RetentionClass(
        code="POL",
        title="Policies",
        trigger=RetentionTrigger.EVENT,
        event="contract-end",
        period=Period(years=10),
    )
}


def test_a_spool_is_kept_as_long_as_its_longest_lived_document(tmp_path: Path) -> None:
    journal = SqliteJournal(os.fsencode(tmp_path / "j.db"))
    carried = [
        replace(
            make_document(
                f"k{number}",
                ordinal=number,
                metadata=DocumentMetadata(
                    retention_class="POL",
                    policy_number=f"P-{number}",
                    issue_date=date(2020, 1, 1),
                ),
            ),
            role=Role.CARRIED,
        )
        for number in (1, 2)
    ]
    carrier = replace(
        make_document("spool", ordinal=3, metadata=DocumentMetadata(retention_class="POL")),
        role=Role.CARRIER,
    )
    claim(journal, 1)
    reading = replace(make_reading(1, *carried, carrier), has_carrier=True)
    journal.record_readings([reading], 2)
    journal.note_schedule(SCHEDULE, 3)

    def until() -> date | None:
        while journal.compute_retention(SCHEDULE, 1, 4) is not None:
            pass
        found = journal.retained_document(carrier.identity)
        assert found is not None
        return found.retain_until

    def end(policy: str, day: date) -> None:
        event = NewEvent(
            kind=Subject.POLICY, subject=policy, event="contract-end", day=day, actor="me"
        )
        journal.record_events([event], 4)

    assert until() is None
    end("P-1", date(2026, 3, 31))
    assert until() is None  # the other runs on
    end("P-2", date(2025, 3, 31))
    assert until() == date(2036, 3, 31)
    journal.withdraw_event(1, "me", "", 5)
    assert until() is None
    journal.close()
