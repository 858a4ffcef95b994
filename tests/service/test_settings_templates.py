"""What contradicts what in a folder of templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotfolder.core.profiles import FolderKind, SidecarFormat, TemplateEvents, TemplatesProfile
from tests.support.settings import faults_in, load_text, sound_text

_TABLE = '[folders.statements]\npath = "{root}/in"\nbusiness_unit = "RETAIL"\n'


def with_folder(root: Path, lines: str, more: str = "") -> str:
    sound = sound_text(root)
    table = _TABLE.format(root=root)
    assert table in sound
    return sound.replace(table, table + lines) + more


def test_a_folder_of_templates_needs_no_series_and_no_sidecar(tmp_path: Path) -> None:
    text = with_folder(
        tmp_path,
        'kind = "templates"\ndefaults = { retention_class = "FIN-7Y" }\n',
        "[folders.statements.templates]\nmembers = 5\n"
        '[templates]\napproval_event = "validation"\nagents = { "J" = "/agents/people/7" }\n',
    )
    start = text.index("[series.STMT]")
    end = text.index("[folders.statements]")
    loaded = load_text(tmp_path, text[:start] + text[end:])
    (folder,) = loaded.folders
    assert folder.kind is FolderKind.TEMPLATES
    assert (folder.sidecar, folder.sidecar_required) == (SidecarFormat.JSON, False)
    assert folder.templates == TemplatesProfile(members=5)
    assert loaded.template_events == TemplateEvents(
        approval="validation", agents={"J": "/agents/people/7"}
    )


def test_a_manifest_beside_a_package_may_be_demanded(tmp_path: Path) -> None:
    text = with_folder(tmp_path, 'kind = "templates"\nsidecar_required = true\n')
    assert load_text(tmp_path, text).folders[0].sidecar_required


@pytest.mark.parametrize(
    ("lines", "more", "place"),
    [
        ('kind = "templates"\nrecursive = true\n', "", "recursive"),
        ('kind = "templates"\nsidecar = "csv"\n', "", "sidecar"),
        ('kind = "templates"\nfield_map = { a = "title" }\n', "", "field_map"),
        ('kind = "templates"\ndefaults = { channel = "print" }\n', "", "defaults"),
        (
            'kind = "templates"\n',
            '[folders.statements.documents]\nindex = "afp"\n',
            "documents.index",
        ),
        ("", "[folders.statements.templates]\nmembers = 5\n", "templates"),
        ("", '[templates]\nagents = { "J" = "Jana" }\n', "templates.agents.J"),
    ],
)
def test_what_makes_no_sense_there_is_told(
    tmp_path: Path, lines: str, more: str, place: str
) -> None:
    faults = faults_in(tmp_path, with_folder(tmp_path, lines, more))
    assert any(place in fault.place for fault in faults), faults
