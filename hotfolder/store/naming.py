"""From a spool to its place: object ids, hashed paths, names made safe.

Paths follow the OCFL community extension 0003, hash and id n-tuple storage layout: the
directory of an object shows its id, and validators know it. Names inside an object
follow OCFL 1.1, section 3.5.3 (content paths and logical paths).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

from hotfolder.core.errors import OperatorFault

PREFIX = "urn:hotfolder:spool:"
EXTENSION = "0003-hash-and-id-n-tuple-storage-layout"
METADATA = "metadata.json"
DOCUMENTS = "documents.jsonl"  # of a spool that holds many: a line for each
SIDECARS = "sidecars"
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST = 200  # bytes of a name in an object: leaves room for tools that add a suffix
_UNSAFE = frozenset('%/\\<>:"|?*')  # not portable, or (the first) our own escape


def object_id(spool_id: str) -> str:
    """The OCFL id of the object that holds a spool."""
    return PREFIX + spool_id


def spool_id_of(object_id_: str) -> str | None:
    """The inverse of ``object_id``; None for an object that is not one of ours."""
    return object_id_.removeprefix(PREFIX) if object_id_.startswith(PREFIX) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Parameters of extension 0003. The defaults make 4,096 directories in one level:
    2,400 objects in each for ten million, and in the long run no new directory for a
    new object."""

    tuple_size: int = 3
    tuples: int = 1

    def path(self, object_id_: str) -> str:
        """Where an object lies, relative to the storage root."""
        digest = hashlib.sha256(object_id_.encode()).hexdigest()
        parts = [
            digest[start : start + self.tuple_size]
            for start in range(0, self.tuple_size * self.tuples, self.tuple_size)
        ]
        return "/".join([*parts, _encapsulate(object_id_, digest)])

    def config(self) -> dict[str, object]:
        """The extension's config.json."""
        return {
            "extensionName": EXTENSION,
            "digestAlgorithm": "sha256",
            "tupleSize": self.tuple_size,
            "numberOfTuples": self.tuples,
        }

    @classmethod
    def from_config(cls, found: object) -> Layout:
        """Read config.json; ``OperatorFault`` if it is a layout that is not ours."""
        if isinstance(found, dict):
            size, tuples = found.get("tupleSize", 3), found.get("numberOfTuples", 3)
            if (
                found.get("extensionName") == EXTENSION
                and found.get("digestAlgorithm", "sha256") == "sha256"
                and type(size) is type(tuples) is int
                and 0 < size <= 32
                and 0 < tuples <= 32
                and size * tuples <= 64
            ):
                return cls(tuple_size=size, tuples=tuples)
        raise OperatorFault(
            "the storage root has a layout that hotfolder does not write",
            hint="give hotfolder a storage root of its own",
            code="store.layout",
        )


def _encapsulate(object_id_: str, digest: str) -> str:
    """The object's directory: the id, percent-encoded in lower case; if that is longer
    than 100 characters (no spool's is), cut and followed by the digest."""
    name = _NOT_PLAIN.sub(
        lambda found: "".join(f"%{byte:02x}" for byte in found[0].encode()), object_id_
    )
    return name if len(name) <= 100 else f"{name[:100]}-{digest}"


def spool_id_at(object_path: str) -> str:
    """The spool whose object lies there, by the name of its directory; empty if none."""
    return spool_id_of(unquote(object_path.rpartition("/")[2])) or ""


def _escape(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogateescape"))


def safe_name(name: bytes) -> str:
    """A file name as valid, portable UTF-8 from which the bytes can be told.

    Bytes that are not UTF-8, control and separating characters, characters that other
    systems forbid, ``%`` itself, a leading dot or dash and a trailing dot or blank
    become ``%XX``. What is not in Unicode's form C is escaped as well, since a file
    system may change it. A result of more than 200 bytes is cut and ends with ``~``
    and 32 digits of the SHA-256 of the name; the exact bytes stand in metadata.json.
    """
    text = name.decode("utf-8", "surrogateescape")
    composed = unicodedata.is_normalized("NFC", text)
    last = len(text) - 1
    parts = [
        _escape(char)
        if char in _UNSAFE
        or not char.isprintable()
        or (not composed and not char.isascii())
        or (place == 0 and char in ".-")
        or (place == last and char in ". ")
        else char
        for place, char in enumerate(text)
    ]
    if "".join(parts).lower() in (METADATA, DOCUMENTS, SIDECARS):  # the object's own, beside it
        parts[0] = _escape(text[0])
    safe = "".join(parts)
    if len(safe.encode()) <= _LONGEST:
        return safe
    mark = "~" + hashlib.sha256(name).hexdigest()[:32]
    while len("".join(parts).encode()) > _LONGEST - len(mark):
        parts.pop()
    return "".join(parts) + mark
