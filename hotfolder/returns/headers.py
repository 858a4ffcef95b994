"""The headers with which a document goes to Exstream's Communications Server.

Names as its Collector sends them when it reprocesses an archived document (reference
section 1, return path, sources [12] and [13]): ``strs-document-type``,
``strs-document-metadata-<name>``, ``FixedMetaData.ExternalID``, ``.Receiver`` and
``.Sender``, ``BlobInfo.*``, ``Part.TrackerID``.

A header's value may be printable ASCII only (RFC 9110, section 5.5). Every other byte of
its UTF-8, and ``%``, is written as ``%`` and two hexadecimal digits (RFC 3986, section
2.1), so that nothing in a document's metadata can end a header or begin another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

KEY = "Idempotency-Key"  # draft-ietf-httpapi-idempotency-key-header
LEFT_OUT = "hotfolder-metadata-left-out"
_NOT_TOKEN = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST_VALUE = 2000  # bytes as they are sent
_ALL = 16_384  # bytes of headers; servers take 8 to 64 KiB, and this leaves room for others
_MEDIA = {
    "pdf": "application/pdf",
    "afp": "application/vnd.ibm.modcap",
    "postscript": "application/postscript",
    "pcl": "application/vnd.hp-pcl",
    "tiff": "image/tiff",
    "html": "text/html",
    "xml": "application/xml",
    "zip": "application/zip",
}


def encode_value(text: str) -> str:
    """``text`` as a header's value. What ``urllib.parse.unquote`` makes of it is ``text``."""
    data = text.encode("utf-8", "backslashreplace")
    return "".join(
        chr(byte) if 0x21 <= byte <= 0x7E and byte != 0x25 else f"%{byte:02X}" for byte in data
    )


def headers_of(key: str, record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The headers for a document (``core.handover``); ``key`` tells one order from others.

    Values of one name are joined by commas. What does not fit is left out, the producer's
    own fields first, and ``hotfolder-metadata-left-out`` says how many were.
    """
    metadata: Mapping[str, Any] = record["metadata"]
    given = record["given"]
    media = _MEDIA.get(str(record["spool"]["format"]), "application/octet-stream")
    found = [
        (KEY, key),
        ("Content-Type", media),
        ("FixedMetaData.ExternalID", encode_value(record["identity"])),
        ("FixedMetaData.Sender", encode_value(record["business_unit"])),
        ("BlobInfo.ContentType", media),
        ("BlobInfo.Size", str(given["bytes"])),
        ("BlobInfo.SHA256", str(given["sha256"])),
        ("BlobInfo.Derived", "true" if given["derived"] else "false"),
    ]
    left_out = 0
    room = _ALL - sum(len(name) + len(value) + 4 for name, value in found)
    for name, value in _described(metadata):
        size = len(name) + len(value) + 4
        if len(value) > _LONGEST_VALUE or size > room:
            left_out += 1
            continue
        room -= size
        found.append((name, value))
    if left_out:
        found.append((LEFT_OUT, str(left_out)))
    return found


def _described(metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for header, name in (
        ("strs-document-type", "document_type"),
        ("FixedMetaData.Receiver", "customer_id"),
        ("Part.TrackerID", "tracker_id"),
    ):
        if metadata.get(name):
            yield header, _joined(metadata[name])
    seen: set[str] = set()
    extra = dict(metadata.get("extra", {}))
    for name, value in [
        *((name, value) for name, value in metadata.items() if name != "extra"),
        *extra.items(),
    ]:
        token = _NOT_TOKEN.sub("-", name).strip("-").lower()[:100]
        # Two names that are one as a token: the canonical one comes first and stays.
        if token and token not in seen:
            seen.add(token)
            yield f"strs-document-metadata-{token}", _joined(value)


def _joined(value: object) -> str:
    parts = value if isinstance(value, (list, tuple)) else [value]
    if len(parts) == 1:
        return encode_value(str(parts[0]))
    return ",".join(encode_value(str(part)).replace(",", "%2C") for part in parts)
