"""Who may do what: [roles], decided for the person at the command line.

Names and groups are those of the system: they are looked up where hotfolder runs, at the
moment at which somebody acts.
"""

from __future__ import annotations

import grp
import os
import pwd
import time

from hotfolder.core.duties import Duty, RolesProfile
from hotfolder.core.errors import EX_NOPERM, OperatorFault
from hotfolder.core.ports import Journal
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
