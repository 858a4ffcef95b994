"""What contradicts what in the [folders.….documents] of a hot folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from hotfolder.core.errors import OperatorFault
from hotfolder.core.profiles import CompletionRule, Describe, IndexFormat, SidecarFormat
from hotfolder.indexes.codepages import find_code_page
from hotfolder.indexes.placing import Placing
from hotfolder.indexes.streamserve import parse_separator
from hotfolder.service.settings_model import DocumentsSection, FolderSection
from hotfolder.service.settings_sources import Finding, Place

_FILES = frozenset(
    {
        IndexFormat.CMOD,
        IndexFormat.STREAMSERVE,
        IndexFormat.CSV,
        IndexFormat.XML,
        IndexFormat.JSON,
    }
)
_NAMED = _FILES - {IndexFormat.CMOD}
# Which indexes a key means something for; what is not here is for all of them.
_FOR = {
    "suffix": _FILES,
    "code_page": _FILES - {IndexFormat.XML} | {IndexFormat.AFP},
    "columns": _NAMED,
    "separator": {IndexFormat.CSV, IndexFormat.STREAMSERVE},
    "line_separator": {IndexFormat.STREAMSERVE},
    "attributes": {IndexFormat.STREAMSERVE},
    "elements": {IndexFormat.XML},
    "level": {IndexFormat.BOOKMARKS},
    "marker": {IndexFormat.MARKER},
    "allow_overlap": _FILES,
}
_SIDECARS = {
    ".json": (SidecarFormat.AUTO, SidecarFormat.JSON),
    ".xml": (SidecarFormat.AUTO, SidecarFormat.XML),
}


def check_documents(place: Place, item: FolderSection) -> Iterator[Finding]:
    """Contradictions of one folder; no file is touched."""
    documents = item.documents
    yield from _check_keys(place, documents)
    if documents.index in _FILES:
        yield from _check_suffix(place, item)
    if documents.describe is not Describe.AUTO and "describe_limit" in documents.model_fields_set:
        yield Finding(
            (*place, "describe_limit"),
            "documents.describe",
            f'describe = "{documents.describe}" has no limit',
            'set describe = "auto", or remove it',
        )
    if documents.code_page and find_code_page(documents.code_page) is None:
        yield Finding(
            (*place, "code_page"),
            "documents.code_page",
            "it is not known",
            "utf-8, 819, 850, 923, 1252, 37, 273, 500, 1047, 1140 to 1149",
        )
    if documents.index is IndexFormat.MARKER:
        yield from _check_marker(place, documents)
    for key, act in (
        ("columns", lambda: Placing(documents.columns)),
        ("separator", lambda: _parse(documents, documents.separator)),
        ("line_separator", lambda: _parse(documents, documents.line_separator)),
    ):
        yield from _try((*place, key), act)


def _check_keys(place: Place, documents: DocumentsSection) -> Iterator[Finding]:
    for key in sorted(documents.model_fields_set - {"index"}):
        if documents.index is IndexFormat.NONE:
            yield Finding(
                (*place, key),
                "documents.index",
                'it means nothing with index = "none": a spool is one document',
                "set index, or remove it",
            )
        elif documents.index not in _FOR.get(key, {documents.index}):
            yield Finding(
                (*place, key),
                "documents.index",
                f'it means nothing with index = "{documents.index}"',
                "remove it; it is for " + ", ".join(sorted(_FOR[key])),
            )


def _check_suffix(place: Place, item: FolderSection) -> Iterator[Finding]:
    suffix, completion = item.documents.suffix, item.completion
    where = (*place, "suffix")
    if not suffix or "/" in suffix:
        yield Finding(where, "documents.suffix", "it is how names end", "such as .ind")
    elif item.sidecar in _SIDECARS.get(suffix.lower(), ()):
        yield Finding(
            where,
            "documents.suffix",
            "metadata of the whole spool may be called so, too",
            'set sidecar = "none", or another suffix',
        )
    elif (completion.rule is CompletionRule.TRIGGER and suffix == completion.trigger_suffix) or (
        completion.rule is CompletionRule.MANIFEST and suffix == completion.manifest_suffix
    ):
        yield Finding(
            where,
            "documents.suffix",
            f"files of the completion rule ({completion.rule}) end so, too",
            "give each a suffix of its own",
        )


def _check_marker(place: Place, documents: DocumentsSection) -> Iterator[Finding]:
    try:
        wrong = "" if documents.marker else "nothing marks a document"
        re.compile(documents.marker)
    except re.error as error:
        wrong = f"it is no regular expression: {error.msg}"
    if wrong:
        yield Finding(
            (*place, "marker"),
            "documents.marker",
            wrong,
            r"such as 'Customer number: (?P<customer_id>\d+)'",
        )


def _parse(documents: DocumentsSection, separator: str) -> None:
    if documents.index is IndexFormat.STREAMSERVE and separator:
        parse_separator(separator)


def _try(place: Place, act: Callable[[], object]) -> Iterator[Finding]:
    try:
        act()
    except OperatorFault as error:
        yield Finding(place, error.code, error.message, error.hint)
