"""What can go wrong, classified once, where it is raised.

Four kinds, because four different people or programs must act:

* ``Transient``: nobody; it is tried again later.
* ``InputFault``: whoever made the drop; the drop goes to ``_failed`` with a note.
* ``OperatorFault``: the operator of this installation (configuration, login, disk).
* ``Corrupt``: bytes are not what they were; nothing is deleted, an alarm is raised.

Exit codes follow ``sysexits.h``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

EX_OK = 0
EX_USAGE = 64
EX_DATAERR = 65
EX_NOINPUT = 66
EX_UNAVAILABLE = 69
EX_SOFTWARE = 70
EX_IOERR = 74
EX_TEMPFAIL = 75
EX_NOPERM = 77
EX_CONFIG = 78


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong, in words for a person.

    ``code`` is stable and for scripts (``sidecar.date``); ``file`` is a display
    name, never a path outside the drop; ``place`` is a line, field or byte
    offset; ``remedy`` says what to do. None of them may carry a secret or the
    value of a customer's field.
    """

    code: str
    message: str
    remedy: str
    file: str = ""
    place: str = ""

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.file, self.place) if part)
        return f"{where + ': ' if where else ''}{self.message} ({self.remedy})"


class HotfolderError(Exception):
    """Base of every error that hotfolder raises on purpose.

    ``message`` says what happened, ``hint`` what to do about it.
    """

    exit_code = EX_SOFTWARE
    kind = "error"

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or self.kind

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class Transient(HotfolderError):
    """Will pass by itself; try again later (network, lock, full disk)."""

    exit_code = EX_TEMPFAIL
    kind = "transient"


class OperatorFault(HotfolderError):
    """Needs the operator: configuration, credentials, permissions."""

    exit_code = EX_CONFIG
    kind = "operator"

    def __init__(
        self, message: str, *, hint: str = "", code: str = "", faults: Sequence[Fault] = ()
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.faults = tuple(faults)


class ArchiveFault(OperatorFault):
    """The server as a whole is of no use until the operator acts: login, certificate,
    address. Whatever is sent, to any series, would fail in the same way."""


class Destroyed(OperatorFault):
    """What was asked for was destroyed on purpose, and cannot be had again from anywhere."""

    exit_code = EX_UNAVAILABLE
    kind = "destroyed"


class InputFault(HotfolderError):
    """The drop itself is wrong; carries every fault found, not only the first."""

    exit_code = EX_DATAERR
    kind = "input"

    def __init__(self, faults: Sequence[Fault]) -> None:
        if not faults:
            raise ValueError("an InputFault needs at least one Fault")
        super().__init__(
            "; ".join(fault.message for fault in faults),
            hint=faults[0].remedy,
            code=faults[0].code,
        )
        self.faults = tuple(faults)


class Corrupt(HotfolderError):
    """Bytes or a record under our key differ from what was journalled."""

    exit_code = EX_IOERR
    kind = "corrupt"


class BrokenChain(Corrupt):
    """The audit chain is not what was written; ``number`` is its first link that is wrong."""

    def __init__(self, message: str, number: int, *, code: str = "audit.broken") -> None:
        super().__init__(
            message,
            hint="compare with a backup and with the signed tree heads kept elsewhere: somebody"
            " changed the journal by hand",
            code=code,
        )
        self.number = number
