"""Small sound spools of the formats that no writer of ours writes."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

_SAMPLES = Path(__file__).parent.parent / "samples"
UEL = b"\x1b%-12345X"
TEXT = b"Dear Sir, your policy has been changed. " * 100
JOB = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<!-- a job --><job a="1&lt;2"><document n="1">'
    b"J\xc3\xbcrgen &amp; S\xc3\xb6hne</document><job/><![CDATA[</job>]]></job>\n"
)


def make_format_samples() -> Mapping[str, Sequence[bytes]]:
    """By the name of the format."""
    return {
        "ps": [(_SAMPLES / "statements-8.ps").read_bytes(), *_postscript()],
        "pcl": [(_SAMPLES / "statements-8.pcl").read_bytes(), *_pcl()],
        "pclxl": [wrap(make_pcl_xl(order), b"PCLXL") for order in "<>"],
        "tiff": [
            make_tiff_image(2),
            make_tiff_image(2, big=True),
            *(make_tiff(order, big=big) for order in "<>" for big in (False, True)),
        ],
        "xmlspool": [
            JOB,
            JOB.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
            JOB.replace(b"\n", b'<!DOCTYPE job [<!ENTITY x "y">]>', 1),
            JOB.replace(b"\n", b'<!DOCTYPE job SYSTEM "x">', 1),
        ],
        "html": [b"<!DOCTYPE html>\n<html><body><p>Dear Sir</p></body></html><!-- x -->\n"],
        "zip": [
            *(
                make_package([("dir/", b""), ("dir/a.xml", TEXT), ("b", b"")], method)
                for method in (
                    zipfile.ZIP_STORED,
                    zipfile.ZIP_DEFLATED,
                    zipfile.ZIP_BZIP2,
                    zipfile.ZIP_LZMA,
                )
            ),
            widen_package(make_package([("a", TEXT), ("b", b"x")])),
        ],
    }


def wrap(inner: bytes, language: bytes = b"PCL") -> bytes:
    """A print job."""
    return UEL + b"@PJL ENTER LANGUAGE = " + language + b"\r\n" + inner + UEL


def _postscript() -> list[bytes]:
    data = b"%%Page: 9 9\n"
    inner = b"%!PS-Adobe-3.0\n%%Pages: 1\n%%Page: 1 1\nshowpage\n%%Trailer\n%%EOF\n"
    outer = inner.replace(
        b"showpage",
        b"%%BeginDocument: x\n" + inner + b"%%EndDocument\n"
        b"%%BeginData: 12 Binary Bytes\n" + data + b"%%EndData",
    )
    return [outer, wrap(outer, b"POSTSCRIPT"), outer + b"\x04" + inner]


def _pcl() -> list[bytes]:
    page = b"\x1b&l26a1o3H\x1b*b20W" + b"\f" * 20 + b"\x1b&a12h30.5Vtext\x1b*c9a9b0P\f"
    page += b"\x1b%0BIN;SP1;\x1b%0A\x1b&p4X\f\f\f\f\x1b&f0X\x1b&f1X\f"
    return [
        b"\x1bE" + page * 3 + b"\x1bE",
        wrap(page),
        UEL + b"@PJL JOB\r\n@PJL ENTER LANGUAGE=PCL\r\n" + page + UEL + b"@PJL EOJ\r\n" + UEL,
    ]


def make_pcl_xl(order: str = "<") -> bytes:
    """Two pages, with all kinds of values and an EndPage in every one of them."""
    sign = b")" if order == "<" else b"("
    out = [sign + b" HP-PCL XL;2;0;Comment D\n", b"\xd1" + struct.pack(order + "HH", 600, 600)]
    out.append(b"\xf8\x89\xc0\x00\xf8\x86\x41")
    for _ in range(2):
        out.append(b"\xc0\x44\xf8\x28\xc0\x44\xf8\x25\x43")
        out.append(b"\xc2DDDD\xf9DD\xc5DDDD\xc1DD\xc3DD\xc4DDDD")
        out.append(b"\xd0DD\xd2DDDDDDDD\xd3DDDD\xd4DDDDDDDD\xd5DDDDDDDD")
        out.append(b"\xe0DDDD\xe1DDDDDDDD\xe2" + b"D" * 16 + b"\xe3" + b"D" * 8)
        out.append(b"\xe5" + b"D" * 16 + b"\xc8\xc0\x05DDDDD")
        out.append(b"\xc9\xc1" + struct.pack(order + "H", 300) + b"DD" * 300)
        out.append(b"\xcd\xc0\x02" + b"D" * 8 + b"\xf8\xa2\xa8" + b"\xfb\x44" + b"D" * 0x44)
        out.append(b"\xfa" + struct.pack(order + "I", 70_000) + b"DDDDDDD" * 10_000 + b"\x44")
    return b"".join((*out, b"\x42"))


def make_tiff_image(pages: int, *, compression: str = "raw", big: bool = False) -> bytes:
    """As Pillow writes it."""
    choose = random.Random(pages)
    drawn = [Image.frombytes("L", (64, 40), choose.randbytes(64 * 40)) for _ in range(pages)]
    if compression == "group4":
        drawn = [page.convert("1") for page in drawn]
    out = io.BytesIO()
    drawn[0].save(
        out,
        "TIFF",
        save_all=True,
        append_images=drawn[1:],
        compression=compression,
        big_tiff=big,
    )
    return out.getvalue()


def make_tiff(
    order: str, *, big: bool, pages: int = 2, strips: int = 3, first: bool = False
) -> bytes:
    """Pages of ``strips`` strips of 10 bytes; directories before or behind the strips."""
    entry, inline, code = (20, 8, "Q") if big else (12, 4, "I")
    width = 8 if big else 4
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    head += struct.pack(order + "HHQ", 8, 0, 0) if big else struct.pack(order + "I", 0)
    out = bytearray(head)
    link = len(head) - width
    for _ in range(pages):
        directory_size = (8 if big else 2) + 2 * entry + width
        lists = 0 if strips * width <= inline else 2 * strips * width
        data_at = len(out) + (directory_size + lists if first else 0)
        directory_at = len(out) if first else len(out) + 10 * strips
        places = struct.pack(f"{order}{strips}{code}", *(data_at + 10 * n for n in range(strips)))
        lengths = struct.pack(f"{order}{strips}{code}", *[10] * strips)
        entries = []
        for tag, value, shift in ((273, places, 0), (279, lengths, strips * width)):
            start = struct.pack(order + ("HHQ" if big else "HHI"), tag, 16 if big else 4, strips)
            where = struct.pack(order + code, directory_at + directory_size + shift)
            entries.append(start + (where if lists else value.ljust(inline, b"\0")))
        directory = struct.pack(order + ("Q" if big else "H"), 2) + b"".join(entries)
        directory += bytes(width) + (places + lengths if lists else b"")
        strip_data = b"\x55" * 10 * strips
        out += directory + strip_data if first else strip_data + directory
        struct.pack_into(order + code, out, link, directory_at)
        link = directory_at + directory_size - width
    return bytes(out)


def make_package(
    members: Sequence[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b""
) -> bytes:
    """As Python writes it, with the names as they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            info = zipfile.ZipInfo()
            info.filename, info.compress_type = name, method
            archive.writestr(info, data)
        archive.comment = comment
    return out.getvalue()


def widen_package(data: bytes) -> bytes:
    """The same package with all numbers of its end and its directory in ZIP64 records."""
    end = data.rindex(b"PK\x05\x06")
    members, _size, offset = struct.unpack("<HII", data[end + 10 : end + 20])
    directory, place = b"", offset
    while place < end:
        fields = list(struct.unpack("<4s6H3I5H2I", data[place : place + 46]))
        name = data[place + 46 : place + 46 + fields[10]]
        extra = struct.pack("<HHQQQ", 1, 24, fields[9], fields[8], fields[16])
        place += 46 + fields[10] + fields[11] + fields[12]
        fields[8] = fields[9] = fields[16] = 0xFFFFFFFF
        fields[11], fields[12] = len(extra), 0
        directory += struct.pack("<4s6H3I5H2I", *fields) + name + extra
    at = offset + len(directory)
    large = struct.pack(
        "<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, members, members, len(directory), offset
    )
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, at, 1)
    ending = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 65535, 65535, 2**32 - 1, 2**32 - 1, 0)
    return data[:offset] + directory + large + locator + ending
