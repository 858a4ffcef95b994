"""Who owns a folder, and who else could write to it."""

from __future__ import annotations

import os
import stat


def describe_owner(path: bytes) -> list[tuple[str, str]]:
    """(complaint, remedy) for a folder that this account should own alone."""
    try:
        found = os.lstat(path)
    except OSError as error:
        return [
            (os.strerror(error.errno or 0), "make the folder, or let hotfolder make it at start")
        ]
    if not stat.S_ISDIR(found.st_mode):
        return [("it is not a folder", "give it another path")]
    complaints = []
    if found.st_uid != os.geteuid():
        complaints.append(
            (
                f"it belongs to user {found.st_uid}, not to {os.geteuid()}",
                "give it to the service's account (chown)",
            )
        )
    if found.st_mode & stat.S_IWOTH:
        complaints.append(("everybody may write to it", "take that away (chmod o-w)"))
    return complaints
