"""A document of a very large spool is given in the memory of the document at most.

The spool is a sparse file of 10 GB under ``HYPOTHESIS_PROFILE=whole``, and smaller
otherwise: memory must be the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hotfolder.core.profiles import DocumentsProfile, IndexFormat
from hotfolder.core.records import CatalogueRow
from hotfolder.flows.give import Giving
from hotfolder.flows.retrieve import Form
from tests.support.flow_world import WHOLE, World

MIB = 1 << 20
SIZE = (10 << 30) if WHOLE else 192 * MIB
DOCUMENT = 6 * MIB
ENOUGH = 16 * MIB  # buffers, and what SQLite and Python hold


class Plain(World):
    @property
    def profile(self):  # type: ignore[no-untyped-def]
        return replace(super().profile, defaults={"document_type": "statement"})


def peak_of(action: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.timeout(3600 if WHOLE else 300)
def test_memory_does_not_grow_with_the_spool(tmp_path: Path) -> None:
    world = Plain(root=tmp_path, documents=DocumentsProfile(index=IndexFormat.JSON, suffix=".json"))
    world.start()
    entries = [
        {"offset": 0, "length": SIZE - DOCUMENT, "customer": "big", "date": "2026-06-30"},
        {"offset": SIZE - DOCUMENT, "length": DOCUMENT, "customer": "c", "date": "2026-06-30"},
    ]
    index = "".join(json.dumps(entry) + "\n" for entry in entries)
    (world.hot / "run.txt.json").write_text(index)
    with (world.hot / "run.txt").open("wb") as stream:
        stream.truncate(SIZE)
        stream.seek(SIZE - DOCUMENT)
        stream.write(b"text\n" * (DOCUMENT // 5))
        stream.truncate(SIZE)
    world.settle()
    (spool,) = world.rows()
    assert not spool.faults
    big, small = world.running.journal.documents_of(spool.id)
    works = world.running

    def give(row: CatalogueRow, form: Form) -> None:
        giving = Giving(
            journal=works.journal,
            store=works.store,
            clock=world.clock,
            emit=works.emit,
            actor="ann",
        )
        target = os.fsencode(tmp_path / "given")
        given = giving.to_file(row.document.identity, form, target, force=True)
        giving.close()
        assert given is not None

    give(small, Form.EXACT)  # what is imported once
    assert peak_of(lambda: give(small, Form.EXACT)) < ENOUGH
    data = (tmp_path / "given").read_bytes()
    assert hashlib.sha256(data).hexdigest() == small.document.range.sha256
    assert peak_of(lambda: give(big, Form.EXACT)) < ENOUGH
    assert peak_of(lambda: give(small, Form.SPOOL)) < ENOUGH
    world.stop()
