"""Whatever happens in whatever order, the dates are what ``decide`` says from scratch."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from hotfolder.core.clocks import NewEvent
from hotfolder.core.records import Document, DocumentMetadata
from hotfolder.core.retention import (
    Cutoff,
    DocumentFacts,
    Period,
    RetentionClass,
    RetentionTrigger,
    Schedule,
    Subject,
    decide,
)
from hotfolder.journal import retention
from hotfolder.journal.journal import SqliteJournal
from tests.support.journals import UNIT, confirm, make_document, plan, store
from tests.support.retention import DAYS, LAWS, NAMES, SCHEDULES

CODES = st.sampled_from(("A", "A", "B", None))
NAME = st.sampled_from(("P-1", "P-1", "P-1", "P-2"))
# Mostly such that events matter; now and then anything.
_ON_EVENT = RetentionClass(
    code="A",
    title="A",
    trigger=RetentionTrigger.EVENT,
    event="contract-end",
    period=Period(years=3),
)
_ISSUED = replace(_ON_EVENT, trigger=RetentionTrigger.ISSUE_DATE, event="")
_OF_POLICY = replace(_ON_EVENT, of=(Subject.POLICY, Subject.CASE), cutoff=Cutoff.YEAR_END)
_SCHEDULE = st.one_of(
    st.sampled_from((_ON_EVENT, _ISSUED, _OF_POLICY)).map(lambda found: {"A": found}), SCHEDULES
)


class Killed(Exception):
    """The process ends here."""


class RetentionMachine(RuleBasedStateMachine):
    """A journal beside a dictionary of events and the schedule of now."""

    events = Bundle("events")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.journal = self.open()
        self.schedule: Schedule = {}
        self.documents: dict[str, DocumentFacts] = {}
        self.recorded: dict[int, tuple[tuple[Subject, str, str], date]] = {}
        self.began: dict[str, str | None] = {}
        self.now = 1.0

    def open(self) -> SqliteJournal:
        return SqliteJournal(os.fsencode(self.folder / "j.db"))

    def teardown(self) -> None:
        self.compute_all()
        self.journal.close()
        shutil.rmtree(self.folder)

    @initialize(schedule=_SCHEDULE)
    def begin(self, schedule: Schedule) -> None:
        self.change_schedule(schedule)

    @rule(schedule=_SCHEDULE)
    def change_schedule(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.journal.note_schedule(schedule, self.now)

    @rule(
        code=CODES,
        day=DAYS,
        names=st.lists(st.one_of(st.none(), NAME), min_size=3, max_size=3),
        cases=st.lists(st.sampled_from(NAMES), unique=True, max_size=2),
        law=st.sampled_from((None, *LAWS)),
        trigger_date=st.one_of(st.none(), DAYS),
        delivered=st.booleans(),
    )
    def take_document(
        self,
        code: str | None,
        day: date,
        names: list[str | None],
        cases: list[str],
        law: str | None,
        trigger_date: date | None,
        delivered: bool,
    ) -> None:
        number = len(self.documents) + 1
        metadata = DocumentMetadata(
            retention_class=code if code in self.schedule else None,
            issue_date=day,
            policy_number=names[0],
            account_number=names[1],
            customer_id=names[2],
            case_refs=tuple(cases),
            jurisdiction=law,
            trigger_date=trigger_date,
        )
        document = make_document(f"k{number}", metadata=metadata)
        facts = facts_of(document)
        first = decide(facts, self.schedule, {})
        document = replace(
            document,
            retain_until=first.retain_until,
            class_version=first.version,
            cutoff=first.cutoff,
        )
        store(self.journal, number, document)
        if delivered:
            confirm(self.journal, plan(self.journal))
        self.documents[document.identity] = facts
        self.began[document.identity] = (
            first.retain_until.isoformat() if first.retain_until else None
        )

    @rule(
        target=events,
        kind=st.sampled_from(Subject),
        name=NAME,
        event=st.sampled_from(("contract-end", "contract-end", "closed")),
        day=DAYS,
        which=st.integers(0, 20),
    )
    def record(self, kind: Subject, name: str, event: str, day: date, which: int) -> int:
        if kind is Subject.DOCUMENT and self.documents:
            name = sorted(self.documents)[which % len(self.documents)]
        new = NewEvent(kind=kind, subject=name, event=event, day=day, actor="me")
        (number,) = self.journal.record_events([new], self.now)
        self.recorded[number] = ((kind, name, event), day)
        return number

    @rule(number=consumes(events))
    def withdraw(self, number: int) -> None:
        self.journal.withdraw_event(number, "me", "it did not happen", self.now)
        del self.recorded[number]

    @rule(limit=st.integers(1, 3))
    def compute_page(self, limit: int) -> None:
        self.journal.compute_retention(self.schedule, limit, self.now)

    @rule(limit=st.integers(1, 3))
    def die_within_a_page(self, limit: int) -> None:
        """Before the transaction ends: as if it had never begun."""

        with pytest.MonkeyPatch.context() as patch:
            change = retention._change

            def change_and_die(*args: object) -> int:
                change(*args)  # type: ignore[arg-type]
                raise Killed

            patch.setattr(retention, "_change", change_and_die)
            with suppress(Killed):
                self.journal.compute_retention(self.schedule, limit, self.now)
        self.restart()

    @rule()
    def restart(self) -> None:
        self.journal.close()
        self.journal = self.open()

    @rule()
    def compute_all(self) -> None:
        pages = 0
        while self.journal.compute_retention(self.schedule, 2, self.now) is not None:
            pages += 1
            assert pages < 10_000
        self.compare()

    @invariant()
    def tick(self) -> None:
        self.now += 1

    def compare(self) -> None:
        events = {key: day for _, (key, day) in sorted(self.recorded.items())}
        for identity, facts in self.documents.items():
            found = self.journal.retained_document(identity)
            assert found is not None
            said = decide(facts, self.schedule, events)
            assert (found.version, found.cutoff, found.retain_until) == (
                said.version,
                said.cutoff,
                said.retain_until,
            )
            last = found.retain_until.isoformat() if found.retain_until else None
            told = self.began[identity]
            for change in self.journal.retention_changes(identity):
                if change.field == "retain_until":
                    assert change.old == told
                    told = change.new
            assert told == last
        with sqlite3.connect(self.folder / "j.db") as conn:
            wrong = conn.execute(
                "SELECT count(*) FROM (SELECT document, max(number) AS number FROM updates"
                " GROUP BY document) AS l JOIN updates AS u ON u.number = l.number"
                " JOIN documents AS d ON d.number = u.document"
                " WHERE json_extract(u.body, '$.retain_until') IS NOT d.retain_until"
            ).fetchone()
        conn.close()
        assert wrong == (0,)


def facts_of(document: Document) -> DocumentFacts:
    known = document.metadata
    subjects = {
        Subject.DOCUMENT: (document.identity,),
        Subject.POLICY: (known.policy_number,) if known.policy_number else (),
        Subject.ACCOUNT: (known.account_number,) if known.account_number else (),
        Subject.CUSTOMER: (known.customer_id,) if known.customer_id else (),
        Subject.CASE: known.case_refs,
    }
    return DocumentFacts(
        retention_class=known.retention_class,
        issue_date=known.issue_date,
        business_unit=UNIT,
        jurisdiction=known.jurisdiction,
        trigger_date=known.trigger_date,
        subjects=subjects,
    )


TestRetentionMachine = RetentionMachine.TestCase
TestRetentionMachine.settings = settings(max_examples=30, stateful_step_count=50, deadline=None)
