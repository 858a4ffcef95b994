"""What stands for a whole spool says what all of its documents share, and nothing of one."""

from __future__ import annotations

from datetime import date

from hotfolder.core.records import Document, DocumentMetadata
from hotfolder.sidecars.spooldocuments import Summary
from tests.support.journals import make_document


def document(number: int, **extra: tuple[str, ...]) -> Document:
    marks = {name.replace("_", "."): values for name, values in extra.items()}
    metadata = DocumentMetadata(
        customer_id=f"C-{number}",
        document_type="letter",
        issue_date=date(2020, 1, number),
        legacy_id=f"OLD-{number}",
        extra=marks,
    )
    return make_document(f"k{number}", ordinal=number, metadata=metadata)


def test_it_says_which_load_of_an_old_archive_it_was() -> None:
    summary = Summary()
    for number in (1, 2, 3):
        summary.add(
            document(
                number,
                migration_id=("LOAD-7",),
                migration_place=(f"page {number}",),
                iban=("DE02",),
            )
        )
    carrier = summary.carrier(name="load.afp", sha256="a" * 64, size=10, pages=None)
    assert carrier.metadata.extra == {"migration.id": ("LOAD-7",)}
    assert (carrier.metadata.customer_id, carrier.metadata.legacy_id) == (None, None)
    assert carrier.metadata.document_type == "letter"


def test_what_comes_from_nowhere_says_nothing() -> None:
    summary = Summary()
    summary.add(document(1, iban=("DE02",)))
    carrier = summary.carrier(name="one.afp", sha256="a" * 64, size=10, pages=None)
    assert carrier.metadata.extra == {}
