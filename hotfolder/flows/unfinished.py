"""What a spool lacks that was given up because its end never came.

In the hot folder only head and tail are looked at, as the file may grow at any moment.
Once it is claimed the whole file can tell what broke: a length that lies, a text-mode
transfer, and at which byte.
"""

from __future__ import annotations

import os

from hotfolder.core.errors import Fault, InputFault, OperatorFault
from hotfolder.core.profiles import FolderProfile
from hotfolder.core.records import SpoolRow
from hotfolder.files.content import open_regular
from hotfolder.files.faults import os_errors
from hotfolder.files.layout import working_folder
from hotfolder.formats import inspect_spool, inspect_trailer


def explain_faults(row: SpoolRow, profile: FolderProfile | None) -> tuple[Fault, ...]:
    """The faults that ``row`` came with; that its end is missing gives way to what the
    whole file tells. Raises ``Transient``."""
    if profile is None:
        return row.faults
    place = working_folder(os.fsencode(profile.path), row.id)
    try:
        with (
            os_errors("reading a spool"),
            open_regular(os.path.join(place, os.path.basename(row.name))) as stream,
        ):
            glance = inspect_trailer(stream, row.size, row.name).fault
            if glance is None or glance not in row.faults:
                return row.faults
            found = inspect_spool(stream, row.size, row.name).fault
    except (InputFault, OperatorFault):
        return row.faults  # they are told; that the file cannot be read either adds nothing
    return tuple(found if found and fault == glance else fault for fault in row.faults)
