"""From settings that have no fault to the plain records that the other rooms take."""

from __future__ import annotations

from hotfolder.core.governance import Governance
from hotfolder.core.profiles import (
    ArchiveProfile,
    ArchiveSlots,
    BusinessUnit,
    ChangesProfile,
    Completion,
    DocumentsProfile,
    EventFolder,
    FolderKind,
    FolderProfile,
    Rules,
    SeriesProfile,
    SidecarFormat,
    TemplateEvents,
    TemplatesProfile,
    Vocabularies,
)
from hotfolder.core.shielding import Shield
from hotfolder.service.settings_model import (
    ArchiveSection,
    CompletionSection,
    DocumentsSection,
    EventsSection,
    FolderSection,
    SettingsFile,
    TemplateEventsSection,
)
from hotfolder.service.settings_retention import retention_classes


def archive_profile(
    archive: ArchiveSection, url: str, username: str, shield: Shield
) -> ArchiveProfile:
    """How to reach and describe in ArchivesSpace; the password stays apart."""
    return ArchiveProfile(
        url=url,
        username=username,
        least_privilege=archive.least_privilege,
        rights_statements=archive.rights_statements,
        resolver=archive.resolver,
        unit_size=archive.unit_size,
        importers=archive.importers,
        connect_timeout=archive.connect_timeout,
        read_timeout=archive.read_timeout,
        total_timeout=archive.total_timeout,
        verify_tls=archive.verify_tls,
        ca_file=archive.ca_file,
        slots=ArchiveSlots(**archive.slots.model_dump()),
        shield=shield,
        changes=ChangesProfile(**archive.changes.model_dump()),
    )


def rules(settings: SettingsFile, governance: Governance) -> Rules:
    """Series, business units, retention classes, vocabularies and governance."""
    return Rules(
        series=tuple(
            SeriesProfile(
                code=code,
                title=item.title,
                document_types=tuple(item.document_types),
                retention_class=item.retention_class or None,
                key=tuple(item.key),
                required=tuple(item.required),
                cycle=item.cycle,
            )
            for code, item in settings.series.items()
        ),
        business_units=tuple(
            BusinessUnit(code=code, name=item.name, repository=item.repository)
            for code, item in settings.units.items()
        ),
        retention_classes=retention_classes(settings),
        vocabularies=Vocabularies(
            channel=tuple(settings.vocabularies.channel),
            jurisdiction=tuple(settings.vocabularies.jurisdiction),
            sensitivity=tuple(settings.vocabularies.sensitivity),
            language=tuple(settings.vocabularies.language),
        ),
        governance=governance,
    )


def documents_profile(item: DocumentsSection) -> DocumentsProfile:
    """How the documents of a folder's spools are told from one another."""
    return DocumentsProfile(
        index=item.index,
        suffix=item.suffix,
        code_page=item.code_page,
        columns=dict(item.columns),
        separator=item.separator,
        line_separator=item.line_separator,
        attributes=tuple(item.attributes),
        elements=tuple(item.elements),
        level=item.level,
        marker=item.marker,
        allow_overlap=item.allow_overlap,
        on_bad_document=item.on_bad_document,
        describe=item.describe,
        describe_limit=item.describe_limit,
    )


def completion_profile(item: CompletionSection, *, network: bool) -> Completion:
    """How a producer shows that a file is finished."""
    return Completion(
        rule=item.rule,
        quiet=item.quiet,
        looks=item.looks,
        quiet_without_trailer=item.quiet_without_trailer,
        trigger_suffix=item.trigger_suffix,
        manifest_suffix=item.manifest_suffix,
        temporary=tuple(item.temporary),
        sidecar_wait=item.sidecar_wait,
        writer_check=item.writer_check and not network,
    )


def folder_profile(name: str, item: FolderSection) -> FolderProfile:
    """One hot folder. What cannot be asked for there (writers on a share, metadata in a
    folder that reads none) is off, whatever its default."""
    documents = documents_profile(item.documents)
    templates = item.kind is FolderKind.TEMPLATES
    return FolderProfile(
        name=name,
        path=item.path,
        business_unit=item.business_unit,
        completion=completion_profile(item.completion, network=item.network),
        recursive=item.recursive,
        network=item.network,
        poll=item.poll,
        rescan=item.rescan,
        # The manifest of a template is JSON, or in the package.
        sidecar=SidecarFormat.JSON
        if templates and item.sidecar is SidecarFormat.AUTO
        else item.sidecar,
        sidecar_required=item.sidecar_required
        and not item.manual
        and item.sidecar is not SidecarFormat.NONE
        # Where an index tells of the documents, metadata of the whole spool is a bonus.
        and (not (documents.many or templates) or "sidecar_required" in item.model_fields_set),
        include=tuple(item.include),
        ignore=tuple(item.ignore),
        field_map=dict(item.field_map),
        defaults=dict(item.defaults),
        documents=documents,
        kind=item.kind,
        templates=TemplatesProfile(**item.templates.model_dump()),
        manual=item.manual,
        owner=item.owner,
        encrypt_documents=item.encrypt_documents,
    )


def event_folder(name: str, item: EventsSection) -> EventFolder:
    """An event folder as a plain record."""
    return EventFolder(
        name=name,
        path=item.path,
        completion=completion_profile(item.completion, network=item.network),
        network=item.network,
        poll=item.poll,
        rescan=item.rescan,
        owner=item.owner,
    )


def template_events(item: TemplateEventsSection) -> TemplateEvents:
    """How decisions about templates are told to ArchivesSpace."""
    return TemplateEvents(
        approval=item.approval_event,
        publication=item.publication_event,
        agents=dict(item.agents),
    )
