"""Controlled values: what we send, checked against the server's lists before it is sent.

An import adds an unknown value to the list without asking, even to lists that
administrators cannot edit (reference 1.2): a typing error would become permanent
vocabulary. So the lists are read at start, and every controlled value in every
record is looked up first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from hotfolder.core.errors import Fault, OperatorFault

FORMATS = "file_version_file_format_name"

# (record type, property) -> list; from the schemas' ``dynamic_enum``. Languages and scripts
# are left to the server: they are in resources alone, and it checks a single POST itself.
_PROPERTIES: Mapping[tuple[str, str], str] = {
    ("digital_object", "digital_object_type"): "digital_object_digital_object_type",
    ("archival_object", "level"): "archival_record_level",
    ("resource", "level"): "archival_record_level",
    ("file_version", "checksum_method"): "file_version_checksum_methods",
    ("file_version", "file_format_name"): FORMATS,
    ("date", "label"): "date_label",
    ("date", "date_type"): "date_type",
    ("extent", "portion"): "extent_portion",
    ("extent", "extent_type"): "extent_extent_type",
    ("instance", "instance_type"): "instance_instance_type",
    ("rights_statement", "rights_type"): "rights_statement_rights_type",
    ("rights_statement", "other_rights_basis"): "rights_statement_other_rights_basis",
    ("rights_statement_act", "act_type"): "rights_statement_act_type",
    ("rights_statement_act", "restriction"): "rights_statement_act_restriction",
    ("event", "event_type"): "event_event_type",
    ("event", "outcome"): "event_outcome",
    ("linked_agents", "role"): "linked_agent_event_roles",
    ("linked_records", "role"): "linked_event_archival_record_roles",
    ("name_software", "source"): "name_source",
    ("name_software", "rules"): "name_rule",
    **{("user_defined", f"enum_{number}"): f"user_defined_enum_{number}" for number in range(1, 5)},
}


def values_in(record: Any, kind: str = "") -> Iterator[tuple[str, str]]:
    """Every (list, controlled value) in ``record``, however deep."""
    if isinstance(record, Mapping):
        kind = str(record.get("jsonmodel_type", kind))
        for name, value in record.items():
            if isinstance(value, str):
                wanted = _PROPERTIES.get((kind, name))
                if wanted is not None:
                    yield wanted, value
            else:
                yield from values_in(value, name)
    elif isinstance(record, list | tuple):
        for item in record:
            yield from values_in(item, kind)


class Vocabulary:
    """The server's lists, read once each until ``forget``. Safe for several threads."""

    def __init__(self, read: Callable[[str], frozenset[str] | None]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._lists: dict[str, frozenset[str] | None] = {}

    def forget(self) -> None:
        """Read the lists anew when they are next needed."""
        with self._lock:
            self._lists.clear()

    def allows(self, name: str, value: str) -> bool:
        """Whether ``value`` is in list ``name``; false if there is no such list."""
        with self._lock:
            if name not in self._lists:
                self._lists[name] = self._read(name)
            values = self._lists[name]
        return values is not None and value in values

    def missing(self, wanted: Iterable[tuple[str, str]]) -> list[Fault]:
        """A fault for each of the ``wanted`` values that its list does not have."""
        return [
            Fault(
                code="archive.vocabulary",
                message=f"the list {name} of ArchivesSpace has no value {value!r}",
                remedy="add it under System > Manage Controlled Value Lists, or unsuppress it",
            )
            for name, value in sorted(set(wanted))
            if not self.allows(name, value)
        ]

    def check(self, records: Iterable[Any]) -> None:
        """Raise ``OperatorFault`` with a fault for each missing value in ``records``."""
        self.require({pair for record in records for pair in values_in(record)})

    def require(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Raise ``OperatorFault`` with a fault for each of ``wanted`` that is missing."""
        wanted = set(wanted)
        faults = self.missing(wanted)
        if faults:
            # The list may have been mended since it was read: ask once more before refusing.
            self.forget()
            faults = self.missing(wanted)
        if faults:
            raise OperatorFault(
                "; ".join(fault.message for fault in faults),
                hint=faults[0].remedy,
                code="archive.vocabulary",
                faults=faults,
            )
