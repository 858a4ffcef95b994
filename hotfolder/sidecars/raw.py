"""Metadata as a sidecar has it, before anybody says what it means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hotfolder.core.errors import Fault, InputFault

_SURROGATE = re.compile("[\ud800-\udfff]")
MAX_BYTES = 16 * 1024 * 1024
MAX_FIELDS = 2000
MAX_VALUE = 65_000  # characters: the longest text that ArchivesSpace keeps (reference 1.1)


@dataclass(frozen=True, slots=True)
class RawField:
    """One name with one value, and where it stands. A name may come more than once."""

    name: str
    value: str
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMetadata:
    """All fields of one source. ``rank`` orders sources: lower wins. One that ``yields``
    is meant to be overridden, so that differing from a better source is no conflict."""

    source: str  # a display name
    rank: int
    fields: tuple[RawField, ...]
    yields: bool = False


def display(name: bytes) -> str:
    """A file name for people: its last part, with bytes that are no UTF-8 escaped."""
    return name.rsplit(b"/", 1)[-1].decode("utf-8", "backslashreplace")


def reject(code: str, message: str, remedy: str, *, file: str, place: str = "") -> InputFault:
    """One fault as an exception."""
    return InputFault([Fault(code=code, message=message, remedy=remedy, file=file, place=place)])


def check_size(data: bytes, file: str) -> None:
    """Raise ``InputFault`` if a sidecar is too large to be one."""
    if len(data) > MAX_BYTES:
        raise reject(
            "sidecar.size",
            "the metadata file is larger than 16 MiB",
            "send one metadata file for each document",
            file=file,
        )


def check_fields(fields: Sequence[RawField], file: str) -> None:
    """Raise ``InputFault`` if there are too many fields, or one is too long, or holds
    half a character, which JSON can spell (``\\ud800``) and no UTF-8 can keep."""
    if len(fields) > MAX_FIELDS:
        raise reject(
            "sidecar.fields",
            f"there are {len(fields)} fields; {MAX_FIELDS} are the most",
            "leave out what does not describe the document",
            file=file,
        )
    for item in fields:
        if len(item.value) > MAX_VALUE or len(item.name) > 255:
            raise reject(
                "sidecar.value",
                f"a field has more than {MAX_VALUE} characters, or its name more than 255",
                "shorten it",
                file=file,
                place=item.place or item.name[:60],
            )
        if _SURROGATE.search(item.name) or _SURROGATE.search(item.value):
            raise reject(
                "sidecar.characters",
                "a field has half a character in it (a lone surrogate)",
                "write it as UTF-8; a text that was cut at a length in bytes is the usual cause",
                file=file,
                place=_SURROGATE.sub("?", item.place or item.name)[:60],
            )


def decode_text(data: bytes, file: str) -> str:
    """UTF-8, with or without a byte order mark. Raises ``InputFault`` naming the byte."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise reject(
            "sidecar.encoding",
            "the metadata file is not UTF-8",
            "save it as UTF-8",
            file=file,
            place=f"byte {error.start}",
        ) from error
