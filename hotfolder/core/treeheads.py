"""Signed tree heads as bytes: what is signed, the file, and reading one back.

docs/audit.md has the format byte by byte, for whoever verifies without hotfolder.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

from hotfolder.core.canonical import dump
from hotfolder.core.errors import Corrupt
from hotfolder.core.records import SignedHead, TreeHead

FORMAT = "hotfolder-tree-head/1"
PROOF_FORMAT = "hotfolder-audit-proof/1"
FILE_NAME = re.compile(rb"tree-head-([1-9][0-9]{0,18})\.json")
_DAY = 86_400


def signed_bytes(head: TreeHead) -> bytes:
    """The bytes over which a head is signed: the canonical JSON of ``head`` in its file."""
    return dump(_head_to_dict(head)).encode()


def key_id(public_key: bytes) -> str:
    """What a key is called: the SHA-256 of its 32 raw bytes, hex."""
    return hashlib.sha256(public_key).hexdigest()


def file_name(head: TreeHead) -> bytes:
    """The name of a head's file."""
    return b"tree-head-%d.json" % head.tree_size


def head_at(at: float) -> str:
    """A time as a head has it."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def due_at(last: TreeHead | None, hour: int) -> float:
    """When the next head is due: at once without one, else when ``hour`` (UTC) comes round
    again after the last. Seconds since the epoch."""
    if last is None:
        return 0.0
    signed = datetime.fromisoformat(last.at).timestamp()
    return ((signed - hour * 3600) // _DAY + 1) * _DAY + hour * 3600


def head_to_dict(signed: SignedHead) -> dict[str, Any]:
    """A signed head as its file has it."""
    return {
        "head": _head_to_dict(signed.head),
        "key": signed.key,
        "public_key": base64.b64encode(signed.public_key).decode(),
        "signature": base64.b64encode(signed.signature).decode(),
    }


def head_to_json(signed: SignedHead) -> bytes:
    """The file of a signed head: canonical JSON and a line feed."""
    return (dump(head_to_dict(signed)) + "\n").encode()


def head_from_json(data: bytes) -> SignedHead:
    """Read a file of a signed head; ``Corrupt`` if it is none. The signature is not
    verified."""
    try:
        found = json.loads(data)
        head = found["head"]
        signed = SignedHead(
            head=TreeHead(
                log=head["log"], tree_size=head["tree_size"], root=head["root"], at=head["at"]
            ),
            key=found["key"],
            public_key=base64.b64decode(found["public_key"], validate=True),
            signature=base64.b64decode(found["signature"], validate=True),
        )
        # What is signed must be what was read: no second key, no other spelling of a number.
        if head_to_dict(signed) == found and type(head["tree_size"]) is int:
            datetime.fromisoformat(signed.head.at)
            return signed
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _unreadable() from error
    raise _unreadable()


def _unreadable() -> Corrupt:
    return Corrupt(
        "this is no signed tree head",
        hint="the file was cut off, changed, or written by another program",
        code="head.unreadable",
    )


def _head_to_dict(head: TreeHead) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "log": head.log,
        "tree_size": head.tree_size,
        "root": head.root,
        "at": head.at,
    }
