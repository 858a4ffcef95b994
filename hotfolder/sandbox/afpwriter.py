"""AFP (MO:DCA) print files, as a composition engine writes them.

A field is ``5A``, length, id, flags, two reserved bytes, data; Begin and End fields
carry an EBCDIC name of eight bytes; index tags are TLE fields with triplets 02
(attribute name) and 36 (attribute value). Source: MO:DCA Reference (AFPC-0004), and
PTOCA Reference (AFPC-0009) for the control sequences of the text; the layout of a
page follows what Apache FOP writes (active environment group, text object).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hotfolder.sandbox.communications import Communication
from hotfolder.sandbox.layout import HEIGHT, WIDTH, Page, compose_pages

CODE_PAGE = "cp500"
MAXIMUM = 32767  # what the length of a field may say

BRG, ERG = 0xD3A8C6, 0xD3A9C6  # resource group
BRS, ERS = 0xD3A8CE, 0xD3A9CE  # resource
BFM, EFM = 0xD3A8CD, 0xD3A9CD  # form map
BMM, EMM = 0xD3A8CC, 0xD3A9CC  # medium map
BDT, EDT = 0xD3A8A8, 0xD3A9A8  # document
BNG, ENG = 0xD3A8AD, 0xD3A9AD  # named page group
BPG, EPG = 0xD3A8AF, 0xD3A9AF  # page
BAG, EAG = 0xD3A8C9, 0xD3A9C9  # active environment group
BPT, EPT = 0xD3A89B, 0xD3A99B  # presentation text object
TLE, NOP, MCF, PGD, PTD, PTX = 0xD3A090, 0xD3EEEE, 0xD3AB8A, 0xD3A6AF, 0xD3B19B, 0xD3EE9B

_PER_INCH = 240
_PAGE_SIZE = tuple((points * _PER_INCH // 72).to_bytes(3, "big") for points in (WIDTH, HEIGHT))
_RESOLUTION = b"\x00\x00" + (_PER_INCH * 10).to_bytes(2, "big") * 2  # units per ten inches
# Map Coded Font 2: code page T1V10500, character sets of IBM's core fonts, local ids 1 to 3.
_FONTS = (("plain", "C0H20000"), ("bold", "C0H40000"), ("fixed", "C0420000"))
_FONT_IDS = {name: place for place, (name, _) in enumerate(_FONTS, start=1)}
_TEXT_START = b"\x2b\xd3"  # escape: chained control sequences follow
_TEXT_END = b"\x02\xf8"  # no operation, the first type without the chain bit


@dataclass(frozen=True, slots=True, kw_only=True)
class AfpShape:
    """What a print file has: page groups with tags, a resource group, a NOP in front."""

    grouped: bool = True
    resources: bool = False
    comment: str = ""


def make_field(identifier: int, data: bytes = b"") -> bytes:
    """One structured field. ``ValueError`` if it would be too long."""
    length = 8 + len(data)
    if length > MAXIMUM:
        raise ValueError(f"a structured field of {length} bytes")
    return b"\x5a" + length.to_bytes(2, "big") + identifier.to_bytes(3, "big") + b"\0\0\0" + data


def make_tag(name: str, value: str) -> bytes:
    """A TLE: triplet 02 type 0B with the name, triplet 36 with the value.

    Characters that the code page has not are written as ``?``, as a converter would.
    """
    left, right = _encode(name), _encode(value)
    return make_field(
        TLE,
        bytes((4 + len(left), 0x02, 0x0B, 0)) + left + bytes((4 + len(right), 0x36, 0, 0)) + right,
    )


def write_afp(communications: Iterable[Communication], shape: AfpShape | None = None) -> bytes:
    """A whole print file in memory; see ``afp_chunks``."""
    return b"".join(afp_chunks(communications, shape))


def afp_chunks(
    communications: Iterable[Communication], shape: AfpShape | None = None
) -> Iterator[bytes]:
    """A print file with one document object, piece by piece: one per communication.

    Grouped, each communication is a page group whose tags say whose it is; memory
    stays flat however many there are.
    """
    shape = shape or AfpShape()
    if shape.comment:
        yield make_field(NOP, _encode(shape.comment))
    if shape.resources:
        yield _resource_group()
    yield make_field(BDT, _name("DOC", 1))
    page = 0
    for number, communication in enumerate(communications, start=1):
        pages = compose_pages(communication)
        body = b"".join(_page(lines, place) for place, lines in enumerate(pages, start=page + 1))
        page += len(pages)
        if shape.grouped:
            name = _name("PGP", number)
            body = make_field(BNG, name) + _tags(communication) + body + make_field(ENG, name)
        yield body
    yield make_field(EDT, _name("DOC", 1))


def _tags(communication: Communication) -> bytes:
    customer = communication.customer
    return b"".join(
        make_tag(name, value)
        for name, value in (
            ("Customer Number", customer.customer_id),
            ("Account", customer.account_number),
            ("Name", customer.printed_name),
            ("Statement Date", communication.issue_date.isoformat()),
            ("Document Type", communication.document_type.upper()),
            ("Channel", communication.channel.upper()),
        )
    )


def _page(lines: Page, number: int) -> bytes:
    name, group, text = _name("PGN", number), _name("AEG", number), _name("PT0", number)
    return b"".join(
        (
            make_field(BPG, name),
            _environment(group),
            make_field(BPT, text),
            *_text_fields(lines),
            make_field(EPT, text),
            make_field(EPG, name),
        )
    )


def _environment(group: bytes) -> bytes:
    return make_field(BAG, group) + _ENVIRONMENT + make_field(EAG, group)


def _text_fields(lines: Page) -> Iterator[bytes]:
    """The lines as PTX fields; a new one where the next line would not fit."""
    data = _TEXT_START
    for line in lines:
        sequence = _text_line(line.x, HEIGHT - line.y, _FONT_IDS[line.font], line.text)
        if len(data) + len(sequence) + len(_TEXT_END) > 8192:  # the oldest printers' limit
            yield make_field(PTX, data + _TEXT_END)
            data = _TEXT_START
        data += sequence
    yield make_field(PTX, data + _TEXT_END)


def _text_line(x: int, y: int, font: int, text: str) -> bytes:
    """Absolute position down and across, font, text: PTOCA AMB, AMI, SCFL, TRN, chained."""
    shown = _encode(text)[:250]  # what the one-byte length of TRN leaves
    return (
        b"\x04\xd3"
        + (y * _PER_INCH // 72).to_bytes(2, "big")
        + b"\x04\xc7"
        + (x * _PER_INCH // 72).to_bytes(2, "big")
        + bytes((3, 0xF1, font, 2 + len(shown), 0xDB))
        + shown
    )


def _font_map() -> bytes:
    groups = b""
    for place, (_, characters) in enumerate(_FONTS, start=1):
        triplets = (
            b"\x0c\x02\x86\x00" + _encode(characters)
            + b"\x0c\x02\x85\x00" + _encode("T1V10500")
            + bytes((4, 0x24, 5, place))
            + b"\x04\x26\x00\x00"
        )  # fmt: skip
        groups += (2 + len(triplets)).to_bytes(2, "big") + triplets
    return groups


def _resource_group() -> bytes:
    """A resource group with an inline form definition that has one medium map."""
    group, form, medium = _name("RSG", 1), _encode("F1HFDEMO"), _encode("STANDARD")
    kind = b"\x0a\x21\xfe" + bytes(7)  # triplet 21: the resource is a form map
    return b"".join(
        (
            make_field(BRG, group),
            make_field(BRS, form + b"\0\0" + kind),
            make_field(BFM, form),
            make_field(BMM, medium),
            make_field(EMM, medium),
            make_field(EFM, form),
            make_field(ERS, form),
            make_field(ERG, group),
        )
    )


def _encode(text: str) -> bytes:
    return text.encode(CODE_PAGE, "replace")


def _name(kind: str, number: int) -> bytes:
    """Eight EBCDIC bytes, such as PGP00001; a larger number takes the letters' places."""
    return _encode(f"{kind[: max(0, 8 - len(str(number)))]}{number:0>5}"[:8])


_ENVIRONMENT = (
    make_field(MCF, _font_map())
    + make_field(PGD, _RESOLUTION + b"".join(_PAGE_SIZE) + b"\0\0\0")
    + make_field(PTD, _RESOLUTION + b"".join(_PAGE_SIZE) + b"\0\0")
)
