"""The part of ``bench_delivery`` that is compared with: what a careful person would write
with ArchivesSnake. One digital object, one archival object that lists it and one event
for each document, one after the other, over one connection that stays open.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from asnake.client import ASnakeClient

from bench.common import answer
from hotfolder.core.identity import document_identity

_DATE = {"begin": "2026-09-01", "date_type": "single", "label": "issued"}


def post_documents(url: str, count: int) -> float:
    """Post ``count`` documents; seconds without what is made once."""
    client = ASnakeClient(baseurl=url, username="admin", password="admin")
    client.authorize()
    repository = _post(client, "/repositories", {
        "jsonmodel_type": "repository", "repo_code": "SCRIPT", "name": "Script",
    })  # fmt: skip
    resource = _post(client, f"{repository}/resources", {
        "jsonmodel_type": "resource",
        "title": "Statements",
        "id_0": "STMT",
        "level": "series",
        "finding_aid_language": "und",
        "finding_aid_script": "Latn",
        "lang_materials": [{"language_and_script": {"language": "eng", "script": "Latn"}}],
        "dates": [{**_DATE, "date_type": "inclusive", "end": "2026-09-30"}],
        "extents": [{"number": "1", "portion": "whole", "extent_type": "gigabytes"}],
    })  # fmt: skip
    agent = _post(client, "/agents/software", {
        "jsonmodel_type": "agent_software",
        "names": [{
            "software_name": "script", "sort_name": "script", "source": "local", "rules": "local",
        }],
    })  # fmt: skip
    started = time.monotonic()
    for number in range(count):
        document = _post(client, f"{repository}/digital_objects", _document(number))
        listed = _post(client, f"{repository}/archival_objects", {
            "jsonmodel_type": "archival_object",
            "title": f"Statement {number}",
            "level": "file",
            "publish": False,
            "resource": {"ref": resource},
            "instances": [{
                "instance_type": "digital_object", "digital_object": {"ref": document},
            }],
        })  # fmt: skip
        _post(client, f"{repository}/events", {
            "jsonmodel_type": "event",
            "event_type": "ingestion",
            "outcome": "pass",
            "date": _DATE,
            "linked_agents": [{"role": "executing_program", "ref": agent}],
            "linked_records": [{"role": "outcome", "ref": listed}],
        })  # fmt: skip
    return time.monotonic() - started


def _document(number: int) -> dict[str, Any]:
    """What hotfolder says of a document, but for the slots."""
    sha256 = f"{number:064x}"
    identity = document_identity("SCRIPT/STMT", str(number), sha256)
    return {
        "jsonmodel_type": "digital_object",
        "digital_object_id": identity,
        "title": f"Statement {number}",
        "digital_object_type": "text",
        "publish": False,
        "dates": [_DATE],
        "external_ids": [
            {"external_id": f"C{number:07d}", "source": "cust"},
            {"external_id": "26090001", "source": "job"},
        ],
        "file_versions": [{
            "file_uri": f"hotfolder:{identity}",
            "checksum": sha256,
            "checksum_method": "sha-256",
            "file_size_bytes": 7000,
            "publish": False,
        }],
        "rights_statements": [{
            "rights_type": "other",
            "other_rights_basis": "policy",
            "start_date": "2026-09-01",
            "end_date": "2033-09-01",
            "identifier": "retention",
            "acts": [{
                "act_type": "delete", "restriction": "disallow",
                "start_date": "2026-09-01", "end_date": "2033-09-01",
            }],
        }],
    }  # fmt: skip


def _post(client: ASnakeClient, path: str, record: dict[str, Any]) -> str:
    found = client.post(path, json=record)
    if found.status_code != 200:
        raise SystemExit(f"{path}: {found.status_code} {found.text[:300]}")
    return str(found.json()["uri"])


if __name__ == "__main__":
    answer(seconds=post_documents(sys.argv[1], int(sys.argv[2])))
