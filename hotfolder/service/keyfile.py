"""Files that hold keys: read without a word of what is in them."""

from __future__ import annotations

import os
from collections.abc import Callable

from hotfolder.core.errors import HotfolderError, InputFault, OperatorFault
from hotfolder.files.content import open_regular
from hotfolder.files.faults import os_errors


def read_key_file(
    path: str, longest: int, doing: str, unusable: Callable[[str, str], OperatorFault]
) -> bytes:
    """The beginning of a file that holds a key; raises what ``unusable`` makes of path and
    why."""
    try:
        with open_regular(os.fsencode(path)) as stream, os_errors(doing):
            return stream.read(longest)
    except InputFault as error:
        raise unusable(path, "it is no plain file") from error
    except HotfolderError as error:
        raise unusable(path, error.message) from error
