"""Verifying the audit chain: all of it, and every head that was ever signed of it.

The chain is recomputed from its rows. Then every head, of the journal and of the
directories, must have the root that the chain had at its size, its signature must hold,
and the chain must say that it was signed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hotfolder.core.errors import BrokenChain, Corrupt, Fault, HotfolderError
from hotfolder.core.merkle import verify_consistency
from hotfolder.core.ports import Journal
from hotfolder.core.records import SignedHead
from hotfolder.flows.headfiles import HeadFile, read_heads

_REMEDY = "compare the journal with a backup, and with heads that others have kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What a verification found. Sound if there are no ``faults``."""

    log: str
    links: int
    broken_at: int | None  # the first link that is wrong
    heads: int  # of the journal
    copies: int  # files of heads in the directories
    keys: tuple[str, ...]  # that have signed, in order
    strangers: tuple[str, ...]  # other logs whose heads lie in the directories
    faults: tuple[Fault, ...]


def verify_audit(
    journal: Journal,
    directories: Sequence[str],
    verify_signature: Callable[[SignedHead], bool],
    *,
    trusted: Collection[str] = (),
    progress: Callable[[int], None] = lambda _done: None,
) -> AuditReport:
    """Verify everything there is. ``trusted`` are the ids of keys that may have signed;
    any may, if there are none. Raises only what the journal raises when it cannot be read."""
    faults: list[Fault] = []
    heads = _heads_of(journal)
    copies = list(_copies_in(directories, faults))
    log = journal.log_id()
    ours = [copy for copy in copies if copy.signed is not None and copy.signed.head.log == log]
    sizes = {signed.head.tree_size for signed in heads} | {copy.size for copy in ours}
    links, broken_at, roots = journal.audit_size(), None, {}
    try:
        found = journal.recompute_chain(sizes, progress=progress)
        links, roots = found.size, dict(found.roots)
    except BrokenChain as error:
        broken_at = error.number
        faults.append(
            Fault(
                code=error.code,
                message=error.message,
                remedy=error.hint,
                place=f"link {error.number}",
            )
        )
    judge = _Judge(journal, links, roots, verify_signature, frozenset(trusted))
    for signed in heads:
        faults += judge.complaints(signed, "the journal")
    for copy in ours:
        assert copy.signed is not None
        faults += judge.complaints(copy.signed, copy.directory)
    faults += _compare_with_links(journal, log, heads)
    faults += _compare_with_one_another(journal, heads)
    strangers = {
        copy.signed.head.log
        for copy in copies
        if copy.signed is not None and copy.signed.head.log != log
    }
    if strangers and not any(
        row.action == "operator.rebuild" for row in journal.audit_of(["journal"])
    ):
        faults.append(
            _fault(
                "audit.log",
                "there are heads of another log, and this journal was not rebuilt",
                next(iter(sorted(strangers))),
            )
        )
    return AuditReport(
        log=log,
        links=links,
        broken_at=broken_at,
        heads=len(heads),
        copies=len(copies),
        keys=tuple(dict.fromkeys(signed.key for signed in heads)),
        strangers=tuple(sorted(strangers)),
        faults=tuple(faults),
    )


def _fault(code: str, message: str, place: str, remedy: str = _REMEDY) -> Fault:
    return Fault(code=code, message=message, remedy=remedy, place=place)


def _heads_of(journal: Journal) -> list[SignedHead]:
    found: list[SignedHead] = []
    while page := journal.tree_heads(after=found[-1].head.tree_size if found else 0):
        found += page
    return found


def _copies_in(directories: Sequence[str], faults: list[Fault]) -> Iterator[HeadFile]:
    for directory in directories:
        try:
            copies = list(read_heads(directory))
        except HotfolderError as error:
            faults.append(_fault("head.directory", error.message, directory, error.hint))
            continue
        for copy in copies:
            if copy.error is not None:
                place = f"{directory}, tree-head-{copy.size}.json"
                faults.append(_fault("head.unreadable", copy.error.message, place, copy.error.hint))
        yield from copies


@dataclass(frozen=True, slots=True)
class _Judge:
    """Says what is wrong with a head."""

    journal: Journal
    links: int
    roots: dict[int, str]
    verify_signature: Callable[[SignedHead], bool]
    trusted: frozenset[str]

    def complaints(self, signed: SignedHead, where: str) -> Iterator[Fault]:
        head = signed.head
        place = f"{where}, head of {head.tree_size} links"
        if not self.verify_signature(signed):
            yield _fault("head.signature", "the signature of a tree head is not valid", place)
        elif self.trusted and signed.key not in self.trusted:
            yield _fault(
                "head.key",
                f"a tree head was signed by the key {signed.key}, which was not named",
                place,
                f"is it yours, name it whole: all 64 digits, no beginning; else {_REMEDY}",
            )
        if head.tree_size > self.links:
            message = f"{head.tree_size} links were signed, and there are {self.links}"
            yield _fault("audit.cut", message, place)
        elif self._root(head.tree_size) != head.root:
            yield _fault(
                "audit.fork",
                f"the first {head.tree_size} links are not those that were signed at {head.at}",
                place,
            )

    def _root(self, size: int) -> str:
        """As recomputed; behind a broken link as the nodes have it, which may be missing."""
        if size in self.roots:
            return self.roots[size]
        try:
            return self.journal.tree_root(size).hex()
        except Corrupt:
            return ""


def _compare_with_links(journal: Journal, log: str, heads: Sequence[SignedHead]) -> Iterator[Fault]:
    """The chain says of every head that it was signed, and of no other."""
    kept = [(signed.head.tree_size, signed.head.root, signed.key) for signed in heads]
    told = [
        (row.details.get("tree_size"), row.details.get("root"), row.details.get("key"))
        for row in journal.audit_of([log])
        if row.action == "tree.signed"
    ]
    for size, *_ in [item for item in told if item not in kept]:
        message = "the chain tells of a signed head that the journal does not have"
        yield _fault("head.missing", message, f"head of {size} links")
    for size, *_ in [item for item in kept if item not in told]:
        message = "the journal has a signed head that the chain does not tell of"
        yield _fault("head.untold", message, f"head of {size} links")


def _compare_with_one_another(journal: Journal, heads: Sequence[SignedHead]) -> Iterator[Fault]:
    for old, new in pairwise(signed.head for signed in heads):
        try:
            proof = journal.consistency_proof(old.tree_size, new.tree_size)
            sound = verify_consistency(
                old.tree_size,
                new.tree_size,
                bytes.fromhex(old.root),
                bytes.fromhex(new.root),
                proof,
            )
        except (Corrupt, ValueError):
            sound = False
        if not sound:
            message = f"the head of {new.tree_size} links does not continue that before it"
            yield _fault("audit.fork", message, f"head of {old.tree_size} links")
