"""A server for the sweeps, and what it has: asked over HTTP, as a stranger would."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hotfolder.sandbox.sandbox import Sandbox


@contextmanager
def serving(**options: Any) -> Iterator[Sandbox]:
    """A sandbox with the repository RETAIL in it."""
    with Sandbox(**options) as sandbox:
        make_repository(sandbox.url)
        yield sandbox


def call(url: str, path: str, token: str = "", body: object = None) -> Any:
    """One request; JSON in, JSON out."""
    request = urllib.request.Request(url + path)
    if token:
        request.add_header("X-ArchivesSpace-Session", token)
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, data, timeout=30) as answer:
        return json.loads(answer.read())


def log_in(url: str) -> str:
    """An administrator's session."""
    form = urllib.parse.urlencode({"password": "admin"}).encode()
    with urllib.request.urlopen(url + "/users/admin/login", form, timeout=30) as answer:
        return str(json.loads(answer.read())["session"])


def make_repository(url: str, code: str = "RETAIL") -> str:
    """An unpublished repository; its uri."""
    record = {"jsonmodel_type": "repository", "repo_code": code, "name": code, "publish": False}
    return str(call(url, "/repositories", log_in(url), record)["uri"])


def server_documents(url: str, repository: str = "/repositories/2") -> list[dict[str, Any]]:
    """Every digital object: uri, identity, checksum, title."""
    return [
        {
            "uri": record["uri"],
            "identity": record["digital_object_id"],
            "sha256": record["file_versions"][0]["checksum"],
            "title": record["title"],
        }
        for record in records(url, f"{repository}/digital_objects")
    ]


def server_units(url: str, repository: str = "/repositories/2") -> list[dict[str, Any]]:
    """Every archival object that lists documents: ref_id and the documents' uris."""
    return [
        {
            "uri": record["uri"],
            "ref_id": record["ref_id"],
            "documents": [item["digital_object"]["ref"] for item in record["instances"]],
        }
        for record in records(url, f"{repository}/archival_objects")
        if record["level"] == "file"
    ]


def server_events(url: str, repository: str = "/repositories/2") -> list[dict[str, Any]]:
    """Every event."""
    return records(url, f"{repository}/events")


def records(url: str, path: str) -> list[dict[str, Any]]:
    """Every record of a list, whole."""
    token = log_in(url)
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        answer = call(url, f"{path}?page={page}&page_size=100", token)
        found += answer["results"]
        if page >= answer["last_page"]:
            return found
        page += 1
