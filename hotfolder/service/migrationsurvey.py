"""A migration of the configuration, and what is written down of its export beside the journal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from hotfolder.core.errors import OperatorFault
from hotfolder.core.legacy import LegacySource, MigrationProfile
from hotfolder.journal.surveys import Survey
from hotfolder.legacy.sources import open_source
from hotfolder.service.migrationlock import survey_path
from hotfolder.service.settings import Configuration


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
