"""The Merkle tree against its definition in RFC 9162, done naively; and what must not pass."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.merkle import (
    EMPTY,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_count,
    node_hash,
    node_number,
    peaks,
    root,
    verify_consistency,
    verify_inclusion,
)

MOST = 70
LEAVES = [b"entry %d" % number for number in range(MOST)]
SIZES = st.integers(0, MOST)


# -- RFC 9162 section 2.1, word for word ---------------------------------------------
def largest_power_below(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def naive_root(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = largest_power_below(len(leaves))
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: Sequence[bytes], whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = largest_power_below(len(leaves))
    if m <= k:
        return [*naive_subproof(m, leaves[:k], whole), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], False), naive_root(leaves[:k])]


def node(level: int, index: int) -> bytes:
    """A complete subtree; asking for one that is not is a fault of the code."""
    start, end = index << level, index + 1 << level
    assert end <= MOST, "not complete"
    return naive_root(LEAVES[start:end])


# -- roots and nodes -----------------------------------------------------------------
def test_hashes_are_those_of_the_rfc() -> None:
    assert hashlib.sha256(b"").digest() == EMPTY
    assert leaf_hash(b"").hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
    assert (
        node_hash(b"a" * 32, b"b" * 32) == hashlib.sha256(b"\x01" + b"a" * 32 + b"b" * 32).digest()
    )


@pytest.mark.parametrize("size", range(MOST + 1))
def test_root_is_that_of_the_definition(size: int) -> None:
    assert root(size, node) == naive_root(LEAVES[:size])
    frontier = Frontier()
    for entry in LEAVES[:size]:
        frontier.append(leaf_hash(entry))
    assert (frontier.size, frontier.root()) == (size, naive_root(LEAVES[:size]))


def test_nodes_become_complete_in_the_order_of_their_numbers() -> None:
    stored: list[bytes] = []
    frontier = Frontier()
    for size, entry in enumerate(LEAVES, 1):
        stored += frontier.append(leaf_hash(entry))
        assert len(stored) == node_count(size)
        assert node_count(size) == sum(size >> level for level in range(1, size.bit_length()))
    for level in range(1, MOST.bit_length()):
        for index in range(MOST >> level):
            assert stored[node_number(level, index) - 1] == node(level, index)


@given(size=SIZES, more=SIZES)
def test_frontier_goes_on_from_its_peaks(size: int, more: int) -> None:
    frontier = Frontier(size, [node(*place) for place in peaks(size)])
    end = min(MOST, size + more)
    for entry in LEAVES[size:end]:
        frontier.append(leaf_hash(entry))
    assert frontier.root() == naive_root(LEAVES[:end])


def test_frontier_without_all_its_peaks_is_refused() -> None:
    with pytest.raises(ValueError, match="3 leaves"):
        Frontier(3, [EMPTY])


# -- proofs ----------------------------------------------------------------------------
@pytest.mark.parametrize("size", range(1, MOST + 1))
def test_every_inclusion_is_proved(size: int) -> None:
    expected = naive_root(LEAVES[:size])
    for index in range(size):
        proof = inclusion_proof(index, size, node)
        assert proof == naive_path(index, LEAVES[:size])
        assert verify_inclusion(leaf_hash(LEAVES[index]), index, size, proof, expected)


@pytest.mark.parametrize("new", range(MOST + 1))
def test_every_consistency_is_proved(new: int) -> None:
    for old in range(new + 1):
        proof = consistency_proof(old, new, node)
        if old:
            assert proof == naive_subproof(old, LEAVES[:new], True)
        roots = naive_root(LEAVES[:old]), naive_root(LEAVES[:new])
        assert verify_consistency(old, new, *roots, proof)


def test_proofs_of_what_there_is_not_are_refused() -> None:
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion_proof(index, size, node)
        assert not verify_inclusion(EMPTY, index, size, [], EMPTY)
    for old, new in ((4, 3), (-1, 3)):
        with pytest.raises(ValueError, match="no beginning"):
            consistency_proof(old, new, node)
        assert not verify_consistency(old, new, EMPTY, EMPTY, [])


@st.composite
def inclusions(draw: st.DrawFn) -> tuple[bytes, int, int, list[bytes], bytes]:
    size = draw(st.integers(1, MOST))
    index = draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, node)
    return leaf_hash(LEAVES[index]), index, size, proof, naive_root(LEAVES[:size])


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


@given(inclusion=inclusions(), bit=st.integers(0, 255), data=st.data())
def test_any_change_of_an_inclusion_is_found(
    inclusion: tuple[bytes, int, int, list[bytes], bytes], bit: int, data: st.DataObject
) -> None:
    leaf, index, size, proof, expected = inclusion
    assert not verify_inclusion(flip(leaf, bit), index, size, proof, expected)
    assert not verify_inclusion(leaf, index, size, proof, flip(expected, bit))
    other = data.draw(st.integers(0, MOST).filter(lambda number: number != index))
    assert not verify_inclusion(leaf, other, size, proof, expected)
    assert not verify_inclusion(leaf, index, size, [*proof, EMPTY], expected)
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        changed = [*proof]
        changed[place] = flip(proof[place], bit)
        assert not verify_inclusion(leaf, index, size, changed, expected)
        assert not verify_inclusion(leaf, index, size, proof[:place] + proof[place + 1 :], expected)


@given(inclusion=inclusions(), other=st.integers(1, MOST))
def test_an_inclusion_of_another_size_needs_the_root_of_that_size(
    inclusion: tuple[bytes, int, int, list[bytes], bytes], other: int
) -> None:
    leaf, index, size, proof, _ = inclusion
    if other != size:
        assert not verify_inclusion(leaf, index, other, proof, naive_root(LEAVES[:other]))


@st.composite
def consistencies(draw: st.DrawFn) -> tuple[int, int, bytes, bytes, list[bytes]]:
    new = draw(st.integers(1, MOST))
    old = draw(st.integers(1, new))
    roots = naive_root(LEAVES[:old]), naive_root(LEAVES[:new])
    return old, new, *roots, consistency_proof(old, new, node)


@given(found=consistencies(), bit=st.integers(0, 255), other=SIZES, data=st.data())
def test_any_change_of_a_consistency_is_found(
    found: tuple[int, int, bytes, bytes, list[bytes]], bit: int, other: int, data: st.DataObject
) -> None:
    old, new, old_root, new_root, proof = found
    assert not verify_consistency(old, new, flip(old_root, bit), new_root, proof)
    assert not verify_consistency(old, new, old_root, flip(new_root, bit), proof)
    assert not verify_consistency(old, new, old_root, new_root, [*proof, EMPTY])
    if other != old:
        assert not verify_consistency(
            other, new, naive_root(LEAVES[:other]), new_root, [*proof, EMPTY]
        )
        assert old == new or not verify_consistency(other, new, old_root, new_root, proof)
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        changed = [*proof]
        changed[place] = flip(proof[place], bit)
        assert not verify_consistency(old, new, old_root, new_root, changed)
        assert not verify_consistency(
            old, new, old_root, new_root, proof[:place] + proof[place + 1 :]
        )


def test_only_the_empty_tree_is_the_beginning_of_all_others() -> None:
    assert verify_consistency(0, 0, EMPTY, EMPTY, [])
    assert verify_consistency(0, 5, EMPTY, naive_root(LEAVES[:5]), [])
    assert not verify_consistency(0, 5, naive_root(LEAVES[:1]), naive_root(LEAVES[:5]), [])
    assert not verify_consistency(0, 0, EMPTY, naive_root(LEAVES[:1]), [])
    assert not verify_consistency(0, 5, EMPTY, naive_root(LEAVES[:5]), [EMPTY])
