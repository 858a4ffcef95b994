"""A manifest: the files of a batch with their sizes, written last.

A line is ``sha256-or-minus SP size SP name`` or ``name,size``; blank lines and lines
that begin with ``#`` say nothing. Names lie beside the manifest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hotfolder.core.errors import Fault, InputFault

LIMIT = 16 * 1024 * 1024  # bytes; a manifest of 100,000 files has about 10 MiB
_DIGEST = re.compile(rb"([0-9A-Fa-f]{64}|-) ([0-9]{1,15}) (.+)\Z")
_COMMA = re.compile(rb"(.+),\s*([0-9]{1,15})\Z")


def read_manifest(data: bytes, name: bytes) -> Mapping[bytes, int]:
    """The listed names, relative to the hot folder, with their sizes in bytes.

    ``name`` is the manifest's own. The digests are checked nowhere yet: size and
    trailer settle a file, the sidecar's digest proves it. Raises ``InputFault`` with
    every line that cannot be read.
    """
    folder = name[: name.rfind(b"/") + 1]
    found: dict[bytes, int] = {}
    faults: list[Fault] = []
    if len(data) > LIMIT:
        faults.append(_fault("the manifest is larger than 16 MiB", ""))
        raise InputFault(faults)
    for number, raw in enumerate(data.split(b"\n"), start=1):
        line = raw.strip(b" \t\r")
        if not line or line.startswith(b"#"):
            continue
        if match := _DIGEST.match(line):
            listed, size = match[3], int(match[2])
        elif match := _COMMA.match(line):
            listed, size = match[1], int(match[2])
        else:
            faults.append(_fault("the line is neither 'digest size name' nor 'name,size'", number))
            continue
        if b"/" in listed or b"\0" in listed or listed in (b".", b".."):
            faults.append(_fault("a manifest lists the files beside it, without folders", number))
        elif found.setdefault(folder + listed, size) != size:
            faults.append(_fault("the name is listed twice, with two sizes", number))
    if not found and not faults:
        faults.append(_fault("the manifest lists nothing", ""))
    if faults:
        raise InputFault(faults)
    return found


def _fault(message: str, line: int | str) -> Fault:
    return Fault(
        code="manifest.line",
        message=message,
        remedy="write the manifest again, one 'digest size name' a line",
        place=f"line {line}" if line else "",
    )
