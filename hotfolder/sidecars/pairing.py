"""Which names belong together. Pure functions over names, which are bytes.

For a spool ``x.pdf``, in order of precedence: ``x.pdf.json``, ``x.json``,
``x.pdf.xml``, ``x.xml``; then the folder's ``metadata.csv``, which is shared by all
spools beside it; then the folder's defaults.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from hotfolder.core.profiles import FolderProfile, SidecarFormat
from hotfolder.core.roles import Pairing

SHARED_NAME = b"metadata.csv"
_SUFFIXES: dict[SidecarFormat, tuple[bytes, ...]] = {
    SidecarFormat.JSON: (b".json",),
    SidecarFormat.XML: (b".xml",),
    SidecarFormat.AUTO: (b".json", b".xml"),
}


def sidecar_names(
    spool_name: bytes,
    sidecar_format: SidecarFormat = SidecarFormat.AUTO,
    index_suffix: bytes = b"",
) -> tuple[bytes, ...]:
    """The names a sidecar of ``spool_name`` may have, best first; the index of a folder
    whose spools have one (``index_suffix``) before all others. Relative names keep their
    folder."""
    stem = os.path.splitext(spool_name)[0]
    found: list[bytes] = list(index_names(spool_name, index_suffix))
    for suffix in _SUFFIXES.get(sidecar_format, ()):
        found += [spool_name + suffix, stem + suffix]
    return tuple(name for name in dict.fromkeys(found) if name != spool_name)


def shared_sidecar_name(
    spool_name: bytes, sidecar_format: SidecarFormat = SidecarFormat.AUTO
) -> bytes | None:
    """The name of the shared sidecar beside ``spool_name``, or None if the folder's
    format has none."""
    if sidecar_format not in (SidecarFormat.AUTO, SidecarFormat.CSV):
        return None
    return os.path.join(os.path.dirname(spool_name), SHARED_NAME)


def index_names(spool_name: bytes, index_suffix: bytes) -> tuple[bytes, ...]:
    """The names that the index of ``spool_name`` may have, best first. ``x.ARD.OUT`` has
    ``x.ARD.IND`` (IBM Content Manager OnDemand, arsload: reference section 2)."""
    if not index_suffix:
        return ()
    stem = os.path.splitext(spool_name)[0]
    found = dict.fromkeys((spool_name + index_suffix, stem + index_suffix))
    return tuple(name for name in found if name != spool_name)


def index_of(spool_name: bytes, sidecars: Sequence[bytes], index_suffix: bytes) -> bytes | None:
    """Which of the sidecars that came with a spool is its index, or None."""
    return next((name for name in index_names(spool_name, index_suffix) if name in sidecars), None)


def may_be_sidecar(
    name: bytes,
    sidecar_format: SidecarFormat = SidecarFormat.AUTO,
    index_suffix: bytes = b"",
) -> bool:
    """Whether a file with this name could be somebody's sidecar."""
    if index_suffix and name.endswith(index_suffix):
        return True
    # Asked of every file in a folder: no splitext, which costs more than all the rest.
    base = name[name.rfind(b"/") + 1 :].lower()
    if base == SHARED_NAME:
        return shared_sidecar_name(name, sidecar_format) is not None
    suffixes = _SUFFIXES.get(sidecar_format, ())
    return base.endswith(suffixes) and base not in suffixes


def pairing_of(profile: FolderProfile) -> Pairing:
    """How sidecars are named in one folder."""
    index_suffix = profile.documents.index_suffix
    return Pairing(
        sidecars_of=partial(
            sidecar_names, sidecar_format=profile.sidecar, index_suffix=index_suffix
        ),
        shared_of=partial(shared_sidecar_name, sidecar_format=profile.sidecar),
        may_be_sidecar=partial(
            may_be_sidecar, sidecar_format=profile.sidecar, index_suffix=index_suffix
        ),
        indexes_of=partial(index_names, index_suffix=index_suffix),
    )
