"""Objects as they are found: every read is checked against the inventory."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from hotfolder.core.errors import Corrupt, HotfolderError, InputFault, OperatorFault
from hotfolder.core.records import Encryption, StoredObject
from hotfolder.files.content import hash_file, open_regular, size_of
from hotfolder.files.faults import classify
from hotfolder.files.tree import exists, list_directory, walk_files
from hotfolder.store.inventory import CONTENT, Inventory, damaged, parse_inventory
from hotfolder.store.naming import DOCUMENTS, METADATA, object_id, spool_id_at

DECLARATION = b"0=ocfl_object_1.1"
IN_MEMORY = 8 << 20  # larger content is verified in a first pass and read in a second
_SMALL_LIMIT = 256 << 20  # an inventory or metadata larger than this is not one of ours
_SIDECAR = re.compile(rb"([0-9a-f]{64})[ \t]+inventory\.json\n?\Z")


def changed(what: str) -> Corrupt:
    """The error for bytes in the store that are not what the inventory says."""
    return Corrupt(
        f"{what} in the store is not what its inventory says",
        hint="restore the object from a backup; nothing has been deleted",
        code="store.fixity",
    )


def read_small(path: bytes) -> bytes:
    """A whole small file of an object; ``Corrupt`` if it is missing or no file."""
    try:
        with open_regular(path) as stream:
            # As much as is there: memory is taken for what is asked for.
            data = stream.read(min(os.fstat(stream.fileno()).st_size, _SMALL_LIMIT) + 1)
    except InputFault as error:
        raise damaged("or its metadata is not a plain file") from error
    except OperatorFault as error:
        if error.code == "file.missing":
            raise damaged("or its metadata is missing") from error
        raise
    if len(data) > _SMALL_LIMIT:
        raise damaged("or its metadata is too large")
    return data


def read_inventory(folder: bytes, version: bytes = b"") -> Inventory:
    """The inventory in an object's root (or its version folder), checked by its sidecar."""
    return parse_inventory(_read_inventory(folder, version))


def _read_inventory(folder: bytes, version: bytes) -> bytes:
    place = os.path.join(folder, version)
    data = read_small(os.path.join(place, b"inventory.json"))
    match = _SIDECAR.match(read_small(os.path.join(place, b"inventory.json.sha256")))
    if match is None or match[1].decode() != hashlib.sha256(data).hexdigest():
        raise damaged("does not have the checksum beside it")
    return data


def inventory_of(folder: bytes, spool_id: str) -> Inventory:
    """The inventory of the object of ``spool_id``; ``KeyError`` if there is no object,
    ``Corrupt`` if it is damaged or belongs to another spool."""
    if not exists(folder):
        raise KeyError(spool_id)
    inventory = read_inventory(folder)
    if inventory.object_id != object_id(spool_id):
        raise damaged("names another object")
    return inventory


def read_verified_inventory(folder: bytes, spool_id: str) -> bytes:
    """inventory.json, byte for byte; raises as ``inventory_of`` does."""
    inventory = inventory_of(folder, spool_id)
    data = _read_inventory(folder, b"")
    if parse_inventory(data) != inventory:
        raise damaged("changed while it was read")
    return data


def content_path(folder: bytes, path: str) -> bytes:
    """Where a path of the inventory lies."""
    return os.path.join(folder, os.fsencode(CONTENT + path))


def verify_object(
    folder: bytes,
    spool_id: str,
    object_path: str,
    reached: Callable[[int], None] | None = None,
) -> tuple[StoredObject, Inventory]:
    """Re-hash everything in an object. ``KeyError`` or ``Corrupt``; memory stays flat.
    ``reached`` as in ``hash_file``."""
    inventory = inventory_of(folder, spool_id)
    if read_inventory(folder, b"v1") != inventory:
        raise damaged("differs from that of its version")
    expected = {os.fsencode(CONTENT + path) for path in inventory.digests}
    expected |= {b"v1/inventory.json", b"v1/inventory.json.sha256", DECLARATION}
    expected |= {b"inventory.json", b"inventory.json.sha256"}
    if set(walk_files(folder)) != expected:
        raise changed("the set of files")
    if read_small(os.path.join(folder, DECLARATION)) != b"ocfl_object_1.1\n":
        raise changed("the declaration of an object")
    sizes = {}
    for path, digest in inventory.digests.items():
        found, sizes[path] = _hash(content_path(folder, path), reached)
        if found != digest:
            raise changed("a file")
    name = inventory.content
    stored = StoredObject(
        spool_id=spool_id,
        object_path=object_path,
        content_sha256=inventory.digests[name],
        content_size=sizes[name],
        inventory_sha256=inventory.sha256,
    )
    return stored, inventory


def _hash(path: bytes, reached: Callable[[int], None] | None) -> tuple[str, int]:
    try:
        return hash_file(path, reached)
    except InputFault as error:
        raise changed("a file") from error
    except OperatorFault as error:
        if error.code == "file.missing":
            raise changed("the set of files") from error
        raise


def open_verified(folder: bytes, spool_id: str, sha256: str | None = None) -> BinaryIO:
    """The spool's bytes, all of them verified before the first is returned: against the
    inventory, and that against ``sha256``.

    Up to 8 MiB come from memory, exactly as verified; more is hashed in a first pass
    over the same open file and read in a second.
    """
    inventory = inventory_of(folder, spool_id)
    if sha256 is not None and inventory.digests[inventory.content] != sha256:
        raise Corrupt(
            "the object in the store is not the spool that was journalled",
            hint="restore the object from a backup; nothing has been deleted",
            code="store.differs",
        )
    return _open_verified(folder, inventory, inventory.content)


def open_verified_part(folder: bytes, spool_id: str, path: str) -> BinaryIO:
    """Any file of an object, as ``open_verified`` opens its spool. ``KeyError`` if the
    inventory does not name it."""
    inventory = inventory_of(folder, spool_id)
    if path not in inventory.digests:
        raise KeyError(path)
    return _open_verified(folder, inventory, path)


def read_verified_documents(folder: bytes, spool_id: str) -> Iterator[bytes]:
    """The lines of documents.jsonl, all verified before the first; none without it."""
    inventory = inventory_of(folder, spool_id)
    if DOCUMENTS in inventory.digests:
        with _open_verified(folder, inventory, DOCUMENTS) as stream:
            yield from stream


def _open_verified(folder: bytes, inventory: Inventory, name: str) -> BinaryIO:
    path = content_path(folder, name)
    try:
        stream = open_regular(path)
    except (InputFault, OperatorFault) as error:
        if isinstance(error, InputFault) or error.code == "file.missing":
            raise changed("the content") from error
        raise
    try:
        first = stream.read(IN_MEMORY + 1)
        digest = hashlib.sha256(first)
        whole = len(first) <= IN_MEMORY
        while not whole and (data := stream.read(1 << 20)):
            digest.update(data)
        if digest.hexdigest() != inventory.digests[name]:
            raise changed("the content")
        if not whole:
            stream.seek(0)
            return stream
    except OSError as error:
        stream.close()
        raise classify(error, "reading the store") from error
    except HotfolderError:
        stream.close()
        raise
    stream.close()
    return io.BytesIO(first)


def read_verified_metadata(folder: bytes, spool_id: str) -> bytes:
    """metadata.json, verified. ``KeyError`` or ``Corrupt``."""
    inventory = inventory_of(folder, spool_id)
    data = read_small(content_path(folder, METADATA))
    if hashlib.sha256(data).hexdigest() != inventory.digests.get(METADATA):
        raise changed("the metadata")
    return data


def iterate_objects(root: bytes, prefix: bytes = b"") -> Iterator[StoredObject]:
    """Every object below ``root``, in the order of its hashed names.

    One whose inventory is damaged is described by the copy in its version folder; if
    that is no better, by the name of its directory, with an empty checksum.
    """
    for name, is_directory in list_directory(os.path.join(root, prefix)):
        path = os.path.join(prefix, name)
        if not is_directory or path == b"extensions":
            continue
        if exists(os.path.join(root, path, DECLARATION)):
            stored = _describe(root, path)
            if stored is not None:
                yield stored
        else:
            yield from iterate_objects(root, path)


def iterate_places(root: bytes, after: str = "", prefix: bytes = b"") -> Iterator[tuple[str, str]]:
    """(path, spool id) of every object of ours below ``root`` whose path comes after
    ``after``, in order; no inventory is read, and what lies before is not entered."""
    start = os.fsencode(after)
    for name, is_directory in list_directory(os.path.join(root, prefix)):
        path = os.path.join(prefix, name)
        if not is_directory or path == b"extensions" or path < start[: len(path)]:
            continue
        if spool_id := spool_id_at(os.fsdecode(path)):
            if path > start:
                yield os.fsdecode(path), spool_id
        elif not exists(os.path.join(root, path, DECLARATION)):
            yield from iterate_places(root, after, path)


def _describe(root: bytes, path: bytes) -> StoredObject | None:
    """None for somebody else's object in the same root."""
    folder = os.path.join(root, path)
    object_path = os.fsdecode(path)
    spool_id = spool_id_at(object_path)
    if not spool_id:
        return None
    for version in (b"", b"v1"):
        try:
            inventory = read_inventory(folder, version)
            name = inventory.content
        except Corrupt:
            continue
        return StoredObject(
            spool_id=spool_id,
            object_path=object_path,
            content_sha256=inventory.digests[name],
            content_size=size_of(content_path(folder, name)),
            inventory_sha256=inventory.sha256,
            # Of which kind, its keys tell.
            encryption=Encryption.SPOOL if inventory.is_sealed else Encryption.NONE,
        )
    return StoredObject(
        spool_id=spool_id, object_path=object_path, content_sha256="", content_size=0
    )
