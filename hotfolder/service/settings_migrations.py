"""What contradicts what in ``[migrations.NAME]``, and the plain record of one."""

from __future__ import annotations

from collections.abc import Iterator

from hotfolder.core.hours import Hours
from hotfolder.core.legacy import MigrationProfile, SourceKind
from hotfolder.core.profiles import IndexFormat
from hotfolder.service.settings_checks import Names, check_default, check_map
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
