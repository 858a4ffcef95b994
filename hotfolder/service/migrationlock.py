"""One process at a time migrates out of one old archive, beside the daemon or without it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from hotfolder.core.errors import OperatorFault
from hotfolder.core.legacy import FOLDER_PREFIX
from hotfolder.flows.finish import Guard
from hotfolder.journal.daemonlock import acquire_daemon_lock
from hotfolder.service.settings import Configuration


def survey_path(configuration: Configuration, name: str, what: str) -> bytes:
    """Where a survey of a migration is kept: beside the journal."""
    return os.fsencode(configuration.journal_path) + f".{what}.{name}".encode()


@contextmanager
def migrating_alone(configuration: Configuration, name: str) -> Iterator[None]:
    """Nobody else takes out of this archive until the block ends. ``OperatorFault`` if
    somebody does."""
    try:
        lock = acquire_daemon_lock(survey_path(configuration, name, "migrate"))
    except OperatorFault as error:
        if error.code != "journal.in_use":
            raise
        raise OperatorFault(
            f"another command is at work on the migration {name}",
            hint="let it end, or stop it: the next goes on where it was",
            code="migration.in_use",
        ) from error
    try:
        yield
    finally:
        lock.release()


def claims_guard(configuration: Configuration) -> Guard:
    """For ``Finisher.recover``: claims that a migration has in hand are its own."""

    @contextmanager
    def guard(folder: str) -> Iterator[bool]:
        if not folder.startswith(FOLDER_PREFIX):
            yield True
            return
        try:
            with migrating_alone(configuration, folder.removeprefix(FOLDER_PREFIX)):
                yield True
        except OperatorFault as error:
            if error.code != "migration.in_use":
                raise
            yield False

    return guard
