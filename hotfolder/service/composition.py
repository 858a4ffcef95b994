"""Putting it together: from a configuration to flows that share ports."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hotfolder import __version__
from hotfolder.archivesspace.archive import ArchivesSpace
from hotfolder.core.duties import RolesProfile
from hotfolder.core.facts import FeedbackProfile, FeedProfile
from hotfolder.core.lifecycle import Backoff
from hotfolder.core.ports import Clock, Desk, Emit
from hotfolder.core.profiles import (
    AskedProfile,
    AuditProfile,
    ChangesProfile,
    DisposalProfile,
    EventFolder,
    FolderProfile,
    RequestFolder,
    RetrieveProfile,
    ReturnProfile,
    Rules,
    TemplateEvents,
)
from hotfolder.core.schedules import event_names
from hotfolder.flows.amend import Amend
from hotfolder.flows.aside import Aside
from hotfolder.flows.asking import Asking
from hotfolder.flows.deliver import Delivery
from hotfolder.flows.disposing import Disposing
from hotfolder.flows.eventfiles import EventFiles
from hotfolder.flows.feedback import Feedback
from hotfolder.flows.feeding import Feeding
from hotfolder.flows.finish import Finisher
from hotfolder.flows.holding import Holding
from hotfolder.flows.intake import Intake
from hotfolder.flows.rebuild import Rebuild
from hotfolder.flows.replay import Replay
from hotfolder.flows.requesting import Requests
from hotfolder.flows.retention import Retaining
from hotfolder.flows.returning import Returns
from hotfolder.flows.signing import Signing
from hotfolder.flows.tell import Tell
from hotfolder.flows.templatetelling import TemplateTelling
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.authority import require_of
from hotfolder.service.lostjournal import open_known
from hotfolder.service.parts import (
    NO_TERMS,
    RANDOM,
    SpoolIds,
    SystemClock,
    make_disposing,
    make_feeding,
    make_holding,
    make_returns,
    make_signing,
    open_store,
)
from hotfolder.service.settings import Configuration
from hotfolder.store.copies import CopiesStore
from hotfolder.store.ocfl import OcflStore

_CHANGES = ChangesProfile()
_NO_FEED = FeedProfile()
_NO_ROLES = RolesProfile()


@dataclass(frozen=True, slots=True, kw_only=True)
class Works:
    """The ports and flows of one running hotfolder."""

    journal: SqliteJournal
    store: OcflStore | CopiesStore
    archive: ArchivesSpace
    desk: Desk
    clock: Clock
    emit: Emit
    aside: Aside
    finisher: Finisher
    intake: Intake
    delivery: Delivery
    replay: Replay
    rebuild: Rebuild
    returns: Returns
    requests: Requests
    asking: Asking | None  # None where requests of ArchivesSpace are not answered
    signing: Signing | None  # None without a key
    tell: Tell
    retaining: Retaining
    event_files: EventFiles
    feedback: Feedback | None  # None where ArchivesSpace is not looked at
    feeding: Feeding
    holding: Holding
    amend: Amend
    templates: TemplateTelling
    disposing: Disposing

    def close(self) -> None:
        """Close the connections and checkpoint the journal."""
        self.returns.close()
        self.feeding.close()
        self.archive.close()
        self.journal.close()


def assemble(configuration: Configuration, emit: Emit, *, rebuilding: bool = False) -> Works:
    """Open journal and store and connect the flows. No network is touched yet.

    Raises ``OperatorFault`` if the journal or the store cannot be opened, or if the journal
    was lost; ``rebuilding`` is the way out of that.
    """
    clock = SystemClock()
    store = open_store(configuration, emit, clock=clock, must_have_keys=True)
    store.initialise()
    path = os.fsencode(configuration.journal_path)
    return connect(
        journal=SqliteJournal(path) if rebuilding else open_known(path, store),
        store=store,
        archive=ArchivesSpace(
            configuration.archive,
            configuration.password,
            configuration.rules,
            clock=clock,
            version=__version__,
            on_event=emit,
        ),
        clock=clock,
        emit=emit,
        folders=configuration.intake_folders,
        rules=configuration.rules,
        unit_size=configuration.archive.unit_size,
        returns=configuration.returns,
        requests=configuration.requests,
        events=configuration.events,
        asked=configuration.asked,
        terms=configuration.retrieve,
        # Beside the journal: there is room for the documents of a spool twice.
        scratch=os.path.dirname(os.fsencode(configuration.journal_path)),
        audit=configuration.audit,
        changes=configuration.archive.changes,
        feedback=configuration.feedback,
        feed=configuration.feed,
        roles=configuration.roles,
        template_events=configuration.template_events,
        disposal=configuration.disposal,
    )


def connect(
    *,
    journal: SqliteJournal,
    store: OcflStore | CopiesStore,
    archive: ArchivesSpace,
    clock: Clock,
    emit: Emit,
    folders: Mapping[str, FolderProfile],
    rules: Rules,
    unit_size: int,
    backoff: Backoff | None = None,
    new_id: Callable[[], str] | None = None,
    jitter: Callable[[], float] = RANDOM.random,
    scratch: bytes | None = None,
    returns: Sequence[ReturnProfile] = (),
    requests: Sequence[RequestFolder] = (),
    events: Sequence[EventFolder] = (),
    asked: AskedProfile | None = None,
    terms: RetrieveProfile = NO_TERMS,
    audit: AuditProfile | None = None,
    changes: ChangesProfile = _CHANGES,
    feedback: FeedbackProfile | None = None,
    feed: FeedProfile = _NO_FEED,
    roles: RolesProfile = _NO_ROLES,
    template_events: TemplateEvents | None = None,
    disposal: DisposalProfile | None = None,
) -> Works:
    """Flows over ports that are open already. ``new_id`` and ``jitter`` are given where
    two runs shall be alike; ``scratch`` is a folder for what is too much for memory."""
    ids = new_id or SpoolIds()
    holding = make_holding(journal=journal, store=store, clock=clock, emit=emit)
    aside = Aside(journal=journal, store=store, folders=folders, clock=clock, emit=emit)
    finisher = Finisher(
        journal=journal, store=store, aside=aside, folders=folders, clock=clock, emit=emit
    )
    disposing = make_disposing(
        journal=journal,
        store=store,
        schedule=rules.retention_classes,
        folders=folders,
        clock=clock,
        emit=emit,
        state=scratch,
        audit=audit,
        profile=disposal,
    )
    return Works(
        journal=journal,
        store=store,
        archive=archive,
        desk=archive.desk,
        clock=clock,
        emit=emit,
        aside=aside,
        finisher=finisher,
        intake=Intake(
            journal=journal,
            store=store,
            aside=aside,
            finisher=finisher,
            rules=rules,
            folders=folders,
            clock=clock,
            emit=emit,
            new_id=ids,
            jitter=jitter,
            backoff=backoff,
            scratch=scratch,
        ),
        delivery=Delivery(
            journal=journal,
            archive=archive,
            aside=aside,
            clock=clock,
            emit=emit,
            jitter=jitter,
            unit_size=unit_size,
            backoff=backoff,
        ),
        replay=Replay(journal=journal, archive=archive, clock=clock, emit=emit),
        rebuild=Rebuild(journal=journal, store=store, archive=archive, clock=clock, emit=emit),
        tell=Tell(
            journal=journal,
            desk=archive.desk,
            clock=clock,
            emit=emit,
            jitter=jitter,
            backoff=backoff,
        ),
        retaining=Retaining(
            journal=journal, schedule=rules.retention_classes, clock=clock, emit=emit
        ),
        event_files=EventFiles(
            journal=journal,
            folders={profile.name: profile for profile in events},
            known=event_names(rules.retention_classes),
            clock=clock,
            emit=emit,
            new_id=ids,
        ),
        holding=holding,
        amend=Amend(
            journal=journal,
            desk=archive.desk,
            profile=changes,
            clock=clock,
            emit=emit,
            jitter=jitter,
            backoff=backoff,
        ),
        feedback=None
        if feedback is None or not feedback.enabled
        else Feedback(
            journal=journal,
            desk=archive.desk,
            profile=feedback,
            business_units=[unit.code for unit in rules.business_units],
            holds=holding,
            decisions=disposing,
            may=lambda duty, unit, actor: require_of(roles, journal, duty, unit, actor),
            clock=clock,
            emit=emit,
            jitter=jitter,
            backoff=backoff,
        ),
        feeding=make_feeding(
            journal=journal, profile=feed, clock=clock, emit=emit, jitter=jitter, backoff=backoff
        ),
        templates=TemplateTelling(
            journal=journal,
            events=template_events or TemplateEvents(),
            clock=clock,
            emit=emit,
        ),
        disposing=disposing,
        signing=None
        if audit is None or not audit.signing_key
        else make_signing(journal, audit, clock, emit),
        returns=make_returns(
            journal=journal,
            store=store,
            profiles=returns,
            terms=terms,
            clock=clock,
            emit=emit,
            new_id=ids,
            jitter=jitter,
            backoff=backoff,
        ),
        requests=Requests(
            journal=journal,
            store=store,
            folders={profile.name: profile for profile in requests},
            desk=archive.desk,
            terms=terms,
            clock=clock,
            emit=emit,
            new_id=ids,
            jitter=jitter,
            backoff=backoff,
        ),
        asking=None
        if asked is None or not asked.enabled
        else Asking(
            journal=journal,
            desk=archive.desk,
            profile=asked,
            business_units=[unit.code for unit in rules.business_units],
            clock=clock,
            emit=emit,
            new_id=ids,
            jitter=jitter,
            backoff=backoff,
        ),
    )
