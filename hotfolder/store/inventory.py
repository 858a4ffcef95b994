"""The inventory of an object: OCFL 1.1, section 3.5. One version, SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hotfolder.core.errors import Corrupt
from hotfolder.store import sealedmap
from hotfolder.store.naming import DOCUMENTS, METADATA, SIDECARS

TYPE = "https://ocfl.io/1.1/spec/#inventory"
CONTENT = "v1/content/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What an object holds: content paths (below ``v1/content/``) and their SHA-256."""

    object_id: str
    digests: Mapping[str, str]
    sha256: str = field(default="", compare=False)  # of inventory.json as it was read

    @property
    def is_sealed(self) -> bool:
        """Whether it is of an encrypted object. No plain one has such a path: names in it
        have no slash."""
        return sealedmap.HEADER in self.digests and sealedmap.CONTENT in self.digests

    @property
    def content(self) -> str:
        """The one path that is neither metadata nor sidecar: the spool.

        Raises ``Corrupt`` if there is not exactly one.
        """
        if self.is_sealed:
            return sealedmap.CONTENT
        found = [
            path
            for path in self.digests
            if path not in (METADATA, DOCUMENTS) and not path.startswith(SIDECARS + "/")
        ]
        if len(found) != 1 or METADATA not in self.digests:
            raise Corrupt(
                "an object of the store does not hold one spool and its metadata",
                hint="it was changed by another program; restore it from a backup",
                code="store.inventory",
            )
        return found[0]


def dump_inventory(inventory: Inventory, created: float) -> bytes:
    """inventory.json, the same bytes for the same arguments."""
    manifest: dict[str, list[str]] = {}
    state: dict[str, list[str]] = {}
    for path, digest in sorted(inventory.digests.items()):
        manifest.setdefault(digest, []).append(CONTENT + path)
        state.setdefault(digest, []).append(path)
    when = datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds")
    found = {
        "digestAlgorithm": "sha256",
        "head": "v1",
        "id": inventory.object_id,
        "manifest": manifest,
        "type": TYPE,
        "versions": {
            "v1": {
                "created": when,
                "message": "Spool received",
                "state": state,
                "user": {"address": "urn:hotfolder", "name": "hotfolder"},
            }
        },
    }
    return json.dumps(found, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def damaged(what: str) -> Corrupt:
    """The error for an inventory that cannot be used."""
    return Corrupt(
        f"the inventory of an object in the store {what}",
        hint="restore the object from a backup; nothing has been deleted",
        code="store.inventory",
    )


def parse_inventory(data: bytes) -> Inventory:
    """Read inventory.json; ``Corrupt`` if it is not one that this release could have written."""
    try:
        found = json.loads(data)
        manifest, state = found["manifest"], found["versions"]["v1"]["state"]
        if found["type"] != TYPE or found["digestAlgorithm"] != "sha256" or found["head"] != "v1":
            raise damaged("is of another kind")
        digests = {
            path.removeprefix(CONTENT): digest
            for digest, paths in manifest.items()
            for path in paths
            if path.startswith(CONTENT)
        }
        logical = {path: digest for digest, paths in state.items() for path in paths}
        object_id = found["id"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged("cannot be read") from error
    if digests != logical or not isinstance(object_id, str) or not all(map(_is_inside, digests)):
        raise damaged("contradicts itself")
    return Inventory(object_id=object_id, digests=digests, sha256=hashlib.sha256(data).hexdigest())


def _is_inside(path: str) -> bool:
    return not any(part in ("", ".", "..") for part in path.split("/"))
