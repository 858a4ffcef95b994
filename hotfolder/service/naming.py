"""What a person calls a document, at the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hotfolder import __version__
from hotfolder.archivesspace.archive import ArchivesSpace
from hotfolder.core.errors import Fault, HotfolderError, InputFault, OperatorFault, Transient
from hotfolder.core.names import may_be_a_name
from hotfolder.core.ports import Desk, Journal
from hotfolder.flows.naming import MOST, NOT_IN_CATALOGUE, resolve_document
from hotfolder.service.parts import SystemClock
from hotfolder.service.settings import load


class UnknownNameError(Exception):
    """Nothing is called so; ``note`` says what else is known about that."""

    def __init__(self, text: str, note: str = "") -> None:
        super().__init__(text)
        self.note = note

    def told(self) -> str:
        """What a person reads."""
        found = f"no document is called {str(self)!r}; `hotfolder find` shows what there is"
        return f"{found}\n{self.note}" if self.note else found


def resolve(config_path: str, journal: Journal, text: str, *, limit: int = MOST) -> tuple[str, ...]:
    """The identities of up to ``limit`` documents that ``text`` stands for; ArchivesSpace
    is asked for what the catalogue lacks, if it can be. Raises ``UnknownNameError``, and
    else as ``resolve_document`` does."""
    try:
        return resolve_document(journal, None, text, limit=limit)
    except KeyError:
        if not may_be_a_name(text):
            raise UnknownNameError(text) from None
    try:
        with _desk(config_path) as (desk, business_units):
            return resolve_document(journal, desk, text, business_units=business_units, limit=limit)
    except KeyError:
        raise UnknownNameError(text) from None
    except (Transient, OperatorFault) as error:
        if error.code == NOT_IN_CATALOGUE:
            raise
        raise UnknownNameError(text, _not_asked(error)) from error


def resolve_one(config_path: str, journal: Journal, text: str) -> str:
    """The one document that ``text`` stands for. Raises as ``resolve``, and ``InputFault``
    if it stands for several."""
    found = resolve(config_path, journal, text, limit=2)
    if len(found) > 1:
        raise InputFault(
            [
                Fault(
                    code="name.several",
                    message=f"{text!r} stands for several documents",
                    remedy="name one of them; `hotfolder find --spool` lists those of a spool",
                )
            ]
        )
    return found[0]


def whole_identity(journal: Journal, text: str) -> str:
    """The identity of the one document of the catalogue that ``text`` stands for, such as the
    beginning that tables show; ``text`` itself if there is none. Raises as ``resolve_document``."""
    try:
        found = resolve_document(journal, None, text, limit=2)
    except KeyError:
        return text
    return found[0] if len(found) == 1 else text


def _not_asked(error: HotfolderError) -> str:
    return f"ArchivesSpace may know it, but could not be asked: {error.message}"


@contextmanager
def _desk(config_path: str) -> Iterator[tuple[Desk, tuple[str, ...]]]:
    """The desk and the business units whose repositories it may look into."""
    configuration = load(config_path)  # with the password: it was left alone until now
    archive = ArchivesSpace(
        configuration.archive,
        configuration.password,
        configuration.rules,
        clock=SystemClock(),
        version=__version__,
        on_event=_say_nothing,
    )
    try:
        yield archive.desk, tuple(unit.code for unit in configuration.rules.business_units)
    finally:
        archive.close()


def _say_nothing(_event: str, /, **_fields: object) -> None:
    """A look at the server is no news."""
