"""Reading the configuration: one TOML file, the environment, the credentials directory.

Every fault is reported at once, with its line and its remedy, and nothing runs until
there is none. What has a wrong shape is taken out and the rest is checked all the
same, so that a misspelt key does not hide a contradiction elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hotfolder.core.duties import RolesProfile
from hotfolder.core.errors import Fault
from hotfolder.core.facts import FeedbackProfile, FeedProfile
from hotfolder.core.legacy import MigrationProfile
from hotfolder.core.profiles import (
    ArchiveProfile,
    AskedProfile,
    AuditProfile,
    DisposalProfile,
    EventFolder,
    FolderProfile,
    KeysProfile,
    RequestFolder,
    RetrieveProfile,
    ReturnProfile,
    Rules,
    TemplateEvents,
    VerifyProfile,
)
from hotfolder.service.settings_account import advise, find_account, name_account
from hotfolder.service.settings_audit import advise_audit, audit_profile, check_audit
from hotfolder.service.settings_checks import check_records
from hotfolder.service.settings_faults import placed, refusal
from hotfolder.service.settings_feed import (
    FeedSecrets,
    advise_feed,
    check_feed,
    feed_profile,
    feedback_profile,
    find_feed_secrets,
)
from hotfolder.service.settings_folders import check_folder, check_places
from hotfolder.service.settings_governance import find_governance
from hotfolder.service.settings_keys import advise_keys, check_keys, keys_profile
from hotfolder.service.settings_migrations import (
    check_exports,
    check_migrations,
    migration_profile,
)
from hotfolder.service.settings_model import SettingsFile
from hotfolder.service.settings_records import (
    archive_profile,
    event_folder,
    folder_profile,
    rules,
    template_events,
)
from hotfolder.service.settings_returns import (
    advise_returns,
    asked_profile,
    check_returns,
    find_secrets,
    request_folder,
    return_profile,
)
from hotfolder.service.settings_roles import roles_profile
from hotfolder.service.settings_shape import read_shape
from hotfolder.service.settings_shield import advise_shield, find_shield
from hotfolder.service.settings_sources import EnvironmentSource, Finding, read_text

DEFAULT_PATH = "/etc/hotfolder/hotfolder.toml"
_TABLES = ("retention", "units", "series", "folders", "return", "requests", "events", "migrations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything that is configured, as plain records.

    ``advice`` is what can be lived with (``hotfolder check`` shows it).
    """

    path: str
    journal_path: str
    store_path: str
    audit: AuditProfile
    store_copies: tuple[str, ...]
    keys: KeysProfile
    retrieve: RetrieveProfile
    verify: VerifyProfile
    archive: ArchiveProfile
    password: str = field(repr=False)
    rules: Rules
    folders: tuple[FolderProfile, ...]
    log_format: str
    log_level: str
    metrics_port: int
    stop_timeout: float
    returns: tuple[ReturnProfile, ...] = ()
    requests: tuple[RequestFolder, ...] = ()
    events: tuple[EventFolder, ...] = ()
    asked: AskedProfile = field(default_factory=AskedProfile)
    feedback: FeedbackProfile = field(default_factory=FeedbackProfile)
    feed: FeedProfile = field(default_factory=FeedProfile)
    roles: RolesProfile = field(default_factory=RolesProfile)
    template_events: TemplateEvents = field(default_factory=TemplateEvents)
    disposal: DisposalProfile = field(default_factory=DisposalProfile)
    migrations: tuple[MigrationProfile, ...] = ()
    advice: tuple[Fault, ...] = ()

    @property
    def intake_folders(self) -> dict[str, FolderProfile]:
        """The folders from which spools come, by name: also those that nobody watches."""
        unwatched = (migration.folder for migration in self.migrations)
        return {profile.name: profile for profile in (*self.folders, *unwatched)}


def load(
    path: str, environ: Mapping[str, str] | None = None, *, only_looking: bool = False
) -> Configuration:
    """Read and check the configuration. Raises ``OperatorFault`` with every fault.

    With ``only_looking`` the password and the folders on the disk are left alone: who
    looks into the journal need not have the credentials of the service, and must not be
    kept out when a hot folder has gone.
    """
    environment = os.environ if environ is None else environ
    text = read_text(path)
    source = EnvironmentSource(SettingsFile, environment, text.values)
    settings, shape = read_shape(text, source)
    account = name_account(settings.archivesspace, environment)
    findings: list[Finding] = []
    secrets: dict[str, str] = {}
    feed_secrets = FeedSecrets()
    if not only_looking:
        account, findings = find_account(settings.archivesspace, environment)
        secrets, wrong_secrets = find_secrets(settings, environment)
        feed_secrets, wrong_feed = find_feed_secrets(settings, environment)
        findings += [*wrong_secrets, *wrong_feed]
    names = {table: _names(text.values, table) for table in _TABLES}
    findings += check_records(settings, account.url, names)
    findings += check_returns(settings, names)
    findings += check_feed(settings)
    findings += check_migrations(settings, names)
    for name, item in settings.folders.items():
        findings += check_folder(name, item)
    findings += check_places(settings, must_exist=not only_looking)
    findings += check_exports(settings)
    audit = audit_profile(settings.audit, environment)
    findings += check_audit(settings.audit, audit, try_key=not only_looking)
    keys = keys_profile(settings.store, environment)
    findings += check_keys(settings, keys, try_keys=not only_looking)
    shield, wrong_shield = find_shield(settings, environment)
    # Who only looks sends nothing, and need not have the key.
    findings += [] if only_looking else wrong_shield
    governed = find_governance(settings)
    findings += governed.findings
    # What was taken out for its shape is complained of already; its default is nobody's.
    wrong = {finding.place for finding in shape}
    findings = [*shape, *(finding for finding in findings if finding.place not in wrong)]
    faults = [*source.faults, *placed(findings, text, source), *governed.faults]
    if faults:
        raise refusal(path, faults)
    return Configuration(
        path=path,
        journal_path=settings.journal.path,
        store_path=settings.store.path,
        audit=audit,
        store_copies=tuple(settings.store.copies),
        keys=keys,
        retrieve=RetrieveProfile(**settings.retrieve.model_dump()),
        verify=VerifyProfile(**settings.verify.model_dump()),
        archive=archive_profile(settings.archivesspace, account.url, account.username, shield),
        password=account.password,
        rules=rules(settings, governed.governance),
        folders=tuple(folder_profile(name, item) for name, item in settings.folders.items()),
        log_format=settings.log.format,
        log_level=settings.log.level,
        metrics_port=settings.metrics.port,
        stop_timeout=settings.service.stop_timeout,
        returns=tuple(
            return_profile(name, item, secrets.get(name, ""))
            for name, item in settings.returns.items()
        ),
        requests=tuple(request_folder(name, item) for name, item in settings.requests.items()),
        events=tuple(event_folder(name, item) for name, item in settings.events.items()),
        asked=asked_profile(settings.archivesspace.requests),
        feedback=feedback_profile(settings.feedback),
        feed=feed_profile(settings.feed, feed_secrets),
        roles=roles_profile(settings),
        template_events=template_events(settings.templates),
        disposal=DisposalProfile(
            event=settings.disposal.event,
            most=settings.disposal.most,
            certificates=settings.disposal.certificates,
        ),
        migrations=tuple(
            migration_profile(name, item) for name, item in settings.migrations.items()
        ),
        advice=tuple(
            placed(
                [
                    *advise(settings.archivesspace, account, path),
                    *advise_audit(settings.audit, audit),
                    *advise_keys(settings),
                    *advise_returns(settings),
                    *advise_feed(settings),
                    *advise_shield(settings),
                ],
                text,
                source,
            )
        ),
    )


def _names(values: Mapping[str, Any], table: str) -> frozenset[str]:
    found = values.get(table)
    return frozenset(found) if isinstance(found, dict) else frozenset()
