"""Template packages: what a version says of itself, and which is in force on a day.

A version is a document of the family's series, keyed by name and number; what is more of it
is here. Numbers are ordered part by part (``2.10`` is after ``2.9``), and a version comes
after its parent, so that a chain has no circles and "the latest" is one thing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

DOCUMENT_TYPE = "template"  # of a package's document, in the catalogue and in ArchivesSpace
SERIES = "template:"  # and the family; no configured series may have a colon in its name
MANIFEST = "manifest.json"  # in the package
LONGEST_NAME = 100  # characters
VERSION_NUMBER = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}")
_PART = re.compile(r"[0-9]+|[a-z]+")


class Decision(StrEnum):
    """What somebody decided about a version."""

    APPROVED = "approved"
    REJECTED = "rejected"


class Standing(StrEnum):
    """What the decisions come to."""

    APPROVED = "approved"
    REJECTED = "rejected"
    UNAPPROVED = "unapproved"  # nobody has decided


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One decision, as the manifest has it."""

    person: str
    role: str
    day: date
    decision: Decision
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateMember:
    """A file of a package; ``name`` is in Unicode's composed form (NFC)."""

    name: str
    size: int
    sha256: str
    crc32: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One version of a template. In force from ``effective_from`` on, and no more on
    ``effective_until``. ``members`` may be left out where many versions are listed."""

    name: str
    family: str
    version: str
    effective_from: date
    effective_until: date | None = None
    title: str = ""
    author: str = ""
    change_note: str = ""
    parent: str | None = None
    retention_class: str | None = None
    approvals: tuple[Approval, ...] = ()
    members: tuple[TemplateMember, ...] = ()

    @property
    def standing(self) -> Standing:
        """By the last decision of each person: one that rejects is enough to reject, and
        without one that approves nothing is approved."""
        last: dict[str, Approval] = {}
        for item in sorted(self.approvals, key=lambda item: item.day):
            last[fold(item.person)] = item
        decisions = {item.decision for item in last.values()}
        if Decision.REJECTED in decisions:
            return Standing.REJECTED
        return Standing.APPROVED if decisions else Standing.UNAPPROVED


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRow:
    """A version as the journal has it."""

    template: Template
    identity: str
    business_unit: str
    spool_id: str
    sha256: str  # of the package
    size: int
    members: int  # how many
    document_version: int  # of its key in the catalogue
    live: bool  # false: its spool is CORRUPT, and may come back; or it was destroyed
    record_uri: str | None
    unit_uri: str | None  # its archival object
    archived_at: float | None
    destroyed: bool = False  # under a disposal; what was known of it stays

    @property
    def package(self) -> str:
        """What became of the package: archived, damaged or destroyed."""
        if self.destroyed:
            return "destroyed"
        return "archived" if self.live else "damaged"


def fold(text: str) -> str:
    """What ArchivesSpace takes for the same: letter case, accents and forms do not count."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold().strip()


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """What versions are ordered by: their parts, numbers before words, and more parts after
    fewer. Two numbers with one key are one number in two spellings (``1`` and ``01``)."""
    return tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part)
        for part in _PART.findall(version.lower())
    )


def series_of(family: str) -> str:
    """The series of a family's packages."""
    return SERIES + family


def is_template_series(series: str) -> bool:
    """Whether documents of this series are template packages."""
    return series.startswith(SERIES)


def series_title(series: str) -> str:
    """What the resource of a family is called; other series by their code."""
    return f"Templates: {series[len(SERIES) :]}" if is_template_series(series) else series


def title_of(template: Template) -> str:
    """What a version is called where it says nothing itself."""
    return template.title or f"{template.name} {template.version}"


# -- what changed between two versions --------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChange:
    """A member that is in one of two versions only, or has other bytes in the second."""

    name: str
    old: TemplateMember | None
    new: TemplateMember | None

    @property
    def what(self) -> str:
        """added, removed or changed."""
        if self.old is None:
            return "added"
        return "removed" if self.new is None else "changed"


def compare_members(
    old: Sequence[TemplateMember], new: Sequence[TemplateMember]
) -> list[MemberChange]:
    """Members that are not the same in both, by name."""
    before = {item.name: item for item in old}
    after = {item.name: item for item in new}
    return [
        MemberChange(name=name, old=before.get(name), new=after.get(name))
        for name in sorted(before.keys() | after.keys())
        if not _same(before.get(name), after.get(name))
    ]


def _same(old: TemplateMember | None, new: TemplateMember | None) -> bool:
    return old is not None and new is not None and (old.size, old.sha256) == (new.size, new.sha256)


# -- as JSON ----------------------------------------------------------------------
def template_to_dict(template: Template) -> dict[str, Any]:
    """A version as JSON types: what the store keeps of it, and the journal."""
    return {
        "name": template.name,
        "family": template.family,
        "version": template.version,
        "effective_from": template.effective_from.isoformat(),
        "effective_until": template.effective_until.isoformat()
        if template.effective_until
        else None,
        "title": template.title,
        "author": template.author,
        "change_note": template.change_note,
        "parent": template.parent,
        "retention_class": template.retention_class,
        "approvals": [approval_to_dict(item) for item in template.approvals],
        "members": [member_to_dict(item) for item in template.members],
    }


def approval_to_dict(approval: Approval) -> dict[str, str]:
    """An approval as JSON types."""
    return {
        "person": approval.person,
        "role": approval.role,
        "date": approval.day.isoformat(),
        "decision": approval.decision.value,
        "note": approval.note,
    }


def member_to_dict(member: TemplateMember) -> dict[str, Any]:
    """A member as JSON types; the CRC in hexadecimal."""
    return {
        "name": member.name,
        "size": member.size,
        "sha256": member.sha256,
        "crc32": f"{member.crc32:08x}",
    }


def template_from_dict(found: Mapping[str, Any]) -> Template:
    """The inverse of ``template_to_dict``; ``ValueError``, ``KeyError`` or ``TypeError`` on
    other input."""
    until = found["effective_until"]
    return Template(
        **{
            **found,
            "effective_from": date.fromisoformat(found["effective_from"]),
            "effective_until": None if until is None else date.fromisoformat(until),
            "approvals": tuple(
                Approval(
                    person=item["person"],
                    role=item["role"],
                    day=date.fromisoformat(item["date"]),
                    decision=Decision(item["decision"]),
                    note=item["note"],
                )
                for item in found["approvals"]
            ),
            "members": tuple(
                TemplateMember(
                    name=item["name"],
                    size=int(item["size"]),
                    sha256=item["sha256"],
                    crc32=int(item["crc32"], 16),
                )
                for item in found["members"]
            ),
        }
    )
