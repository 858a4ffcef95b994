"""The elements of a job file as the parser meets them: fields of the job, documents."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from hotfolder.core.indexed import IndexedDocument
from hotfolder.indexes.faults import (
    MAX_FIELDS,
    MAX_VALUE,
    BadDocument,
    Skip,
    blame,
    check_fields,
    reject,
)
from hotfolder.indexes.placing import Placing, Role, fold, locate

_DEEPEST = 50
_MOST_NAMES = 5000  # the parser keeps every name it has met
_LONGEST_NAME = 1000  # characters, with the namespace
_MOST_TEXT = 1 << 20  # characters of one document, or of the job
_COUNTS = {fold(name) for name in ("documents", "document count", "number of documents",
                                   "doc count", "total documents")}  # fmt: skip
_Pair = tuple[str, str]


@dataclass(slots=True)
class _Open:
    """An element that has begun."""

    tag: str
    attributes: dict[str, str]
    plain: bool  # a document: its attributes are fields by their own names
    mark: int = 0  # fields there were before its content
    parts: list[str] = field(default_factory=list)
    size: int = 0
    has_children: bool = False


class Elements:
    """What an XML parser calls: ``start``, ``data``, ``end``, ``start_ns``."""

    def __init__(
        self,
        file: str,
        documents: Collection[str],
        placing: Placing,
        alike: Callable[[str], str],
        skip: Skip | None,
    ) -> None:
        self.line: Callable[[], int] = lambda: 0
        self._file = file
        self._documents = {fold(name) for name in documents}
        self._placing = placing
        self._alike = alike
        self._skip = skip
        self._names: set[str] = set()
        self._stack: list[_Open] = []
        self._job: list[_Pair] = []
        self._job_keys: list[str] = []
        self._job_file: _Pair | None = None
        self._within = 0  # depth of the document element that is open
        self._fields: list[_Pair] = []
        self._size = 0
        self._started_in = 0
        self._bad = False
        self._ordinal = 0
        self._ready: list[IndexedDocument] = []

    def take(self) -> Iterator[IndexedDocument]:
        """The documents that have ended since the last call."""
        ready, self._ready = self._ready, []
        yield from ready

    def start_ns(self, prefix: str, _uri: str) -> None:
        """A namespace prefix: kept by the parser, like a name."""
        self._learn(f"xmlns:{prefix}")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        name = _local(tag)
        self._learn(tag)
        for attribute in attributes:
            self._learn(attribute)
        if len(self._stack) >= _DEEPEST:
            raise self._reject("index.depth", f"elements are nested deeper than {_DEEPEST}")
        if self._stack:
            self._guard(self._become_parent, self._stack[-1])
        is_document = fold(name) in self._documents
        if is_document:
            if self._within:
                raise self._reject(
                    "index.nested", "a document stands inside another", "close the first one"
                )
            self._open_document()
        own = {_local(key): value for key, value in attributes.items()}
        element = _Open(name, own, plain=is_document)
        self._guard(self._take_attributes, element)
        element.mark = len(self._fields if self._within else self._job)
        self._stack.append(element)

    def _become_parent(self, element: _Open) -> None:
        if element.has_children:
            return
        element.has_children = True
        element.parts = []
        if not element.plain and len(self._stack) > 1:
            for name in ("name", "value"):
                self._add(f"{element.tag}.{name}", element.attributes.get(name, ""))

    def _take_attributes(self, element: _Open) -> None:
        """All but the name and value of what may become a leaf. Those of the outermost
        element, if it is no document, are versions and schemas."""
        for name, value in element.attributes.items():
            if element.plain:
                self._add(name, value)
            elif self._stack and name not in ("name", "value"):
                self._add(f"{element.tag}.{name}", value)

    def _guard(self, act: Callable[[_Open], None], element: _Open) -> None:
        try:
            if not (self._bad and self._within):
                act(element)
        except BadDocument as bad:
            self._blame(bad)

    def _open_document(self) -> None:
        if not self._ordinal:
            self._settle_job()
        self._ordinal += 1
        self._within = len(self._stack) + 1
        self._fields = []
        self._size = 0
        self._bad = False
        self._started_in = self.line()

    def data(self, text: str) -> None:
        """Text, whole or in parts."""
        if not self._stack or self._stack[-1].has_children:
            return
        element = self._stack[-1]
        element.size += len(text)
        if element.size <= 2 * MAX_VALUE:
            element.parts.append(text)
        else:
            self._guard(self._refuse, element)

    def end(self, _tag: str) -> None:
        """An element ends."""
        element = self._stack.pop()
        self._guard(self._take_content, element)
        if self._within == len(self._stack) + 1:
            self._close_document()

    def _refuse(self, element: _Open) -> None:
        element.parts = []
        raise BadDocument(
            "index.value", f"a field has more than {MAX_VALUE} characters", "shorten it"
        )

    def _take_content(self, element: _Open) -> None:
        if element.has_children:
            self._fold_pair(element.mark)
            return
        text = "".join(element.parts).strip()
        if not element.plain:
            value = text or element.attributes.get("value", "")
            self._add(element.attributes.get("name", element.tag), value)

    def _fold_pair(self, mark: int) -> None:
        """``<name>a</name><value>b</value>`` in one element is the field a."""
        if self._ordinal and not self._within:
            return
        fields = self._fields if self._within else self._job
        inner = fields[mark:]
        if len(inner) > 1 and fold(inner[0][0]) == "name":
            if any(fold(name) != "value" for name, _ in inner[1:]):
                return
            fields[mark:] = [(inner[0][1], value) for _, value in inner[1:]]

    def _add(self, name: str, value: str) -> None:
        value = value.strip()
        if not value:
            return
        check_fields(((name, value),))
        fields = self._fields if self._within else self._job
        if not self._within and self._ordinal:
            self._take_late(name, value)
            return
        self._size += len(name) + len(value)
        fields.append((name, value))
        if len(fields) > MAX_FIELDS or self._size > _MOST_TEXT:
            raise BadDocument(
                "index.fields",
                f"there are more than {MAX_FIELDS} fields or {_MOST_TEXT} characters in them",
                "leave out what does not describe the document",
            )

    def _take_late(self, name: str, value: str) -> None:
        if fold(name) not in _COUNTS or not value.isascii() or not value.isdigit():
            raise self._reject(
                "index.late",
                "a field of the job stands behind the first document",
                "write all of them before the documents",
            )
        if value.lstrip("0") != str(self._ordinal):
            raise self._reject(
                "index.count",
                f"the index has {self._ordinal} documents up to here, but gives another number",
                "send the whole index again",
            )

    def _settle_job(self) -> None:
        """The first document begins: the fields of the job are all there.

        Of the places only a file name can hold for all documents.
        """
        files = [pair for pair in self._job if self._placing.role(pair[0]) is Role.FILE]
        if files:
            self._job_file = files[0]
            self._job.remove(files[0])
        self._job_keys = [self._alike(name) for name, _ in self._job]

    def _close_document(self) -> None:
        try:
            if not self._bad:
                self._ready.append(self._make())
        except BadDocument as bad:
            self._blame(bad)
        self._fields = []
        self._within = 0

    def _make(self) -> IndexedDocument:
        own = self._fields
        if self._job_file and all(self._placing.role(n) is not Role.FILE for n, _ in own):
            own = [*own, self._job_file]
        places, fields = self._placing.split(own)
        keys = {self._alike(name) for name, _ in fields}
        inherited = [
            pair for key, pair in zip(self._job_keys, self._job, strict=True) if key not in keys
        ]
        where = locate(places)
        merged = (*inherited, *fields)
        check_fields(merged)
        return IndexedDocument(
            ordinal=self._ordinal,
            place=f"line {self._started_in}",
            fields=merged,
            offset=where.offset,
            length=where.length,
            first_page=where.first_page,
            pages=where.pages,
            file=where.file,
        )

    def _blame(self, bad: BadDocument) -> None:
        """A document is bad; a job whose fields are bad has no good documents."""
        place = f"line {self.line()}"
        if not self._within:
            raise reject(bad.code, bad.message, bad.remedy, file=self._file, place=place) from bad
        self._bad = True
        self._fields = []
        blame(bad.fault(self._file, f"{place} (document {self._ordinal})"), self._skip)

    def _learn(self, name: str) -> None:
        self._names.add(name)
        if len(self._names) > _MOST_NAMES or len(name) > _LONGEST_NAME:
            raise self._reject(
                "index.names",
                f"there are more than {_MOST_NAMES} different names of elements and attributes,"
                f" or one has more than {_LONGEST_NAME} characters",
                "name fields alike in all documents",
            )

    def finish(self) -> None:
        """The index has ended. Raises ``InputFault`` if there was no document."""
        if not self._ordinal:
            raise self._reject(
                "index.none",
                "no element of the index is a document",
                "configure what the elements of documents are called",
            )

    def _reject(
        self, code: str, message: str, remedy: str = "check that this is an index"
    ) -> Exception:
        return reject(code, message, remedy, file=self._file, place=f"line {self.line()}")


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]
