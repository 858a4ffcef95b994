"""[feedback] and [feed]: every contradiction is told, with its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.settings import faults_in, load_text, sound_text

FEED = '\n[feed]\npath = "{root}/feed"\n'
CALL = '\n[feed.callback]\nurl = "https://exstream.example/facts"\n'


def text_of(root: Path, *parts: str) -> str:
    (root / "feed").mkdir(exist_ok=True)
    return sound_text(root) + "".join(part.format(root=root) for part in parts)


def test_without_it_there_is_no_feed(tmp_path: Path) -> None:
    found = load_text(tmp_path, sound_text(tmp_path))
    assert not found.feedback.enabled
    assert (found.feed.path, found.feed.callback) == ("", None)


def test_a_feed_with_a_callback(tmp_path: Path) -> None:
    for name, secret in (("token", "t0ken"), ("key", "k3y")):
        (tmp_path / name).write_text(f"{secret}\n")
        (tmp_path / name).chmod(0o600)
    files = 'secret_file = "{root}/token"\nsigning_key_file = "{root}/key"\n'
    looking = '\n[feedback]\nenabled = true\nhold_events = ["legal_hold"]\n'
    found = load_text(tmp_path, text_of(tmp_path, FEED, 'formats = "csv"\n', CALL, files, looking))
    assert found.feed.callback is not None
    assert (found.feed.callback.secret, found.feed.signing_key) == ("t0ken", "k3y")
    assert found.feed.formats == ("csv",)
    assert found.feedback.enabled
    assert found.feedback.types.placed == {"legal_hold"}
    assert "t0ken" not in repr(found)
    assert "k3y" not in repr(found)


def test_credentials_come_before_files(tmp_path: Path) -> None:
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "feed-callback").write_text("from systemd\n")
    (tmp_path / "credentials" / "feed-signing-key").write_text("signed\n")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    found = load_text(tmp_path, text_of(tmp_path, FEED, CALL), environ)
    assert found.feed.callback is not None
    assert (found.feed.callback.secret, found.feed.signing_key) == ("from systemd", "signed")


@pytest.mark.parametrize(
    ("parts", "code", "place"),
    [
        ([FEED.replace("{root}/", "")], "path.relative", "feed.path"),
        ([FEED.replace("/feed", "/in")], "folder.overlap", "feed.path"),
        ([FEED, 'fields = ["customer"]\n'], "feed.fields", "feed.fields"),
        ([FEED, 'fields = ["series", "series"]\n'], "feed.fields", "feed.fields"),
        ([FEED, 'kinds = ["hold"]\n'], "feed.kinds", "feed.kinds"),
        ([CALL], "feed.path", "feed.path"),
        ([FEED, '\n[feed.callback]\nusername = "x"\n'], "feed.callback", "feed.callback.username"),
        ([FEED, CALL.replace("https://", "ftp://")], "feed.url", "feed.callback.url"),
        ([FEED, CALL.replace("https://", "https://a:b@")], "feed.url", "feed.callback.url"),
        ([FEED, CALL, "read_timeout = 700\n"], "feed.timeout", "feed.callback.read_timeout"),
        (
            [FEED, CALL, 'verify_tls = false\nca_file = "{root}/password"\n'],
            "feed.tls",
            "feed.callback.ca_file",
        ),
        (
            [FEED, CALL, 'username = "x"\n'],
            "configuration.account",
            "feed.callback.secret_file",
        ),
        (
            [FEED, CALL, 'signing_key_file = "{root}/none"\n'],
            "configuration.secret",
            "feed.callback.signing_key_file",
        ),
        (['\n[feedback]\nhold_events = ["request"]\n'], "feedback.events", "feedback.hold_events"),
        (['\n[feedback]\nhold_events = ["A b"]\n'], "feedback.events", "feedback.hold_events"),
        (
            ['\n[feedback]\nhold_events = ["appraisal"]\n'],
            "feedback.events",
            "feedback.decision_events",
        ),
    ],
)
def test_a_contradiction_is_told(tmp_path: Path, parts: list[str], code: str, place: str) -> None:
    found = faults_in(tmp_path, text_of(tmp_path, *parts))
    assert any(
        fault.code == code and fault.place.startswith(place) and fault.remedy for fault in found
    ), found


def test_what_should_be_known(tmp_path: Path) -> None:
    clear = load_text(tmp_path, text_of(tmp_path, FEED, CALL.replace("https", "http")))
    assert [fault.code for fault in clear.advice] == ["configuration.clear"]
    blind = load_text(tmp_path, text_of(tmp_path, FEED, CALL, "verify_tls = false\n"))
    assert [fault.code for fault in blind.advice] == ["configuration.unverified"]
