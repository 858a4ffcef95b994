"""What the account must be allowed to do, and whether it is (reference 2.9)."""

from __future__ import annotations

from collections.abc import Mapping

from hotfolder.archivesspace.transport import Transport
from hotfolder.core.errors import OperatorFault

EVERYWHERE = "_archivesspace"  # in the account's permissions: those that hold in every repository
SINGLE = frozenset(
    {
        "view_repository",
        "update_digital_object_record",
        "update_resource_record",  # archival objects belong to it
        "update_event_record",
    }
)
READING = frozenset({"view_repository"})
WRITING_RECORDS = frozenset({"view_repository", "update_digital_object_record"})
WRITING_EVENTS = frozenset({"view_repository", "update_event_record"})
IMPORTING = SINGLE | {"import_records"}  # a refusal is always narrowed by single POSTs

# What may be held besides: what every account has, and what it takes to make the software
# agent of a new version. A group can be given ``manage_agent_record`` alone; the server
# derives the two others from it, and none of them from ``import_records`` (``implied_by`` in
# its backend/app/lib/bootstrap_access_control.rb; the recorded administrator has the same).
MAKING_AGENTS = "manage_agent_record"
BESIDES = frozenset({"edit_user_self", MAKING_AGENTS, "update_agent_record", "delete_agent_record"})


def needed_permissions(least_privilege: bool) -> frozenset[str]:
    """What the mode needs in the repository of each business unit."""
    return SINGLE if least_privilege else IMPORTING


def missing_permissions(
    held: Mapping[str, frozenset[str]], repository: str, needed: frozenset[str]
) -> list[str]:
    """Those of ``needed`` that the account does not hold there, sorted."""
    here = held.get(repository, frozenset()) | held.get(EVERYWHERE, frozenset())
    return sorted(needed - here)


def require_permissions(transport: Transport, repository: str, needed: frozenset[str]) -> None:
    """Raise ``OperatorFault`` naming what is missing. The login told what the account
    may do; before refusing, the server is asked again."""
    if not missing_permissions(transport.permissions(), repository, needed):
        return
    missing = missing_permissions(transport.permissions(fresh=True), repository, needed)
    if missing:
        raise OperatorFault(
            f"the account lacks {', '.join(missing)} in {repository}",
            hint=permission_remedy(missing),
            code="archive.permission",
        )


def permission_remedy(missing: list[str]) -> str:
    """What an administrator has to do about it."""
    if "import_records" in missing:
        return "give it to the account's group in this repository, or set least_privilege = true"
    return "give it to the account's group in this repository"
