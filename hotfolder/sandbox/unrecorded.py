"""Schemas in brief of records that were not recorded: no more than the sandbox uses.

Properties beyond these are dropped, which a real server would not do.
"""

from __future__ import annotations

from typing import Any

from hotfolder.sandbox.contract import Json

_TEXT: Json = {"type": "string", "maxLength": 65000}
_NEEDED: Json = {"type": "string", "minLength": 1, "maxLength": 65000, "ifmissing": "error"}
_TEXTS: Json = {"type": "array", "items": {"type": "string"}}
_SHARED: Json = {
    "uri": {"type": "string"},
    "lock_version": {"type": ["integer", "string"]},
    "jsonmodel_type": {"type": "string"},
}


def _schema(**properties: Any) -> Json:
    return {"properties": {**_SHARED, **properties}}


def _agent(kind: str) -> Json:
    names = {"type": "array", "items": {"type": f"JSONModel(:name_{kind}) object"}, "minItems": 1}
    return _schema(
        names={**names, "ifmissing": "error"},
        publish={"type": "boolean"},
        is_user=_TEXT,
    )


def _name(**properties: Any) -> Json:
    shared = {"sort_name_auto_generate": {"type": "boolean", "default": True}}
    for name in ("source", "rules", "sort_name", "authority_id", "dates", "qualifier"):
        shared[name] = _TEXT
    return _schema(**shared, **properties)


UNRECORDED: dict[str, Json] = {
    "agent_person": _agent("person"),
    "agent_family": _agent("family"),
    "agent_corporate_entity": _agent("corporate_entity"),
    "name_person": _name(primary_name=_NEEDED, rest_of_name=_TEXT, name_order=_TEXT),
    "name_family": _name(family_name=_NEEDED),
    "name_corporate_entity": _name(primary_name=_NEEDED, short_name=_TEXT),
    "subject": _schema(
        source=_TEXT,
        vocabulary=_TEXT,
        terms={
            "type": "array",
            "items": {"type": "JSONModel(:term) object"},
            "minItems": 1,
            "ifmissing": "error",
        },
    ),
    "term": _schema(term=_NEEDED, term_type=_TEXT, vocabulary=_TEXT),
    "top_container": _schema(type=_TEXT, indicator=_NEEDED, barcode=_TEXT),
    "classification": _schema(identifier=_NEEDED, title=_NEEDED, description=_TEXT),
    "group": _schema(
        group_code=_NEEDED,
        description=_NEEDED,
        member_usernames=_TEXTS,
        grants_permissions=_TEXTS,
    ),
    "user": _schema(username=_NEEDED, name=_NEEDED),
}
