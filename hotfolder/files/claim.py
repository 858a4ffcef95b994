"""Claim: move finished drops into ``_working``, out of the producer's reach.

A drop is renamed on one mount, file by file, spool last: as long as the spool is
in the hot folder the claim can be undone, once it is in ``_working`` the claim
stands. Nothing is followed, opened or copied but shared sidecars.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.records import Drop, Sighting, SpoolRow
from hotfolder.files.content import copy_file
from hotfolder.files.durability import sync_all
from hotfolder.files.faults import classified
from hotfolder.files.layout import folder_paths, working_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRequest:
    """A drop and the id it gets."""

    spool_id: str
    drop: Drop


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimOutcome:
    """What became of a claim; ``reason`` is ``gone`` or ``changed`` if it did not stand."""

    spool_id: str
    claimed: bool
    reason: str = ""


def claim_drops(root: bytes, requests: Sequence[ClaimRequest]) -> list[ClaimOutcome]:
    """Move these drops of the hot folder ``root`` into ``_working/<id>/``.

    When it returns, what was moved is synced: the working folders, ``_working`` and
    every folder that lost a name. Raises ``OperatorFault`` (permission, two mounts)
    or ``Transient``; what was moved until then is settled by ``recover_claims``.
    """
    working = folder_paths(root).working
    outcomes: list[ClaimOutcome] = []
    touched: list[bytes] = [working]
    with classified("claiming a drop"):
        for request in requests:
            place = working_folder(root, request.spool_id)
            os.mkdir(place, 0o750)
            reason = _move(root, place, request.drop)
            outcomes.append(
                ClaimOutcome(spool_id=request.spool_id, claimed=not reason, reason=reason)
            )
            if not reason:
                touched.append(place)
            touched += [
                os.path.dirname(os.path.join(root, item.name)) for item in _members(request.drop)
            ]
        # survives: killed here, the spools are in _working and the rows say CLAIMING
        crashpoint("claim.renamed")
        shared = [
            os.path.join(working_folder(root, request.spool_id), os.path.basename(name))
            for request, outcome in zip(requests, outcomes, strict=True)
            if outcome.claimed
            for name in request.drop.shared
        ]
        sync_all([path for path in shared if os.path.lexists(path)], touched)
    return outcomes


def _members(drop: Drop) -> list[Sighting]:
    """Every file of the drop, the spool last: its rename is what makes the claim stand."""
    others = [*drop.sidecars, *([drop.trigger] if drop.trigger else [])]
    return [*others, drop.spool]


def _move(root: bytes, place: bytes, drop: Drop) -> str:
    """Move one drop; the empty string if it stands, else why it was undone."""
    for name in drop.shared:
        try:
            copy_file(os.path.join(root, name), os.path.join(place, os.path.basename(name)))
        except FileExistsError:
            continue
    for item in _members(drop):
        reason = _check(os.path.join(root, item.name), item)
        if not reason:
            try:
                os.rename(
                    os.path.join(root, item.name), os.path.join(place, os.path.basename(item.name))
                )
            except FileNotFoundError:
                reason = "gone"
            else:
                # Between the look and the rename another file may have taken the name.
                reason = _check(os.path.join(place, os.path.basename(item.name)), item)
        if reason:
            _put_back(root, place, [member.name for member in _members(drop)])
            _clear(place)
            return reason
    return ""


def _check(path: bytes, seen: Sighting) -> str:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return "gone"
    same = (
        stat.S_ISREG(found.st_mode)
        and found.st_ino == seen.inode
        and found.st_size == seen.size
        and found.st_mtime_ns == seen.mtime_ns
    )
    return "" if same else "changed"


def _put_back(root: bytes, place: bytes, names: Sequence[bytes]) -> int:
    """Move what lies in ``place`` back under its old name, never over another file."""
    returned = 0
    for name in names:
        source = os.path.join(place, os.path.basename(name))
        target = os.path.join(root, name)
        try:
            os.link(source, target, follow_symlinks=False)
        except FileNotFoundError:
            continue
        except FileExistsError:
            # The producer has written the next one meanwhile: ours comes back beside it.
            free = _free_name(os.path.dirname(target), os.path.basename(target))
            os.rename(source, free)
            returned += 1
            continue
        except OSError as error:
            # No hard links here (some shares), or none for a link: a plain rename then.
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS):
                raise
            os.rename(source, target)
            returned += 1
            continue
        os.unlink(source)
        returned += 1
    return returned


def _free_name(folder: bytes, name: bytes) -> bytes:
    stem, dot, suffix = name.partition(b".")
    number = 1
    while True:
        tail = b"~%d" % number + dot + suffix
        candidate = os.path.join(folder, stem[: max(1, 255 - len(tail))] + tail)
        if not os.path.lexists(candidate):
            return candidate
        number += 1


def _clear(place: bytes) -> None:
    """Remove a working folder with the copies of shared sidecars in it."""
    for name in os.listdir(place):
        os.unlink(os.path.join(place, name))
    os.rmdir(place)


def recover_claims(root: bytes, rows: Sequence[SpoolRow]) -> list[ClaimOutcome]:
    """After a crash: for each CLAIMING spool, finish or undo the claim.

    The spool in ``_working`` means that the claim stands (it is moved last, so
    everything else is there). Otherwise what was moved is put back and the drop
    will be seen again. Synced when it returns; harmless to repeat.
    """
    outcomes: list[ClaimOutcome] = []
    with classified("recovering a claim"):
        for row in rows:
            place = working_folder(root, row.id)
            stands = os.path.lexists(os.path.join(place, os.path.basename(row.name)))
            if not stands and os.path.isdir(place):
                names = [*row.sidecars, *([row.trigger] if row.trigger else [])]
                _put_back(root, place, names)
                _clear(place)
            outcomes.append(
                ClaimOutcome(
                    spool_id=row.id, claimed=stands, reason="" if stands else "interrupted"
                )
            )
        places = [working_folder(root, item.spool_id) for item in outcomes if item.claimed]
        sync_all([], [*places, root, folder_paths(root).working])
    return outcomes


def return_claim(root: bytes, spool_id: str) -> int:
    """Put a working copy that no journal knows back into the hot folder; returns how
    many files. Never over another file. Synced when it returns."""
    place = working_folder(root, spool_id)
    with classified("returning a working copy"):
        if not os.path.isdir(place):
            return 0
        names = sorted(os.listdir(place))
        # metadata.csv in a working folder is a copy of one that is still outside.
        copies = [
            name
            for name in names
            if name.lower() == b"metadata.csv" and os.path.lexists(os.path.join(root, name))
        ]
        returned = _put_back(root, place, [name for name in names if name not in copies])
        _clear(place)
        sync_all([], [root, folder_paths(root).working])
    return returned
