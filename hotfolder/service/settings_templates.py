"""What contradicts what where templates are taken."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hotfolder.core.profiles import FolderKind, IndexFormat, SidecarFormat
from hotfolder.service.settings_model import FolderSection, SettingsFile
from hotfolder.service.settings_sources import Finding

_AGENT = re.compile(r"/agents/(people|corporate_entities|families|software)/[0-9]{1,18}")
_SIDECARS = (SidecarFormat.AUTO, SidecarFormat.JSON, SidecarFormat.NONE)
_DEFAULTS = ("retention_class",)


def check_templates(settings: SettingsFile) -> Iterator[Finding]:
    """Everything that is wrong in hot folders of templates, and in [templates]."""
    for name, item in settings.folders.items():
        if item.kind is FolderKind.TEMPLATES:
            yield from _check_folder(name, item)
        elif "templates" in item.model_fields_set:
            yield Finding(
                ("folders", name, "templates"),
                "folder.kind",
                "this folder takes no templates",
                'set kind = "templates", or remove it',
            )
    for person, uri in settings.templates.agents.items():
        if not _AGENT.fullmatch(uri):
            yield Finding(
                ("templates", "agents", person),
                "templates.agent",
                "this is no address of an agent",
                "write it like /agents/people/7",
            )


def _check_folder(name: str, item: FolderSection) -> Iterator[Finding]:
    place = ("folders", name)
    if item.documents.index is not IndexFormat.NONE:
        yield Finding(
            (*place, "documents", "index"),
            "folder.kind",
            "a template package is one document",
            "remove it",
        )
    if item.sidecar not in _SIDECARS:
        yield Finding(
            (*place, "sidecar"), "folder.kind", "manifests are JSON", 'write sidecar = "json"'
        )
    if item.recursive:
        yield Finding(
            (*place, "recursive"),
            "folder.kind",
            "a folder in a folder of templates is a package itself",
            "remove it",
        )
    for key in item.field_map:
        yield Finding(
            (*place, "field_map", key),
            "folder.kind",
            "a manifest has names of its own",
            "remove it; docs/templates.md has the names",
        )
    for key in item.defaults:
        if key not in _DEFAULTS:
            yield Finding(
                (*place, "defaults", key),
                "folder.kind",
                "a manifest says this itself",
                "remove it; only retention_class may be a default here",
            )
