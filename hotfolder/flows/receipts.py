"""Which name a receipt gets.

``<name>.receipt.json`` as long as that is free, which is what a producer looks for. The
same name may come again with another content: then the end of the spool's id is part of
it, and no receipt is ever overwritten by another spool's.
"""

from __future__ import annotations

import json
import os
from collections.abc import Container

from hotfolder.core.errors import InputFault, OperatorFault
from hotfolder.core.records import SpoolRow
from hotfolder.files.content import open_regular

SUFFIX = b".receipt.json"
_LONGEST_NAME = 255  # bytes; Linux NAME_MAX
_LONGEST_RECEIPT = 64 * 1024 * 1024  # bytes; more is none of ours


def choose_receipt(folder: bytes, row: SpoolRow, taken: Container[bytes] = ()) -> bytes:
    """The path of the spool's receipt in ``folder``, without ``SUFFIX``.

    The same spool is given the same path whenever it is asked for, also after a crash:
    a receipt of its own counts before a free name. ``taken`` are paths given to others
    whose receipts are not written yet. Raises ``Transient``.
    """
    name = os.path.basename(row.name)
    mark = b"." + row.id[-8:].encode()
    plain = os.path.join(folder, name[: _LONGEST_NAME - len(SUFFIX)])
    marked = os.path.join(folder, name[: _LONGEST_NAME - len(SUFFIX) - len(mark)] + mark)
    if plain not in taken:
        owner = _owner(plain + SUFFIX)
        if owner == row.id:
            return plain
        if owner is None and _owner(marked + SUFFIX) is None:
            return plain
    return marked


def _owner(path: bytes) -> str | None:
    """The spool whose receipt lies at ``path``: empty if it is none of ours, None if
    nothing is there."""
    try:
        with open_regular(path) as stream:
            data = stream.read(_LONGEST_RECEIPT)
        return str(json.loads(data)["spool"]["id"])
    except (InputFault, ValueError, KeyError, TypeError, RecursionError):
        return ""
    except OperatorFault as error:
        return None if error.code == "file.missing" else ""
