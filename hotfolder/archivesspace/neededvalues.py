"""The controlled values that the server must know before anything is sent."""

from __future__ import annotations

from hotfolder.archivesspace.slots import kind_of
from hotfolder.core.profiles import ArchiveProfile, Rules

# (list, value) of every controlled value that a unit, or its series, always carries
FIXED_VALUES = frozenset(
    {
        ("archival_record_level", "file"),
        ("archival_record_level", "series"),
        ("archival_record_level", "subseries"),
        ("date_label", "issued"),
        ("date_type", "inclusive"),
        ("date_type", "single"),
        ("digital_object_digital_object_type", "text"),
        ("event_event_type", "ingestion"),
        ("event_outcome", "pass"),
        ("extent_extent_type", "gigabytes"),
        ("extent_portion", "whole"),
        ("file_version_checksum_methods", "sha-256"),
        ("instance_instance_type", "digital_object"),
        ("linked_agent_event_roles", "executing_program"),
        ("linked_event_archival_record_roles", "outcome"),
        ("name_rule", "local"),
        ("name_source", "local"),
        ("rights_statement_act_restriction", "disallow"),
        ("rights_statement_act_type", "delete"),
        ("rights_statement_other_rights_basis", "policy"),
        ("rights_statement_rights_type", "other"),
    }
)


def needed_values(profile: ArchiveProfile, rules: Rules) -> frozenset[tuple[str, str]]:
    """(list, value) of all that the server must know: what every unit carries, and
    what the configuration makes necessary in the enum slots."""
    configured = {
        "document_type": [name for series in rules.series for name in series.document_types],
        "channel": list(rules.values_anywhere("channel")),
        "retention_class": list(rules.retention_classes),
    }
    return FIXED_VALUES | {
        (f"user_defined_{slot}", value)
        for name, values in configured.items()
        if kind_of(slot := getattr(profile.slots, name)) == "enum"
        for value in values
    }
