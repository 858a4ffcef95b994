"""XML, PPML too: whole if it is well-formed up to the end tag of its root.

What begins with an XML declaration (or is PPML) is read by expat, a chunk at a time.
Nothing outside the file is ever fetched. How a document type is treated, which is no
damage: one that only names an external subset is passed over, and its entities stay
unexpanded. One with an internal subset could declare entities that expand without bound,
so the parser is stopped there. Such a file, one in a code page that expat does not know,
and one with a tag, comment or number of names larger than the bounds below is not checked
inside: the end tag of its root must be the last in it, and that is all that is known.

The last tag is all that the quick look sees as well. It must be that of the root, and
nothing but blanks, comments and processing instructions may follow (XML 1.0, 2.8).
"""

from __future__ import annotations

import re
from xml.parsers import expat

from hotfolder.core.records import Inspection
from hotfolder.formats.damage import DamageError
from hotfolder.formats.window import Window

_CHUNK = 1 << 20
_LONGEST_TOKEN = 16 << 20  # bytes of a tag with its attributes, or of a comment
_MOST_NAMES = 100_000  # different names of elements and attributes; they are kept
_DEEPEST = 10_000

_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")  # UTF-8, UTF-16
_PADDING = b"\x00\x1a"
_BLANK = b"\r\n\t "
_NAME = rb"[^\s<>/!?='\"\[\]&;]+"
_MISC = rb"(?:\s|<!--(?:[^-]|-(?!->))*-->|<\?(?:[^?]|\?(?!>))*\?>)*"
_START = re.compile(rb"\s*<(?:\?xml\s|(?:[\w.-]+:)?PPML[\s>]|!DOCTYPE\s+(?:[\w.-]+:)?PPML\s)")
_PROLOG = re.compile(_MISC + rb"(?:<!DOCTYPE\s+[^\[>]*(\[)?[^\[>]*>?)?" + _MISC)
_ROOT = re.compile(rb"<(" + _NAME + rb""")((?:[^<>"']|"[^"]*"|'[^']*')*>)?""")
_VERSION = re.compile(rb"<\?xml\s+version\s*=\s*['\"](1\.\d)['\"]")


def recognises(head: bytes) -> bool:
    """Whether a file with this head declares itself as XML, or is PPML."""
    return _START.match(_to_ascii(head)) is not None


def inspect(window: Window, head: bytes, tail: bytes, *, full: bool) -> Inspection:
    """See ``registry.inspect_spool``."""
    text = _to_ascii(head)
    root, may_be_empty = _find_root(text)
    version = _VERSION.match(text.lstrip())
    is_ppml = root is not None and root.rpartition(b":")[2] == b"PPML"
    seen, fault = True, None
    try:
        seen = _check_end(_narrow(tail, head), root, window.size, may_be_empty=may_be_empty)
        if full:
            _parse(window)
    except DamageError as damage:
        fault = damage.fault()
    return Inspection(
        format_name="ppml" if is_ppml else "xml",
        format_version=version[1].decode() if version else "",
        media_type="application/vnd.podi-ppml+xml" if is_ppml else "application/xml",
        fault=fault,
        has_trailer=seen,
    )


def _to_ascii(head: bytes) -> bytes:
    """``head`` so that ASCII can be found in it, whichever Unicode it is."""
    for mark in _MARKS:
        if head.startswith(mark):
            head = head[len(mark) :]
            break
    return _narrow(head, head)


def _narrow(part: bytes, head: bytes) -> bytes:
    """``part`` of a file that begins with ``head``, without the zeros of UTF-16."""
    return (
        part.replace(b"\x00", b"") if head.startswith(_MARKS[1:]) or b"\x00" in head[:2] else part
    )


def _find_root(text: bytes) -> tuple[bytes | None, bool]:
    """The name of the root element, if it stands in the head; and whether it may be empty."""
    prolog = _PROLOG.match(text)
    if prolog is None or prolog[1]:
        # Behind an internal subset: the document type has the name too.
        named = re.search(rb"<!DOCTYPE\s+(" + _NAME + rb")", text)
        return (named[1] if named else None), True
    found = _ROOT.match(text, prolog.end())
    # A name that reaches the end of the head may go on.
    if found is None or found.end(1) == len(text):
        return None, True
    return found[1], found[2] is None or found[2].endswith(b"/>")


def _check_end(tail: bytes, root: bytes | None, size: int, *, may_be_empty: bool) -> bool:
    """Whether the end of the root is seen. Raises ``DamageError`` if the file has none."""
    ended = tail.rstrip(_PADDING + _BLANK)
    if not ended and tail.strip(_PADDING):
        return False  # blanks only
    if root is not None:
        name = re.escape(root)
        if re.search(rb"</" + name + rb"\s*>" + _MISC + rb"\Z", ended):
            return True
    possible = (b"-->", b"?>", *((b"/>",) if may_be_empty else ()))
    if ended.endswith(b">" if root is None else possible):
        return False
    zeros = len(tail) < size and not tail.strip(b"\x00")
    raise DamageError(
        "xml.truncated",
        "the XML has no end: its last tag is not the end of its root element"
        + (" (the end of the file is all zeros)" if zeros else ""),
        size,
    )


class _UncheckedError(Exception):
    """The file is not read further, and nothing is wrong with it so far."""


class _Limits:
    """The handlers of the parser: they look at nothing but bounds."""

    def __init__(self) -> None:
        self._depth = 0

    def start(self, _name: str, _attributes: list[str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _UncheckedError

    def end(self, _name: str) -> None:
        self._depth -= 1

    def doctype(
        self, _name: str, _system: str | None, _public: str | None, has_internal_subset: int
    ) -> None:
        if has_internal_subset:
            raise _UncheckedError


def _parse(window: Window) -> None:
    """Read the whole file. Raises ``DamageError`` where it is not well-formed."""
    names: dict[str, str] = {}
    parser = expat.ParserCreate(intern=names)
    parser.ordered_attributes = True
    limits = _Limits()
    parser.StartElementHandler = limits.start
    parser.EndElementHandler = limits.end
    parser.StartDoctypeDeclHandler = limits.doctype
    end = _end_of_content(window)
    offset = 0
    try:
        while offset < end:
            chunk = window.read(offset, min(_CHUNK, end - offset))
            if not chunk:
                break
            offset += len(chunk)
            parser.Parse(chunk, False)
            if offset - parser.CurrentByteIndex > _LONGEST_TOKEN or len(names) > _MOST_NAMES:
                return
        parser.Parse(b"", True)
    except _UncheckedError:
        return
    except expat.ExpatError as error:
        if error.code == _UNKNOWN_ENCODING:
            return
        raise _explain(parser, error) from error
    except (LookupError, ValueError):
        return  # a code page that Python does not have, or has in several bytes


def _end_of_content(window: Window) -> int:
    """Where trailing zeros and 1A begin, which some systems leave: they are no XML."""
    tail = window.read(max(0, window.size - _CHUNK), _CHUNK)
    padding = len(tail) - len(tail.rstrip(_PADDING))
    # The last character of UTF-16 ends in a zero, low byte first.
    if padding and window.read(0, 2) in (b"\xff\xfe", b"<\x00"):
        padding -= 1
    return window.size - padding


_UNKNOWN_ENCODING = expat.errors.codes[expat.errors.XML_ERROR_UNKNOWN_ENCODING]
_ENDS_EARLY = frozenset(
    expat.errors.codes[name]
    for name in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)


def _explain(parser: expat.XMLParserType, error: expat.ExpatError) -> DamageError:
    cut = error.code in _ENDS_EARLY
    return DamageError(
        "xml.truncated" if cut else "xml.damaged",
        f"the XML is not well-formed: {expat.ErrorString(error.code)}"
        f" (line {error.lineno}, column {error.offset + 1})",
        max(0, parser.ErrorByteIndex),
        "send the whole file again" if cut else "write it again; an XML editor shows the place",
    )
