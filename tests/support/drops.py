"""Hot folders and drops made of real files."""

from __future__ import annotations

import os
from pathlib import Path

from hotfolder.core.records import Drop, Sighting
from hotfolder.files.layout import make_folders


def make_hot_folder(path: Path) -> bytes:
    """A hot folder with its working folders, as bytes."""
    path.mkdir(parents=True, exist_ok=True)
    root = os.fsencode(path)
    make_folders(root)
    return root


def put(root: bytes, name: bytes, data: bytes = b"%PDF-1.7 spool") -> Sighting:
    """Write a file into a hot folder and look at it."""
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(data)
    return sight(root, name)


def sight(root: bytes, name: bytes) -> Sighting:
    """What a look at ``name`` finds now."""
    found = os.lstat(os.path.join(root, name))
    return Sighting(
        folder="hot",
        name=name,
        size=found.st_size,
        mtime_ns=found.st_mtime_ns,
        inode=found.st_ino,
        device=found.st_dev,
    )


def make_drop(
    spool: Sighting,
    *sidecars: Sighting,
    trigger: Sighting | None = None,
    shared: tuple[bytes, ...] = (),
) -> Drop:
    """A settled drop."""
    return Drop(folder="hot", spool=spool, sidecars=sidecars, trigger=trigger, shared=shared)


def spool_id(number: int) -> str:
    """An id like those of the daemon."""
    return f"{number:032x}"


def names_in(*parts: bytes) -> list[bytes]:
    """Names in a directory, sorted, without hotfolder's own folders."""
    return sorted(
        name
        for name in os.listdir(os.path.join(*parts))
        if name not in (b"_working", b"_failed", b"_receipts")
    )
