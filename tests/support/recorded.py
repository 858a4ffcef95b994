"""The recorded exchanges that the archive's tests use, by their number in the recording."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from tests.contract.recording import read_exchanges


@cache
def _exchanges() -> list[dict[str, Any]]:
    return read_exchanges()


def answered(number: int) -> Any:
    """The body of the answer of exchange ``number``, counted from 1."""
    return _exchanges()[number - 1]["response"]["body"]


def sent(number: int) -> Any:
    """The JSON sent in exchange ``number``."""
    request = _exchanges()[number - 1]["request"]
    return request["json"] if request["json"] is not None else json.loads(request["raw"])


def schemas() -> dict[str, Any]:
    """The properties of every record type that was recorded, by name."""
    return {name: body["properties"] for name, body in _named("/schemas/").items()}


def lists() -> dict[str, list[str]]:
    """The values of every controlled list that was recorded, by name."""
    found = _named("/config/enumerations/names/")
    return {name: list(body["values"]) for name, body in found.items()}


def _named(start: str) -> dict[str, Any]:
    return {
        exchange["request"]["path"].removeprefix(start): exchange["response"]["body"]
        for exchange in _exchanges()
        if exchange["request"]["path"].startswith(start)
        and exchange["request"]["method"] == "GET"
        and exchange["response"]["status"] == 200
    }
