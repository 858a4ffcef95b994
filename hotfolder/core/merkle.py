"""The Merkle tree over the audit chain: RFC 9162 section 2.1, with SHA-256.

A tree over ``size`` leaves is made of complete subtrees: the node at ``level`` and
``index`` covers the leaves from ``index * 2**level`` up to the next such number. Once
complete a node never changes, so a log that keeps them answers for any size that it
ever had, from as many nodes as the number of leaves has bits, twice.

Nodes above the leaves are numbered from 1 in the order in which they become complete:
a log that stores them only appends (``node_number``). Leaves are at level 0 and have no
number; they are made of their entries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

EMPTY = hashlib.sha256(b"").digest()  # the root of a tree without leaves
Node = Callable[[int, int], bytes]  # (level, index) of a complete subtree -> its hash


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf: SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def peaks(size: int) -> list[tuple[int, int]]:
    """The complete subtrees (level, index) that make up a tree, from left to right."""
    found: list[tuple[int, int]] = []
    start = 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            found.append((level, start >> level))
            start += 1 << level
    return found


def node_count(size: int) -> int:
    """How many nodes above the leaves are complete in a tree of ``size`` leaves."""
    return size - size.bit_count()


def node_number(level: int, index: int) -> int:
    """The number of a node above the leaves (``level`` at least 1), from 1."""
    last = (index + 1) << level  # the tree has this size when the node becomes complete
    return node_count(last - 1) + level


class Frontier:
    """The peaks of a tree that grows leaf by leaf; as many hashes as its size has bits."""

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """``hashes`` are those of ``peaks(size)``."""
        self.size = size
        self._hashes = list(hashes)
        if len(self._hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves does not have {len(self._hashes)} peaks")

    def append(self, leaf: bytes) -> list[bytes]:
        """Add the hash of a leaf; the nodes above it that it completes, lowest first: the
        next in the order of their numbers."""
        complete: list[bytes] = []
        size = self.size
        while size & 1:
            leaf = node_hash(self._hashes.pop(), leaf)
            complete.append(leaf)
            size >>= 1
        self._hashes.append(leaf)
        self.size += 1
        return complete

    def root(self) -> bytes:
        """The root of the tree as it stands."""
        return _join(self._hashes)


def _join(hashes: Sequence[bytes]) -> bytes:
    """The root over peaks: each is the left child of a node with all that is to its right."""
    if not hashes:
        return EMPTY
    found = hashes[-1]
    for left in reversed(hashes[:-1]):
        found = node_hash(left, found)
    return found


def root(size: int, node: Node) -> bytes:
    """The root of the first ``size`` leaves."""
    return _join([node(level, index) for level, index in peaks(size)])


def _range_root(start: int, end: int, node: Node) -> bytes:
    """The root over the leaves from ``start`` up to ``end``: a subtree of the whole, so
    ``start`` is a multiple of the largest power of two in it."""
    return _join([node(level, (start >> level) + index) for level, index in peaks(end - start)])


def _split(size: int) -> int:
    """The largest power of two below ``size``."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """PATH(index, D[size]) of RFC 9162 section 2.1.3.1: from the leaf's sibling to the root.

    ``ValueError`` if a tree of ``size`` has no leaf ``index``.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    found: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append(_range_root(middle, end, node))
            end = middle
        else:
            found.append(_range_root(start, middle, node))
            start = middle
    return found[::-1]


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """PROOF(old, D[new]) of RFC 9162 section 2.1.4.1: that the first ``old`` leaves of the
    tree of ``new`` are the tree of ``old``. Empty for equal sizes and for an empty tree,
    which is the beginning of every other. ``ValueError`` if ``old`` is the larger."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} leaves is no beginning of one of {new}")
    if old in (0, new):
        return []
    found: list[bytes] = []
    start, end = 0, new
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            found.append(_range_root(middle, end, node))
            end = middle
        else:
            found.append(_range_root(start, middle, node))
            start = middle
    if start:
        found.append(_range_root(start, end, node))
    return found[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes
) -> bool:
    """Whether the tree of ``size`` with the root ``expected`` has this hash of a leaf at
    ``index``: RFC 9162 section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for sibling in proof:
        if not last:
            return False
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return not last and found == expected


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the tree of ``old`` leaves is the beginning of that of ``new``, by their
    roots: RFC 9162 section 2.1.4.2."""
    if not 0 <= old <= new:
        return False
    if old == 0:
        return not proof and old_root == EMPTY and (new > 0 or new_root == EMPTY)
    if old == new:
        return not proof and old_root == new_root
    path = list(proof) if old & old - 1 else [old_root, *proof]
    if not path:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if not last:
            return False
        if place & 1 or place == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        place, last = place >> 1, last >> 1
    return not last and first == old_root and second == new_root
