"""XML with fields of the job and fields of each document in it.

Vendor-neutral XML as composition engines write it at job start, document and job end,
with free element names (Precisely Vault: reference section 2, source [21]). Each element
called ``document`` is a document; the leaves in it are its fields, the leaves before the
first one are fields of the job and hold for every document that has no such field
itself. Behind the documents only their number may stand, and is checked.

A field is ``<name>value</name>``, ``<field name="name">value</field>``,
``<attr name="name" value="value"/>``, or an element with the children name and value.
Attributes of the document element are fields, those of a leaf are ``leaf.attribute``.

No DOCTYPE, no entities, no tree: elements are forgotten as they end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from hotfolder.core.indexed import IndexedDocument
from hotfolder.indexes.faults import Skip, reject
from hotfolder.indexes.placing import Placing, fold
from hotfolder.indexes.xmlelements import Elements

_CHUNK = 1 << 16
_LONGEST_TOKEN = 1 << 19  # bytes of a tag, a comment or an attribute


def read_xml_job(
    stream: BinaryIO,
    file: str,
    *,
    documents: Collection[str] = ("document",),
    columns: Mapping[str, str] | None = None,
    alike: Callable[[str], str] = fold,
    skip: Skip | None = None,
) -> Iterator[IndexedDocument]:
    """The documents of a job file called ``file``.

    ``documents`` are the names of the elements that are documents; ``columns`` maps roles
    (``offset``, ``first_page``, ...) to names. Two names mean the same field, so that the
    document's counts and the job's does not, if ``alike`` makes the same of them.
    """
    elements = Elements(file, documents, Placing(columns or {}), alike, skip)
    parser = DefusedXMLParser(target=elements, forbid_dtd=True)
    # The parser beneath, which knows the line, and how far it has come.
    expat: Any = parser.parser
    elements.line = lambda: int(expat.CurrentLineNumber)
    fed = 0
    while chunk := stream.read(_CHUNK):
        fed += len(chunk)
        _feed(parser, chunk, file)
        if fed - expat.CurrentByteIndex > _LONGEST_TOKEN:
            raise reject(
                "index.line",
                f"a tag, comment or attribute is longer than {_LONGEST_TOKEN} bytes",
                "check that this is an index",
                file=file,
                place=f"line {expat.CurrentLineNumber}",
            )
        yield from elements.take()
    _feed(parser, b"", file)
    yield from elements.take()
    elements.finish()


def _feed(parser: DefusedXMLParser, chunk: bytes, file: str) -> None:
    """``chunk``, or the end. Raises ``InputFault`` for what is no XML."""
    try:
        if chunk:
            parser.feed(chunk)
        else:
            parser.close()
    except ParseError as error:
        line, column = error.position
        message = str(error).split(":", 1)[0]
        cut = not chunk or message in ("no element found", "unclosed token")
        raise reject(
            "index.truncated" if cut else "index.xml",
            "the XML ends before its last element is closed"
            if cut
            else f"the index is no XML: {message}",
            "send the whole index again"
            if cut
            else "correct it there; a tag that is not closed, or an encoding other than the"
            " one in its first line, are the usual causes",
            file=file,
            place=f"line {line}, column {column + 1}",
        ) from error
    except DefusedXmlException as error:
        raise reject(
            "index.doctype",
            "the index has a DOCTYPE or entities",
            "write it without; nothing outside the file is read",
            file=file,
        ) from error
    except (ValueError, LookupError) as error:
        raise reject(
            "index.encoding",
            "the index is in an encoding that cannot be read as XML",
            "write it in UTF-8",
            file=file,
            place="line 1",
        ) from error
