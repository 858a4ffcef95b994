"""HTML: an end tag shows the end; without one nothing is wrong."""

from __future__ import annotations

import pytest

from tests.support.looking import look, quick

WHOLE = b"<!DOCTYPE html>\n<html><body><p>Dear Sir</p></body></html>"


@pytest.mark.parametrize(
    ("data", "ended"),
    [
        (WHOLE, True),
        (WHOLE + b"\r\n", True),
        (WHOLE + b"\n<!-- generated --> \0\0", True),
        (WHOLE.upper() + b"\x1a", True),
        (WHOLE[:-7] + b"</html  >", True),
        (b"\xef\xbb\xbf \n<!-- x --><HTML>x</HTML>", True),
        (WHOLE.decode().encode("utf-16"), True),
        (WHOLE[:-1], False),
        (WHOLE[:-7], False),
        (WHOLE + b"<p>", False),
        (b"<!doctype html><title>x</title><p>the end may be left out", False),
        (b"<html>", False),
        (b"<html><!--" + b"<!---->" * 500 + b"</html>" + b"<!---->" * 500 + b"x", False),
        (b"<html>" + b"<!--" * 1000 + b"</html>" + b"<!--" * 500, False),
    ],
)
def test_its_end(data: bytes, ended: bool) -> None:
    for found in (look(data), quick(data)):
        assert (found.format_name, found.media_type) == ("html", "text/html")
        assert (found.fault, found.pages, found.has_trailer) == (None, None, ended)


def test_the_content_decides_and_the_name_breaks_ties() -> None:
    assert look(b"<p>x", b"letter.html").format_name == "html"
    assert look(b"<p>x", b"letter.HTM").format_name == "html"
    assert look(b"<p>x", b"letter.txt").format_name == "txt"
    assert look(b"Dear Sir", b"letter.html").format_name == "txt"
    assert look(b"<htmlx>", b"letter.txt").format_name == "txt"
    assert look(b"<?xml version='1.0'?>" + WHOLE[16:], b"letter.html").format_name == "xml"
