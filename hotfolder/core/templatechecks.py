"""What stands against a version in what is archived already, and what it makes irregular."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hotfolder.core.errors import Fault
from hotfolder.core.templatechain import find_irregular
from hotfolder.core.templates import Template, TemplateRow, fold, version_key


def compare_archived(
    template: Template, sha256: str, rows: Sequence[TemplateRow], file: str
) -> list[Fault]:
    """The faults of a version, whose package has this SHA-256, beside those of its name or
    family that are archived. ``file`` is what the package is called in them. Without a
    retention class it is compared without."""
    return list(
        dict.fromkeys(
            Fault(code=code, message=message, remedy=remedy, file=file)
            for row in rows
            for code, message, remedy in (
                *_names(template, row.template),
                *_numbers(template, sha256, row),
            )
        )
    )


def _names(template: Template, other: Template) -> Iterator[tuple[str, str, str]]:
    if other.family != template.family and other.name == template.name:
        yield (
            "template.family",
            f"template {other.name} belongs to family {other.family} already",
            "write that family, or give the template another name",
        )
    for kind, theirs, ours in (
        ("template", other.name, template.name),
        ("family", other.family, template.family),
    ):
        if theirs != ours and fold(theirs) == fold(ours):
            yield (
                "template.spelling",
                (
                    f"a {kind} is called {theirs!r} already, which ArchivesSpace takes for the same"
                    " name"
                ),
                "write it in the same way, or give it another name",
            )


def _numbers(template: Template, sha256: str, row: TemplateRow) -> Iterator[tuple[str, str, str]]:
    other = row.template
    if other.name != template.name or version_key(other.version) != version_key(template.version):
        return
    if other.version != template.version:
        yield (
            "template.spelling",
            f"version {template.version} is there already, as {other.version}",
            "give the new version the next number",
        )
    elif row.sha256 != sha256:
        yield (
            "template.version",
            (
                f"version {template.version} of {template.name} is archived already, with other"
                " bytes: a version is never changed"
            ),
            "give what you changed the next number, with this version as its parent",
        )
    elif replace(
        other, members=(), retention_class=template.retention_class and other.retention_class
    ) != replace(template, members=()):
        yield (
            "template.version",
            (
                f"version {template.version} of {template.name} is archived already, and its"
                " manifest said something else: a version is never changed"
            ),
            "give it the next number, with this version as its parent",
        )


def new_irregularities(template: Template, rows: Sequence[TemplateRow], file: str) -> list[Fault]:
    """What becomes irregular by a version, as remarks: it is archived all the same."""
    before = [
        row.template
        for row in rows
        if row.template.name == template.name and row.template.version != template.version
    ]
    known = set(find_irregular(before))
    return [
        Fault(
            code=f"template.{item.kind.value}",
            message=str(item),
            remedy="nothing, if it is meant so; `hotfolder templates history` shows all of it",
            file=file,
        )
        for item in find_irregular([*before, template])
        if item not in known
    ]
