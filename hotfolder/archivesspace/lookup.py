"""Finding units and documents on the server, by the keys that hotfolder gave them.

Read from the database through ``find_by_id``, so an index that lags or is gone does
not matter. The server compares keys by collation; here they are compared exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from hotfolder.archivesspace.calls import (
    Calls,
    Record,
    as_record,
    as_records,
    number_of,
    text_of,
)
from hotfolder.archivesspace.eventids import refid_of
from hotfolder.archivesspace.mapping import event_refids, file_uri
from hotfolder.core.identity import is_document_identity, is_unit_ref_id
from hotfolder.core.profiles import ArchiveProfile
from hotfolder.core.records import ArchivedDocument, ArchivedUnit


class Lookup:
    """Reads only."""

    def __init__(self, calls: Calls, profile: ArchiveProfile) -> None:
        self._calls = calls
        self._profile = profile

    def find_units(
        self, repository: str, ref_ids: Sequence[str], *, finished: bool = True
    ) -> dict[str, ArchivedUnit]:
        """By ``ref_id``; each with the digital objects that it lists.

        With ``finished`` only those that have their ingestion event: it is the last of
        the single POSTs, so a unit without it is to be sent again. A ``ref_id`` is
        unique in its resource only; should two resources have it, the older archival
        object gives the uri and both give documents.
        """
        units = self._read_units(repository, ref_ids)
        if finished:
            units = self._finished(repository, units)
        listed = {uri for records in units.values() for record in records for uri in _refs(record)}
        documents = {
            text_of(record, "uri"): record
            for record in self._calls.read_set(repository, "digital_objects", listed)
        }
        return {
            ref_id: ArchivedUnit(
                ref_id=ref_id,
                uri=text_of(records[0], "uri"),
                documents={
                    found.identity: found
                    for record in records
                    for uri in _refs(record)
                    if uri in documents
                    for found in [self._document(documents[uri], (ref_id,))]
                },
            )
            for ref_id, records in units.items()
        }

    def find_documents(
        self, repository: str, identities: Sequence[str]
    ) -> dict[str, ArchivedDocument]:
        """By identity; each with the ``ref_id`` of the archival objects that list it."""
        wanted = set(identities)
        records = [
            record
            for record in self._calls.find_by_id(
                repository, "digital_objects", "digital_object_id", identities
            )
            if record.get("digital_object_id") in wanted
        ]
        owners = {ref for record in records for ref in _linked(record)}
        names = {
            text_of(record, "uri"): str(record.get("ref_id") or "")
            for record in self._calls.read_set(repository, "archival_objects", owners)
        }
        return {
            str(record["digital_object_id"]): self._document(
                record, tuple(names[uri] for uri in _linked(record) if names.get(uri))
            )
            for record in records
        }

    def identities_at(
        self, repository: str, uris: Iterable[str], *, units_only: bool = False
    ) -> dict[str, tuple[str, ...]]:
        """Our documents at each of ``uris`` that has any: that of a digital object, or
        those that an archival object lists, in its order. With ``units_only`` only the
        archival objects that hotfolder made are looked into."""
        uris = set(uris)
        owners = {
            text_of(record, "uri"): list(dict.fromkeys(_refs(record)))
            for record in self._calls.read_set(repository, "archival_objects", uris)
            if not units_only or is_unit_ref_id(record.get("ref_id"))
        }
        identities = {
            text_of(record, "uri"): str(record["digital_object_id"])
            for record in self._calls.read_set(
                repository, "digital_objects", uris.union(*owners.values())
            )
            if is_document_identity(record.get("digital_object_id"))
        }
        found: dict[str, tuple[str, ...]] = {
            uri: (identities[uri],) for uri in uris if uri in identities
        }
        for owner, listed in owners.items():
            names = tuple(identities[uri] for uri in listed if uri in identities)
            if names:
                found[owner] = names
        return found

    def find_listed(self, repository: str, ref_id: str) -> tuple[str, ...]:
        """Our documents that the archival objects with this ``ref_id`` list, in order."""
        units = self._read_units(repository, [ref_id])
        owners = [text_of(record, "uri") for record in units.get(ref_id, ())]
        found = self.identities_at(repository, owners)
        return tuple(dict.fromkeys(name for uri in owners for name in found.get(uri, ())))

    def read_records(self, repository: str, identity: str) -> Mapping[str, object] | None:
        """The digital object, the archival objects that list it and the events of both,
        as the server has them; None if there is no such digital object."""
        for record in self._calls.find_by_id(
            repository, "digital_objects", "digital_object_id", [identity]
        ):
            if record.get("digital_object_id") == identity:
                break
        else:
            return None
        owners = self._calls.read_set(repository, "archival_objects", _linked(record))
        linked = {ref for item in (record, *owners) for ref in _events(item)}
        return {
            "digital_object": record,
            "archival_objects": owners,
            "events": self._calls.read_set(repository, "events", linked),
        }

    def has_event(self, repository: str, ref_id: str, unit_uri: str) -> bool:
        """Whether an archival object has the ingestion event of unit ``ref_id``."""
        record = self._calls.read_record(unit_uri)
        return bool(record and self._finished(repository, {ref_id: [record]}))

    def _finished(
        self, repository: str, units: Mapping[str, list[Record]]
    ) -> dict[str, list[Record]]:
        """Those of ``units`` that have their event."""
        linked = {
            ref_id: {ref for record in records for ref in _events(record)}
            for ref_id, records in units.items()
        }
        refids = {
            text_of(event, "uri"): refid_of(event)
            for event in self._calls.read_set(repository, "events", set().union(*linked.values()))
        }
        return {
            ref_id: records
            for ref_id, records in units.items()
            if not {refids.get(uri) for uri in linked[ref_id]}.isdisjoint(event_refids(ref_id))
        }

    def _read_units(self, repository: str, ref_ids: Sequence[str]) -> Mapping[str, list[Record]]:
        wanted = set(ref_ids)
        found: dict[str, list[Record]] = defaultdict(list)
        for record in self._calls.find_by_id(repository, "archival_objects", "ref_id", ref_ids):
            if record.get("ref_id") in wanted:
                found[str(record["ref_id"])].append(record)
        for records in found.values():
            records.sort(key=lambda record: number_of(text_of(record, "uri")))
        return found

    def _document(self, record: Record, unit_ref_ids: tuple[str, ...]) -> ArchivedDocument:
        identity = str(record.get("digital_object_id") or "")
        version = self._own_version(record, identity)
        checksum, size = version.get("checksum"), version.get("file_size_bytes")
        lock_version = record.get("lock_version")
        return ArchivedDocument(
            identity=identity,
            uri=text_of(record, "uri"),
            sha256=checksum.lower()
            if isinstance(checksum, str) and version.get("checksum_method") == "sha-256"
            else None,
            size=size if type(size) is int else None,
            lock_version=lock_version if type(lock_version) is int else 0,
            unit_ref_ids=unit_ref_ids,
        )

    def _own_version(self, record: Record, identity: str) -> Record:
        """The file version that hotfolder wrote: archivists may add others (access
        copies), and the resolver may have been configured anew since."""
        versions = _parts(record, "file_versions")
        ours = [
            item for item in versions if item.get("file_uri") == file_uri(self._profile, identity)
        ]
        if ours:
            return ours[0]
        return versions[0] if len(versions) == 1 else {}


def _refs(record: Record) -> Iterable[str]:
    """The digital objects that an archival object lists."""
    for instance in _parts(record, "instances"):
        ref = as_record(instance.get("digital_object") or {}).get("ref")
        if isinstance(ref, str):
            yield ref


def _events(record: Record) -> Iterable[str]:
    """The events that are linked to a record."""
    for item in _parts(record, "linked_events"):
        ref = item.get("ref")
        if isinstance(ref, str):
            yield ref


def _linked(record: Record) -> Iterable[str]:
    """The archival objects that list a digital object."""
    for item in _parts(record, "linked_instances"):
        ref = item.get("ref")
        if isinstance(ref, str) and "/archival_objects/" in ref:
            yield ref


def _parts(record: Record, name: str) -> list[Record]:
    return as_records(record.get(name) or [])
