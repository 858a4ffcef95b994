"""Files for a folder that another program watches: never seen there half-written.

Everything is written under temporary names, which the other program leaves alone, and is
on disk before anything is renamed. Then the files get their names one after the other,
the last of them last. What has its final name is whole, and what has lost its temporary
name was given.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress as ignored

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import OperatorFault
from hotfolder.files.content import FILE_MODE, write_stream
from hotfolder.files.durability import sync_directories, sync_files
from hotfolder.files.faults import os_errors
from hotfolder.files.places import look
from hotfolder.files.syscalls import rename_new

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def identify_folder(folder: bytes) -> tuple[int, int]:
    """Device and inode of a folder. ``OperatorFault`` if it is not there."""
    with os_errors("looking at a folder of the feed or of returns"):
        found = os.stat(folder)
    return found.st_dev, found.st_ino


def has_any(folder: bytes, names: Iterable[bytes]) -> bool:
    """Whether one of the names is in ``folder``. ``OperatorFault`` if it is not there."""
    with os_errors("looking into a folder of the feed or of returns"):
        fd = os.open(folder, _FOLDER)
        try:
            return any(look(fd, name) for name in names)
        finally:
            os.close(fd)


def stage_files(
    folder: bytes, files: Sequence[tuple[bytes, Iterable[bytes]]], mode: int = FILE_MODE
) -> None:
    """Write (temporary name, pieces) into ``folder``; all are on disk on return.

    What has such a name is replaced: a crash left it. Nothing of the call is left if it
    fails. Raises ``Transient`` or ``OperatorFault``, and what the pieces raise.
    """
    paths = [os.path.join(folder, name) for name, _ in files]
    try:
        with os_errors("writing into a folder of the feed or of returns"):
            for path, (_, pieces) in zip(paths, files, strict=True):
                with ignored(FileNotFoundError):
                    os.unlink(path)
                write_stream(path, pieces, mode)
        sync_files(paths)
        sync_directories([folder])
    except BaseException:
        for path in paths:
            with ignored(OSError):
                os.unlink(path)
        raise


def give_files(folder: bytes, known: tuple[int, int], files: Sequence[tuple[bytes, bytes]]) -> None:
    """Rename (temporary name, final name) in order; all of it is on disk on return.

    A file whose temporary name is gone was renamed before a crash; the receiver may have
    taken it since. ``known`` is the folder in which they were staged: where no temporary
    name is left and another folder is in its place (a share that is not mounted), nothing
    can be told, and ``OperatorFault`` is raised, as it is if a final name is taken.
    """
    with os_errors("opening a folder of the feed or of returns"):
        fd = os.open(folder, _FOLDER)
    try:
        with os_errors("renaming in a folder of the feed or of returns"):
            found = os.fstat(fd)
            if (found.st_dev, found.st_ino) != known and not any(
                look(fd, temporary) for temporary, _ in files
            ):
                raise OperatorFault(
                    "another folder is in the place of the one that was written to",
                    hint="mount it again; if it was replaced, look there whether the document"
                    " was taken, and settle the order with `hotfolder orders --settle`",
                    code="return.folder",
                )
            for number, (temporary, final) in enumerate(files):
                if look(fd, temporary) is not None:
                    _rename(fd, temporary, final)
                    # The one before is on disk before the next is seen: a receiver that
                    # finds the document finds what belongs to it.
                    os.fsync(fd)
                # survives: killed here, what has no temporary name any more is not renamed
                # again, and the others follow
                crashpoint("return.renamed" if number + 1 < len(files) else "return.given")
    finally:
        os.close(fd)


def _rename(fd: int, temporary: bytes, final: bytes) -> None:
    try:
        rename_new(fd, temporary, fd, final)
    except FileExistsError as error:
        raise OperatorFault(
            "a file in the folder has the name that is to be given",
            hint="move it away; names carry the number of their order, so it is not hotfolder's",
            code="return.name",
        ) from error


def discard_files(folder: bytes, mark: str, suffix: bytes) -> None:
    """Remove the temporary files (ending with ``suffix``) of an order that will not be
    given; ``mark`` is its number, which their names have. A folder that is away has none."""
    with os_errors("removing what was not given"), ignored(FileNotFoundError):
        for name in os.listdir(folder):
            if mark.encode() in name and name.endswith(suffix):
                os.unlink(os.path.join(folder, name))
