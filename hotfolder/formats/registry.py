"""Which reader reads a spool."""

from __future__ import annotations

from typing import BinaryIO

from hotfolder.core.errors import Fault
from hotfolder.core.records import Inspection
from hotfolder.formats import (
    afp,
    htmlfile,
    pcl,
    pdf,
    pjl,
    plain,
    postscript,
    tiff,
    xmlfile,
    zippackage,
)
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
    return _read(Window(stream, size), name, full=full)


def _read(window: Window, name: bytes, *, full: bool) -> Inspection:  # noqa: PLR0911  one a format
    size = window.size
    head, tail = window.read(0, HEAD), window.read(max(0, size - TAIL), TAIL)
    if pdf.recognises(head):
        return pdf.inspect(window, head, tail, full=full)
    if afp.recognises(head, name):
        return afp.inspect(window, tail, full=full)
    if postscript.recognises(head):
        return postscript.inspect(window, head, tail, full=full)
    if pjl.recognises(head):
        return pjl.inspect(window, head, tail, full=full)
    if pcl.recognises(head):
        return pcl.inspect(window, full=full)
    if tiff.recognises(head):
        return tiff.inspect(window, head, full=full)
    if zippackage.recognises(head):
        return zippackage.inspect(window, full=full)
    if xmlfile.recognises(head):
        return xmlfile.inspect(window, head, tail, full=full)
    if htmlfile.recognises(head, name):
        return htmlfile.inspect(head, tail)
    return plain.inspect(head, tail, name)
