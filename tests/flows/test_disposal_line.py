"""From a hot folder to the certificate, with a server; and the same drop once more."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hotfolder.core.disposals import DisposalState, DueFilter
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.query import DocumentQuery
from hotfolder.core.retention import Period, RetentionClass, RetentionTrigger
from hotfolder.sandbox.pdfwriter import write_bare_pdf
from tests.support.archivist import SandboxArchivist
from tests.support.feedback import feedback_of, profiles
from tests.support.line import RULES, build_line, run_line
from tests.support.serving import serving

_RULES = replace(
    RULES,
    retention_classes={
        "FIN-7Y": RetentionClass(
            code="FIN-7Y",
            title="Letters",
            trigger=RetentionTrigger.ISSUE_DATE,
            period=Period(years=1),
            action="destroy",
        )
    },
)


def drop(root: Path, name: str) -> None:
    (root / "hot" / f"{name}.pdf.json").write_text(
        json.dumps(
            {
                "customer_id": "C-4711",
                "customer_name": "Erika Mustermann",
                "account_number": f"A-{name}",
                "document_type": "letter",
                "issue_date": "2015-01-31",
                "channel": "print",
                "retention_class": "FIN-7Y",
            }
        )
    )
    (root / "hot" / f"{name}.pdf").write_bytes(write_bare_pdf(name, ()))


def test_a_document_that_was_destroyed_is_rejected_when_it_comes_again(tmp_path: Path) -> None:
    with serving() as sandbox:
        line = build_line(tmp_path, sandbox.url, rules=_RULES)
        try:
            drop(tmp_path, "one")
            assert run_line(line)
            works = line.works
            works.retaining.adopt()
            while works.retaining.step() == 0.0:
                pass
            (row,) = works.journal.find_documents(DocumentQuery(), 10)
            (listed,) = works.disposing.propose(DueFilter(), ["RETAIL"], actor="ada")
            works.disposing.approve(listed.id, actor="ben", authority="board")
            works.disposing.begin(listed.id, actor="cem")
            assert works.disposing.complete(listed.id).state is DisposalState.DONE
            drop(tmp_path, "one")
            assert run_line(line)
            spools = works.journal.spools([], limit=10)
            assert [item.state for item in spools] == [SpoolState.DONE, SpoolState.REJECTED]
            (fault,) = spools[1].faults
            assert fault.code == "document.destroyed"
            assert listed.id in fault.message
            certificate = works.journal.get_disposal(listed.id)
            assert certificate is not None
            assert str(certificate.certificate_sha256) in fault.message
            assert list(works.store.iterate()) == []
            assert works.journal.get_document(row.document.identity) is None
            (note,) = (tmp_path / "hot" / "_failed").rglob("*.ERROR.txt")
            assert listed.id in note.read_text()
            # Another document of the same customer is archived as ever.
            drop(tmp_path, "two")
            assert run_line(line)
            assert works.journal.spools([], limit=10)[-1].state is SpoolState.DONE
        finally:
            line.works.close()


@pytest.mark.parametrize("outcome", ["pass", "fail"])
def test_an_archivist_decides_and_is_told_once(tmp_path: Path, outcome: str) -> None:
    with serving() as sandbox, SandboxArchivist(sandbox) as archivist:
        line = build_line(tmp_path, sandbox.url, rules=_RULES, outward=profiles(tmp_path))
        works = line.works
        try:
            drop(tmp_path, "one")
            assert run_line(line)
            works.retaining.adopt()
            while works.retaining.step() == 0.0:
                pass
            (row,) = works.journal.find_documents(DocumentQuery(), 10)
            assert row.record_uri is not None
            feedback_of(works).poll()
            (listed,) = works.disposing.propose(DueFilter(), ["RETAIL"], actor="ada")
            assert works.tell.step() == 1
            (asked,) = [
                event for event in archivist.events() if listed.id in str(event.get("refid"))
            ]
            assert (asked["event_type"], asked["outcome"]) == ("appraisal", "pending")
            feedback_of(works).poll()
            assert works.journal.disposals()[0].state is DisposalState.PROPOSED
            archivist.edit(asked["uri"], outcome=outcome)
            feedback_of(works).poll()
            (decided,) = works.journal.disposals()
            if outcome == "fail":
                assert decided.state is DisposalState.WITHDRAWN
                return
            assert decided.state is DisposalState.APPROVED
            assert decided.approved_by == "archivesspace:archivist"
            assert decided.authority
            works.disposing.begin(listed.id, actor="cem")
            works.disposing.complete(listed.id)
            for _ in range(3):  # told once, however often it is looked
                works.amend.step()
                works.tell.step()
            ends = [event for event in archivist.events() if event["event_type"] == "deletion"]
            assert len(ends) == 1
            assert listed.id in ends[0]["outcome_note"]
            assert [item["ref"] for item in ends[0]["linked_records"]] == [row.record_uri]
            assert archivist.read(row.record_uri)["file_versions"] == []
            works.journal.verify_chain()
        finally:
            works.close()
