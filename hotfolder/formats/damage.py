"""Where and how a spool is damaged, inside the readers."""

from __future__ import annotations

from hotfolder.core.errors import Fault

RESEND = "send the whole file again"


class DamageError(Exception):
    """A spool is no whole file of its format; ``offset`` is the byte where that shows."""

    def __init__(self, code: str, message: str, offset: int, remedy: str = RESEND) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.offset = offset
        self.remedy = remedy

    def fault(self) -> Fault:
        """The same for people."""
        return Fault(
            code=self.code,
            message=self.message,
            remedy=self.remedy,
            place=f"byte {self.offset}",
        )
