"""Answer folders: made out of sight, and there at once by one rename.

A folder grows in ``_working/<id>.answer`` beside the request that it answers; only when
all of it is on disk does it get its name in the request folder. ``_working/<id>`` stays
until the answer is journalled, so that a request folder that is not mounted is never
taken for one whose answer was given.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress

from hotfolder.core.errors import OperatorFault
from hotfolder.files.content import write_stream
from hotfolder.files.durability import sync_directories, sync_files
from hotfolder.files.faults import os_errors
from hotfolder.files.layout import FOLDER_MODE, folder_paths, working_folder
from hotfolder.files.names import NAME_MAX, cut
from hotfolder.files.places import Places, look
from hotfolder.files.syscalls import rename_new

_SUFFIX = b".answer"
_NUMBERS = 10_000


class AnswerFolder:
    """An answer while it is being made."""

    def __init__(self, root: bytes, request_id: str) -> None:
        """What a crash left of an earlier attempt is removed. Raises ``Transient`` or
        ``OperatorFault``, as all of it."""
        self._path = working_folder(root, request_id) + _SUFFIX
        self._made: list[bytes] = []
        with os_errors("making an answer folder"):
            with suppress(FileNotFoundError):
                shutil.rmtree(self._path)
            os.mkdir(self._path, FOLDER_MODE)

    def write(self, name: str, pieces: Iterable[bytes]) -> tuple[str, int]:
        """Write a file that must not be there yet; its SHA-256 (hex) and size in bytes."""
        path = os.path.join(self._path, os.fsencode(name))
        with os_errors("writing an answer"):
            digest = write_stream(path, pieces)
            self._made.append(path)
            return digest, os.stat(path).st_size

    def discard(self, name: str) -> None:
        """Remove a file of which only a part could be written."""
        with os_errors("writing an answer"), suppress(FileNotFoundError):
            os.unlink(os.path.join(self._path, os.fsencode(name)))

    def sync(self) -> None:
        """All of it is on disk when this returns."""
        sync_files(self._made)
        sync_directories([self._path, os.path.dirname(self._path)])


def free_answer_name(root: bytes, request_name: bytes) -> bytes:
    """A name for the answer to a request file that nothing in the folder has."""
    stem = os.path.splitext(os.path.basename(request_name))[0]
    for number in range(_NUMBERS):
        mark = b".%d" % number if number else b""
        name = cut(stem, NAME_MAX - len(mark) - len(_SUFFIX)) + mark + _SUFFIX
        with os_errors("looking for a free name"):
            if not os.path.lexists(os.path.join(root, name)):
                return name
    raise OperatorFault(
        "too many answers to requests of one name lie in the request folder",
        hint="take them out of there",
        code="answer.name",
    )


def give_answer(root: bytes, request_id: str, name: bytes) -> None:
    """Rename the answer to ``name`` in the request folder; on disk on return. One that is
    gone from ``_working`` was renamed before a crash: it is not made again."""
    with Places(root) as places, os_errors("giving an answer"):
        source = os.fsencode(request_id) + _SUFFIX
        if look(places.working_fd, source) is None:
            if look(places.working_fd, os.fsencode(request_id)) is None:
                raise OperatorFault(
                    "another folder is in the place of the request folder",
                    hint="mount it again; the answer lies there",
                    code="answer.folder",
                )
        else:
            try:
                rename_new(places.working_fd, source, places.root_fd, name)
            except FileExistsError as error:
                raise OperatorFault(
                    "something in the request folder has taken the name of an answer",
                    hint="move it away",
                    code="answer.name",
                ) from error
    sync_directories([folder_paths(root).root, folder_paths(root).working])


def discard_answer(root: bytes, request_id: str) -> None:
    """Remove what was made of an answer that will not be given."""
    with os_errors("removing an answer"), suppress(FileNotFoundError):
        shutil.rmtree(working_folder(root, request_id) + _SUFFIX)
