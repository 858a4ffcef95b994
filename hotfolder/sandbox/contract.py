"""What a real server's schemas and lists say, as shipped in ``data/contract.json``.

The file is made from recorded answers of ArchivesSpace v4.2.1 (tests/contract). It
holds the schemas and lists that were recorded, not all that there are: a nested record
without a schema here is kept as it comes, and a list without values here takes any
value.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The recorded facts. ``enumerations`` are as on a new server."""

    schemas: Json
    enumerations: Json
    permissions: Json
    groups: list[Json]


def load_contract() -> Contract:
    """Read the shipped facts. Raises ``OSError`` if the package is incomplete."""
    text = resources.files("hotfolder.sandbox").joinpath("data/contract.json").read_text("utf-8")
    facts = json.loads(text)
    return Contract(
        schemas=facts["schemas"],
        enumerations=facts["enumerations"],
        permissions=facts["permissions"],
        groups=facts["groups"],
    )
