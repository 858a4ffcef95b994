"""The sandbox answers as the recorded server does, exchange by exchange."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hotfolder.sandbox import Sandbox
from tests.contract.recording import SHIPPED, extract, read_exchanges
from tests.contract.replay import Replay, compare, differences, normalise

OUT_OF_SCOPE = Path(__file__).with_name("out_of_scope.json")

Json = dict[str, Any]


@pytest.fixture(scope="module")
def exchanges() -> list[Json]:
    return read_exchanges()


@pytest.fixture(scope="module")
def found(exchanges: list[Json]) -> dict[int, str]:
    with Sandbox() as sandbox, httpx.Client(base_url=sandbox.url) as client:
        return dict(Replay(sandbox, client).run(exchanges))


def test_every_exchange_is_answered_as_recorded(
    exchanges: list[Json], found: dict[int, str]
) -> None:
    """Titles and numbers of exchanges outside the sandbox's scope are listed, with reasons."""
    listed = _listed()
    unexpected = {
        f"{number} {exchanges[number]['title']}": how
        for number, how in found.items()
        if str(number) not in listed
    }
    assert unexpected == {}
    assert len(exchanges) == 241


def test_the_list_of_exchanges_out_of_scope_only_shrinks(
    exchanges: list[Json], found: dict[int, str]
) -> None:
    for number, entry in _listed().items():
        assert entry["title"] == exchanges[int(number)]["title"]
        assert entry["reason"]
        assert int(number) in found, f"{number} matches by now: take it off the list"


def test_the_shipped_facts_are_those_of_the_recording(exchanges: list[Json]) -> None:
    """``python -m tests.contract.recording`` makes the file anew."""
    assert json.loads(SHIPPED.read_text("utf-8")) == extract(exchanges)


def test_the_comparison_sees_every_kind_of_difference(exchanges: list[Json]) -> None:
    recorded = exchanges[155]["response"]
    assert compare(recorded, _answer(recorded)) == ""
    for spoiled in _spoiled(recorded):
        assert compare(recorded, _answer(spoiled)) != ""


def test_what_differs_between_runs_is_left_out_of_the_comparison() -> None:
    left = {
        "create_time": "2026-11-23T09:19:14Z",
        "ref_id": "0123456789abcdef0123456789abcdef",
        "error": "No session found for " + "a" * 64,
        "lock_version": 3,
        "is_system_user": False,
    }
    right = {
        "create_time": "2027-01-01T00:00:00Z",
        "ref_id": "f" * 32,
        "error": "No session found for $OLD",
        "lock_version": 9,
        "is_system_user": False,
    }
    assert list(differences("", normalise(left), normalise(right))) == []
    record = {"lock_version": 1, "ref_id": "hf-unit-1", "timestamp": "2026-11-23T10:00:00Z"}
    assert normalise(record) == record


def _listed() -> dict[str, Json]:
    listed: dict[str, Json] = json.loads(OUT_OF_SCOPE.read_text("utf-8"))
    return listed


def _answer(recorded: Json) -> httpx.Response:
    return httpx.Response(
        recorded["status"],
        headers={"Content-Type": recorded["headers"]["Content-Type"]},
        content=json.dumps(recorded["body"]),
    )


def _spoiled(recorded: Json) -> Iterator[Json]:
    body = recorded["body"]
    yield {**recorded, "status": 201}
    yield {**recorded, "headers": {"Content-Type": "text/plain"}}
    yield {**recorded, "body": {**body, "lock_version": body["lock_version"] + 1}}
    yield {**recorded, "body": {**body, "more": 1}}
    yield {**recorded, "body": {k: v for k, v in body.items() if k != "external_ids"}}
    yield {**recorded, "body": {**body, "external_ids": body["external_ids"][:1]}}
    version = {**body["file_versions"][0], "checksum": "0" * 64}
    yield {**recorded, "body": {**body, "file_versions": [version]}}
    yield {**recorded, "body": {**body, "publish": 0}}
