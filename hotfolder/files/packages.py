"""Folders that are packages: looked at in the hot folder, taken to ``_working``, and put back
there as one file. Everything goes by descriptor, and no link is followed."""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from hotfolder.core.errors import InputFault, Transient
from hotfolder.core.roles import hides
from hotfolder.files.content import hash_file, open_descriptor
from hotfolder.files.durability import sync_directories
from hotfolder.files.faults import os_errors
from hotfolder.files.layout import folder_paths
from hotfolder.files.staging import staged_file
from hotfolder.files.syscalls import rename_new
from hotfolder.files.tree import list_directory, make_directory, remove_tree

_PACKING = b".packing"  # in _working: what was taken and is not one file yet
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageLook:
    """One look at a folder: its files by relative name, as (size, mtime, inode), and why it
    cannot be a package, if so: ``irregular``, ``members``, ``depth``, ``name``, ``gone``."""

    files: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    unfit: str = ""


class _UnfitError(Exception):
    """Ends a look; carries the reason."""


def list_packages(root: bytes) -> list[bytes]:
    """Names of the folders in a hot folder that are none of ours, sorted."""
    return [name for name, inside in list_directory(root) if inside and not hides(name)]


def list_taken(root: bytes) -> list[bytes]:
    """Names of the folders that were taken and are not put back yet, sorted."""
    return [name for name, inside in list_directory(_packing(root)) if inside]


def taken_path(root: bytes, name: bytes) -> bytes:
    """Where a folder lies that was taken."""
    return os.path.join(_packing(root), name)


def look_into(path: bytes, *, members: int, depth: int) -> PackageLook:
    """Look at the files of a folder, ``members`` at most and ``depth`` parts deep."""
    files: dict[str, tuple[int, int, int]] = {}
    with os_errors("looking into a package"):
        try:
            fd = os.open(path, _DIRECTORY)
        except (FileNotFoundError, NotADirectoryError):
            return PackageLook(unfit="gone")
        try:
            for name, found in _walk(fd, "", depth):
                if len(files) == members:
                    return PackageLook(unfit="members")
                files[name] = (found.st_size, found.st_mtime_ns, found.st_ino)
        except (FileNotFoundError, NotADirectoryError):
            return PackageLook(unfit="gone")  # it is being written: looked at again
        except _UnfitError as error:
            return PackageLook(unfit=str(error))
        finally:
            os.close(fd)
    return PackageLook(files=files)


def _walk(fd: int, prefix: str, depth: int) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(fd) as entries:
        for entry in entries:
            try:
                name = os.fsencode(entry.name).decode()
            except UnicodeDecodeError:
                raise _UnfitError("name") from None
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):
                yield prefix + name, found
            elif not stat.S_ISDIR(found.st_mode):
                raise _UnfitError("irregular")
            elif depth <= 1:
                raise _UnfitError("depth")
            else:
                inner = os.open(entry.name, _DIRECTORY, dir_fd=fd)
                try:
                    yield from _walk(inner, f"{prefix}{name}/", depth - 1)
                finally:
                    os.close(inner)


def take_package(root: bytes, name: bytes) -> bool:
    """Move a folder out of the producer's reach; False if it is gone, or one of its name is
    being packed still. On disk when this returns."""
    packing = _packing(root)
    make_directory(packing)
    with os_errors("taking a package"):
        source = os.open(root, _DIRECTORY & ~os.O_NOFOLLOW)
        try:
            target = os.open(packing, _DIRECTORY)
            try:
                rename_new(source, name, target, name)
            except (FileNotFoundError, FileExistsError):
                return False
            finally:
                os.close(target)
        finally:
            os.close(source)
    sync_directories([folder_paths(root).working, packing, root])
    return True


def measure(root: bytes, name: bytes, member: str) -> tuple[int, int, str]:
    """Size, CRC-32 and SHA-256 of a file of a folder that was taken."""
    size = crc = 0
    digest = hashlib.sha256()
    for piece in read_pieces(root, name, member):
        size += len(piece)
        crc = zlib.crc32(piece, crc)
        digest.update(piece)
    return size, crc, digest.hexdigest()


def read_pieces(root: bytes, name: bytes, member: str) -> Iterator[bytes]:
    """The bytes of a file of a folder that was taken; no folder on the way is a link."""
    with os_errors("reading a package"):
        fd = os.open(taken_path(root, name), _DIRECTORY)
        try:
            *folders, base = os.fsencode(member).split(b"/")
            for folder in folders:
                inner = os.open(folder, _DIRECTORY, dir_fd=fd)
                os.close(fd)
                fd = inner
            file, _ = open_descriptor(base, dir_fd=fd)
        finally:
            os.close(fd)
        try:
            while piece := os.read(file, _PIECE):
                yield piece
        finally:
            os.close(file)


def put_package(
    root: bytes,
    name: bytes,
    suffix: bytes,
    pieces: Iterator[bytes],
    check: Callable[[bytes], None],
) -> bytes:
    """Write ``pieces`` as one file into the hot folder, under the folder's name with
    ``suffix``, or with the beginning of its SHA-256 between where that is taken by other
    bytes; its name. It has been read back, synced, and shown to ``check`` by its path,
    before it has that name; it is on disk under it when this returns."""
    path = os.path.join(root, name + suffix)
    # Begun beside the folder that it is made of, which no watcher sees.
    with staged_file(os.path.join(_packing(root), name + suffix), pieces) as staged:
        check(staged.temporary)
        mark = b"." + staged.sha256[:8].encode()
        for found in (path, os.path.join(root, name + mark + suffix)):
            with os_errors("putting a package"):
                target = os.open(root, _DIRECTORY & ~os.O_NOFOLLOW)
                source = os.open(_packing(root), _DIRECTORY)
                try:
                    temporary = os.path.basename(staged.temporary)
                    rename_new(source, temporary, target, os.path.basename(found))
                except FileExistsError:
                    if _same(found, staged.sha256):
                        return os.path.basename(found)  # put before a crash
                    continue
                finally:
                    os.close(source)
                    os.close(target)
            sync_directories([root, _packing(root)])
            return os.path.basename(found)
    raise Transient("the hot folder has other files of the name of a package", code="package.name")


def _same(path: bytes, sha256: str) -> bool:
    try:
        return hash_file(path)[0] == sha256
    except InputFault:
        return False  # a folder or a link has the name


def remove_taken(root: bytes, name: bytes) -> None:
    """Remove a folder that was put back as a file. Its removal is on disk."""
    remove_tree(taken_path(root, name))
    with suppress(FileNotFoundError):
        sync_directories([_packing(root)])


def _packing(root: bytes) -> bytes:
    return os.path.join(folder_paths(root).working, _PACKING)
