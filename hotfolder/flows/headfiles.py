"""Signed tree heads in directories: copies that the journal's machine cannot take back.

A directory is meant to be another machine's share, or write-once storage. One file for
each head, ``tree-head-<size>.json``; a file that is there is never written again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from hotfolder.core.errors import Corrupt, HotfolderError, OperatorFault
from hotfolder.core.records import SignedHead
from hotfolder.core.treeheads import FILE_NAME, file_name, head_from_json, head_to_json
from hotfolder.files.content import open_regular, write_atomically
from hotfolder.files.faults import os_errors
from hotfolder.files.tree import exists, list_directory

_MODE = 0o444
_LONGEST = 65_536  # bytes of a file that may be a head


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadFile:
    """A file of a directory that is called like a head, and what is in it."""

    directory: str
    size: int  # as its name has it
    signed: SignedHead | None
    error: HotfolderError | None = None  # why there is no head in it


def list_heads(directory: str) -> list[int]:
    """The sizes of the heads that a directory has, by name, smallest first. Raises
    ``OperatorFault`` or ``Transient`` if it cannot be read; it is never made."""
    place = os.fsencode(directory)
    if not exists(place):
        raise OperatorFault(
            f"the directory {directory} is not there",
            hint="mount it, or make it: hotfolder never does, as it may be another machine's",
            code="head.directory",
        )
    names = [name for name, _ in list_directory(place)]
    return sorted(int(match[1]) for name in names if (match := FILE_NAME.fullmatch(name)))


def read_head(directory: str, size: int) -> HeadFile:
    """The head of this size. What cannot be read, or is no head, is told, not raised."""
    path = os.path.join(os.fsencode(directory), b"tree-head-%d.json" % size)
    try:
        with open_regular(path) as stream, os_errors("reading a tree head"):
            data = stream.read(_LONGEST)
        signed = head_from_json(data)
        if signed.head.tree_size != size:
            raise Corrupt(
                "the head is of another size than its name says",
                hint="look who renamed it",
                code="head.unreadable",
            )
    except HotfolderError as error:
        return HeadFile(directory=directory, size=size, signed=None, error=error)
    return HeadFile(directory=directory, size=size, signed=signed)


def read_heads(directory: str) -> Iterator[HeadFile]:
    """All heads of a directory, smallest first; raises as ``list_heads``."""
    for size in list_heads(directory):
        yield read_head(directory, size)


def write_heads(directory: str, heads: list[SignedHead]) -> int:
    """Write those of ``heads`` that the directory lacks, each whole and synced; returns how
    many. The last is compared if it is there: ``Corrupt`` if it is another."""
    there = set(list_heads(directory))
    missing = [signed for signed in heads if signed.head.tree_size not in there]
    for signed in missing:
        path = os.path.join(os.fsencode(directory), file_name(signed.head))
        write_atomically(path, head_to_json(signed), _MODE)
    if heads and heads[-1] not in missing:
        found = read_head(directory, heads[-1].head.tree_size)
        if found.signed != heads[-1]:
            raise Corrupt(
                f"{directory} has another tree head of {found.size} links than the journal",
                hint="`hotfolder audit verify` says more; the file was left as it is",
                code="audit.fork",
            )
    return len(missing)
