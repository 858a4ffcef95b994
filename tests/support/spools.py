"""Working copies to be stored, made of real files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from hotfolder.core.records import StoreRequest
from tests.support.drops import spool_id


class FixedClock:
    """A clock that stands still."""

    def now(self) -> float:
        return 1_795_000_000.25

    def monotonic(self) -> float:
        return 1.0


def make_request(
    folder: Path,
    number: int,
    *,
    data: bytes = b"%PDF-1.7 spool",
    name: bytes = b"letter.pdf",
    sidecars: Mapping[bytes, bytes] | None = None,
    metadata: bytes = b'{"format":"hotfolder-spool/1"}\n',
) -> StoreRequest:
    """Write a working copy below ``folder`` and ask for it to be stored."""
    place = os.path.join(os.fsencode(folder), spool_id(number).encode())
    os.makedirs(place, exist_ok=True)
    paths = []
    for file, content in {name: data, **(sidecars or {})}.items():
        paths.append(os.path.join(place, file))
        with open(paths[-1], "wb") as stream:
            stream.write(content)
    return StoreRequest(
        spool_id=spool_id(number),
        content_path=paths[0],
        content_name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        sidecar_paths=tuple(paths[1:]),
        metadata=metadata,
        created_at=1_795_000_000.0,
    )
