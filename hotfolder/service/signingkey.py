"""The key that signs tree heads and certificates: Ed25519 (RFC 8032), in a file of its own.

The file is PEM (PKCS #8, unencrypted) or the 32 bytes of the seed. Under systemd it is
the credential ``audit-signing-key``. It is read anew at every signing and not kept.
"""

from __future__ import annotations

import base64
import os

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from hotfolder.core.errors import HotfolderError, OperatorFault
from hotfolder.core.records import SignedHead, TreeHead
from hotfolder.core.treeheads import key_id, signed_bytes
from hotfolder.files.content import write_new
from hotfolder.files.durability import sync_directories, sync_files
from hotfolder.files.faults import os_errors
from hotfolder.service.keyfile import read_key_file

_SEED = 32
_LONGEST = 65_536
_PRIVATE = 0o600


class SigningKey:
    """A private key, for as long as something is being signed."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = key.public_key().public_bytes_raw()

    def sign(self, head: TreeHead) -> SignedHead:
        """The head with its signature."""
        return SignedHead(
            head=head,
            key=key_id(self.public_key),
            public_key=self.public_key,
            signature=self._key.sign(signed_bytes(head)),
        )

    def sign_bytes(self, data: bytes) -> dict[str, str]:
        """The signature of a certificate: the key's id, the public key and the signature,
        the last two in base64."""
        return {
            "key": key_id(self.public_key),
            "public_key": base64.b64encode(self.public_key).decode(),
            "signature": base64.b64encode(self._key.sign(data)).decode(),
        }

    def sign_statement(self, purpose: bytes, data: bytes) -> bytes:
        """The signature (64 bytes) of something that is no tree head: ``purpose`` and a NUL
        stand before it, so that one can never be taken for the other."""
        return self._key.sign(purpose + b"\0" + data)


def verify_statement(public_key: bytes, signature: bytes, purpose: bytes, data: bytes) -> bool:
    """Whether ``sign_statement`` with this key made the signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, purpose + b"\0" + data)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_key(path: str) -> SigningKey:
    """Read the key. ``OperatorFault`` (``audit.key``) that never says what is in the file."""
    data = read_key_file(path, _LONGEST, "reading the signing key", _unusable)
    if len(data) == _SEED:
        return SigningKey(Ed25519PrivateKey.from_private_bytes(data))
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _unusable(path, "it is neither PEM without a passphrase nor a seed") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _unusable(path, "it is no Ed25519 key")
    return SigningKey(key)


def make_key(path: str) -> SigningKey:
    """Make a key and write it as PEM, mode 0600, synced. ``OperatorFault`` if there is a
    file already or none can be made."""
    key = Ed25519PrivateKey.generate()
    data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    place = os.path.abspath(os.fsencode(path))
    try:
        with os_errors("writing the signing key"):
            write_new(place, data, _PRIVATE)
    except HotfolderError as error:
        raise OperatorFault(
            f"no key can be made at {path}: {error.message}",
            hint="name a file that is not there yet, in a folder that may be written",
            code="audit.key_exists" if os.path.lexists(path) else "audit.key",
        ) from error
    sync_files([place])
    sync_directories([os.path.dirname(place)])
    return SigningKey(key)


def verify_signature(signed: SignedHead) -> bool:
    """Whether the head was signed by the key that it names."""
    if signed.key != key_id(signed.public_key):
        return False
    try:
        public_key = Ed25519PublicKey.from_public_bytes(signed.public_key)
        public_key.verify(signed.signature, signed_bytes(signed.head))
    except (InvalidSignature, ValueError):
        return False
    return True


def _unusable(path: str, why: str) -> OperatorFault:
    return OperatorFault(
        f"the signing key {path} cannot be used: {why}",
        hint="`hotfolder audit make-key` makes one; let the service's user read it",
        code="audit.key",
    )
