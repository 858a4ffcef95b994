"""AFP (MO:DCA): whether it is whole, and how many pages it has.

A spool is whole if the walk along its fields ends exactly at its end, every Begin has
its End, the last field is an End, and a document in it has a page
(reference/exstream-output-and-records-rules.md, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hotfolder.core.errors import Fault
from hotfolder.core.records import Inspection
from hotfolder.formats.afpfields import (
    Batch,
    DamagedWalkError,
    explain,
    framing_of,
    read_batches,
)
from hotfolder.formats.afpframing import (
    BDT,
    BEGINS_AND_ENDS,
    BPG,
    END,
    LINE_ENDS,
    Framing,
    find_framing,
)
from hotfolder.formats.damage import RESEND
from hotfolder.formats.window import Window

DEEPEST = 64
_ENDS_WITHIN = 64  # bytes of padding that some spoolers leave behind the last field
_SUFFIXES = (b".afp", b".afpds", b".afp.gz")
_MARKS = (b"\x5a", b"!", b"]")  # 5A, and what a translation from EBCDIC makes of it


def recognises(head: bytes, name: bytes) -> bool:
    """Whether a file with this head is AFP: a field at its start, however framed; or
    what is left of one, in a file of that name."""
    if find_framing(head) is not None:
        return True
    return name.lower().endswith(_SUFFIXES) and head[:1] in _MARKS


@dataclass(slots=True)
class _Count:
    pages: int = 0
    documents: int = 0
    last: int = 0
    stack: list[tuple[int, bytes, int]] = field(default_factory=list)


def inspect(window: Window, tail: bytes, *, full: bool) -> Inspection:
    """See ``registry.inspect_spool``. The quick look only wants an ending field
    somewhere in the tail that reaches the end of the file."""
    framing = framing_of(window)
    if not full:
        return Inspection(
            format_name="afp",
            media_type="application/vnd.ibm.modcap",
            fault=None if _ends_well(framing, tail) else _cut(window.size),
        )
    count = _Count()
    fault: Fault | None = None
    try:
        for batch in read_batches(window, BEGINS_AND_ENDS):
            _follow(count, batch, framing.introducer)
        _check_end(count, window.size)
    except DamagedWalkError as error:
        fault = explain(window, error)
    return Inspection(
        format_name="afp",
        media_type="application/vnd.ibm.modcap",
        pages=None if fault else count.pages,
        fault=fault,
    )


def _ends_well(framing: Framing, tail: bytes) -> bool:
    """Whether some End field in the tail reaches the end of the file."""
    place = len(tail)
    before = framing.introducer - 6  # what stands before the class of a field
    while (place := tail.rfind(b"\xd3\xa9", 0, place)) >= before:
        length = framing.measure(tail, place - before)
        if length:
            end = place - before + length
            rest = tail[end:]
            if end <= len(tail) and len(rest) <= _ENDS_WITHIN and not rest.strip(LINE_ENDS):
                return True
    return False


def _follow(count: _Count, batch: Batch, introducer: int) -> None:
    count.last = batch.last or count.last
    data = batch.data
    for start, end, kind in batch.fields:
        body = start + introducer
        name = data[body : min(body + 8, end)]
        category = kind & 0xFF
        if kind < END:
            count.pages += kind == BPG
            count.documents += kind == BDT
            if len(count.stack) >= DEEPEST:
                raise DamagedWalkError(
                    batch.base + start, f"fields are nested deeper than {DEEPEST}"
                )
            count.stack.append((category, name, batch.base + start))
            continue
        if not count.stack:
            raise DamagedWalkError(batch.base + start, "an End field has no Begin")
        opened, begun, offset = count.stack.pop()
        if opened != category or not same_name(begun, name):
            raise DamagedWalkError(
                batch.base + start,
                f"an End field does not match the Begin field at byte {offset}",
            )


def same_name(begin: bytes, end: bytes) -> bool:
    """Names match if equal, or if either is absent or null (``FFFF…`` matches anything)."""
    return (
        not begin or not end or begin[:2] == b"\xff\xff" or end[:2] == b"\xff\xff" or begin == end
    )


def _check_end(count: _Count, size: int) -> None:
    if count.stack:
        raise DamagedWalkError(
            size,
            f"the file ends although what began at byte {count.stack[-1][2]} has not ended",
            "afp.truncated",
        )
    if count.last & 0xFF00 != END:
        raise DamagedWalkError(size, "the last field ends nothing", "afp.truncated")
    if count.documents and not count.pages:
        raise DamagedWalkError(size, "there is a document in it, but no page", "afp.empty")


def _cut(size: int) -> Fault:
    return Fault(
        code="afp.truncated",
        message="the AFP file has no end: its last field ends nothing",
        remedy=RESEND,
        place=f"byte {size}",
    )
