"""Exhibits: what of the store goes into a bag of evidence, and what must not.

A spool may hold the documents of many customers. Without the whole of it nothing goes in
that is about others: not the spool, not its list of documents, not its index. What stands
for them are digests.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import IO

from hotfolder.core import evidence as names
from hotfolder.core.bag import Part, text_part
from hotfolder.core.canonical import FORMAT_MANY, dump, read_document_line
from hotfolder.core.documenttree import prove_leaf
from hotfolder.core.errors import Corrupt, OperatorFault
from hotfolder.core.evidence import EvidenceForm
from hotfolder.core.ports import Journal, Store
from hotfolder.core.records import CatalogueRow, SpoolRow
from hotfolder.files.faults import os_errors
from hotfolder.flows.retrieve import Form, retrieve
from hotfolder.formats.window import Window
from hotfolder.store.inventory import parse_inventory
from hotfolder.store.naming import DOCUMENTS, SIDECARS, safe_name

_CHUNK = 1 << 20
_IN_MEMORY = 8 << 20  # bytes of a derived document; more go into a file without a name
_SUFFIX = re.compile(rb"\.([A-Za-z0-9]{1,8})\Z")


class Exhibits(AbstractContextManager["Exhibits"]):
    """The files of one bag that come out of the store. Their parts can be read until the
    context ends. Raises ``Corrupt`` if the store is not what journal and inventory say."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        row: CatalogueRow,
        spool: SpoolRow,
        *,
        form: EvidenceForm,
        everything: bool,
        scratch: bytes | None,
    ) -> None:
        """``everything`` takes sidecars that serve other spools, too; ``scratch`` is a
        folder for what is too much for memory."""
        self.row = row
        self.spool = spool
        self.form = form
        self.parts: list[Part] = []
        self.document_file: str | None = None
        self.derived_file: str | None = None
        self.spool_file: str | None = None
        self.sidecars: list[dict[str, str]] = []  # file in the bag, path in the object
        self.needs_proof = False  # nothing that is here names the document among the others
        self._journal = journal
        self._store = store
        self._everything = everything
        self._scratch = scratch
        self._suffix = _suffix_of(spool.name)
        self._stack = ExitStack()

    def __enter__(self) -> Exhibits:
        try:
            self._collect()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _collect(self) -> None:
        place = self.row.document.range
        stream = self._stack.enter_context(self._store.open_content(self.spool.id))
        window = Window(stream, self.row.spool_size)
        whole = partial(_pieces, window, 0, self.row.spool_size)
        if not place.by_pages:
            exact = partial(_pieces, window, place.offset, place.length)
            _check(exact, place.sha256)
            self.document_file = self._add(f"data/document/document.{self._suffix}", exact)
        if self.form is EvidenceForm.SPOOL:
            self.spool_file = self._add(f"data/store/spool.{self._suffix}", whole)
        elif self.form is EvidenceForm.DOCUMENT:
            self.spool_file = self.document_file
        self._add_derived()
        self._add_inventory()
        self._add_line()

    def _add(self, name: str, read: Callable[[], Iterator[bytes]]) -> str:
        self.parts.append(Part(name=name, read=read))
        return name

    def _add_bytes(self, name: str, data: bytes) -> None:
        self.parts.append(text_part(name, data))

    def _add_part(self, name: str, path: str) -> None:
        self._add(name, partial(self._read_part, path))

    def _read_part(self, path: str) -> Iterator[bytes]:
        with self._store.open_part(self.spool.id, path) as stream, os_errors("reading the store"):
            while data := stream.read(_CHUNK):
                yield data

    def _add_derived(self) -> None:
        """What can be printed by itself, where that is something else than the document."""
        folder = None if self._scratch is None else os.fsdecode(self._scratch)
        identity = self.row.document.identity
        try:
            with retrieve(self._journal, self._store, identity, Form.ALONE) as found:
                if not found.derived:
                    return
                made: IO[bytes] = SpooledTemporaryFile(max_size=_IN_MEMORY, dir=folder)  # noqa: SIM115
                self._stack.enter_context(made)
                with os_errors("writing a derived document"):
                    for piece in found.pieces:
                        made.write(piece)
        except OperatorFault as error:
            if error.code not in ("retrieve.form", "retrieve.encrypted"):
                raise
            return  # the format has no such form: the exact bytes are all there is
        self.derived_file = self._add(
            f"data/document/derived.{self._suffix}", partial(_whole_file, made)
        )

    def _add_inventory(self) -> None:
        data = self._store.read_inventory(self.spool.id)
        self._add_bytes(names.INVENTORY, data)
        if self.form is EvidenceForm.PROOF:
            return
        digests = parse_inventory(data).digests
        own = list(self.spool.sidecars)
        chosen = [*own, *self.spool.shared] if self._everything else own
        for name in chosen:
            path = f"{SIDECARS}/{safe_name(os.path.basename(name))}"
            if path in digests:
                file = f"data/store/sidecar-{len(self.sidecars) + 1}.{_suffix_of(name)}"
                self._add_part(file, path)
                self.sidecars.append({"file": file, "path": path})

    def _add_line(self) -> None:
        """The document's metadata as they were stored, and how they are part of the rest."""
        metadata = self._store.read_metadata(self.spool.id)
        self._add_bytes(names.SPOOL_METADATA, metadata)
        described = json.loads(metadata)
        if described["format"] != FORMAT_MANY:
            lines = [(dump(item) + "\n").encode() for item in described["documents"]]
            self._add_bytes(names.DOCUMENT_LINE, self._find(lines).line)
            return
        found = self._find(self._store.read_documents(self.spool.id))
        self._add_bytes(names.DOCUMENT_LINE, found.line)
        if self.form is not EvidenceForm.PROOF:
            self._add_part(names.DOCUMENT_LINES, DOCUMENTS)
            return
        self.needs_proof = True
        path = prove_leaf(self._store.read_leaves(self.spool.id), found.index, found.count)
        proof = {"index": found.index, "size": found.count, "path": path}
        self._add_bytes(names.PROOF, (dump(proof) + "\n").encode())

    def _find(self, lines: Iterable[bytes]) -> _Listed:
        """The document's line among all."""
        mark = self.row.document.identity.encode()
        found: list[tuple[int, bytes]] = []
        count = 0
        for count, line in enumerate(lines, start=1):
            # Asked first, because there may be a million: most lines are not read further.
            if mark in line and read_document_line(line).identity == self.row.document.identity:
                found.append((count - 1, line))
        if len(found) != 1 or read_document_line(found[0][1]).range != self.row.document.range:
            raise Corrupt(
                "store and journal do not agree where in its spool the document is",
                hint="nothing is given out; compare journal and store with `hotfolder show`",
                code="evidence.line",
            )
        return _Listed(index=found[0][0], line=found[0][1], count=count)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """A document as the store lists it: which of how many."""

    index: int
    line: bytes
    count: int


def _suffix_of(name: bytes) -> str:
    """What a file in a bag ends with: of the producer's name, if that is plain."""
    match = _SUFFIX.search(name)
    return "bin" if match is None else match[1].decode().lower()


def _pieces(window: Window, offset: int, length: int) -> Iterator[bytes]:
    for start in range(offset, offset + length, _CHUNK):
        with os_errors("reading the store"):
            yield window.read(start, min(_CHUNK, offset + length - start))


def _check(read: Callable[[], Iterator[bytes]], expected: str) -> None:
    digest = hashlib.sha256()
    for piece in read():
        digest.update(piece)
    if digest.hexdigest() != expected:
        raise Corrupt(
            "the bytes in the store are not those that were journalled",
            hint="nothing is given out; compare journal and store with `hotfolder show`",
            code="evidence.fixity",
        )


def _whole_file(stream: IO[bytes]) -> Iterator[bytes]:
    with os_errors("reading a derived document"):
        stream.seek(0)
        while data := stream.read(_CHUNK):
            yield data
