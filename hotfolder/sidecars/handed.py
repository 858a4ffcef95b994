"""Metadata of a document that is given back, in the format that its receiver reads.

* ``json``: the record of ``core.handover``, canonical names;
* ``xml``: the descriptor that ``xmlpair`` reads (``entity``, ``ACL``, and ``attr`` with
  name and value as children: reference section 1.B, source [7]);
* ``cmod``: the generic index that ``indexes.cmod`` reads (reference section 2): one group
  for the whole file.

What a format cannot hold is made acceptable there, and is exact in the others: XML has no
control characters, a generic index no line ends and 128 fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

from hotfolder.core.profiles import HandedFormat

SUFFIXES = {
    HandedFormat.JSON: ".json",
    HandedFormat.XML: ".xml",
    HandedFormat.CMOD: ".ind",
}
_MOST_GROUP_FIELDS = 128  # of a generic index (IBM Content Manager OnDemand)
# XML 1.0, section 2.2: what a document may hold.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_LINE = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]+")


def render_handed(record: Mapping[str, Any], form: HandedFormat, file: str) -> bytes:
    """``record`` (``core.handover``) for the file that is called ``file``."""
    if form is HandedFormat.XML:
        return _render_xml(record)
    if form is HandedFormat.CMOD:
        return _render_cmod(record, file)
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, indent=1)
    return (text + "\n").encode("utf-8", "backslashreplace")


def flatten(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values as texts: the canonical metadata first, what the producer sent
    besides under its own names, then what is known of the record."""
    metadata: Mapping[str, Any] = record["metadata"]
    for name, value in metadata.items():
        if name != "extra":
            yield from ((name, text) for text in _texts(value))
    for name in ("title", "identity", "series", "cycle", "record"):
        if name in metadata:
            continue
        yield from ((name, text) for text in _texts(record.get(name)))
    given = record["given"]
    yield from ((f"given_{name}", text) for name in given for text in _texts(given[name]))
    for name, values in dict(metadata.get("extra", {})).items():
        yield from ((name, text) for text in _texts(values))


def _texts(value: object) -> Iterator[str]:
    if value is None:
        return
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, bool):
        yield "true" if value else "false"
    else:
        yield str(value)


def _render_xml(record: Mapping[str, Any]) -> bytes:
    metadata = record["metadata"]
    entity = metadata.get("document_type") or "document"
    access = ",".join(metadata.get("access", ()))
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<document>",
        f"  <entity>{_xml(entity)}</entity>",
        f"  <ACL>{_xml(access)}</ACL>",
    ]
    lines += [
        f"  <attr><name>{_xml(name)}</name><value>{_xml(text)}</value></attr>"
        for name, text in flatten(record)
        if name not in ("access", "entity") and _xml(name).strip()
    ]
    return "\n".join([*lines, "</document>", ""]).encode()


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))


def _render_cmod(record: Mapping[str, Any], file: str) -> bytes:
    fields = [(_line(name), _line(text)) for name, text in flatten(record)]
    kept = [(name, text) for name, text in fields if name and text]
    lines = ["CODEPAGE:1208"]
    if len(kept) > _MOST_GROUP_FIELDS:
        lines.append(f"COMMENT: {len(kept) - _MOST_GROUP_FIELDS} fields are left out")
    for name, text in kept[:_MOST_GROUP_FIELDS]:
        lines += [f"GROUP_FIELD_NAME:{name}", f"GROUP_FIELD_VALUE:{text}"]
    lines += ["GROUP_OFFSET:0", "GROUP_LENGTH:0", f"GROUP_FILENAME:{file}", ""]
    return "\n".join(lines).encode()


def _line(text: str) -> str:
    return _NOT_LINE.sub(" ", text).strip()
