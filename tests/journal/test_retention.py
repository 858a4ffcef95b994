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


def test_a_file_of_events_is_computed_in_pages_and_not_an_event_at_a_time(tmp_path: Path) -> None:
    """Most lines of such a file are about things that no document here has to do with."""
    journal = SqliteJournal(os.fsencode(tmp_path / "j.db"))
    documents = [
        make_document(
            f"k{number}",
            ordinal=number,
            metadata=DocumentMetadata(
                retention_class="POL", policy_number="P-7", issue_date=date(2020, 1, 1)
            ),
        )
        for number in (1, 2, 3)
    ]
    claim(journal, 1)
    journal.record_readings([make_reading(1, *documents)], 2)
    journal.note_schedule(SCHEDULE, 3)
    while journal.compute_retention(SCHEDULE, 100, 4) is not None:
        pass
    ended = date(2026, 3, 31)
    journal.record_events(
        [
            NewEvent(
                kind=Subject.POLICY, subject=f"P-{n}", event="contract-end", day=ended, actor="me"
            )
            for n in range(300)
        ],
        4,
    )
    assert journal.retention_backlog() == 300
    done = journal.compute_retention(SCHEDULE, 100, 5)
    assert done is not None
    assert (done.examined, done.changed) == (3, 3)
    # Three documents, and a hundred pieces of work less the two that these took the room of.
    assert journal.retention_backlog() == 300 - 98
    for document in documents:
        found = journal.retained_document(document.identity)
        assert found is not None
        assert found.retain_until == date(2036, 3, 31)
    rounds = 0
    while journal.compute_retention(SCHEDULE, 100, 6) is not None:
        rounds += 1
    assert rounds == 3
    assert journal.retention_backlog() == 0

    # A page that ends within a piece of work goes on there.
    journal.withdraw_event(8, "me", "", 7)
    assert journal.compute_retention(SCHEDULE, 2, 8) is not None
    assert journal.retention_backlog() == 1
    assert journal.compute_retention(SCHEDULE, 2, 9) is not None
    assert journal.retention_backlog() == 0
    journal.close()
