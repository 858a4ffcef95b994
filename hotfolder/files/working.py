"""Claimed drops in ``_working``: what is there, and their end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

from hotfolder.files.durability import sync_directories
from hotfolder.files.faults import os_errors
from hotfolder.files.layout import folder_paths, working_folder
from hotfolder.files.names import is_spool_id

PLAN = b".aside"  # beside a working folder while its drop moves to _failed (aside.py)


def list_working(root: bytes) -> list[str]:
    """Ids of the spools that have a working folder, sorted; empty if there is none.

    Entries that are no folder or cannot be a spool's are left out.
    """
    with os_errors("reading the working folder"):
        try:
            with os.scandir(folder_paths(root).working) as entries:
                return sorted(
                    entry.name.decode()
                    for entry in entries
                    if is_spool_id(entry.name) and entry.is_dir(follow_symlinks=False)
                )
        except FileNotFoundError:
            return []


def list_files(root: bytes, spool_id: str) -> list[bytes]:
    """Names in the working folder of ``spool_id``, sorted; empty if it is gone."""
    with os_errors("reading a working folder"):
        try:
            return sorted(os.listdir(working_folder(root, spool_id)))
        except FileNotFoundError:
            return []


def remove_working(root: bytes, spool_ids: Sequence[str]) -> int:
    """Remove the working folders of these spools; returns how many were there.

    The removal is on disk when this returns; repeating it is harmless. A folder that
    holds a folder (nothing here makes one) keeps that and stays.
    """
    working = folder_paths(root).working
    removed = 0
    with os_errors("removing a working copy"):
        for spool_id in spool_ids:
            removed += _remove(working_folder(root, spool_id))
        if removed:
            sync_directories([working])
    return removed


def _remove(folder: bytes) -> int:
    with suppress(FileNotFoundError):  # only a rejected drop has one
        os.unlink(folder + PLAN)
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    whole = True
    try:
        with os.scandir(fd) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    whole = False
                else:
                    os.unlink(entry.name, dir_fd=fd)
    finally:
        os.close(fd)
    if whole:
        os.rmdir(folder)
    return int(whole)
