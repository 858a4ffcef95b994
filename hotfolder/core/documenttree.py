"""A Merkle tree over the documents of a spool: RFC 9162, section 2.1, with SHA-256.

A leaf is a line of documents.jsonl. Whoever knows the root can be shown one line, and
that it is among the others, without seeing any of those. Lines are taken once, in order;
memory holds a hash for each level of the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from hotfolder.core.errors import Corrupt
from hotfolder.core.merkle import Frontier, leaf_hash, node_hash


class RootOfLines:
    """Lines that pass by, and the root of their tree afterwards.

    ``read`` gives the same lines at every call, and so does an instance. ``root`` is hex,
    and that of the last call that went through all lines; None before.
    """

    def __init__(self, read: Callable[[], Iterator[bytes]]) -> None:
        self._read = read
        self.root: str | None = None

    def __call__(self) -> Iterator[bytes]:
        tree = Frontier()
        for line in self._read():
            tree.append(leaf_hash(line))
            yield line
        self.root = tree.root().hex()


def root_of(lines: Iterable[bytes]) -> str:
    """The root over these lines, hex; empty if there are none."""
    return root_of_leaves(map(leaf_hash, lines))


def root_of_leaves(leaves: Iterable[bytes]) -> str:
    """The root over lines of which only the leaves are there."""
    tree = Frontier()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root().hex() if tree.size else ""


def prove_leaf(leaves: Iterable[bytes], index: int, size: int) -> list[str]:
    """The inclusion proof of line ``index`` (from 0) among the ``size`` lines of these
    leaves: hex, from the leaf upwards. ``Corrupt`` if there are not so many; ``ValueError``
    for another index."""
    if not 0 <= index < size:
        raise ValueError(f"no line {index} of {size}")
    left = iter(leaves)
    path = _path(left, index, size)
    if next(left, None) is not None:
        raise _counted_wrongly()
    return [digest.hex() for digest in path]


def prove_line(lines: Iterable[bytes], index: int, size: int) -> list[str]:
    """``prove_leaf`` over the lines themselves."""
    return prove_leaf(map(leaf_hash, lines), index, size)


def _path(leaves: Iterator[bytes], index: int, size: int) -> list[bytes]:
    if size == 1:
        _next(leaves)
        return []
    left = _split(size)
    if index < left:
        path = _path(leaves, index, left)
        return [*path, _subtree(leaves, size - left)]
    beside = _subtree(leaves, left)
    return [*_path(leaves, index - left, size - left), beside]


def _subtree(leaves: Iterator[bytes], size: int) -> bytes:
    if size == 1:
        return _next(leaves)
    left = _split(size)
    first = _subtree(leaves, left)
    return node_hash(first, _subtree(leaves, size - left))


def _split(size: int) -> int:
    """The largest power of two that is smaller than ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


def _next(leaves: Iterator[bytes]) -> bytes:
    leaf = next(leaves, None)
    if leaf is None:
        raise _counted_wrongly()
    return leaf


def _counted_wrongly() -> Corrupt:
    return Corrupt(
        "the store lists another number of documents for a spool than the journal",
        hint="compare them with `hotfolder show`",
        code="evidence.documents",
    )
