"""What is said of drops that came incompletely, in words for whoever made them."""

from __future__ import annotations

from collections.abc import Sequence

from hotfolder.core.errors import Fault

_LISTED = 100  # missing files named one by one; the note is for a person

EMPTY = Fault(
    code="spool.empty",
    message="the file is empty",
    remedy="write it again, with its content",
)
STILL_OPEN = Fault(
    code="spool.still_open",
    message="a program still holds this file open for writing, and has not written for a long time",
    remedy="end the program that holds it, then put the file back",
)
LATE = Fault(
    code="spool.changed_after_trigger",
    message="the file went on changing after its trigger had been written",
    remedy="have the trigger written last, after the file has been closed; then send both again",
)
SIDECAR_MISSING = Fault(
    code="sidecar.missing",
    message="no metadata file came for this file",
    remedy="write one beside it, called like the file with .json or .xml after it",
)
INDEX_MISSING = Fault(
    code="index.missing",
    message="no index came for this file, and nothing else tells its documents apart",
    remedy="write the index beside it, or send the file to a hot folder for single documents",
)
SIDECAR_ALONE = Fault(
    code="sidecar.alone",
    message="this metadata file came without the file that it describes",
    remedy="put both into the folder, named alike: letter.pdf and letter.pdf.json",
)
TRIGGER_ALONE = Fault(
    code="trigger.alone",
    message="this trigger came without the file that it announces",
    remedy="put the file and its trigger into the folder together",
)
NO_SPOOL = Fault(
    code="manifest.no_spool",
    message="the manifest lists metadata files only",
    remedy="list the documents too, and send the batch again",
)


def wrong_size(name: bytes) -> Fault:
    """A listed file has another size than its manifest says."""
    return Fault(
        code="manifest.size",
        message="the file has another size than its manifest says",
        remedy="send the batch again, the manifest last",
        file=_display(name),
    )


def absent(names: Sequence[bytes]) -> tuple[Fault, ...]:
    """Listed files never came; the first hundred by name, the others as a number."""
    remedy = "send the missing files with a manifest that lists them"
    faults = [
        Fault(
            code="manifest.absent",
            message="the manifest lists this file, and it never came",
            remedy=remedy,
            file=_display(name),
        )
        for name in names[:_LISTED]
    ]
    if len(names) > _LISTED:
        rest = f"{len(names) - _LISTED} more files of the manifest never came"
        faults.append(Fault(code="manifest.absent", message=rest, remedy=remedy))
    return tuple(faults)


def _display(name: bytes) -> str:
    return name.rsplit(b"/", 1)[-1].decode("utf-8", "backslashreplace")
