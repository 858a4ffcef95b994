"""[governance]: the file of vocabularies and rules, read with the configuration."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hotfolder.core.errors import Fault, OperatorFault
from hotfolder.core.governance import CONTROLLED, Governance, find_spelling
from hotfolder.core.governancefile import Around, read_governance
from hotfolder.service.settings_model import SettingsFile
from hotfolder.service.settings_sources import Finding, nearest, read_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Governed:
    """What the file says, and what is wrong with it or contradicts the configuration."""

    governance: Governance
    faults: tuple[Fault, ...] = ()  # in the file
    findings: tuple[Finding, ...] = ()  # in the configuration


def find_governance(settings: SettingsFile) -> Governed:
    """Read the file that [governance] names; without one nothing is governed."""
    path = settings.governance.file
    if not path:
        return Governed(governance=Governance())
    at = ("governance", "file")
    if not os.path.isabs(path):
        finding = Finding(at, "governance.file", "it is not named from the root", "begin it with /")
        return Governed(governance=Governance(), findings=(finding,))
    try:
        text = read_text(path)
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OperatorFault as error:
        finding = Finding(
            at, "governance.file", error.message.replace("the configuration ", ""), error.hint
        )
        if error.code == "configuration.missing":
            finding = finding._replace(
                message=f"there is no file {path}",
                remedy="write it (docs/governance.md), or remove this line",
            )
        return Governed(governance=Governance(), findings=(finding,))
    lists = settings.vocabularies.model_dump()
    governance, faults = read_governance(
        text.values,
        Around(
            classes=tuple(settings.retention),
            units=tuple(settings.units),
            lists=frozenset(name for name, values in lists.items() if values),
        ),
        digest=digest,
    )
    return Governed(
        governance=governance,
        faults=tuple(
            replace(fault, file=path, place=_with_line(fault.place, text.line_of(_keys(fault))))
            for fault in faults
        ),
        findings=tuple(_against(settings, governance)),
    )


def _keys(fault: Fault) -> tuple[str, ...]:
    """The keys of a fault's place; none of a rule, whose table has no line of its own."""
    return () if fault.place.startswith("rule") else tuple(fault.place.split("."))


def _with_line(place: str, line: int | None) -> str:
    return place if line is None else f"{place} (line {line})"


def _against(settings: SettingsFile, governance: Governance) -> Iterator[Finding]:
    """What the configuration says and the lists of the file do not have."""
    yield from _of_schedule(settings, governance)
    for name, folder in settings.folders.items():
        for field, value in folder.defaults.items():
            place = ("folders", name, "defaults", field)
            yield from _listed(place, folder.business_unit, field, value, governance)
    for name, archive in settings.migrations.items():
        for field, value in archive.defaults.items():
            place = ("migrations", name, "defaults", field)
            yield from _listed(place, archive.business_unit, field, value, governance)
        for field, table in archive.values.items():
            for theirs, ours in table.items():
                within = ("migrations", name, "values", field, theirs)
                yield from _listed(within, archive.business_unit, field, ours, governance)


def _of_schedule(settings: SettingsFile, governance: Governance) -> Iterator[Finding]:
    classes = governance.values_anywhere("retention_class")
    for code, series in settings.series.items():
        if series.retention_class and classes and series.retention_class not in classes:
            yield Finding(
                ("series", code, "retention_class"),
                "governance.series",
                f"{series.retention_class!r} is not in the governance file's list of classes",
                nearest(series.retention_class, classes),
            )
    laws = governance.values_anywhere("jurisdiction")
    for code, kept in settings.retention.items():
        for number, version in enumerate(kept.versions):
            # By the letter: documents have the spelling of the list when they are compared.
            if version.jurisdiction and laws and version.jurisdiction not in laws:
                yield Finding(
                    ("retention", code, "versions", str(number), "jurisdiction"),
                    "retention.jurisdiction",
                    f"{version.jurisdiction!r} is not in the governance file's list",
                    nearest(version.jurisdiction, laws),
                )


def _listed(
    place: tuple[str, ...], unit: str, field: str, value: str, governance: Governance
) -> Iterator[Finding]:
    allowed = governance.values_for(unit, field)
    if field in CONTROLLED and allowed and find_spelling(value.strip(), allowed) is None:
        yield Finding(
            place,
            "folder.default",
            f"{value!r} is not in the governance file's list",
            nearest(value, allowed),
        )
