"""Tags of AFP (TLE, tag logical element): a name and a value in triplets.

A triplet is its own length (one byte), an id and data. In a TLE, 02 of type 0B has the
name and 36 the value, either of them in segments; 01 says in which code page they are
(reference/exstream-output-and-records-rules.md, section 3; MO:DCA Reference, AFPC-0004,
Tag Logical Element and triplets X'01', X'02', X'36').
"""

from __future__ import annotations

from codecs import charmap_decode
from collections.abc import Callable

from hotfolder.core.errors import OperatorFault
from hotfolder.indexes.codepages import CodePage, find_code_page
from hotfolder.indexes.faults import BadDocument

Decode = Callable[[bytes], str]

ATTRIBUTE_VALUE = 0x36  # the triplet
_CODED_GRAPHIC_SET, _QUALIFIED_NAME = 0x01, 0x02
_ATTRIBUTE_NAME = 0x0B
_OBJECT_IDENTIFIER = 0x10  # format of a name that is no text
_DEFAULT_PAGE = 0xFFFF  # "the one that is in force anyhow"
_EXTENDED, _PADDED = 0x80, 0x08  # flags of a field
_KEPT = 1024  # names that are remembered, of up to 250 bytes


class TagReader:
    """Reads tags that are in ``code_page`` unless they say otherwise.

    ``names`` has the names by the whole triplet that begins a tag; those that stand there
    were found sound. ``decode`` is for values in the configured code page and raises
    ``UnicodeDecodeError``. Raises ``OperatorFault`` if the code page is unknown.
    """

    def __init__(self, code_page: str) -> None:
        page = find_code_page(code_page)
        if page is None:
            raise OperatorFault(
                f"the code page {code_page[:40]} of AFP tags is not known",
                hint="use 500, 37, 273, 1047, 1140, 1141, 1148 or 819",
                code="index.codepage",
            )
        self.names: dict[bytes, str] = {}
        self.decode = _decoder(page)
        self._page = page
        self._pages: dict[int, CodePage] = {_DEFAULT_PAGE: page}
        self._decoders = {page.name: self.decode}

    def read(self, data: bytes, flags: int) -> tuple[str, str]:
        """Name and value of the tag with the field data ``data``. Raises ``BadDocument``."""
        data = without_padding(data, flags)
        page = self._page
        name = value = b""
        textual = True
        place = 0
        while place < len(data):
            length = data[place]
            if length < 2 or place + length > len(data):
                raise BadDocument(
                    "afp.triplet",
                    "a tag has a part with a length that cannot be",
                    "correct what writes the tags",
                )
            kind, body = data[place + 1], data[place + 2 : place + length]
            if kind == _QUALIFIED_NAME and body[:1] == bytes((_ATTRIBUTE_NAME,)):
                textual = body[1:2] != bytes((_OBJECT_IDENTIFIER,))
                name += body[2:]
            elif kind == ATTRIBUTE_VALUE:
                value += body[2:]
            elif kind == _CODED_GRAPHIC_SET:
                page = self._page_of(body)
            place += length
        if not name:
            raise BadDocument("afp.name", "a tag has no name", "correct what writes the tags")
        text = self._name(name, page) if textual else name.hex()
        try:
            found = self._decoder_of(page)(value)
        except UnicodeDecodeError as error:
            raise _misread(page) from error
        self._remember(data, name, text, plain=textual and page is self._page)
        return text, found

    def _name(self, data: bytes, page: CodePage) -> str:
        """The name in ``page``; or else in the configured one, as Apache FOP writes it
        whatever it says the tag is in."""
        for given in (page, self._page):
            try:
                text = self._decoder_of(given)(data)
            except UnicodeDecodeError:
                continue
            if not _looks_wrong(data, text, given):
                return text
        raise _misread(page)

    def _page_of(self, body: bytes) -> CodePage:
        """The code page of a triplet 01: a set of characters and the page, or 0 and a CCSID."""
        number = int.from_bytes(body[2:4], "big")
        page = self._pages.get(number) or find_code_page(str(number))
        if page is None or len(body) < 4:
            raise BadDocument(
                "afp.codepage",
                f"a tag says it is in code page {number}, which is not known",
                "write the tags in 500",
            )
        return self._pages.setdefault(number, page)

    def _decoder_of(self, page: CodePage) -> Decode:
        return self._decoders.get(page.name) or self._decoders.setdefault(page.name, _decoder(page))

    def _remember(self, data: bytes, name: bytes, text: str, *, plain: bool) -> None:
        """Keep a name that fills the first triplet of a tag."""
        if plain and text.isprintable() and data[1:2] == b"\x02" and data[4 : data[0]] == name:
            if len(self.names) >= _KEPT:
                self.names.clear()
            self.names[data[: data[0]]] = text


def without_padding(data: bytes, flags: int) -> bytes:
    """Without the extension of the introducer (its first byte is its length) and the
    padding (the last byte is its length, or if that is 0 the two before it)."""
    if flags & _EXTENDED and data:
        data = data[max(1, data[0]) :]
    if flags & _PADDED and data:
        length = data[-1] or int.from_bytes(data[-3:-1], "big")
        data = data[: max(0, len(data) - length)]
    return data


def _decoder(page: CodePage) -> Decode:
    if page.utf16:
        return lambda data: data.decode("utf-16-be")
    if not page.ebcdic:
        return page.decode
    letters = page.decode(bytes(range(256)))  # they have a character for every byte
    if max(letters) < "\u0100":
        # The quicker way for pages that are Latin 1 in another order, as most are.
        table = letters.encode("latin-1")
        return lambda data: data.translate(table).decode("latin-1")
    return lambda data: charmap_decode(data, "strict", letters)[0]


def _looks_wrong(data: bytes, text: str, page: CodePage) -> bool:
    """Whether a name is ASCII that was read as EBCDIC, or EBCDIC as Latin 1: both know
    every byte. EBCDIC has its letters where ASCII has nothing and Latin 1 control codes."""
    if page.ebcdic:
        return data.isascii() and data.decode("ascii").isprintable()
    return page.latin and any("\x80" <= letter < "\xa0" for letter in text)


def _misread(page: CodePage) -> BadDocument:
    return BadDocument(
        "afp.codepage",
        f"a tag is not in code page {page.name}",
        "configure the code page of the tags (500 is EBCDIC, 819 is Latin 1)",
    )
