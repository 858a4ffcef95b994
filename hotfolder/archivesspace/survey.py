"""What ArchivesSpace has of that which governance is about; nothing is changed."""

from __future__ import annotations

from hotfolder.archivesspace.calls import Calls, text_of
from hotfolder.archivesspace.permissions import BESIDES, EVERYWHERE, needed_permissions
from hotfolder.archivesspace.slots import kind_of
from hotfolder.core.drift import Survey, SurveyedRepository
from hotfolder.core.profiles import ArchiveProfile, Rules

_GOVERNED = ("document_type", "channel", "retention_class")  # fields that may be in enum slots


def survey(calls: Calls, profile: ArchiveProfile, rules: Rules) -> Survey:
    """Look at repositories, lists and the account. Raises as the transport does."""
    held = calls.transport.permissions(fresh=True)
    everywhere = held.get(EVERYWHERE, frozenset())
    by_code = {item.code: item for item in calls.list_repositories()}
    repositories: dict[str, SurveyedRepository] = {}
    for unit in rules.business_units:
        found = by_code.get(unit.repository)
        if found is None:
            continue
        record = calls.read_record(found.uri) or {}
        repositories[unit.code] = SurveyedRepository(
            uri=found.uri,
            name=text_of(record, "name"),
            published=found.published,
            permissions=held.get(found.uri, frozenset()),
        )
    lists = {}
    for name in _GOVERNED:
        slot = getattr(profile.slots, name)
        if kind_of(slot) == "enum":
            listed = f"user_defined_{slot}"
            lists[name] = (listed, calls.read_enumeration(listed) or frozenset())
    return Survey(
        repositories=repositories,
        everywhere=everywhere,
        lists=lists,
        needed=needed_permissions(profile.least_privilege),
        allowed=BESIDES,
    )
