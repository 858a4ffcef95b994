"""From a document to the template that made it."""

from __future__ import annotations

from typing import Any

from hotfolder.core.ports import Journal
from hotfolder.core.records import CatalogueRow
from hotfolder.core.templatechain import find_in_force, in_order


def made_by(journal: Journal, row: CatalogueRow) -> dict[str, Any] | None:
    """The template that made a document, for `show`: what the document says, and the version
    that is archived under it; None if it says nothing."""
    known = row.document.metadata
    if known.template is None:
        return None
    versions = in_order(journal.template_versions(known.template, row.business_unit))
    named = next(
        (item for item in versions if item.template.version == known.template_version), None
    )
    issued = known.issue_date
    force = None if issued is None else find_in_force(versions, issued)
    return {
        "name": known.template,
        "version": known.template_version,
        "archived_as": None if named is None else named.identity,
        "standing": None if named is None else str(named.template.standing),
        "in_force_when_issued": None if force is None else force.template.version,
    }
