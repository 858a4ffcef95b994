"""The master keys: files of 64 hexadecimal digits (or of the 32 bytes), never in the store.

Under systemd they are the credentials ``store-master-key`` and, while keys are being
changed, ``store-master-key-old``.
"""

from __future__ import annotations

import os
import secrets

from hotfolder.core.errors import HotfolderError, OperatorFault
from hotfolder.core.profiles import KeysProfile
from hotfolder.files.content import write_new
from hotfolder.files.durability import sync_directories, sync_files
from hotfolder.files.faults import os_errors
from hotfolder.service.keyfile import read_key_file
from hotfolder.store.ciphers import KEY
from hotfolder.store.keyring import Keyring, MasterKey

_LONGEST = 1024
_PRIVATE = 0o600


def read_keyring(profile: KeysProfile) -> Keyring | None:
    """The master keys; None if none is configured. ``OperatorFault`` (``keys.master``) that
    never says what is in a file."""
    if not profile.master_key:
        return None
    return Keyring(
        read_master(profile.master_key), [read_master(path) for path in profile.old_master_keys]
    )


def read_master(path: str) -> MasterKey:
    """One master key; raises as ``read_keyring`` does."""
    data = read_key_file(path, _LONGEST, "reading a master key", _unusable)
    if len(data) == KEY:
        return MasterKey(data)
    try:
        return MasterKey(bytes.fromhex(data.decode("ascii").strip()))
    except ValueError:
        raise _unusable(path, "it is not 64 hexadecimal digits") from None


def make_master(path: str) -> MasterKey:
    """Make a key and write it, mode 0600, synced. ``OperatorFault`` if there is a file
    already or none can be made."""
    secret = secrets.token_bytes(KEY)
    place = os.path.abspath(os.fsencode(path))
    try:
        with os_errors("writing a master key"):
            write_new(place, secret.hex().encode() + b"\n", _PRIVATE)
    except HotfolderError as error:
        raise OperatorFault(
            f"no key can be made at {path}: {error.message}",
            hint="name a file that is not there yet, in a folder that may be written",
            code="keys.master_exists" if os.path.lexists(path) else "keys.master",
        ) from error
    sync_files([place])
    sync_directories([os.path.dirname(place)])
    return MasterKey(secret)


def _unusable(path: str, why: str) -> OperatorFault:
    return OperatorFault(
        f"the master key {path} cannot be used: {why}",
        hint="`hotfolder keys make` makes one; let the service's user read it",
        code="keys.master",
    )
