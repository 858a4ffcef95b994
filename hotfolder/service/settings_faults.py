"""Findings as faults, each with the variable or the line that it is about, and the refusal
of a configuration that has some."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hotfolder.core.errors import Fault, OperatorFault
from hotfolder.service.settings_sources import EnvironmentSource, Finding, SettingsText


def placed(
    findings: Iterable[Finding], text: SettingsText, source: EnvironmentSource
) -> list[Fault]:
    """Findings as faults, with the variable or the line that they are about."""
    return [_fault(item, text, source) for item in findings]


def _fault(item: Finding, text: SettingsText, source: EnvironmentSource) -> Fault:
    variable = source.origins.get(item.place)
    line = text.line_of(item.place)
    keys = ".".join(part for part in item.place if part)
    return Fault(
        code=item.code,
        message=item.message,
        remedy=item.remedy,
        file=text.path if variable is None else "environment",
        place=variable or (keys if line is None else f"{keys} (line {line})"),
    )


def refusal(path: str, faults: Sequence[Fault]) -> OperatorFault:
    """Says how many there are; the faults themselves come with it."""
    count = len(faults)
    return OperatorFault(
        f"{path} has {count} fault{'s' if count != 1 else ''}",
        hint="mend them all; `hotfolder check` tries again",
        code="configuration",
        faults=faults,
    )
