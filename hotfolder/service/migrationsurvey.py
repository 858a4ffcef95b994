"""A migration of the configuration, and what is written down of its export beside the journal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from hotfolder.core.errors import OperatorFault
from hotfolder.core.legacy import LegacySource, MigrationProfile
from hotfolder.journal.journal import SqliteJournal
from hotfolder.journal.surveys import Survey
from hotfolder.legacy.sources import open_source
from hotfolder.service.inspecting import opened
from hotfolder.service.logs import configure_logs
from hotfolder.service.migrationlock import migrating_alone, survey_path
from hotfolder.service.priority import give_way
from hotfolder.service.settings import Configuration


class Reading(NamedTuple):
    """What a command works with that reads a whole export."""

    configuration: Configuration
    journal: SqliteJournal
    profile: MigrationProfile
    survey: Survey
    source: LegacySource


def profile_of(configuration: Configuration, name: str) -> MigrationProfile:
    """The migration called ``name``; ``OperatorFault`` if there is none."""
    for profile in configuration.migrations:
        if profile.name == name:
            return profile
    there = ", ".join(profile.name for profile in configuration.migrations)
    raise OperatorFault(
        f"no migration is called {name!r}",
        hint=f"one of {there}" if there else "add a [migrations.NAME] table",
        code="migration.unknown",
    )


@contextmanager
def surveyed(
    configuration: Configuration, profile: MigrationProfile, what: str
) -> Iterator[tuple[Survey, LegacySource]]:
    """A survey beside the journal, and the export that it is of."""
    rules = repr((profile, configuration.rules)) if what == "plan" else repr(profile)
    fingerprint = hashlib.sha256(rules.encode()).hexdigest()
    survey = Survey(survey_path(configuration, profile.name, what), fingerprint)
    try:
        scratch = survey_path(configuration, profile.name, "scratch")
        with open_source(profile, scratch, survey) as source:
            yield survey, source
    finally:
        survey.close()


@contextmanager
def surveying(config_path: str, name: str, what: str) -> Iterator[Reading]:
    """The same for a command that reads a whole export: it gives way to all else, and nobody
    else is at work on the migration until the block ends."""
    with opened(config_path) as (configuration, journal):
        profile = profile_of(configuration, name)
        configure_logs(configuration.log_format, configuration.log_level)
        give_way()
        with (
            migrating_alone(configuration, name),
            surveyed(configuration, profile, what) as (survey, source),
        ):
            yield Reading(configuration, journal, profile, survey, source)
