"""Names are hostile until checked; what is made of them fits and stays apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.files.names import (
    NAME_MAX,
    check_spool_id,
    cut,
    is_spool_id,
    numbered,
    split_name,
    with_suffix,
)

NAMES = st.binary(min_size=1, max_size=NAME_MAX).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)


@pytest.mark.parametrize(
    "name", [b"", b"/etc/passwd", b"a//b", b"../x", b"a/../b", b".", b"..", b"a/.", b"a\0b", b"a/"]
)
def test_a_name_that_leads_away_is_refused(name: bytes) -> None:
    with pytest.raises(ValueError, match="not a name inside"):
        split_name(name)


def test_a_name_below_folders_is_split() -> None:
    assert split_name(b"a/b/c.pdf") == ((b"a", b"b"), b"c.pdf")
    assert split_name(b"\xff\n-.pdf") == ((), b"\xff\n-.pdf")


@pytest.mark.parametrize("bad", ["", "..", "a/b", "A", "x" * 65, "-a", "a\n", "a.aside"])
def test_a_spool_id_is_checked(bad: str) -> None:
    assert not is_spool_id(bad.encode())
    with pytest.raises(ValueError, match="not a spool id"):
        check_spool_id(bad)


def test_spool_ids_of_the_daemon_pass() -> None:
    assert check_spool_id("0199a" + "0" * 27) == b"0199a" + b"0" * 27


@given(NAMES, st.integers(1, NAME_MAX))
def test_a_cut_name_is_a_prefix_and_whole_characters(name: bytes, limit: int) -> None:
    short = cut(name, limit)
    assert name.startswith(short)
    assert len(short) <= limit
    assert len(short) > limit - 4 or short == name
    try:
        name.decode()
    except UnicodeDecodeError:
        return
    short.decode()


@given(NAMES)
def test_a_suffixed_name_fits(name: bytes) -> None:
    suffixed = with_suffix(name, b".ERROR.txt")
    assert len(suffixed) <= NAME_MAX
    assert suffixed.endswith(b".ERROR.txt")


@given(NAMES, st.integers(1, 9999))
def test_a_numbered_name_fits_and_differs(name: bytes, number: int) -> None:
    (other,) = numbered([name], name, number)
    assert 0 < len(other) <= NAME_MAX
    assert other != name or b".%d" % number in name
    assert b"/" not in other


def test_the_files_of_a_drop_are_numbered_together() -> None:
    names = [b"letter.pdf", b"letter.pdf.json", b"letter.xml", b"metadata.csv"]
    assert numbered(names, b"letter.pdf", 2) == [
        b"letter.2.pdf",
        b"letter.2.pdf.json",
        b"letter.2.xml",
        b"metadata.2.csv",
    ]
    assert numbered(names, b"letter.pdf", 0) == names


def test_a_hidden_or_bare_name_is_numbered() -> None:
    assert numbered([b".hidden", b"bare"], b"bare", 1) == [b".hidden.1", b"bare.1"]
