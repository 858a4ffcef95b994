"""An archivist at work in ArchivesSpace: asks for documents, edits requests, looks.

``SandboxArchivist`` is another user of a sandbox, over HTTP; ``ModelArchivist`` does the
same to a ``ModelServer``.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Protocol

from hotfolder.sandbox import Sandbox
from tests.support.aspace_client import AspaceClient
from tests.support.server_model import ModelServer

Json = dict[str, Any]

RIGHTS = (
    "view_repository",
    "update_event_record",
    "delete_event_record",
    "update_digital_object_record",
    "delete_archival_record",
    "suppress_archival_record",
)


class Archivist(Protocol):
    """What tests let an archivist do."""

    def ask(
        self,
        uris: Sequence[str],
        note: str = "",
        *,
        role: str = "requested",
        event_type: str = "request",
        outcome: str = "pending",
    ) -> str:
        """Make an event about these records, by default a request; its uri."""

    def edit(self, uri: str, **changes: object) -> None:
        """Change fields of an event or a digital object, as it is now, in the staff interface:
        an event loses its ``refid`` (``archivesspace.eventids``)."""

    def read(self, uri: str) -> Json:
        """An event or a digital object as it is now."""

    def delete(self, uri: str) -> None:
        """Remove an event or a digital object."""

    def suppress(self, uri: str, *, hidden: bool = True) -> None:
        """Hide a digital object from others, or show it again."""

    def describe(self, digital_object_id: str) -> str:
        """Make a digital object of one's own; its uri."""

    def events(self) -> list[Json]:
        """All events but those of delivery."""


def event_of(
    uris: Sequence[str], note: str, role: str, event_type: str, outcome: str, agent: str
) -> Json:
    """An event as the staff interface sends it."""
    return {
        "jsonmodel_type": "event",
        "event_type": event_type,
        "outcome": outcome,
        **({"outcome_note": note} if note else {}),
        "date": {
            "jsonmodel_type": "date",
            "date_type": "single",
            "label": "event",
            "begin": "2026-07-01",
        },
        "external_documents": [
            {"jsonmodel_type": "external_document", "title": "Form 7", "location": "desk:7"}
        ],
        "linked_agents": [{"role": "requester", "ref": agent}],
        "linked_records": [{"role": role, "ref": uri} for uri in uris],
    }


def _form_of(record: Json) -> Json:
    """What the staff interface sends of a record when it is saved."""
    return {name: value for name, value in record.items() if name != "refid"}


class SandboxArchivist:
    """A user of their own. Use it as a context manager."""

    def __init__(self, sandbox: Sandbox, repository: str = "/repositories/2") -> None:
        sandbox.add_service_account("archivist", "paper", [repository], RIGHTS)
        self._client = AspaceClient(
            sandbox.url, user="archivist", password="paper", repository=repository
        )

    def __enter__(self) -> SandboxArchivist:
        self.log_in()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.http.close()

    def log_in(self) -> None:
        """Begin; again where the sessions of all have ended."""
        self._agent = str(self._client.log_in()["user"]["agent_record"]["ref"])

    def ask(
        self,
        uris: Sequence[str],
        note: str = "",
        *,
        role: str = "requested",
        event_type: str = "request",
        outcome: str = "pending",
    ) -> str:
        event = event_of(uris, note, role, event_type, outcome, self._agent)
        return self._client.create("events", event)

    def edit(self, uri: str, **changes: object) -> None:
        answer = self._client.post(uri, {**_form_of(self.read(uri)), **changes})
        assert answer.status_code == 200, answer.text

    def read(self, uri: str) -> Json:
        answer = self._client.get(uri)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def delete(self, uri: str) -> None:
        assert self._client.http.delete(uri).status_code == 200

    def suppress(self, uri: str, *, hidden: bool = True) -> None:
        answer = self._client.http.post(f"{uri}/suppressed?suppressed={str(hidden).lower()}")
        assert answer.status_code == 200, answer.text

    def describe(self, digital_object_id: str) -> str:
        record = {
            "jsonmodel_type": "digital_object",
            "digital_object_id": digital_object_id,
            "title": "Theirs",
        }
        return self._client.create("digital_objects", record)

    def events(self) -> list[Json]:
        place = f"{self._client.repository}/events"
        numbers = self._client.get(place, all_ids="true").json()
        found = [self.read(f"{place}/{number}") for number in sorted(numbers)]
        return [event for event in found if event["event_type"] != "ingestion"]


class ModelArchivist:
    """The same without a network."""

    def __init__(self, server: ModelServer) -> None:
        self._server = server

    def ask(
        self,
        uris: Sequence[str],
        note: str = "",
        *,
        role: str = "requested",
        event_type: str = "request",
        outcome: str = "pending",
    ) -> str:
        event = event_of(uris, note, role, event_type, outcome, "/agents/people/2")
        uri = self._server.save_event(event, "archivist")
        assert uri is not None
        return uri

    def edit(self, uri: str, **changes: object) -> None:
        changed = {**_form_of(self.read(uri)), **changes}
        if uri in self._server.records.events:
            assert self._server.replace_event(changed, "archivist")
        else:
            assert self._server.replace_document(changed, "archivist")

    def read(self, uri: str) -> Json:
        records = self._server.records
        if uri in records.events:
            return deepcopy(records.events[uri])
        (found,) = (item.record for item in records.documents.values() if item.uri == uri)
        return deepcopy(found)

    def delete(self, uri: str) -> None:
        records = self._server.records
        if uri in records.events:
            del records.events[uri]
            return
        (identity,) = (name for name, item in records.documents.items() if item.uri == uri)
        self._server.lose(identity)

    def suppress(self, uri: str, *, hidden: bool = True) -> None:
        (found,) = (item for item in self._server.records.documents.values() if item.uri == uri)
        found.record["suppressed"] = hidden

    def describe(self, digital_object_id: str) -> str:
        return self._server.save_stranger(digital_object_id).uri

    def events(self) -> list[Json]:
        return [self.read(uri) for uri in self._server.records.events]
