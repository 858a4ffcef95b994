"""Code pages by the numbers that IBM gives them, and texts in them.

Python knows most of them under these numbers. Those it lacks differ from one it has in
a few places: 1140 to 1148 are older EBCDIC pages with the euro sign at 9F, and 1047 is
037 with three pairs changed over (IBM CDRA, appendix on CCSIDs).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass

from hotfolder.indexes.faults import BadDocument, reject

_UTF16 = ("1200", "1201", "1202", "13488", "17584")
_NAMES = {
    "1208": "utf-8",
    "1209": "utf-8",
    "367": "ascii",
    "813": "iso8859-7",
    "819": "latin-1",
    "912": "iso8859-2",
    "913": "iso8859-3",
    "914": "iso8859-4",
    "915": "iso8859-5",
    "920": "iso8859-9",
    "923": "iso8859-15",
    "5348": "cp1252",
}
_PLAIN = ("437", "850", "852", "855", "857", "858", "860", "861", "863", "865", "866")
_WINDOWS = ("1250", "1251", "1252", "1253", "1254", "1257")
_LATIN = {"latin-1", "iso8859-15", "cp1252", "cp850", "cp858", "cp437"}
_EBCDIC = {"37": "cp037", "273": "cp273", "500": "cp500", "1026": "cp1026"}
_EURO = {"1140": "cp037", "1141": "cp273", "1148": "cp500"}
_SWAPPED_1047 = ((0x5F, 0xB0), (0xAD, 0xBA), (0xBD, 0xBB))
_SURE = 3  # lines
_NAME = re.compile(r"[a-z0-9_-]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class CodePage:
    """One code page. ``ebcdic`` and ``utf16`` say how its bytes look; ``latin``, that
    UTF-8 read in it gives wrong letters instead of a fault."""

    name: str
    decode: Callable[[bytes], str]
    ebcdic: bool = False
    utf16: bool = False
    latin: bool = False


def find_code_page(number: str) -> CodePage | None:
    """A code page by its number (``819``, ``0500``, ``cp1252``) or one of Python's names
    of Unicode and ISO 8859; None if nobody knows it."""
    wanted = number.strip().lower()
    if not _NAME.fullmatch(wanted):
        return None
    wanted = wanted.removeprefix("cp").removeprefix("ibm").removeprefix("-")
    plain = wanted.lstrip("0") if wanted.isascii() and wanted.isdigit() else ""
    if plain in _UTF16:
        return CodePage("utf-16", _decoder("utf-8"), utf16=True)
    if plain in _EBCDIC:
        return CodePage(plain, _decoder(_EBCDIC[plain]), ebcdic=True)
    if plain in _EURO or plain == "1047":
        return CodePage(plain, _table_decoder(_table(plain)), ebcdic=True)
    if plain:
        known = plain in _PLAIN or plain in _WINDOWS
        name = _NAMES.get(plain) or (f"cp{plain}" if known else "")
    else:
        name = (
            wanted if wanted.startswith(("utf-8", "utf8", "latin", "iso8859", "iso-8859")) else ""
        )
    return _python_page(name) if name else None


def _python_page(name: str) -> CodePage | None:
    try:
        found = codecs.lookup(name).name
    except LookupError:
        return None
    found = {"iso8859-1": "latin-1"}.get(found, found)
    return CodePage(found, _decoder(found), latin=found in _LATIN)


def _decoder(name: str) -> Callable[[bytes], str]:
    return lambda data: data.decode(name)


def _table_decoder(table: str) -> Callable[[bytes], str]:
    return lambda data: codecs.charmap_decode(data, "strict", table)[0]


def _table(number: str) -> str:
    if number != "1047":
        base = bytes(range(256)).decode(_EURO[number])
        return base[:0x9F] + "\u20ac" + base[0xA0:]
    letters = list(bytes(range(256)).decode("cp037"))
    for one, other in _SWAPPED_1047:
        letters[one], letters[other] = letters[other], letters[one]
    return "".join(letters)


class Text:
    """The texts of one index, in one code page.

    An index that is UTF-8 and called Latin reads without a fault, with wrong letters.
    It is recognised when the first few lines beyond ASCII are all sound UTF-8, which
    real Latin text is next to never.
    """

    def __init__(self, page: CodePage, file: str) -> None:
        self.page = page
        self._file = file
        self._doubt = page.latin
        self._looks_utf8 = 0

    def decode(self, data: bytes, line: int) -> str:
        """The text. Raises ``BadDocument`` if it is none in this code page, and
        ``InputFault`` if the whole index seems to be in another."""
        if not self.page.ebcdic and data.isascii():
            return data.decode("ascii")
        try:
            text = self.page.decode(data)
        except UnicodeDecodeError as error:
            raise BadDocument(
                "index.encoding",
                f"the text is not {describe(self.page)} (byte {error.start + 1} of what stands"
                " there)",
                "correct the code page of the index, or write it in the one it names",
            ) from error
        if self._doubt:
            self._weigh(data, line)
        return text

    def _weigh(self, data: bytes, line: int) -> None:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            self._doubt = False
            return
        self._looks_utf8 += 1
        if self._looks_utf8 >= _SURE:
            raise reject(
                "index.codepage",
                f"the index is said to be {describe(self.page)}, but is UTF-8",
                "correct the code page (UTF-8 is 1208)",
                file=self._file,
                place=f"line {line}",
            )


def describe(page: CodePage) -> str:
    """A code page for people."""
    if page.ebcdic:
        return f"EBCDIC, code page {page.name}"
    return {"utf-8": "UTF-8", "utf-16": "UTF-16", "ascii": "ASCII"}.get(page.name, page.name)
