"""What the journal keeps of versions of templates, whatever code path brings them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from hotfolder.core.errors import Fault
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.records import ArchiveEvent, Document
from hotfolder.core.templatechain import find_in_force
from hotfolder.core.templates import Approval, Decision, Template, TemplateMember
from hotfolder.journal.journal import SqliteJournal
from tests.support.journals import (
    UNIT,
    claim,
    confirm,
    make_document,
    make_object,
    make_reading,
    plan,
    spool_id,
)

MEMBERS = tuple(
    TemplateMember(name=name, size=size, sha256=str(size) * 64, crc32=(1 << 32) - 1)
    for size, name in enumerate(("a.txt", "b/c.txt"))
)


def version(number: str, name: str = "letter", **fields: object) -> Template:
    known = Template(
        name=name,
        family="letters",
        version=number,
        effective_from=date(2025, 1, 1),
        approvals=(
            Approval(person="J", role="legal", day=date(2024, 1, 1), decision=Decision.APPROVED),
        ),
        members=MEMBERS,
    )
    return replace(known, **fields)  # type: ignore[arg-type]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(os.fsencode(tmp_path / "j.db"))
    yield opened
    opened.close()


def bring(journal: SqliteJournal, number: int, template: Template) -> Document:
    document = make_document(f"{template.name}-{template.version}", str(number))
    claim(journal, number)
    reading = replace(make_reading(number, document), template=template)
    journal.record_readings([reading], number)
    return document


def test_a_version_comes_back_whole(journal: SqliteJournal) -> None:
    template = version("1", title="ü", parent=None, effective_until=date(2026, 1, 1))
    document = bring(journal, 1, template)
    row = journal.template_of(document.identity)
    assert row is not None
    assert row.template == template
    assert (row.members, row.live, row.business_unit) == (2, True, UNIT)
    assert journal.template_in(spool_id(1)) == template
    assert journal.template_in(spool_id(2)) is None
    assert journal.template_of("hf-" + "0" * 64) is None
    (listed,) = journal.template_versions("letter")
    assert listed.template == replace(template, members=())


def test_versions_are_listed_by_number_and_unit(journal: SqliteJournal) -> None:
    for place, number in enumerate(("10", "9", "2.1"), 1):
        bring(journal, place, version(number))
    bring(journal, 4, version("1", "other"))
    assert [row.template.version for row in journal.template_versions("letter")] == [
        "2.1",
        "9",
        "10",
    ]
    assert journal.template_versions("letter", "ELSEWHERE") == []
    assert journal.template_versions("LETTER") == []
    assert len(journal.templates_like(UNIT, "Létter", "none")) == 3
    assert len(journal.templates_like(UNIT, "none", "LETTERS")) == 4
    assert journal.templates_like("ELSEWHERE", "letter", "letters") == []
    assert [row.template.name for row in journal.template_names()] == ["letter"] * 3 + ["other"]


@pytest.mark.parametrize("number", ["1", "01"])
def test_a_number_is_one_version_whatever_brings_another(
    journal: SqliteJournal, number: str
) -> None:
    bring(journal, 1, version("1"))
    with pytest.raises(ValueError, match="there already"):
        bring(journal, 2, version(number))
    assert journal.states_of([spool_id(2)]) == {spool_id(2): SpoolState.CLAIMED}
    assert len(journal.template_versions("letter")) == 1


def test_a_version_that_was_rejected_frees_its_number(journal: SqliteJournal) -> None:
    bring(journal, 1, version("1"))
    fault = Fault(code="x", message="x", remedy="x")
    journal.set_aside(spool_id(1), SpoolState.REJECTED, [fault], 9)
    assert journal.template_versions("letter") == []
    assert journal.templates_like(UNIT, "letter", "letters") == []
    bring(journal, 2, version("1"))
    assert len(journal.template_versions("letter")) == 1


def test_a_corrupt_version_keeps_its_number(journal: SqliteJournal) -> None:
    bring(journal, 1, version("1"))
    fault = Fault(code="x", message="x", remedy="x")
    journal.set_aside(spool_id(1), SpoolState.CORRUPT, [fault], 9)
    for found in (
        journal.templates_like(UNIT, "letter", "letters"),
        journal.template_versions("letter"),
        journal.template_names(),
    ):
        (row,) = found
        assert (row.live, row.package) == (False, "damaged")
        assert find_in_force(found, date(2025, 6, 1)) is row, "it was in force all the same"


def test_a_version_that_was_destroyed_was_in_force_all_the_same(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    bring(journal, 1, version("1"))
    bring(journal, 2, version("2", effective_from=date(2025, 3, 1)))
    conn = sqlite3.connect(tmp_path / "j.db")
    conn.execute("DROP TRIGGER documents_may_be_destroyed")  # here without a disposal
    for disposition in ("destroying", "destroyed"):
        conn.execute(
            "UPDATE documents SET live = 0, waiting = 0, disposition = ?, disposed_at = 9"
            " WHERE number = 2",
            (disposition,),
        )
        conn.commit()
    conn.close()
    force = find_in_force(journal.template_versions("letter"), date(2025, 6, 1))
    assert force is not None
    assert (force.template.version, force.package) == ("2", "destroyed")


def test_nothing_of_a_version_is_changed_or_deleted(journal: SqliteJournal, tmp_path: Path) -> None:
    bring(journal, 1, version("1"))
    conn = sqlite3.connect(tmp_path / "j.db")
    for statement in (
        "UPDATE templates SET standing = 'rejected'",
        "UPDATE templates SET details = '{}'",
        "UPDATE templates SET effective_until = '2027-01-01'",
        "DELETE FROM templates",
        "UPDATE template_members SET size = 9",
        "DELETE FROM template_members",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            conn.execute(statement)
    conn.close()


def test_what_is_told_is_told_once(journal: SqliteJournal) -> None:
    bring(journal, 1, version("1"))
    assert journal.templates_untold(10) == []  # ArchivesSpace does not have it
    journal.record_stored([make_object(1)], 3)
    confirm(journal, plan(journal))
    (row,) = journal.templates_untold(10)
    assert row.record_uri is not None
    assert row.unit_uri is not None
    event = ArchiveEvent(
        refid="hf:x",
        event_type="publication",
        at=1.0,
        outcome="pass",
        note="",
        record_uris=(row.record_uri,),
        agent="/agents/people/1",
        agent_role="authorizer",
    )
    for _ in range(2):
        journal.tell_template(row.identity, row.business_unit, [event], 4)
    assert journal.templates_untold(10) == []
    assert [waiting.event for waiting in journal.waiting_events()] == [event]
