"""Every fault of a manifest is named for a person, and all of them at once."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from hotfolder.core.errors import InputFault
from hotfolder.core.templates import Decision, TemplateMember
from hotfolder.sidecars.templatemanifest import (
    DeclaredMember,
    check_members,
    read_template_manifest,
)
from tests.support.templates import APPROVED, make_manifest


def refusals(data: bytes) -> dict[str, str]:
    with pytest.raises(InputFault) as caught:
        read_template_manifest(data, "manifest.json")
    assert all(fault.remedy and fault.file == "manifest.json" for fault in caught.value.faults)
    return {fault.code: fault.message for fault in caught.value.faults}


def refused(**fields: Any) -> dict[str, str]:
    return refusals(json.dumps({**make_manifest(), **fields}).encode())


def test_a_manifest_is_read() -> None:
    known = make_manifest(
        version=2,
        parent="1",
        title=" Two\n lines ",
        effective_until="2026-01-01",
        retention_class="TPL",
        members=[{"name": "a", "size": 3, "sha256": "AB" * 32}],
        **{"x-build": {"any": "thing"}},
    )
    found = read_template_manifest(b"\xef\xbb\xbf" + json.dumps(known).encode(), "manifest.json")
    template = found.template
    assert (template.name, template.family, template.version) == (
        "statement-letter",
        "statements",
        "2",
    )
    assert (template.parent, template.title) == ("1", "Two lines")
    assert (template.effective_from, template.effective_until) == (
        date(2025, 1, 1),
        date(2026, 1, 1),
    )
    (approval,) = template.approvals
    assert (approval.person, approval.decision) == ("Jana Ito", Decision.APPROVED)
    assert found.members == (DeclaredMember(name="a", size=3, sha256="ab" * 32),)


def test_a_family_that_is_not_named_is_the_templates_own() -> None:
    data = json.dumps(make_manifest(family=None)).encode()
    assert read_template_manifest(data, "manifest.json").template.family == "statement-letter"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"format": "hotfolder-template/2"}, "template.format"),
        ({"name": ""}, "template.name"),
        ({"name": 7}, "template.name"),
        ({"name": "x" * 101}, "template.name"),
        ({"name": "a\u202eb"}, "template.name"),
        ({"name": "\U0001f600"}, "template.name"),
        ({"family": "\ud800"}, "template.family"),
        ({"version": None}, "template.version"),
        ({"version": "../2"}, "template.version"),
        ({"version": True}, "template.version"),
        ({"version": 2.5}, "template.version"),
        ({"version": -1}, "template.version"),
        ({"version": "2", "parent": "2"}, "template.parent"),
        ({"version": "2", "parent": "02"}, "template.parent"),
        ({"version": "2", "parent": "10"}, "template.parent"),
        ({"effective_from": "03/04/2025"}, "template.effective_from"),
        ({"effective_from": None}, "template.effective_from"),
        ({"effective_until": "2025-01-01"}, "template.effective_until"),
        ({"effective_until": "soon"}, "template.effective_until"),
        ({"effective_form": "2025-01-01"}, "template.manifest"),
        ({"approvals": {}}, "template.approvals"),
        ({"approvals": ["Jana"]}, "template.approvals"),
        ({"approvals": [APPROVED] * 101}, "template.approvals"),
        ({"approvals": [{**APPROVED, "decision": "maybe"}]}, "template.decision"),
        ({"approvals": [{**APPROVED, "person": ""}]}, "template.person"),
        ({"approvals": [{**APPROVED, "role": None}]}, "template.role"),
        ({"approvals": [{**APPROVED, "date": "2024-13-01"}]}, "template.date"),
        ({"approvals": [{**APPROVED, "when": "2024"}]}, "template.manifest"),
        ({"members": "all"}, "template.members"),
        ({"members": [{"name": "a"}]}, "template.members"),
        ({"members": [{"name": "a", "size": 1}, {"name": "a", "size": 1}]}, "template.members"),
        ({"members": [{"name": "a", "size": 1, "sha256": "12"}]}, "template.members"),
        ({"change_note": "x" * 4001}, "template.change_note"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], code: str) -> None:
    assert code in refused(**fields)


def test_a_key_that_is_misspelt_is_told_with_what_may_be_meant() -> None:
    with pytest.raises(InputFault) as caught:
        read_template_manifest(json.dumps({"effective_form": "x"}).encode(), "m.json")
    assert "effective_from" in caught.value.faults[0].remedy


def test_everything_is_told_at_once() -> None:
    assert refused(name="", version="?", effective_from="x", approvals=3).keys() == {
        "template.name",
        "template.version",
        "template.effective_from",
        "template.approvals",
    }


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b'{"name": NaN}',
        b'{"name": "a", "name": "b"}',
        b'{"approvals": [{"date": "1", "date": "2"}]}',
        b"[" * 100_000,
        b'{"version": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_manifest_is_said_to_be_none(data: bytes) -> None:
    assert refusals(data).keys() == {"template.manifest"}


def test_what_is_no_utf8_is_refused() -> None:
    assert refusals(b'{"name": "\xff"}').keys() == {"sidecar.encoding"}


def test_blanks_in_names_of_members_are_as_they_are() -> None:
    names = ["a  b.txt", " lead.txt", "trail .txt "]
    manifest = make_manifest(members=[{"name": name, "size": 1} for name in names])
    found = read_template_manifest(json.dumps(manifest).encode(), "m").members
    assert found is not None
    assert [item.name for item in found] == names


def test_members_are_compared_with_what_is_there() -> None:
    def there(name: str, size: int) -> TemplateMember:
        return TemplateMember(name=name, size=size, sha256="0" * 64, crc32=0)

    members = [there("a", 1), there("b", 1), there("extra", 1), there("manifest.json", 9)]
    declared = [
        DeclaredMember(name="a", size=2),
        DeclaredMember(name="b", size=1, sha256="1" * 64),
        DeclaredMember(name="c", size=1),
    ]
    found = {fault.place: fault.message for fault in check_members(declared, members, "x.zip")}
    assert found.keys() == {"a", "b", "c", "extra"}
    assert "has 1 bytes" in found["a"]
    assert "SHA-256" in found["b"]
    right = [DeclaredMember(name=name, size=1) for name in ("a", "b", "extra")]
    assert check_members(right, members, "x.zip") == []
