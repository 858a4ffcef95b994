"""Who may do what: [roles], decided for the person at the command line.

Names and groups are those of the system: they are looked up where hotfolder runs, at the
moment at which somebody acts.
"""

from __future__ import annotations

import grp
import os
import pwd
import time
from collections.abc import Sequence
from dataclasses import dataclass

from hotfolder.core.duties import Duty, RolesProfile
from hotfolder.core.errors import EX_NOPERM, OperatorFault
from hotfolder.core.ports import Journal
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.settings import Configuration


class Refused(OperatorFault):
    """Somebody may not do this."""

    exit_code = EX_NOPERM


def require(
    configuration: Configuration,
    journal: Journal,
    duty: Duty | str,
    business_unit: str | None,
    actor: str,
) -> None:
    """Return if ``actor`` may do this in a business unit; with None, in every one.

    Raises ``OperatorFault`` (``role.refused``) if not; the refusal is a link of the audit
    chain then.
    """
    require_of(configuration.roles, journal, Duty(duty), business_unit, actor)


def require_about(
    configuration: Configuration, journal: Journal, duty: Duty, identity: str, actor: str
) -> None:
    """The same in the business unit of a document, also of one that was destroyed: what is
    left of it is told to those who might have had it. What nobody knows is in no unit."""
    row = journal.get_document(identity) or journal.destroyed_document(identity)
    if row is not None:
        require(configuration, journal, duty, row.business_unit, actor)


def require_of(
    roles: RolesProfile, journal: Journal, duty: Duty, business_unit: str | None, actor: str
) -> None:
    """The same, of the roles alone."""
    if roles.allows(duty, business_unit, actor, groups_of(actor)):
        return
    details = {"duty": duty.value, "business_unit": business_unit}
    journal.append_audit(actor, "access.refused", actor, details, time.time())
    where = f" in {business_unit}" if business_unit else " in every business unit"
    raise Refused(
        f"{actor} may not {duty.value}{where}",
        hint="[roles] in the configuration says who may",
        code="role.refused",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The business units in which somebody may do something, and those that are left out.
    ``units`` is None where none is."""

    units: tuple[str, ...] | None
    left_out: tuple[str, ...] = ()


def describe_left_out(left_out: Sequence[str]) -> str:
    """What a person reads; not which, for they may not see them."""
    were = "units were" if len(left_out) > 1 else "unit was"
    return f"{len(left_out)} business {were} left out: [roles] keeps them to others"


def units_of(
    configuration: Configuration,
    journal: SqliteJournal,
    duty: Duty,
    actor: str,
    asked: Sequence[str] = (),
) -> Seen:
    """The business units in which ``actor`` may do this. Of units that are ``asked`` for,
    each must be allowed: raises ``OperatorFault`` as ``require`` does if one is not.
    Without, units that are not allowed are left out, which refuses nothing."""
    if asked:
        for unit in asked:
            require(configuration, journal, duty, unit, actor)
        return Seen(units=tuple(dict.fromkeys(asked)))
    roles = configuration.roles
    if roles.is_open(duty):
        return Seen(units=None)
    known = dict.fromkeys(
        [unit.code for unit in configuration.rules.business_units] + journal.business_units()
    )
    groups = groups_of(actor)
    allowed = tuple(unit for unit in known if roles.allows(duty, unit, actor, groups))
    left_out = tuple(unit for unit in known if unit not in allowed)
    return Seen(units=allowed if left_out else None, left_out=left_out)


def groups_of(actor: str) -> frozenset[str]:
    """The groups of a user of this system; none of one that it does not know."""
    try:
        user = pwd.getpwnam(actor)
    except (KeyError, ValueError):
        return frozenset()
    names = set()
    for number in os.getgrouplist(actor, user.pw_gid):
        try:
            names.add(grp.getgrgid(number).gr_name)
        except KeyError:
            continue  # a group without a name is in no list
    return frozenset(names)
