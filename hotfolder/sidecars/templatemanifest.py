"""The manifest of a template package: ``manifest.json`` in it, or a JSON file beside it.

docs/templates.md has the format with an example. A key that it does not have is a fault,
because one that is misspelt would be a date that nobody sees; a producer's own keys begin
with ``x-``. Everything that is wrong is told at once.
"""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.spelling import clean_value
from hotfolder.core.templates import (
    LONGEST_NAME,
    MANIFEST,
    VERSION_NUMBER,
    Approval,
    Decision,
    Template,
    TemplateMember,
    version_key,
)
from hotfolder.sidecars.raw import decode_text
from hotfolder.sidecars.values import parse_date

FORMAT = "hotfolder-template/1"
MOST_FAULTS = 100
MOST_APPROVALS = 100
_LONGEST_TEXT = 4000  # characters
_KEYS = (
    "format",
    "name",
    "family",
    "version",
    "title",
    "effective_from",
    "effective_until",
    "author",
    "change_note",
    "parent",
    "retention_class",
    "approvals",
    "members",
)
_APPROVAL_KEYS = ("person", "role", "date", "decision", "note")
_MEMBER_KEYS = ("name", "size", "sha256")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_VERSION_RULE = "up to 40 letters, digits, points, hyphens and underscores, such as 2 or 2.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredMember:
    """A member as the manifest lists it; ``sha256`` may be left out."""

    name: str
    size: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateManifest:
    """What a manifest says: the version (without members), and the members that it lists;
    None if it lists none."""

    template: Template
    members: tuple[DeclaredMember, ...] | None = None


class _Twice(ValueError):
    """A key comes twice in one object; carries the key."""


def read_template_manifest(data: bytes, file: str) -> TemplateManifest:
    """Read a manifest. Raises ``InputFault`` with every fault, a hundred at most."""
    text = decode_text(data, file)
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except _Twice as error:
        raise _one(file, f"the key {str(error)[:60]!r} comes twice", "leave one") from error
    except json.JSONDecodeError as error:
        raise _one(
            file, f"it is no JSON: {error.msg}", "correct it", f"line {error.lineno}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise _one(file, "it is no JSON that can be read", "write it anew") from error
    if not isinstance(found, dict):
        raise _one(file, "it is no JSON object", "begin it with { and end it with }")
    return _Reading(file).read(found)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Twice(key)
        found[key] = value
    return found


def _no_number(text: str) -> None:
    raise ValueError(text)


def _one(file: str, message: str, remedy: str, place: str = "") -> InputFault:
    return InputFault(
        [Fault(code="template.manifest", message=message, remedy=remedy, file=file, place=place)]
    )


class _Reading:
    """One manifest while it is read."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._faults: list[Fault] = []

    def read(self, found: Mapping[str, Any]) -> TemplateManifest:
        """All of it, or ``InputFault``."""
        self._check_keys(found, _KEYS, "")
        if found.get("format", FORMAT) != FORMAT:
            self._wrong("format", f"the format is not {FORMAT}", f'write "format": "{FORMAT}"')
        name = self._name(found, "name", required=True)
        family = self._name(found, "family") or name
        version = self._version(found, "version", required=True)
        parent = self._version(found, "parent")
        if version and parent and version_key(parent) >= version_key(version):
            self._wrong(
                "parent",
                f"the parent {parent} does not come before version {version}",
                "a version's number is higher than that of the one that it was made from",
            )
        start = self._day(found, "effective_from", required=True)
        until = self._day(found, "effective_until")
        if start and until and until <= start:
            self._wrong(
                "effective_until",
                "effective_until is not after effective_from",
                "it is the first day on which the version is in force no more",
            )
        approvals = self._approvals(found.get("approvals"))
        members = self._members(found.get("members"))
        title = self._text(found, "title", "")
        author, note = self._text(found, "author", ""), self._text(found, "change_note", "")
        retention_class = self._text(found, "retention_class", "") or None
        if self._faults or start is None:
            raise InputFault(self._faults[:MOST_FAULTS])
        return TemplateManifest(
            template=Template(
                name=name,
                family=family,
                version=version,
                effective_from=start,
                effective_until=until,
                title=title,
                author=author,
                change_note=note,
                parent=parent or None,
                retention_class=retention_class,
                approvals=approvals,
            ),
            members=members,
        )

    # -- parts --------------------------------------------------------------------
    def _approvals(self, found: Any) -> tuple[Approval, ...]:
        approvals: list[Approval] = []
        for place, item in self._objects(found, "approvals", MOST_APPROVALS):
            self._check_keys(item, _APPROVAL_KEYS, place)
            person = self._text(item, "person", place, required=True)
            role = self._text(item, "role", place, required=True)
            day = self._day(item, "date", place, required=True)
            said = self._text(item, "decision", place, required=True).casefold()
            note = self._text(item, "note", place)
            if said and said not in list(Decision):
                self._wrong(
                    "decision",
                    "the decision is neither approved nor rejected",
                    'write "approved" or "rejected"',
                    place,
                )
            elif said and day is not None:
                approvals.append(
                    Approval(person=person, role=role, day=day, decision=Decision(said), note=note)
                )
        return tuple(approvals)

    def _members(self, found: Any) -> tuple[DeclaredMember, ...] | None:
        if found is None:
            return None
        members: dict[str, DeclaredMember] = {}
        for place, item in self._objects(found, "members", None):
            self._check_keys(item, _MEMBER_KEYS, place)
            name = self._text(item, "name", place, required=True, longest=1000)
            if name:  # of a file: its blanks are as they are
                name = unicodedata.normalize("NFC", item["name"])
            size = item.get("size")
            if not isinstance(size, int) or isinstance(size, bool) or size < 0:
                self._wrong("members", "size is no number of bytes", "write it like 1234", place)
                continue
            sha256 = self._text(item, "sha256", place) or None
            if sha256 and not _SHA256.fullmatch(sha256):
                self._wrong("members", "sha256 has not 64 hexadecimal digits", "correct it", place)
            if name in members:
                self._wrong("members", "a member is listed twice", "leave one", place)
            members[name] = DeclaredMember(name=name, size=size, sha256=sha256 and sha256.lower())
        return tuple(members.values())

    def _objects(
        self, found: Any, key: str, most: int | None
    ) -> Iterable[tuple[str, Mapping[str, Any]]]:
        if found is None:
            return
        if not isinstance(found, list):
            self._wrong(key, f"{key} is no list", f'write "{key}": [{{…}}, {{…}}]')
            return
        if most is not None and len(found) > most:
            self._wrong(key, f"there are more than {most} {key}", "leave out the oldest")
            return
        for number, item in enumerate(found, 1):
            place = f"{key}, number {number}"
            if isinstance(item, dict):
                yield place, item
            else:
                self._wrong(key, "it is no object", "write it like {…}", place)

    # -- values -------------------------------------------------------------------
    def _check_keys(self, found: Mapping[str, Any], known: tuple[str, ...], place: str) -> None:
        for key in found:
            if key not in known and not key.startswith("x-"):
                near = difflib.get_close_matches(key, known, 1)
                self._wrong(
                    "manifest",
                    f"there is no key {key[:60]!r}",
                    f"did you mean {near[0]}? A key of your own begins with x-"
                    if near
                    else "remove it, or let it begin with x-",
                    place,
                )

    def _name(self, found: Mapping[str, Any], key: str, *, required: bool = False) -> str:
        text = self._text(found, key, "", required=required, longest=LONGEST_NAME)
        if text and any(ord(char) > 0xFFFF for char in text):
            self._wrong(
                key,
                f"{key} has a character that ArchivesSpace cannot hold",
                "write it with letters, digits and plain punctuation",
            )
        return text

    def _version(self, found: Mapping[str, Any], key: str, *, required: bool = False) -> str:
        value = found.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**40:
            return str(value)
        text = self._text(found, key, "", required=required)
        if text and not VERSION_NUMBER.fullmatch(text):
            self._wrong(key, f"{key} is no number of a version", _VERSION_RULE)
            return ""
        return text

    def _day(
        self, found: Mapping[str, Any], key: str, place: str = "", *, required: bool = False
    ) -> date | None:
        text = self._text(found, key, place, required=required)
        if not text:
            return None
        day = parse_date(text)
        if day is None:
            self._wrong(key, f"{key} is no day", "write it like 2025-03-01", place)
        return day

    def _text(
        self,
        found: Mapping[str, Any],
        key: str,
        place: str,
        *,
        required: bool = False,
        longest: int = _LONGEST_TEXT,
    ) -> str:
        value = found.get(key)
        if value is not None and not isinstance(value, str):
            self._wrong(key, f"{key} is no text", "write it between quotation marks", place)
            return ""
        text = clean_value(value or "")
        if not text and required:
            self._wrong(key, f"{key} is missing", f"add {key}", place)
        elif len(text) > longest:
            self._wrong(key, f"{key} has more than {longest} characters", "shorten it", place)
        elif not "".join(text.split()).isprintable():
            self._wrong(
                key, f"{key} has characters that cannot be shown", "write it anew as text", place
            )
        return " ".join(text.split())

    def _wrong(self, code: str, message: str, remedy: str, place: str = "") -> None:
        self._faults.append(
            Fault(
                code=f"template.{code}",
                message=message,
                remedy=remedy,
                file=self._file,
                place=place,
            )
        )


def check_members(
    declared: Iterable[DeclaredMember], members: Iterable[TemplateMember], file: str
) -> list[Fault]:
    """What differs between the members that a manifest lists and those that are there. The
    manifest itself need not be listed."""
    there = {item.name: item for item in members}
    faults: list[Fault] = []

    def wrong(message: str, place: str) -> None:
        faults.append(
            Fault(
                code="template.members",
                message=message,
                remedy="make the manifest anew from the files, and send both again",
                file=file,
                place=place[:100],
            )
        )

    listed = set()
    for item in declared:
        listed.add(item.name)
        found = there.get(item.name)
        if found is None:
            wrong("the manifest lists a member that is not there", item.name)
        elif found.size != item.size:
            wrong(f"a member has {found.size:,} bytes; the manifest says {item.size:,}", item.name)
        elif item.sha256 is not None and found.sha256 != item.sha256:
            wrong("a member's SHA-256 is not the one in the manifest", item.name)
    for name in there.keys() - listed - {MANIFEST}:
        wrong("a member is there that the manifest does not list", name)
    return faults[:MOST_FAULTS]
