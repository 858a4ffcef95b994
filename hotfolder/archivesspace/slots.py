"""The ``user_defined`` slots: which there are, and what each kind of slot can hold.

From the schema and ``check_user_defined`` of ArchivesSpace: booleans, whole numbers
and decimal numbers written as text, strings, texts, dates and controlled values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields

from hotfolder.archivesspace.wording import TEXT_LIMIT, clean_value
from hotfolder.core.errors import Fault
from hotfolder.core.profiles import ArchiveSlots

_COUNTS = {"boolean": 3, "integer": 3, "real": 3, "string": 4, "text": 5, "date": 3, "enum": 4}
NAMES = frozenset(f"{kind}_{n}" for kind, count in _COUNTS.items() for n in range(1, count + 1))
_FITTING = {
    "document_type": {"string", "text", "enum"},
    "channel": {"string", "text", "enum"},
    "retention_class": {"string", "text", "enum"},
    "retain_until": {"date", "string", "text"},
    "hold": {"boolean"},
}
_NUMBER = {
    "integer": re.compile(r"-?\d{1,9}\Z"),
    "real": re.compile(r"-?\d{1,9}(\.\d{1,5})?\Z"),
    "date": re.compile(r"\d{4}-\d{2}-\d{2}\Z"),
}


def kind_of(slot: str) -> str:
    """``string`` of ``string_2``."""
    return slot.partition("_")[0]


def check_slots(slots: ArchiveSlots) -> list[Fault]:
    """A fault for each slot that does not exist, cannot hold its value or is used twice."""
    faults: list[Fault] = []
    used: dict[str, str] = {}
    for item in fields(slots):
        slot = getattr(slots, item.name)
        if not slot:
            continue
        problem = ""
        if slot not in NAMES:
            problem = f"{slot!r} is no user_defined slot"
        elif kind_of(slot) not in _FITTING[item.name]:
            problem = f"{slot} cannot hold it"
        elif slot in used:
            problem = f"{slot} already holds {used[slot]}"
        used.setdefault(slot, item.name)
        if problem:
            choices = ", ".join(f"{kind}_N" for kind in sorted(_FITTING[item.name]))
            faults.append(
                Fault(
                    code="archive.slot",
                    message=f"slot for {item.name}: {problem}",
                    remedy=f"choose a free one of {choices}, or leave it empty",
                )
            )
    return faults


def fill_slot(
    slot: str, value: str | bool, allows: Callable[[str, str], bool]
) -> str | bool | None:
    """``value`` as ``slot`` can hold it, or None where it cannot and is left out.

    ``allows(list, value)`` decides about controlled values: one that the server's
    list does not have is never sent in an import.
    """
    kind = kind_of(slot)
    if isinstance(value, bool):
        return value if kind == "boolean" else None
    if kind == "string":
        return clean_value(value) or None
    if kind == "text":
        return clean_value(value, limit=TEXT_LIMIT) or None
    if kind == "enum":
        return value if allows(f"user_defined_{slot}", value) else None
    pattern = _NUMBER.get(kind)
    return value if pattern is not None and pattern.match(value) else None
