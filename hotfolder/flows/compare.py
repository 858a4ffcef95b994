"""Compare: an archived document, or any file, with a re-rendered copy.

Both are copied into files without names first, so that what is compared is what was
hashed, whoever writes to the copy meanwhile.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import BinaryIO, cast

from hotfolder.comparing.afp import compare_afp
from hotfolder.comparing.findings import Findings, Outcome, Rules, ShowPage, Side
from hotfolder.comparing.pdf import compare_pdfs
from hotfolder.comparing.plain import compare_bytes
from hotfolder.core.errors import InputFault
from hotfolder.core.notes import printable_name
from hotfolder.files.content import open_regular
from hotfolder.files.faults import os_errors
from hotfolder.flows.give import Giving
from hotfolder.formats import inspect_spool, inspect_trailer

_CHUNK = 1 << 20


@contextmanager
def sides_of_files(before: bytes, after: bytes) -> Iterator[tuple[Side, Side]]:
    """Two files. Raises ``InputFault`` if one is no plain file or not whole,
    ``OperatorFault`` (``file.missing``) if it is not there."""
    with ExitStack() as stack:
        sides = [_open(stack, path) for path in (before, after)]
        yield sides[0], sides[1]


@contextmanager
def sides_of_document(giving: Giving, identity: str, path: bytes) -> Iterator[tuple[Side, Side]]:
    """The document called ``identity``, given as any other is, and the file. Raises as
    ``retrieve`` and ``sides_of_files`` do."""
    with ExitStack() as stack:
        rerendered = _open(stack, path)
        stream = _scratch(stack)
        given = giving.to_scratch(
            identity, None, stream, to="comparison", compared_with=rerendered.sha256
        )
        archived = Side(
            name=printable_name(os.path.basename(given.row.spool_name)),
            stream=stream,
            size=given.size,
            sha256=given.sha256,
            format_name=given.row.format_name,
            derived=given.derived,
        )
        yield archived, rerendered


def compare(archived: Side, rerendered: Side, rules: Rules, show: ShowPage) -> Findings:
    """Compare the two by what they are; see ``comparing``. Raises ``InputFault`` if one
    cannot be read."""
    if (archived.size, archived.sha256) == (rerendered.size, rerendered.sha256):
        return Findings(outcome=Outcome.IDENTICAL)
    if archived.format_name == rerendered.format_name == "pdf":
        return compare_pdfs(archived, rerendered, rules, show)
    if archived.format_name == rerendered.format_name == "afp":
        return compare_afp(archived, rerendered, rules)
    return compare_bytes(archived, rerendered, rules)


def _open(stack: ExitStack, path: bytes) -> Side:
    name = os.path.basename(path)
    with open_regular(path) as stream:
        side = _copy(stack, printable_name(name), _pieces(stream))
    # A PDF is inspected by the process that reads it, and nowhere else.
    found = inspect_trailer(side.stream, side.size, name)
    if found.format_name != "pdf" and found.fault is None:
        found = inspect_spool(side.stream, side.size, name)
    if found.fault is not None:
        raise InputFault([replace(found.fault, file=side.name)])
    return replace(side, format_name=found.format_name)


def _scratch(stack: ExitStack) -> BinaryIO:
    with os_errors("copying what is compared"):
        return cast("BinaryIO", stack.enter_context(tempfile.TemporaryFile()))


def _copy(stack: ExitStack, name: str, pieces: Iterable[bytes]) -> Side:
    digest = hashlib.sha256()
    size = 0
    stream = _scratch(stack)
    with os_errors("copying what is compared"):
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            stream.write(piece)
        stream.flush()
    return Side(
        name=name,
        stream=stream,
        size=size,
        sha256=digest.hexdigest(),
        format_name="unknown",
    )


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(_CHUNK):
        yield piece
