"""What a person calls a document, at the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hotfolder import __version__
from hotfolder.archivesspace.archive import ArchivesSpace
from hotfolder.core.errors import HotfolderError, OperatorFault, Transient
from hotfolder.core.names import may_be_a_name
from hotfolder.core.ports import Desk, Journal
from hotfolder.flows.naming import MOST, resolve_document
from hotfolder.service.composition import SystemClock
from hotfolder.service.settings import load


class UnknownNameError(Exception):
    """Nothing is called so; ``note`` says what else is known about that."""

    def __init__(self, text: str, note: str = "") -> None:
        super().__init__(text)
        self.note = note


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
        if error.code == "name.not_in_catalogue":
            raise
        raise UnknownNameError(text, _not_asked(error)) from error


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
