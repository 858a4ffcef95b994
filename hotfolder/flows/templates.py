"""Template packages: read and checked (docs/templates.md).

A package goes the way of every spool; only its reading is its own. It is read by itself,
so that the journal knows every version before it when it is compared with them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.identity import business_key_of, document_identity, source_of
from hotfolder.core.ports import Journal
from hotfolder.core.profiles import FolderProfile, Rules
from hotfolder.core.records import (
    Document,
    DocumentMetadata,
    DocumentRange,
    Inspection,
    Reading,
    SpoolRow,
)
from hotfolder.core.retention import PAST_LAST_YEAR, Decision, DocumentFacts, decide
from hotfolder.core.templatechecks import compare_archived, new_irregularities
from hotfolder.core.templates import DOCUMENT_TYPE, MANIFEST, Template, series_of, title_of
from hotfolder.files.content import open_regular
from hotfolder.files.faults import os_errors
from hotfolder.formats.templatepackage import Package, read_package
from hotfolder.formats.zippackage import MEDIA_TYPE
from hotfolder.sidecars.raw import display
from hotfolder.sidecars.templatemanifest import (
    TemplateManifest,
    check_members,
    read_template_manifest,
)


class TemplateReader:
    """Makes one document of a package that lies in ``_working``."""

    def __init__(self, *, journal: Journal, rules: Rules) -> None:
        self._journal = journal
        self._rules = rules

    def read(
        self,
        row: SpoolRow,
        profile: FolderProfile,
        place: bytes,
        *,
        sha256: str,
        size: int,
        read_sidecar: Callable[[bytes, bytes], bytes],
    ) -> Reading:
        """The reading of a package. Raises ``InputFault`` with every fault that can be told
        at once: of the package, of its manifest, of what is archived already."""
        file = display(row.name)
        with (
            open_regular(os.path.join(place, os.path.basename(row.name))) as stream,
            os_errors("reading a template package"),
        ):
            package = read_package(stream, size, profile.templates, file)
        beside = [(display(name), read_sidecar(place, name)) for name in row.sidecars]
        manifest = _read_manifest(package, beside, file)
        faults = (
            []
            if manifest.members is None
            else check_members(manifest.members, package.members, file)
        )
        template = replace(manifest.template, members=package.members)
        decision = self._decide(row, profile, template, file, faults)
        # A class that is the folder's default is nothing that the manifest says.
        said = decision.retention_class if template.retention_class else None
        rows = self._journal.templates_like(row.business_unit, template.name, template.family)
        faults += compare_archived(replace(template, retention_class=said), sha256, rows, file)
        template = replace(template, retention_class=decision.retention_class)
        if faults:
            raise InputFault(faults)
        return Reading(
            spool_id=row.id,
            sha256=sha256,
            size=size,
            inspection=Inspection(format_name="zip", media_type=MEDIA_TYPE),
            documents=(_document(row, template, decision, sha256, size),),
            warnings=tuple(new_irregularities(template, rows, file)),
            template=template,
        )

    def _decide(
        self,
        row: SpoolRow,
        profile: FolderProfile,
        template: Template,
        file: str,
        faults: list[Fault],
    ) -> Decision:
        asked = template.retention_class or profile.defaults.get("retention_class")
        classes = self._rules.retention_classes
        code = next(
            (name for name in classes if asked and name.casefold() == asked.casefold()), None
        )
        if asked and code is None:
            faults.append(
                Fault(
                    code="vocabulary.retention_class",
                    message=f"retention_class is {asked[:60]!r}, which is not in the schedule",
                    remedy="one of: " + ", ".join(classes),
                    file=file,
                    place="retention_class",
                )
            )
        decision = decide(
            DocumentFacts(
                retention_class=code,
                issue_date=template.effective_from,
                business_unit=row.business_unit,
                jurisdiction=None,
                trigger_date=None,
            ),
            classes,
            {},
        )
        if decision.why == PAST_LAST_YEAR:
            faults.append(
                Fault(
                    code="field.date",
                    message="counted from effective_from, the retention would end after 9999",
                    remedy="correct effective_from",
                    file=file,
                    place="effective_from",
                )
            )
        return replace(decision, retention_class=code)


def _read_manifest(
    package: Package, beside: Sequence[tuple[str, bytes]], file: str
) -> TemplateManifest:
    """The manifest, from the package or from beside it. Both must say the same."""
    inside = (
        None
        if package.manifest is None
        else read_template_manifest(package.manifest, f"{file}/{MANIFEST}")
    )
    outside = [read_template_manifest(data, name) for name, data in beside]
    found = [*outside, *([inside] if inside is not None else [])]
    if not found:
        raise InputFault(
            [
                Fault(
                    code="template.manifest",
                    message="no manifest came with the package",
                    remedy=f"put {MANIFEST} into it, or write {file}.json beside it first",
                    file=file,
                )
            ]
        )
    if any(item.template != found[0].template for item in found):
        raise InputFault(
            [
                Fault(
                    code="template.manifest",
                    message="the manifest in the package and the one beside it differ",
                    remedy="leave one of the two, or make them the same",
                    file=file,
                )
            ]
        )
    return next((item for item in found if item.members is not None), found[0])


def _document(
    row: SpoolRow, template: Template, decision: Decision, sha256: str, size: int
) -> Document:
    source = source_of(row.business_unit, series_of(template.family))
    key = business_key_of([("name", template.name), ("version", template.version)])
    extra = {
        "template_name": template.name,
        "family": template.family,
        "author": template.author,
        "change_note": template.change_note,
        "parent": template.parent or "",
    }
    return Document(
        identity=document_identity(source, key, sha256),
        source=source,
        business_key=key,
        series=series_of(template.family),
        cycle=template.name,
        range=DocumentRange(ordinal=1, offset=0, length=size, sha256=sha256),
        metadata=DocumentMetadata(
            document_type=DOCUMENT_TYPE,
            issue_date=template.effective_from,
            title=title_of(template),
            version=template.version,
            retention_class=decision.retention_class,
            extra={name: (text,) for name, text in extra.items() if text},
        ),
        retain_until=decision.retain_until,
        class_version=decision.version,
        cutoff=decision.cutoff,
        title=title_of(template),
    )
