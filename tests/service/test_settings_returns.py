"""Return profiles and request folders: every contradiction is told, with its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotfolder.core.profiles import HandedFormat, ReturnKind
from tests.support.settings import faults_in, load_text, sound_text

FOLDER = '\n[return.back]\npath = "{root}/back"\n'
HTTP = '\n[return.post]\nkind = "http"\nurl = "https://exstream.example/archive"\n'
ASK = '\n[requests.ask]\npath = "{root}/ask"\nbusiness_units = ["RETAIL"]\n'


def text_of(root: Path, *parts: str) -> str:
    (root / "ask").mkdir(exist_ok=True)
    return sound_text(root) + "".join(part.format(root=root) for part in parts)


def test_profiles_are_read(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken\n")
    (tmp_path / "token").chmod(0o600)
    asked = '\n[archivesspace.requests]\nenabled = true\nto = "back"\nallowed = ["post"]\n'
    secret = 'secret_file = "{root}/token"\n'
    found = load_text(
        tmp_path, text_of(tmp_path, FOLDER, 'sidecar = "xml"\n', HTTP, secret, ASK, asked)
    )
    back, post = found.returns
    assert (back.kind, back.sidecar, back.secret) == (ReturnKind.FOLDER, HandedFormat.XML, "")
    assert (post.kind, post.secret) == (ReturnKind.HTTP, "t0ken")
    assert "t0ken" not in repr(found)
    assert [folder.business_units for folder in found.requests] == [("RETAIL",)]
    assert (found.asked.to, found.asked.allowed) == ("back", ("post",))


def test_the_credential_comes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "return-post").write_text("from systemd\n")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    found = load_text(tmp_path, text_of(tmp_path, HTTP), environ)
    assert found.returns[0].secret == "from systemd"


@pytest.mark.parametrize(
    ("parts", "code", "place"),
    [
        (["\n[return.x]\n"], "return.path", "return.x.path"),
        ([FOLDER, 'pattern = "{{document_type}}"\n'], "return.pattern", "return.back.pattern"),
        ([FOLDER, 'pattern = "../{{order}}"\n'], "return.pattern", "return.back.pattern"),
        ([FOLDER, 'temporary_suffix = ""\n'], "return.suffix", "return.back.temporary_suffix"),
        ([FOLDER, 'trigger_suffix = "/x"\n'], "return.suffix", "return.back.trigger_suffix"),
        ([FOLDER, 'trigger_suffix = ".json"\n'], "return.suffix", "return.back"),
        ([FOLDER, 'trigger_suffix = ".tmp"\n'], "return.suffix", "return.back"),
        ([FOLDER, 'url = "https://x"\n'], "return.kind", "return.back.url"),
        ([HTTP, 'pattern = "{{order}}"\n'], "return.kind", "return.post.pattern"),
        (['\n[return.p]\nkind = "http"\n'], "return.url", "return.p.url"),
        (
            ['\n[return.p]\nkind = "http"\nurl = "https://a:b@x/"\n'],
            "return.url",
            "return.p.url",
        ),
        ([HTTP, "read_timeout = 700\n"], "return.timeout", "return.post.read_timeout"),
        (
            [HTTP, 'verify_tls = false\nca_file = "{root}/password"\n'],
            "return.tls",
            "return.post.ca_file",
        ),
        ([HTTP, 'username = "x"\n'], "configuration.account", "return.post.secret_file"),
        ([HTTP, 'secret_file = "{root}/none"\n'], "configuration.secret", "return.post.secret"),
        (['\n[return.b]\npath = "{root}/in"\n'], "folder.overlap", "return.b.path"),
        (['\n[return.b]\npath = "back"\n'], "path.relative", "return.b.path"),
        ([ASK.replace("RETAIL", "NOBODY")], "requests.unit", "requests.ask.business_units"),
        ([ASK.replace("/ask", "/nowhere")], "folder.missing", "requests.ask.path"),
        ([ASK.replace("/ask", "/in/ask")], "folder.overlap", "requests.ask.path"),
        (
            ["\n[archivesspace.requests]\nenabled = true\n"],
            "requests.to",
            "archivesspace.requests.to",
        ),
        (
            ['\n[archivesspace.requests]\nto = "nobody"\n'],
            "requests.to",
            "archivesspace.requests.to",
        ),
    ],
)
def test_contradictions_are_told(tmp_path: Path, parts: list[str], code: str, place: str) -> None:
    faults = faults_in(tmp_path, text_of(tmp_path, *parts))
    assert [fault.code for fault in faults if fault.code == code], faults
    found = next(fault for fault in faults if fault.code == code)
    assert found.place.startswith(place)
    assert found.remedy


def test_a_return_folder_that_is_away_is_no_fault(tmp_path: Path) -> None:
    assert faults_in(tmp_path, text_of(tmp_path, FOLDER)) == ()


def test_what_goes_unencrypted_is_advised_of(tmp_path: Path) -> None:
    found = load_text(tmp_path, text_of(tmp_path, HTTP.replace("https", "http")))
    assert [fault.code for fault in found.advice] == ["configuration.clear"]
