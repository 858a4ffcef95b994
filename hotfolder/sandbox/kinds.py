"""The kinds of record that are served, and where the server treats them differently."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of record.

    ``stale`` is what a POST's answer says in that field; ``deletion`` the permission
    to delete; ``everywhere`` marks records outside any repository.
    """

    name: str
    segment: str
    label: str
    permission: str
    deletion: str = "delete_archival_record"
    stale: bool = True
    everywhere: bool = False

    def place(self, repository: str | None) -> str:
        """Where records of this kind are, as the beginning of their uris."""
        return f"/{self.segment}" if self.everywhere else f"{repository}/{self.segment}"


def _agent(name: str, segment: str, label: str) -> Kind:
    return Kind(
        name=name,
        segment=f"agents/{segment}",
        label=label,
        permission="update_agent_record",
        deletion="delete_agent_record",
        everywhere=True,
    )


_ALL = (
    Kind(
        name="digital_object",
        segment="digital_objects",
        label="DigitalObject",
        permission="update_digital_object_record",
    ),
    Kind(
        name="digital_object_component",
        segment="digital_object_components",
        label="DigitalObjectComponent",
        permission="update_digital_object_record",
    ),
    Kind(
        name="resource",
        segment="resources",
        label="Resource",
        permission="update_resource_record",
    ),
    Kind(
        name="archival_object",
        segment="archival_objects",
        label="ArchivalObject",
        permission="update_resource_record",
    ),
    Kind(
        name="accession",
        segment="accessions",
        label="Accession",
        permission="update_accession_record",
    ),
    Kind(
        name="event",
        segment="events",
        label="Event",
        permission="update_event_record",
        deletion="delete_event_record",
        stale=False,
    ),
    Kind(
        name="top_container",
        segment="top_containers",
        label="TopContainer",
        permission="update_container_record",
        stale=False,
    ),
    Kind(
        name="classification",
        segment="classifications",
        label="Classification",
        permission="update_classification_record",
        deletion="delete_classification_record",
    ),
    Kind(
        name="subject",
        segment="subjects",
        label="Subject",
        permission="update_subject_record",
        deletion="delete_subject_record",
        everywhere=True,
    ),
    _agent("agent_person", "people", "AgentPerson"),
    _agent("agent_family", "families", "AgentFamily"),
    _agent("agent_corporate_entity", "corporate_entities", "AgentCorporateEntity"),
    _agent("agent_software", "software", "AgentSoftware"),
)

KINDS = {kind.name: kind for kind in _ALL}
BY_SEGMENT = {kind.segment: kind for kind in _ALL}
