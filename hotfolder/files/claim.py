"""Claiming: a finished drop leaves the producer's reach (DESIGN section 4, step 3).

The spool is moved last, after its trigger and sidecars. So a spool in ``_working``
has its sidecars with it, whatever killed the claim, and a sidecar of the producer's
next spool of the same name is never taken for an old one.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import HotfolderError, InputFault, OperatorFault
from hotfolder.core.records import Drop, Sighting, SpoolRow
from hotfolder.core.roles import stem
from hotfolder.files.content import hash_descriptor, open_descriptor
from hotfolder.files.copying import copy_between
from hotfolder.files.durability import SyncScope
from hotfolder.files.faults import os_errors
from hotfolder.files.layout import working_folder
from hotfolder.files.places import Places, is_file, look, put_back
from hotfolder.files.syscalls import rename_new
from hotfolder.files.working import PLAN

_PART = b".part"  # a shared sidecar while it is being copied


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRequest:
    """A drop and the id that its spool is journalled under."""

    spool_id: str
    drop: Drop


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimOutcome:
    """What became of a claim.

    ``reason`` of one that was not made: ``gone``, ``changed`` (another size, time or
    inode than when it settled), ``not_regular``, ``collision`` (two files of one drop
    have the same last part of the name), ``name`` (it leads out of the hot folder), or
    ``restart`` (undone by a recovery).
    """

    spool_id: str
    claimed: bool
    reason: str = ""


class _NotClaimedError(Exception):
    """Ends the claim of one drop; carries the reason."""


def claim_drops(root: bytes, requests: Sequence[ClaimRequest]) -> list[ClaimOutcome]:
    """Move drops to ``_working/<id>/``; one outcome for each request, in order.

    On return the claimed drops, and everything put back, are on disk. Whatever of a
    drop had moved when its claim failed has been put back, under another name if a
    newer file has taken the old one. Shared sidecars are copied. If an error is raised
    (``Transient``, ``OperatorFault``) all drops of the call have been put back as well
    as that was possible; ``recover_claims`` or ``return_claim`` finds the rest.
    """
    outcomes: list[ClaimOutcome] = []
    moved: list[list[Sighting]] = []  # of each request so far, in order of moving
    with SyncScope(root) as scope, Places(root) as places:
        try:
            with os_errors("claiming"):
                for request in requests:
                    places.trim()
                    moved.append([])
                    outcomes.append(_take(places, request, moved[-1]))
            claimed = [outcome.spool_id for outcome in outcomes if outcome.claimed]
            folders = [working_folder(root, spool_id) for spool_id in claimed]
            scope.sync((), [*folders, *places.folders()])
        except HotfolderError:
            with os_errors("putting claimed files back"):
                for request, files in zip(requests, moved, strict=False):
                    _undo(places, request, files)
            raise
    # survives: killed here, recovery finds the drops in _working
    crashpoint("claim.renamed")
    return outcomes


def _files(drop: Drop) -> list[Sighting]:
    """The files to move, the spool last."""
    first = [drop.trigger] if drop.trigger is not None else []
    return [*first, *drop.sidecars, drop.spool]


def _take(places: Places, request: ClaimRequest, moved: list[Sighting]) -> ClaimOutcome:
    fd = places.make_working(request.spool_id)
    try:
        try:
            for name in request.drop.shared:
                _copy_shared(places, name, fd)
            for sighting in _files(request.drop):
                _move(places, sighting, fd, moved)
        except _NotClaimedError as error:
            _undo(places, request, moved)
            return ClaimOutcome(spool_id=request.spool_id, claimed=False, reason=str(error))
    finally:
        os.close(fd)
    return ClaimOutcome(spool_id=request.spool_id, claimed=True)


def _move(places: Places, sighting: Sighting, fd: int, moved: list[Sighting]) -> None:
    parent, base = _parent(places, sighting.name)
    _check(look(parent, base), sighting)
    try:
        rename_new(parent, base, fd, base)
    except FileNotFoundError as error:
        raise _NotClaimedError("gone") from error
    except FileExistsError as error:
        raise _NotClaimedError("collision") from error
    moved.append(sighting)
    # Looked at again, because it may have been replaced between look and rename.
    _check(look(fd, base), sighting)


def _parent(places: Places, name: bytes) -> tuple[int, bytes]:
    try:
        return places.parent(name)
    except ValueError as error:
        raise _NotClaimedError("name") from error
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise _NotClaimedError("gone") from error
        raise


def _check(found: os.stat_result | None, sighting: Sighting) -> None:
    if found is None:
        raise _NotClaimedError("gone")
    if not stat.S_ISREG(found.st_mode):
        raise _NotClaimedError("not_regular")
    if not _same(found, sighting.inode, sighting.size, sighting.mtime_ns):
        raise _NotClaimedError("changed")


def _same(found: os.stat_result, inode: int, size: int, mtime_ns: int) -> bool:
    return (found.st_ino, found.st_size, found.st_mtime_ns) == (inode, size, mtime_ns)


def _copy_shared(places: Places, name: bytes, fd: int) -> None:
    """Copy a sidecar that other drops need too; whole or not at all if killed.

    One that is not there, or is no file, is left out: the reading says so.
    """
    try:
        parent, base = _parent(places, name)
        copy_between(parent, base, fd, _PART)
    except (_NotClaimedError, InputFault):
        return
    except OperatorFault as error:
        if error.code == "file.missing":
            return
        raise
    os.rename(_PART, base, src_dir_fd=fd, dst_dir_fd=fd)


def _undo(places: Places, request: ClaimRequest, moved: Sequence[Sighting]) -> None:
    _give_back(
        places,
        request.spool_id,
        request.drop.spool.name,
        [sighting.name for sighting in reversed(moved)],
        request.drop.shared,
    )


def _give_back(
    places: Places,
    spool_id: str,
    spool: bytes,
    names: Sequence[bytes],
    shared: Sequence[bytes],
) -> int:
    """Put back what of a drop is in its working folder, the spool first; remove the
    copies of shared sidecars and the folder. Returns how many files went back."""
    fd = places.open_working(spool_id)
    if fd is None:
        return 0
    try:
        homes = {base: home for home, base in map(places.home, reversed(names))}
        for copy in {_PART, *(os.path.basename(name) for name in shared)} - homes.keys():
            if look(fd, copy) is not None:
                os.unlink(copy, dir_fd=fd)
        moves = [(base, homes[base]) for base in dict.fromkeys(map(os.path.basename, names))]
        count = put_back(fd, os.path.basename(spool), moves)
    finally:
        os.close(fd)
    places.remove_working(spool_id)
    return count


# -- after a crash ----------------------------------------------------------------
def recover_claims(root: bytes, rows: Sequence[SpoolRow]) -> list[ClaimOutcome]:
    """Settle claims that were journalled and perhaps made; one outcome for each row.

    A spool that is in ``_working``, as it was seen, is claimed: what a power cut has
    left of its sidecars in the hot folder follows it. Any other claim is undone: its
    sidecars go back, and the watcher settles the drop anew, because they may have
    been replaced meanwhile. All of it is on disk on return.
    """
    with SyncScope(root) as scope, Places(root) as places:
        with os_errors("recovering claims"):
            outcomes = [_recover(places, row) for row in rows]
        claimed = [outcome.spool_id for outcome in outcomes if outcome.claimed]
        folders = [working_folder(root, spool_id) for spool_id in claimed]
        scope.sync((), [*folders, *places.folders()])
    return outcomes


def _recover(places: Places, row: SpoolRow) -> ClaimOutcome:
    others = [*([row.trigger] if row.trigger is not None else []), *row.sidecars]
    reason = "gone"
    fd = places.open_working(row.id)
    if fd is not None:
        try:
            found = look(fd, os.path.basename(row.name))
            if found is not None and _same(found, row.inode, row.size, row.mtime_ns):
                for name in others:
                    _follow(places, name, fd)
                for name in row.shared:
                    _copy_shared(places, name, fd)
                return ClaimOutcome(spool_id=row.id, claimed=True)
            reason = "gone" if found is None else "changed"
        finally:
            os.close(fd)
    parent, base = places.home(row.name)
    if is_file(parent, base):
        reason = "restart"
    _give_back(places, row.id, row.name, [row.name, *others], row.shared)
    return ClaimOutcome(spool_id=row.id, claimed=False, reason=reason)


def _follow(places: Places, name: bytes, fd: int) -> None:
    parent, base = places.home(name)
    if look(fd, base) is None and is_file(parent, base):
        rename_new(parent, base, fd, base)


def return_claim(root: bytes, spool_id: str) -> int:
    """Put a claimed drop back into the hot folder, durably; returns how many files.

    For a working folder whose row is lost, or whose claim was given up: the files go
    to the root of the hot folder under their own names, or numbered ones where those
    are taken. A file that stands alone in its name, and lies there with the same bytes,
    is a copy and is removed instead; a spool and what is named after it stay together.
    """
    with SyncScope(root) as scope, Places(root) as places:
        with os_errors("returning a claimed drop"):
            fd = places.open_working(spool_id)
            if fd is None:
                return 0
            with suppress(FileNotFoundError):  # of a rejection that the journal lost too
                os.unlink(working_folder(root, spool_id) + PLAN)
            try:
                names = [os.fsencode(name) for name in os.listdir(fd)]
                names = [
                    name
                    for name in names
                    if _has_company(name, names) or not _drop_copy(places, name, fd)
                ]
            finally:
                os.close(fd)
            spool = min(names, key=len, default=b"")
            count = _give_back(places, spool_id, spool, names, ())
        scope.sync((), places.folders())
    return count


def _has_company(name: bytes, names: Sequence[bytes]) -> bool:
    """Whether another of ``names`` is named after it, or it after another: a producer may
    describe two spools of one name in the same words."""
    return name != _PART and any(
        other.startswith(stem(name) + b".") or name.startswith(stem(other) + b".")
        for other in names
        if other not in (name, _PART)
    )


def _drop_copy(places: Places, name: bytes, fd: int) -> bool:
    """Remove a working file whose twin lies in the hot folder (a shared sidecar)."""
    if name != _PART:
        if not (is_file(fd, name) and is_file(places.root_fd, name)):
            return False
        if _hash_in(fd, name) != _hash_in(places.root_fd, name):
            return False
    os.unlink(name, dir_fd=fd)
    return True


def _hash_in(fd: int, name: bytes) -> tuple[str, int]:
    file, found = open_descriptor(name, dir_fd=fd)
    try:
        return hash_descriptor(file, found.st_size)
    finally:
        os.close(file)
