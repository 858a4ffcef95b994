"""[store] master_key: what opens encrypted spools, and which folders need it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from hotfolder.core.errors import OperatorFault
from hotfolder.core.profiles import KeysProfile
from hotfolder.service.masterkey import read_master
from hotfolder.service.settings_account import is_open_to_all
from hotfolder.service.settings_model import SettingsFile, StoreSection
from hotfolder.service.settings_sources import Finding

CREDENTIAL = "store-master-key"
OLD_CREDENTIAL = "store-master-key-old"
_PLACE = ("store", "master_key")
_OLD = ("store", "old_master_keys")


def keys_profile(store: StoreSection, environ: Mapping[str, str]) -> KeysProfile:
    """Where the master keys are: systemd's credentials, if there are such."""
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    current, old = (os.path.join(directory, name) for name in (CREDENTIAL, OLD_CREDENTIAL))
    given = directory and os.path.exists(current)
    more = [old] if directory and os.path.exists(old) else []
    return KeysProfile(
        master_key=current if given else store.master_key,
        old_master_keys=(*more, *store.old_master_keys),
    )


def check_keys(
    settings: SettingsFile, profile: KeysProfile, *, try_keys: bool
) -> Iterator[Finding]:
    """What is wrong with them; with ``try_keys`` they are read, too."""
    store = settings.store
    for place, path in (
        (_PLACE, store.master_key),
        *((_OLD, item) for item in store.old_master_keys),
    ):
        if path and not os.path.isabs(path):
            yield Finding(
                place, "keys.master", "the key is not named from the root", "begin it with /"
            )
        elif path and any(
            os.path.realpath(path).startswith(os.path.realpath(root) + "/")
            for root in (store.path, *store.copies)
        ):
            yield Finding(
                place,
                "keys.master",
                "the key lies in the store that it protects",
                "keep it elsewhere: whoever copies the store must not have it",
            )
    if not try_keys:
        return
    if not profile.master_key:
        for name, item in settings.folders.items():
            if item.encrypt_documents:
                yield Finding(
                    ("folders", name, "encrypt_documents"),
                    "keys.none",
                    "there is no master key",
                    f"`hotfolder keys make PATH`, then the credential {CREDENTIAL} or"
                    " store.master_key",
                )
        return
    for place, path in (
        (_PLACE, profile.master_key),
        *((_OLD, item) for item in profile.old_master_keys),
    ):
        try:
            read_master(path)
        except OperatorFault as error:
            yield Finding(place, error.code, error.message, error.hint)


def advise_keys(settings: SettingsFile) -> Iterator[Finding]:
    """What can be lived with, but should be known."""
    for path in (settings.store.master_key, *settings.store.old_master_keys):
        if path and is_open_to_all(path):
            yield Finding(
                _PLACE,
                "configuration.open",
                f"everybody on this machine may read the master key {path}",
                f"chmod o= {path}",
            )
    for name, item in settings.folders.items():
        if item.encrypt_documents and (
            item.documents.allow_overlap or str(item.documents.index) in ("bookmarks", "marker")
        ):
            yield Finding(
                ("folders", name, "encrypt_documents"),
                "keys.whole",
                "its documents are pages, or may share bytes: their spools are encrypted under"
                " one key, and are destroyed as a whole",
                "send documents as ranges of bytes where they must go one by one",
            )
