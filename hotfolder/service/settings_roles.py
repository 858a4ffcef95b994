"""[roles]: who may do what."""

from __future__ import annotations

from collections.abc import Iterator

from hotfolder.core.duties import Duty, Lists, RolesProfile
from hotfolder.service.settings_model import DutiesSection, SettingsFile
from hotfolder.service.settings_sources import Finding


def roles_profile(settings: SettingsFile) -> RolesProfile:
    """The roles; the settings have no fault."""
    return RolesProfile(
        general=_lists(settings.roles),
        units={
            unit: lists
            for unit, section in settings.roles.units.items()
            if (lists := _lists(section))
        },
    )


def _lists(section: DutiesSection) -> Lists:
    """What is open to everybody is no list."""
    lists = {duty: tuple(getattr(section, duty.value)) for duty in Duty}
    return {duty: names for duty, names in lists.items() if names}


def check_roles(settings: SettingsFile) -> Iterator[Finding]:
    """Business units that there are not."""
    for unit in settings.roles.units:
        if unit not in settings.units:
            yield Finding(
                ("roles", "units", unit),
                "roles.unit",
                f"there is no business unit {unit!r}",
                "one of: " + ", ".join(sorted(settings.units)),
            )
