"""Which reader reads the documents of a spool, and whether what it says fits the spool."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from hotfolder.core.errors import OperatorFault
from hotfolder.core.indexed import IndexedDocument
from hotfolder.core.profiles import DocumentsProfile, IndexFormat
from hotfolder.indexes.afpgroups import read_afp_groups
from hotfolder.indexes.cmod import read_cmod
from hotfolder.indexes.csvranges import read_csv_ranges
from hotfolder.indexes.faults import Skip, reject
from hotfolder.indexes.jsonlines import read_json_lines
from hotfolder.indexes.pdfparts import read_pdf_bookmarks, read_pdf_marked
from hotfolder.indexes.ranges import CheckedRanges, check_ranges
from hotfolder.indexes.streamserve import read_streamserve
from hotfolder.indexes.xmljob import read_xml_job

_AFP_CODE_PAGE = "500"  # reference/exstream-output-and-records-rules.md, section 3
_TAB = "09"
_OF_FORMAT = {
    IndexFormat.AFP: ("afp", "AFP"),
    IndexFormat.BOOKMARKS: ("pdf", "PDF"),
    IndexFormat.MARKER: ("pdf", "PDF"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolFile:
    """A spool that is open for reading, and what is known of it."""

    stream: BinaryIO
    size: int
    name: bytes  # without folders
    shown: str  # the name for people
    format_name: str
    pages: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFile:
    """An index file that is open for reading."""

    stream: BinaryIO
    shown: str


def read_documents(
    profile: DocumentsProfile, spool: SpoolFile, index: IndexFile | None, skip: Skip | None
) -> CheckedRanges:
    """The documents of ``spool``, one by one, with ranges that fit it.

    ``index`` is the index file, for formats that have one. Bad documents are given to
    ``skip``; see ``check_ranges`` for what is raised.
    """
    told_by = spool.shown if index is None else index.shown
    expected = _OF_FORMAT.get(profile.index)
    if expected is not None and spool.format_name != expected[0]:
        raise reject(
            "documents.format",
            f"the documents of this folder are told by {expected[1]} files, and this is none"
            f" ({spool.format_name})",
            f"send {expected[1]}, or send it to another hot folder",
            file=spool.shown,
        )
    return check_ranges(
        _read(profile, spool, index, skip),
        spool.size,
        spool.pages,
        allow_overlap=profile.allow_overlap,
        name=spool.name,
        index=told_by,
        skip=skip,
    )


def _read(
    profile: DocumentsProfile, spool: SpoolFile, index: IndexFile | None, skip: Skip | None
) -> Iterator[IndexedDocument]:
    inside = (spool.stream, spool.size, spool.shown)
    match profile.index:
        case IndexFormat.AFP:
            page = profile.code_page or _AFP_CODE_PAGE
            return read_afp_groups(*inside, code_page=page, skip=skip)
        case IndexFormat.BOOKMARKS:
            return read_pdf_bookmarks(*inside, level=profile.level, skip=skip)
        case IndexFormat.MARKER:
            return read_pdf_marked(*inside, pattern=profile.marker, skip=skip)
    if index is None:
        raise reject(
            "index.missing",
            "no index came with this file",
            f"write it beside it, as {spool.shown}{profile.suffix}",
            file=spool.shown,
        )
    return _read_file(profile, index, skip)


def _read_file(
    profile: DocumentsProfile, index: IndexFile, skip: Skip | None
) -> Iterator[IndexedDocument]:
    file = (index.stream, index.shown)
    match profile.index:
        case IndexFormat.CMOD:
            return read_cmod(*file, code_page=profile.code_page, skip=skip)
        case IndexFormat.STREAMSERVE:
            return read_streamserve(
                *file,
                attributes=profile.attributes,
                attribute_separator=profile.separator or _TAB,
                line_separator=profile.line_separator,
                columns=profile.columns,
                code_page=profile.code_page,
                skip=skip,
            )
        case IndexFormat.CSV:
            return read_csv_ranges(
                *file,
                columns=profile.columns,
                code_page=profile.code_page,
                separator=profile.separator,
                skip=skip,
            )
        case IndexFormat.XML:
            return read_xml_job(
                *file, documents=profile.elements, columns=profile.columns, skip=skip
            )
        case IndexFormat.JSON:
            return read_json_lines(
                *file, columns=profile.columns, code_page=profile.code_page, skip=skip
            )
    raise OperatorFault(
        f"{profile.index} tells no documents", hint="set documents.index", code="documents.index"
    )
