"""What contradicts what in ``[migrations.NAME]``, and the plain record of one."""

from __future__ import annotations

import os
from collections.abc import Iterator

from hotfolder.core.hours import Hours
from hotfolder.core.legacy import MigrationProfile, SourceKind
from hotfolder.core.profiles import IndexFormat
from hotfolder.service.settings_checks import Names, check_default, check_map
from hotfolder.service.settings_folders import is_within
from hotfolder.service.settings_model import MigrationSection, SettingsFile
from hotfolder.service.settings_records import documents_profile
from hotfolder.service.settings_sources import Finding, nearest
from hotfolder.sidecars.unknowns import CONTROLLED


def check_migrations(settings: SettingsFile, names: Names) -> Iterator[Finding]:
    """Every contradiction; no file is touched."""
    for name, item in settings.migrations.items():
        yield from _check(name, item, settings, names)


def _check(
    name: str, item: MigrationSection, settings: SettingsFile, names: Names
) -> Iterator[Finding]:
    place = ("migrations", name)
    yield from check_map(place, item.business_unit, item.field_map, names)
    for field, value in item.defaults.items():
        yield from check_default((*place, "defaults", field), field, value, settings, names)
    for field, table in item.values.items():
        where = (*place, "values", field)
        if field not in CONTROLLED:
            yield Finding(
                where,
                "migration.values",
                f"{field!r} is no field that has a list of values",
                nearest(field, CONTROLLED),
            )
            continue
        for theirs, ours in table.items():
            yield from check_default((*where, theirs), field, ours, settings, names)
    for text in item.hours:
        try:
            Hours.read(text)
        except ValueError as error:
            yield Finding(
                (*place, "hours"), "migration.hours", str(error), 'write it like ["20:00-06:00"]'
            )
    index = item.documents.index
    if item.kind is SourceKind.CMOD and index not in (IndexFormat.NONE, IndexFormat.CMOD):
        yield Finding(
            (*place, "documents", "index"),
            "migration.documents",
            "a load has generic indexes",
            "leave it out",
        )
    if item.kind is not SourceKind.CMOD and documents_profile(item.documents).index_suffix:
        yield Finding(
            (*place, "documents", "index"),
            "migration.documents",
            "index files come with loads only",
            'set kind = "cmod", or choose an index inside the files: afp, bookmarks, marker',
        )


def check_exports(settings: SettingsFile) -> Iterator[Finding]:
    """Exports are only read: nothing that is written or taken from lies in one, and none
    lies where files are taken. The exports themselves are not touched, because the share
    that they lie on may hang."""
    taken = {f"hot folder {name}": item.path for name, item in settings.folders.items()}
    taken |= {f"request folder {name}": item.path for name, item in settings.requests.items()}
    taken |= {f"event folder {name}": item.path for name, item in settings.events.items()}
    taken |= {f"the inbox of {name}": item.inbox for name, item in settings.migrations.items()}
    own = {f"return folder {name}": item.path for name, item in settings.returns.items()}
    own |= {"the folder of the feed": settings.feed.path}
    own |= {"the journal": settings.journal.path, "the store": settings.store.path}
    for name, item in settings.migrations.items():
        place = ("migrations", name, "path")
        if not os.path.isabs(item.path):
            yield Finding(place, "path.relative", "the path is not absolute", "begin it with /")
            continue
        export = os.path.normpath(item.path)
        tree = os.path.dirname(export) if item.kind is SourceKind.CSV else export
        for what, path in (taken | own).items():
            forms = {os.path.normpath(path), os.path.realpath(path)} if path else set()
            how = ""
            if any(is_within(form, tree) for form in forms):
                how = f"{what} lies in it"
            elif what in taken and any(is_within(tree, form) for form in forms):
                how = f"it lies in {what}"
            if how:
                yield Finding(place, "path.overlap", how, "keep the export apart: it is only read")


def migration_profile(name: str, item: MigrationSection) -> MigrationProfile:
    """One migration as a plain record."""
    documents = item.documents
    if item.kind is SourceKind.CMOD:
        documents = documents.model_copy(update={"index": IndexFormat.CMOD})
    return MigrationProfile(
        name=name,
        kind=item.kind,
        path=item.path,
        inbox=item.inbox,
        business_unit=item.business_unit,
        system=item.system,
        field_map=dict(item.field_map),
        defaults=dict(item.defaults),
        values={field: dict(table) for field, table in item.values.items()},
        on_unknown=item.on_unknown,
        documents=documents_profile(documents),
        sidecar_required=item.sidecar_required,
        ignore=tuple(item.ignore),
        file_field=item.file_field,
        id_field=item.id_field,
        files_per_second=item.files_per_second,
        megabytes_per_second=item.megabytes_per_second,
        hours=tuple(Hours.read(text) for text in item.hours),
    )
