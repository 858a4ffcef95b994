"""Which reader reads a spool."""

from __future__ import annotations

from typing import BinaryIO

from hotfolder.core.errors import Fault
from hotfolder.core.records import Inspection
from hotfolder.formats import afp, pdf, plain
from hotfolder.formats.window import Window

HEAD = 4096
TAIL = 4096


def inspect_spool(stream: BinaryIO, size: int, name: bytes) -> Inspection:
    """Read a spool as far as needed to say what it is, whether it is whole, and how
    many pages it has. ``stream`` must be seekable; it is left anywhere."""
    return _inspect(stream, size, name, full=True)


def inspect_trailer(stream: BinaryIO, size: int, name: bytes) -> Inspection:
    """The quick look for settling: head and tail only, pages are not counted."""
    return _inspect(stream, size, name, full=False)


def _inspect(stream: BinaryIO, size: int, name: bytes, *, full: bool) -> Inspection:
    if size == 0:
        return Inspection(
            format_name="unknown",
            fault=Fault(
                code="spool.empty",
                message="the file is empty",
                remedy="write it again, with its content",
            ),
            has_trailer=False,
        )
    window = Window(stream, size)
    head, tail = window.read(0, HEAD), window.read(max(0, size - TAIL), TAIL)
    if pdf.recognises(head):
        return pdf.inspect(window, head, tail, full=full)
    if afp.recognises(head, name):
        return afp.inspect(window, tail, full=full)
    return plain.inspect(head, tail, name)
