"""Documents of one spool on their way: from reading to the journal, and from there to the
store. However many they are, memory holds a few."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace

from hotfolder.core.canonical import document_line, read_document_line
from hotfolder.core.ports import Journal
from hotfolder.core.records import Document, Role, SpoolRow
from hotfolder.files.faults import os_errors

IN_MEMORY = 4 << 20  # bytes


class SpilledDocuments:
    """Documents that were read. In memory while they are few, else in a file without a
    name, which ends with the process whatever happens to that."""

    def __init__(self, folder: bytes | None) -> None:
        """``folder`` is where a file may be made; None for the system's own."""
        self._lines = tempfile.SpooledTemporaryFile(  # noqa: SIM115  closed by ``close``
            max_size=IN_MEMORY, dir=None if folder is None else os.fsdecode(folder)
        )
        self._count = 0
        self._carrier: Document | None = None

    def append(self, document: Document) -> None:
        """One more. Raises ``Transient`` if the disk is full."""
        with os_errors("writing what was read of a spool"):
            self._lines.write(document_line(document))
        self._count += 1

    def carry(self, carrier: Document) -> None:
        """From now on ``carrier`` is the last, and describes the others."""
        self._carrier = carrier

    def __len__(self) -> int:
        return self._count + (self._carrier is not None)

    def __iter__(self) -> Iterator[Document]:
        with os_errors("reading back what was read of a spool"):
            self._lines.seek(0)
            for line in self._lines:
                document = read_document_line(line)
                yield document if self._carrier is None else replace(document, role=Role.CARRIED)
        if self._carrier is not None:
            yield self._carrier

    def close(self) -> None:
        """Forget them; their place on the disk is free again."""
        self._lines.close()


class JournalledDocuments:
    """The documents of a spool as the journal has them, a page at a time."""

    def __init__(self, journal: Journal, row: SpoolRow) -> None:
        self._journal = journal
        self._row = row

    def __len__(self) -> int:
        return self._row.documents or 0

    def __iter__(self) -> Iterator[Document]:
        return (item.document for item in self._journal.iterate_documents(self._row.id))
