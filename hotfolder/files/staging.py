"""A file that is whole on the disk before it gets its name.

Between the two something may be done that must come first: whoever has journalled that a
file is given out lets it appear only then.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from hotfolder.core.errors import Transient
from hotfolder.files.content import FILE_MODE, temporary_name, write_stream
from hotfolder.files.durability import sync_directories, sync_files
from hotfolder.files.faults import os_errors
from hotfolder.files.syscalls import rename_new


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """Bytes that are on the disk under a temporary name."""

    path: bytes  # that they are to get
    temporary: bytes
    inode: int
    sha256: str
    size: int

    def put(self, *, replace: bool) -> bool:
        """Give them their name; on disk when this returns. False if the name is taken
        and nothing may be replaced. A link that has the name is replaced, not followed.

        Raises ``Transient`` if another process has written under the temporary name.
        """
        folder, name = os.path.split(self.path)
        with os_errors("writing a file"):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                if os.lstat(self.temporary).st_ino != self.inode:
                    raise Transient(
                        "another process writes the same file",
                        hint="let one of them end first",
                        code="file.shared",
                    )
                if replace:
                    os.rename(self.temporary, self.path)
                else:
                    rename_new(descriptor, os.path.basename(self.temporary), descriptor, name)
            except FileExistsError:
                return False
            finally:
                os.close(descriptor)
        sync_directories([folder])
        return True


@contextmanager
def staged_file(path: bytes, pieces: Iterable[bytes], mode: int = FILE_MODE) -> Iterator[Staged]:
    """``pieces`` written beside ``path``, read back and synced; gone again when the block
    ends, unless ``put`` was called. Raises ``Transient`` or ``OperatorFault``."""
    temporary = temporary_name(path)
    try:
        with os_errors("writing a file"):
            with suppress(FileNotFoundError):
                os.unlink(temporary)  # a crash left it
            sha256 = write_stream(temporary, pieces, mode)
            found = os.lstat(temporary)
        sync_files([temporary])
        yield Staged(
            path=path,
            temporary=temporary,
            inode=found.st_ino,
            sha256=sha256,
            size=found.st_size,
        )
    finally:
        with os_errors("writing a file"), suppress(FileNotFoundError):
            os.unlink(temporary)
