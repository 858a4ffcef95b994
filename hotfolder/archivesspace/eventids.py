"""By what an event of ours is known: its ``refid``, and beside it the same as an external id.

``refid`` is unique in the whole instance and guards every POST. But the staff interface
loses it: its form of an event has no such field (``frontend/app/views/events/_form.html.erb``),
a save sends the form alone (``handle_crud`` of ``application_controller.rb`` calls
``JSONModelType#replace``), and an update empties what it omits (reference 2.3). External ids
come back as hidden fields, whether they are shown or not (``external_ids/_edit.html.erb``).
Pure.
"""

from __future__ import annotations

from typing import Any

from hotfolder.archivesspace.calls import Record

SOURCE = "hotfolder"  # of the external id; people cannot type one there


def own_id(refid: str) -> dict[str, Any]:
    """The external id of an event of ours."""
    return {"jsonmodel_type": "external_id", "source": SOURCE, "external_id": refid}


def is_own_id(item: Record) -> bool:
    """Whether an external id of an event is the one that we gave it."""
    return item.get("source") == SOURCE


def refid_of(event: Record) -> str:
    """The ``refid`` of an event, also where somebody's save has emptied it; empty if it
    never had one."""
    refid = event.get("refid")
    if isinstance(refid, str) and refid:
        return refid
    ids = event.get("external_ids")
    for item in ids if isinstance(ids, list) else ():
        if isinstance(item, dict) and is_own_id(item) and isinstance(item.get("external_id"), str):
            return str(item["external_id"])
    return ""
