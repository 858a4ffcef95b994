"""The master keys: the one that wraps what is written now, and older ones that still open.

Without them nothing that was encrypted can be read again, by nobody.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from hotfolder.core.errors import OperatorFault
from hotfolder.store.ciphers import KEY, derive

MASTER_ID = 16  # bytes


class MasterKey:
    """A master key. Its id tells which it is, and nothing of it."""

    __slots__ = ("_secret", "id")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY:
            raise ValueError("a master key has 32 bytes")
        self._secret = secret
        self.id = hmac.digest(secret, b"hotfolder/1 id", "sha256")[:MASTER_ID]

    def wrapping_key(self, key_set: bytes) -> bytes:
        """What wraps the keys of one spool."""
        return derive(self._secret, b"wrap " + key_set)


class Keyring:
    """The master keys of this installation, the current one first."""

    def __init__(self, current: MasterKey, older: Sequence[MasterKey] = ()) -> None:
        self.current = current
        self._all = {key.id: key for key in (*older, current)}

    def __contains__(self, master_id: bytes) -> bool:
        return master_id in self._all

    def find(self, master_id: bytes) -> MasterKey:
        """The key of this id; ``OperatorFault`` if it is not here."""
        if (key := self._all.get(master_id)) is None:
            raise OperatorFault(
                f"the keys of a spool are wrapped by master key {master_id.hex()}, which is not"
                " here",
                hint="give that key in [store] old_master_keys; see docs/encryption.md",
                code="keys.master_unknown",
            )
        return key


def no_keyring() -> OperatorFault:
    """The error for what is encrypted and cannot be opened here."""
    return OperatorFault(
        "this spool is encrypted, and there is no master key to open it with",
        hint="run the command with the credential store-master-key, or set store.master_key",
        code="keys.none",
    )
