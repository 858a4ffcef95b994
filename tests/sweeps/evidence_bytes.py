"""Every byte of a bag of evidence is changed, and verify.py must notice each.

``python -m tests.sweeps.evidence_bytes`` changes every byte of a small bag, packed and
unpacked; the tests change some of them.
"""

from __future__ import annotations

import os
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from hotfolder.core.zipping import Entry, zip_pieces
from tests.support import bags
from tests.support.flow_world import memory


def _notices(verifier: ModuleType, path: Path) -> bool:
    try:
        if path.is_dir():
            verifier.Bag(verifier.Folder(str(path)), None).check_files()
        else:
            with path.open("rb") as stream:
                verifier.Bag(verifier.Archive(stream), None).check_files()
    except (verifier.Wrong, ValueError, KeyError, OSError):
        return True
    return False


def unnoticed_in_zip(
    verifier: ModuleType, bag: Path, scratch: Path, places: Iterable[int]
) -> list[int]:
    """The places of a ZIP where a change is not noticed."""
    data = bytearray(bag.read_bytes())
    path = scratch / "changed.zip"
    path.write_bytes(data)
    found = []
    with path.open("r+b", buffering=0) as stream:
        for place in places:
            stream.seek(place)
            stream.write(bytes([data[place] ^ (1 << place % 8)]))
            if not _notices(verifier, path):
                found.append(place)
            stream.seek(place)
            stream.write(bytes([data[place]]))
    return found


def unnoticed_in_folder(
    verifier: ModuleType, folder: Path, file: Path, places: Iterable[int]
) -> list[int]:
    """The places of a file in an unpacked bag where a change is not noticed."""
    data = file.read_bytes()
    found = []
    with file.open("r+b", buffering=0) as stream:
        for place in places:
            stream.seek(place)
            stream.write(bytes([data[place] ^ (1 << place % 8)]))
            if not _notices(verifier, folder):
                found.append(place)
            stream.seek(place)
            stream.write(data[place : place + 1])
    return found


def reads_a_large_zip(verifier: ModuleType, path: Path) -> bool:
    """Whether a ZIP of more than 4 GiB is read here as elsewhere. Its zeros are not written
    but left out: the file is sparse."""
    size = (1 << 32) + 5
    piece = bytes(1 << 24)

    def zeros() -> Iterator[bytes]:
        for left in range(size, 0, -len(piece)):
            yield piece[: min(left, len(piece))]

    crc32 = 0
    for data in zeros():
        crc32 = zlib.crc32(data, crc32)
    small = Entry(
        name="b/bagit.txt", size=6, crc32=zlib.crc32(b"behind"), read=lambda: (b"behind",)
    )
    large = Entry(name="b/large", size=size, crc32=crc32, read=zeros)
    with path.open("wb") as stream:
        for data in zip_pieces([large, small]):
            if len(data) > 1 << 12 and not any(data[:64]):
                stream.seek(len(data), os.SEEK_CUR)
            else:
                stream.write(data)
    with zipfile.ZipFile(path) as archive, path.open("rb") as whole:
        sizes = dict(verifier.Archive(whole).sizes)
        return archive.read("b/bagit.txt") == b"behind" and sizes == {"large": size, "bagit.txt": 6}


def main() -> int:
    """Change every byte; the number of places that nobody noticed."""
    verifier = bags.load_verifier()
    with tempfile.TemporaryDirectory(dir=memory()) as name:
        root = Path(name)
        world = bags.letter_world(root)
        (row,) = bags.documents(world)
        bag = root / "bag.zip"
        bags.make(world, row.document.identity, bag)
        world.stop()
        size = bag.stat().st_size
        missed = len(unnoticed_in_zip(verifier, bag, root, range(size)))
        print(f"{size:,} bytes of a ZIP changed, one at a time: {missed} not noticed")
        folder = bags.unpack(bag, root / "unpacked")
        total = 0
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                count = path.stat().st_size
                total += count
                missed += len(unnoticed_in_folder(verifier, folder, path, range(count)))
        print(f"{total:,} bytes of the unpacked bag, one at a time: {missed} not noticed in all")
        large = reads_a_large_zip(verifier, root / "large.zip")
        print(f"a ZIP of more than 4 GiB is {'read' if large else 'NOT READ'}")
    return 1 if missed or not large else 0


if __name__ == "__main__":
    sys.exit(main())
