"""A plain client of the sandbox, and records to send to it."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import httpx

SESSION = "X-ArchivesSpace-Session"

Json = dict[str, Any]


class AspaceClient:
    """Logged in, on one connection, in one repository."""

    def __init__(
        self,
        url: str,
        *,
        user: str = "admin",
        password: str = "admin",
        repository: str = "/repositories/2",
        timeout: float = 20.0,
    ) -> None:
        self.http = httpx.Client(base_url=url, timeout=timeout, trust_env=False)
        self.repository = repository
        self._user = (user, password)

    def __enter__(self) -> Self:
        self.log_in()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()

    def log_in(self) -> Json:
        user, password = self._user
        self.http.headers.pop(SESSION, None)  # a session that is gone is refused at login too
        reply = self.http.post(f"/users/{user}/login", data={"password": password})
        body: Json = reply.raise_for_status().json()
        self.http.headers[SESSION] = body["session"]
        return body

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.http.get(path, params=params)

    def post(self, path: str, body: Any) -> httpx.Response:
        return self.http.post(path, json=body)

    def create(self, segment: str, body: Json) -> str:
        """Create a record in the repository and return its uri."""
        reply = self.post(f"{self.repository}/{segment}", body)
        assert reply.status_code == 200, reply.text
        return str(reply.json()["uri"])

    def send_batch(self, records: list[Json]) -> list[Any]:
        """The stream of an import, parsed."""
        reply = self.post(f"{self.repository}/batch_imports", records)
        assert reply.status_code == 200, reply.text
        stream: list[Any] = reply.json()
        return stream

    def find(self, identity: str) -> list[str]:
        """Uris of the digital objects with an identifier."""
        reply = self.get(
            f"{self.repository}/find_by_id/digital_objects", **{"digital_object_id[]": identity}
        )
        return [item["ref"] for item in reply.json()["digital_objects"]]


def digital_object(number: int, **more: Any) -> Json:
    """A small document, as delivery sends it."""
    return {
        "jsonmodel_type": "digital_object",
        "digital_object_id": f"hf-{number:04x}",
        "title": f"Statement {number}",
        "digital_object_type": "text",
        "publish": False,
        "file_versions": [
            {
                "jsonmodel_type": "file_version",
                "file_uri": f"hotfolder:hf-{number:04x}",
                "publish": False,
                "checksum": f"{number:064x}",
                "checksum_method": "sha-256",
                "file_size_bytes": number,
                "file_format_name": "pdf",
            }
        ],
        **more,
    }


def series(code: str = "STMT") -> Json:
    """A resource of the level of a series."""
    return {
        "jsonmodel_type": "resource",
        "title": "Statements",
        "id_0": code,
        "level": "series",
        "finding_aid_language": "eng",
        "finding_aid_script": "Latn",
        "publish": False,
        "lang_materials": [
            {
                "jsonmodel_type": "lang_material",
                "language_and_script": {
                    "jsonmodel_type": "language_and_script",
                    "language": "eng",
                    "script": "Latn",
                },
            }
        ],
        "dates": [
            {
                "jsonmodel_type": "date",
                "date_type": "single",
                "label": "creation",
                "begin": "2026",
            }
        ],
        "extents": [
            {
                "jsonmodel_type": "extent",
                "portion": "whole",
                "number": "1",
                "extent_type": "gigabytes",
            }
        ],
    }


def unit(name: str, numbers: list[int], resource: str, agent: str) -> list[Json]:
    """One import: documents, the archival object that lists them, the event."""
    repository = "/repositories/2"
    documents = [
        {**digital_object(n), "uri": f"{repository}/digital_objects/import_{n:08x}"}
        for n in numbers
    ]
    listing = f"{repository}/archival_objects/import_{name.encode().hex()}"
    return [
        *documents,
        {
            "jsonmodel_type": "archival_object",
            "uri": listing,
            "ref_id": name,
            "title": f"Delivery {name}",
            "level": "file",
            "publish": False,
            "resource": {"ref": resource},
            "instances": [
                {
                    "jsonmodel_type": "instance",
                    "instance_type": "digital_object",
                    "digital_object": {"ref": document["uri"]},
                }
                for document in documents
            ],
        },
        {
            "jsonmodel_type": "event",
            "uri": f"{repository}/events/import_{name.encode().hex()}",
            "refid": f"hf:{name}:ingestion",
            "event_type": "ingestion",
            "outcome": "pass",
            "timestamp": "2026-11-23T09:00:00Z",
            "linked_agents": [{"role": "executing_program", "ref": agent}],
            "linked_records": [{"role": "outcome", "ref": listing}],
        },
    ]
