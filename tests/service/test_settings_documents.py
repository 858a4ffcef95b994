"""[folders.NAME.documents]: what is taken, and what contradicts itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotfolder.core.profiles import Describe, IndexFormat, OnBadDocument
from tests.support.settings import faults_in, load_text, sound_text


def text_of(root: Path, documents: str, more: str = "") -> str:
    return sound_text(root) + more + f"\n[folders.statements.documents]\n{documents}\n"


def test_everything_is_carried_over(tmp_path: Path) -> None:
    documents = """\
index = "streamserve"
suffix = ".idx"
code_page = "1252"
columns = { file = "path" }
separator = "7C"
line_separator = "0D0A"
attributes = ["path", "customer"]
allow_overlap = true
on_bad_document = "skip"
describe = "auto"
describe_limit = 5
"""
    (folder,) = load_text(tmp_path, text_of(tmp_path, documents)).folders
    found = folder.documents
    assert (found.index, found.suffix, found.code_page) == (IndexFormat.STREAMSERVE, ".idx", "1252")
    assert (found.columns, found.attributes) == ({"file": "path"}, ("path", "customer"))
    assert (found.separator, found.line_separator) == ("7C", "0D0A")
    assert (found.allow_overlap, found.on_bad_document) == (True, OnBadDocument.SKIP)
    assert (found.describe, found.describe_limit) == (Describe.AUTO, 5)
    assert found.index_suffix == b".idx"


def test_without_it_a_spool_is_one_document(tmp_path: Path) -> None:
    (folder,) = load_text(tmp_path, sound_text(tmp_path)).folders
    assert not folder.documents.many
    assert folder.documents.index_suffix == b""
    assert folder.sidecar_required


def test_an_index_makes_metadata_of_the_whole_spool_a_bonus(tmp_path: Path) -> None:
    (folder,) = load_text(tmp_path, text_of(tmp_path, 'index = "afp"')).folders
    assert not folder.sidecar_required
    more = "sidecar_required = true\n"
    (folder,) = load_text(tmp_path, text_of(tmp_path, 'index = "afp"', more)).folders
    assert folder.sidecar_required


WRONG = {
    "keys without index": ('describe = "spool"', "documents.index", "describe"),
    "marker elsewhere": ('index = "afp"\nmarker = "x"', "documents.index", "marker"),
    "suffix of an inner index": ('index = "afp"\nsuffix = ".x"', "documents.index", "suffix"),
    "columns of cmod": (
        'index = "cmod"\ncolumns = { offset = "x" }',
        "documents.index",
        "columns",
    ),
    "no suffix": ('index = "csv"\nsuffix = ""', "documents.suffix", "suffix"),
    "suffix with a folder": ('index = "csv"\nsuffix = "/x"', "documents.suffix", "suffix"),
    "suffix of sidecars": ('index = "json"\nsuffix = ".json"', "documents.suffix", "suffix"),
    "limit of nothing": ('index = "afp"\ndescribe_limit = 5', "documents.describe", "limit"),
    "code page": ('index = "afp"\ncode_page = "klingon"', "documents.code_page", "code_page"),
    "role": ('index = "csv"\ncolumns = { colour = "x" }', "index.columns", "columns"),
    "separator": ('index = "streamserve"\nseparator = "xyz"', "index.separator", "separator"),
    "no marker": ('index = "marker"', "documents.marker", "marker"),
    "marker": ('index = "marker"\nmarker = "("', "documents.marker", "marker"),
}


@pytest.mark.parametrize(("documents", "code", "place"), WRONG.values(), ids=WRONG)
def test_contradictions_are_named(tmp_path: Path, documents: str, code: str, place: str) -> None:
    faults = faults_in(tmp_path, text_of(tmp_path, documents))
    assert [fault.code for fault in faults] == [code]
    assert place in faults[0].place + faults[0].message
    assert faults[0].remedy


def test_index_and_trigger_have_names_of_their_own(tmp_path: Path) -> None:
    documents = 'index = "cmod"\nsuffix = ".IND"'
    for trigger, wanted in ((".IND", ["documents.suffix"]), (".ARD", [])):
        more = f'completion = {{ rule = "trigger", trigger_suffix = "{trigger}" }}\n'
        found = faults_in(tmp_path, text_of(tmp_path, documents, more))
        assert [fault.code for fault in found] == wanted
