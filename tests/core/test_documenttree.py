"""A tree over the lines of documents.jsonl, beside that of RFC 9162 in core.merkle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core import merkle
from hotfolder.core.documenttree import RootOfLines, prove_line, root_of
from hotfolder.core.errors import Corrupt


def lines_of(size: int) -> list[bytes]:
    return [b'{"n":%d}\n' % number for number in range(size)]


def expected(lines: list[bytes]) -> str:
    tree = merkle.Frontier()
    for line in lines:
        tree.append(merkle.leaf_hash(line))
    return tree.root().hex()


@given(st.integers(1, 200), st.data())
def test_a_proof_leads_to_the_root(size: int, data: st.DataObject) -> None:
    lines = lines_of(size)
    index = data.draw(st.integers(0, size - 1))
    proof = [bytes.fromhex(step) for step in prove_line(iter(lines), index, size)]
    root = bytes.fromhex(root_of(lines))
    leaf = merkle.leaf_hash(lines[index])
    assert merkle.verify_inclusion(leaf, index, size, proof, root)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"x"), index, size, proof, root)


@given(st.integers(0, 70))
def test_lines_that_pass_by_leave_their_root(size: int) -> None:
    def read() -> Iterator[bytes]:
        return iter(lines_of(size))

    passing = RootOfLines(read)
    assert not passing.root
    assert list(passing()) == lines_of(size)
    assert passing.root == expected(lines_of(size))
    assert list(passing()) == lines_of(size)
    assert root_of(lines_of(size)) == (passing.root if size else "")


@pytest.mark.parametrize("there", [6, 8])
def test_another_number_of_lines_is_damage(there: int) -> None:
    with pytest.raises(Corrupt, match="another number"):
        prove_line(iter(lines_of(there)), 3, 7)


@pytest.mark.parametrize("index", [-1, 7])
def test_a_line_that_is_not_there(index: int) -> None:
    with pytest.raises(ValueError, match="no line"):
        prove_line(iter(lines_of(7)), index, 7)
