"""XML and PPML: well-formed up to the end of the root."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotfolder.formats import xmlfile
from tests.support.looking import code_of, cut, look, peak_of_look, quick

DECLARED = b'<?xml version="1.0" encoding="UTF-8"?>\n'
JOB = (
    DECLARED
    + b'<!-- a job --><?style x?>\n<job a="1&lt;2" b=\'>\'><!-- <x> --><document n="1">'
    + "Jürgen & Söhne".replace("&", "&amp;").encode()
    + b"</document><job/><![CDATA[</job>]]><document>\xf0\x9f\x98\x80</document></job>\n"
)
EXTERNAL = b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://nowhere.invalid/x">'


@pytest.mark.parametrize(
    "data",
    [
        JOB,
        JOB.rstrip(),
        JOB + b"<!-- end --> <?pi ?>\r\n",
        JOB + b"<!--" + b"x" * 10_000 + b"-->",
        JOB + b" " * 10_000,
        JOB + b"\0" * 300,
        JOB + b"\x1a",
        b"\xef\xbb\xbf" + JOB,
        DECLARED + b"<a/>",
        DECLARED + b'<a b="c"/>\n<!-- x -->',
        DECLARED + b"<a>" + b"x" * 100_000 + b"</a >",
        DECLARED + b"<!--" + b"x" * 10_000 + b"--><a><b/></a>",
        DECLARED + EXTERNAL + b"<html><p>&nbsp;</p></html>",
        JOB.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        JOB.decode().replace("UTF-8", "UTF-16").encode("utf-16") + b"\0" * 300,
        b"\xfe\xff" + JOB.decode().replace("UTF-8", "UTF-16").encode("utf-16-be"),
        '<?xml version="1.0" encoding="ISO-8859-1"?><ä>ü</ä>'.encode("latin-1"),
        '<?xml version="1.0" encoding="cp1252"?><a>€</a>'.encode("cp1252"),
        # What expat cannot read is not checked inside.
        '<?xml version="1.0" encoding="shift_jis"?><a>\u8868</a>'.encode("shift_jis"),
        b'<?xml version="1.0" encoding="no-such"?><a>\xff</a>',
        b'<?xml version="1.0" encoding="cp037"?><a>\xff</a>',
    ],
)
def test_whole(data: bytes) -> None:
    found = look(data)
    assert (found.format_name, found.media_type) == ("xml", "application/xml")
    assert (found.fault, found.pages, found.format_version) == (None, None, "1.0")
    assert quick(data).fault is None


def test_ppml() -> None:
    for data in (
        b'<PPML xmlns="urn://www.podi.org/ppml/ppml2"><JOB/></PPML>',
        DECLARED + b"<ppml:PPML xmlns:ppml='x'><ppml:JOB/></ppml:PPML>",
        b'<!DOCTYPE PPML SYSTEM "ppml.dtd"><PPML></PPML>',
    ):
        found = look(data)
        assert (found.format_name, found.media_type) == ("ppml", "application/vnd.podi-ppml+xml")
        assert (found.fault, found.has_trailer) == (None, True)
        assert look(data[:-1]).fault is not None


def test_without_declaration_it_is_text() -> None:
    assert look(b"<a><b></a>").format_name == "txt"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (JOB[:-8], "xml.truncated"),
        (DECLARED, "xml.truncated"),
        (DECLARED + b"<!-- -->", "xml.truncated"),
        (DECLARED + b"<a><a></a>", "xml.truncated"),
        (DECLARED + b"<a><b></a>", "xml.damaged"),
        (DECLARED + b"<a><a></a>\0</a>", "xml.damaged"),
        (DECLARED + b"<a>\xff</a>", "xml.damaged"),
        (DECLARED + b"<a>&nbsp;</a>", "xml.damaged"),
        (DECLARED + b"<a></a><a></a>", "xml.damaged"),
        (DECLARED + b"<a></a>text", "xml.truncated"),
        (DECLARED + b'<a b="1" b="2"></a>', "xml.damaged"),
        (JOB[:50] + b"\0" * 9000, "xml.truncated"),
        (DECLARED + b"<!-- <a></a>", "xml.truncated"),
        (JOB.decode().encode("utf-16")[:-20], "xml.truncated"),
    ],
)
def test_damaged(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_the_place_is_told() -> None:
    fault = look(DECLARED + b"<a>\n <b></a>").fault
    assert fault is not None
    assert "line 3, column 7" in fault.message
    assert fault.place == f"byte {len(DECLARED) + 10}"


def test_cut_anywhere_it_is_not_whole() -> None:
    data = JOB + b"<!-- end -->\n"
    cuts = cut(data, "xml")
    # Behind the root nothing is lost but a line end and a comment.
    end = len(JOB) - 1
    assert cuts.whole == (end, end + 1, len(data) - 1, len(data))
    # The quick look takes an end tag inside for the last, if it has the root's name.
    assert set(cuts.sure) - set(cuts.whole) == {data.index(b"</job>]]>") + len(b"</job>")}
    # Behind a comment or an instruction it waits longer.
    assert all(data[:n].endswith((b"-->", b"?>", b"?>\n")) for n in {*cuts.quick} - {*cuts.sure})
    assert len(cuts.quick) <= len(cuts.sure) + 6


BOMB = b'<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx">%s]>' % b"".join(
    b'<!ENTITY x%d "%s">' % (number, b"&x%s;" % (b"%d" % (number - 1) if number else b"") * 10)
    for number in range(20)
)


def test_an_internal_subset_is_not_expanded_and_no_damage() -> None:
    data = DECLARED + BOMB + b'<a b="&x19;">&x19;</a>'
    found = look(data)
    assert (found.fault, found.has_trailer) == (None, True)
    assert code_of(data[:-1]) == "xml.truncated"
    # It is not looked at inside.
    assert code_of(DECLARED + BOMB + b"<a><b></a>") is None


def test_nothing_outside_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.dtd"
    secret.write_bytes(b"<<<")
    data = DECLARED + b'<!DOCTYPE a SYSTEM "file://%s"><a>&b;</a>' % bytes(secret)
    assert look(data).fault is None


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = DECLARED + b"<a>" + b"<b>" * 50 + b"</c>" + b"</a>"
    many = DECLARED + b"<a>" + b"".join(b"<n%d/>" % n for n in range(200)) + b"</c></a>"
    assert code_of(deep) == code_of(many) == "xml.damaged"
    monkeypatch.setattr(xmlfile, "_DEEPEST", 40)
    assert code_of(deep) is None
    monkeypatch.setattr(xmlfile, "_MOST_NAMES", 100)
    monkeypatch.setattr(xmlfile, "_CHUNK", 1000)
    assert code_of(many) is None
    long = DECLARED + b"<a>" + b"<!--" + b"x" * 5000 + b"--></c></a>"
    assert code_of(long) == "xml.damaged"
    monkeypatch.setattr(xmlfile, "_LONGEST_TOKEN", 2000)
    assert code_of(long) is None


def test_large_ones_take_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.xml"
    for inside in (b"<b c='d'>text</b>\n" * 50_000, b"x" * (1 << 20), b"<b>" * 300_000):
        with path.open("wb") as file:
            file.write(DECLARED + b"<a>")
            for _ in range(8):
                file.write(inside)
            file.write(b"</a>")
        found, peak = peak_of_look(path)
        assert found.fault is None
        assert peak < 16 << 20
