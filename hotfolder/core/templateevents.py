"""What ArchivesSpace is told of a version: who decided what, and when it comes into force."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from hotfolder.core.profiles import TemplateEvents
from hotfolder.core.records import ArchiveEvent
from hotfolder.core.templates import Approval, Decision, Standing, Template, TemplateRow


def make_events(row: TemplateRow, terms: TemplateEvents) -> list[ArchiveEvent]:
    """One event for each decision, in the order of the manifest, and one that says when the
    version comes into force, if it is approved. The same for the same version, always."""
    template = row.template
    uris = tuple(uri for uri in (row.record_uri, row.unit_uri) if uri is not None)
    found = [
        ArchiveEvent(
            refid=f"hf:{row.identity}:approval:{number}",
            event_type=terms.approval,
            at=_midnight(item.day),
            outcome="pass" if item.decision is Decision.APPROVED else "fail",
            note=_approval_note(template, item),
            record_uris=uris,
            agent=terms.agents.get(item.person, ""),
            agent_role="authorizer",
        )
        for number, item in enumerate(template.approvals, 1)
    ]
    if template.standing is Standing.APPROVED:
        until = template.effective_until
        found.append(
            ArchiveEvent(
                refid=f"hf:{row.identity}:publication",
                event_type=terms.publication,
                at=_midnight(template.effective_from),
                outcome="pass",
                note=f"{template.name} version {template.version} is in force from"
                f" {template.effective_from}" + (f", until {until}" if until else ""),
                record_uris=uris,
            )
        )
    return found


def _approval_note(template: Template, item: Approval) -> str:
    note = f"\n{item.note}" if item.note else ""
    return (
        f"{template.name} version {template.version} {item.decision.value} by {item.person}"
        f" ({item.role}) on {item.day}{note}"
    )


def _midnight(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()
