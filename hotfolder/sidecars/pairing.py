"""Which names belong together. Pure functions over names, which are bytes.

For a spool ``x.pdf``, in order of precedence: ``x.pdf.json``, ``x.json``,
``x.pdf.xml``, ``x.xml``; then the folder's ``metadata.csv``, which is shared by all
spools beside it; then the folder's defaults.
"""

from __future__ import annotations

import os

from hotfolder.core.profiles import SidecarFormat

SHARED_NAME = b"metadata.csv"
_SUFFIXES: dict[SidecarFormat, tuple[bytes, ...]] = {
    SidecarFormat.JSON: (b".json",),
    SidecarFormat.XML: (b".xml",),
    SidecarFormat.AUTO: (b".json", b".xml"),
}


def sidecar_names(
    spool_name: bytes, sidecar_format: SidecarFormat = SidecarFormat.AUTO
) -> tuple[bytes, ...]:
    """The names a sidecar of ``spool_name`` may have, best first. Relative names keep
    their folder."""
    stem = os.path.splitext(spool_name)[0]
    found: list[bytes] = []
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


def may_be_sidecar(name: bytes, sidecar_format: SidecarFormat = SidecarFormat.AUTO) -> bool:
    """Whether a file with this name could be somebody's sidecar."""
    # Asked of every file in a folder: no splitext, which costs more than all the rest.
    base = name[name.rfind(b"/") + 1 :].lower()
    if base == SHARED_NAME:
        return shared_sidecar_name(name, sidecar_format) is not None
    suffixes = _SUFFIXES.get(sidecar_format, ())
    return base.endswith(suffixes) and base not in suffixes
