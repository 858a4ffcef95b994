"""From a hot folder to the certificate, with a server; and the same drop once more."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from hotfolder.core.disposals import DisposalState, DueFilter
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.query import DocumentQuery
from hotfolder.core.retention import Period, RetentionClass, RetentionTrigger
from hotfolder.sandbox.pdfwriter import write_bare_pdf
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
            # ArchivesSpace was asked, and told.
            assert works.tell.step() == 2
        finally:
            line.works.close()
