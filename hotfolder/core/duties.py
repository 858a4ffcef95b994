"""Duties, and who may do them: separation of duties, decided in one place.

A duty is a list of user names and of groups of the system (``@records``). A business unit
may have lists of its own, which stand in the place of the general ones. A list that is
empty, or not there, is open to everybody who may run the command.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

ARCHIVIST = "archivesspace:"  # before the name of a user of ArchivesSpace


class Duty(StrEnum):
    """What somebody may have to be allowed to do."""

    FIND = "find"
    RETRIEVE = "retrieve"
    PSEUDONYM = "pseudonym"
    HOLD = "hold"
    RELEASE = "release"
    PROPOSE = "propose"
    APPROVE = "approve"
    EXECUTE = "execute"


Lists = Mapping[Duty, tuple[str, ...]]  # user names, and @groups


@dataclass(frozen=True, slots=True, kw_only=True)
class RolesProfile:
    """Who may do what."""

    general: Lists = field(default_factory=dict)
    units: Mapping[str, Lists] = field(default_factory=dict)  # business unit -> its lists

    def allows(
        self, duty: Duty, business_unit: str | None, actor: str, groups: Collection[str]
    ) -> bool:
        """Whether ``actor``, who is in ``groups``, may do it in a business unit. With None
        it is about all of them, and must be allowed in each."""
        if business_unit is not None:
            return _among(self._list(duty, business_unit), actor, groups)
        lists = [self.general.get(duty, ()), *(self._list(duty, unit) for unit in self.units)]
        return all(_among(names, actor, groups) for names in lists)

    def is_open(self, duty: Duty) -> bool:
        """Whether everybody may do it everywhere."""
        return not self.general.get(duty) and not any(
            lists.get(duty) for lists in self.units.values()
        )

    def _list(self, duty: Duty, business_unit: str) -> tuple[str, ...]:
        own = self.units.get(business_unit, {}).get(duty, ())
        return own or self.general.get(duty, ())


def _among(names: tuple[str, ...], actor: str, groups: Collection[str]) -> bool:
    return not names or actor in names or any(f"@{group}" in names for group in groups)


def same_person(one: str, other: str) -> bool:
    """Whether two actors may be one person under two accounts: of the system, and of
    ArchivesSpace (``archivesspace:ada``). Letter case does not count, which ArchivesSpace
    does not keep, nor the domain that a directory puts before or behind a name (``BANK\\ada``,
    ``ada@bank.example``)."""
    return _bare(one) == _bare(other)


def _bare(actor: str) -> str:
    name = actor.removeprefix(ARCHIVIST).strip()
    return name.rpartition("\\")[2].partition("@")[0].casefold()
