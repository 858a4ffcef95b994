"""What the answer to ``POST /repositories/:id/batch_imports`` says.

Once an import has started the status is always 200 and the body a streamed JSON
array of progress objects; only its last element tells how it ended (reference 2.6):
``{"saved": {temporary uri: [uri, id]}}`` or ``{"saved": [], "errors": [text]}``.
A body that ends early, or that speaks of other records than those sent, proves
nothing in either direction.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """Everything that was sent is there: temporary uri to uri."""

    uris: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Nothing was saved. ``words`` are the server's own and may quote the record:
    they may be shown to the owner of the drop, never logged."""

    words: str

    def __repr__(self) -> str:
        return "Refused(...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The answer proves nothing; ``why`` quotes nothing of it."""

    why: str


class _Untrustworthy(ValueError):
    pass


def parse_import(body: bytes, sent: Collection[str]) -> Saved | Refused | Unknown:
    """Judge ``body``, given the temporary uris that were sent. Never raises."""
    try:
        elements = json.loads(
            body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
        return _judge(elements, sent)
    except _Untrustworthy as error:
        return Unknown(why=str(error))
    except (ValueError, RecursionError):
        return Unknown(why="the import's answer is cut or no JSON")


def _judge(elements: object, sent: Collection[str]) -> Saved | Refused | Unknown:
    if not isinstance(elements, list) or not elements:
        raise _Untrustworthy("the import's answer is no list of progress")
    last = elements[-1]
    if not isinstance(last, dict) or "saved" not in last:
        raise _Untrustworthy("the import's answer ends before its result")
    if any(isinstance(item, dict) and item.keys() & {"saved", "errors"} for item in elements[:-1]):
        raise _Untrustworthy("the import's answer has more than one result")
    saved = last["saved"]
    if "errors" in last:
        return _refused(saved, last["errors"])
    if not isinstance(saved, dict):
        raise _Untrustworthy("the import's answer names neither records nor errors")
    if saved.keys() != set(sent):
        raise _Untrustworthy(
            f"the import saved {len(saved)} records, not exactly the {len(set(sent))} sent"
        )
    uris = {temporary: _uri(temporary, value) for temporary, value in saved.items()}
    if len(set(uris.values())) != len(uris):
        raise _Untrustworthy("the import gives two records the same uri")
    return Saved(uris=uris)


def _refused(saved: object, errors: object) -> Refused:
    if saved not in ([], {}):
        raise _Untrustworthy("the import reports errors and saved records at once")
    if not isinstance(errors, list) or not errors:
        raise _Untrustworthy("the import reports errors without naming one")
    if not all(isinstance(text, str) for text in errors):
        raise _Untrustworthy("the import's errors are no text")
    return Refused(words="; ".join(errors))


def _uri(temporary: str, value: Any) -> str:
    """The uri in ``[uri, id]``, checked to be of the same kind and place as ``temporary``."""
    if (
        not isinstance(value, list)
        or len(value) != 2
        or not isinstance(value[0], str)
        or type(value[1]) is not int
    ):
        raise _Untrustworthy("the import's answer names a record in an unknown way")
    uri, number = value
    collection = temporary.rpartition("/")[0]
    if uri != f"{collection}/{number}" or number < 1:
        raise _Untrustworthy("the import's answer names a record of another kind or place")
    return str(uri)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Untrustworthy("the import's answer says the same twice")
    return found


def _no_constant(_name: str) -> Any:
    raise _Untrustworthy("the import's answer is no JSON")
