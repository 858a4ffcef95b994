"""Links of the audit chain, and the nodes of the tree above them: how both are written.

Whatever changes the journal adds its links here, in its own transaction: a link and the
nodes that it completes are there together or not at all. Nothing reads the whole chain;
what a new link needs of it are its last row and as many nodes as its length has bits.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

from hotfolder.core.canonical import dump
from hotfolder.core.errors import BrokenChain
from hotfolder.core.merkle import Frontier, leaf_hash, node_count, node_number, peaks

DAEMON = "hotfolder"  # the actor of what no person did
START = "0" * 64
COLUMNS = "number, at, actor, action, subject, details, previous, digest"
PAGE = 1000

Link = tuple[int, float, str, str, str, str, str, str]  # in the order of COLUMNS
Act = tuple[str, str, Mapping[str, object]]  # action, subject, details


def append_links(
    conn: sqlite3.Connection, acts: Sequence[Act], now: float, actor: str = DAEMON
) -> list[Link]:
    """Add a link for each of these, in order; within a transaction of the caller."""
    if not acts:
        return []
    at = float(now)  # as the column has it: 1 and 1.0 are not the same text
    last = last_link(conn)
    number, previous = (0, START) if last is None else (last[0], last[7])
    tree = Frontier(number, [node_at(conn, *place) for place in peaks(number)])
    links: list[Link] = []
    nodes: list[bytes] = []
    for action, subject, details in acts:
        number += 1
        text = dump(details)
        entry = entry_of(number, at, actor, action, subject, text, previous)
        digest = hashlib.sha256(entry).hexdigest()
        links.append((number, at, actor, action, subject, text, previous, digest))
        nodes += tree.append(leaf_hash(entry))
        previous = digest
    conn.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?)", links)
    insert_nodes(conn, node_count(links[0][0] - 1), nodes)
    return links


def insert_nodes(conn: sqlite3.Connection, before: int, hashes: Sequence[bytes]) -> None:
    """Add nodes behind the first ``before``."""
    conn.executemany("INSERT INTO audit_nodes VALUES (?, ?)", enumerate(hashes, before + 1))


def entry_of(
    number: int, at: float, actor: str, action: str, subject: str, details: str, previous: str
) -> bytes:
    """The canonical JSON of a link, which its digest and its leaf are made of; ``details``
    is the text as stored."""
    # What ``dump`` makes of the list, in half the time: it is made for every spool.
    texts = ",".join(map(encode_basestring, (actor, action, subject, details, previous)))
    return f"[{number},{at!r},{texts}]".encode()


def last_link(conn: sqlite3.Connection) -> Any:
    """The newest link, or None."""
    return conn.execute(f"SELECT {COLUMNS} FROM audit ORDER BY number DESC LIMIT 1").fetchone()


def links_after(conn: sqlite3.Connection, after: int, limit: int) -> list[Any]:
    """Links with a number greater than ``after``, in order."""
    return conn.execute(
        f"SELECT {COLUMNS} FROM audit WHERE number > ? ORDER BY number LIMIT ?", (after, limit)
    ).fetchall()


def node_at(conn: sqlite3.Connection, level: int, index: int) -> bytes:
    """The hash of a complete subtree; ``BrokenChain`` if it, or its link, is missing."""
    if level:
        row = conn.execute(
            "SELECT hash FROM audit_nodes WHERE number = ?", (node_number(level, index),)
        ).fetchone()
        if row is None:
            raise BrokenChain("a node of the audit tree is missing", (index << level) + 1)
        return bytes(row[0])
    link = conn.execute(f"SELECT {COLUMNS} FROM audit WHERE number = ?", (index + 1,)).fetchone()
    if link is None:
        raise BrokenChain("a link of the audit chain is missing", index + 1)
    return leaf_hash(entry_of(*link[:7]))


def build_nodes(conn: sqlite3.Connection) -> None:
    """Make the nodes above a chain that has none; memory for one page of it."""
    tree = Frontier()
    while links := links_after(conn, tree.size, PAGE):
        before = node_count(tree.size)
        nodes = [node for link in links for node in tree.append(leaf_hash(entry_of(*link[:7])))]
        insert_nodes(conn, before, nodes)
