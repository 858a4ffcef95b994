"""Signing: once a day the audit chain as it stands gets a signed tree head.

A head is journalled, then written to the directories; what a crash or an absent share
left unwritten is written later. Nothing is signed that does not continue the last head,
here and in every directory that can be read: that is an alarm, and stays one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import BrokenChain, Corrupt, HotfolderError
from hotfolder.core.merkle import verify_consistency
from hotfolder.core.ports import Clock, Emit, Journal
from hotfolder.core.records import SignedHead, TreeHead
from hotfolder.core.treeheads import due_at, head_at
from hotfolder.flows.headfiles import list_heads, read_head, write_heads

_LOOK_EVERY = 30.0  # seconds
_RETRY_EVERY = 300.0  # a directory that was away
_ALARM_EVERY = 3600.0


class Signer(Protocol):
    """A key that signs."""

    def sign(self, head: TreeHead) -> SignedHead:
        """The head with its signature."""


class Signing:
    """Signs heads and sees to it that every directory gets them; one thread at a time."""

    def __init__(
        self,
        *,
        journal: Journal,
        read_key: Callable[[], Signer],
        directories: Sequence[str],
        hour: int,
        clock: Clock,
        emit: Emit,
    ) -> None:
        """``read_key`` raises ``OperatorFault``; ``hour`` (UTC) is when the day's head is
        signed."""
        self._journal = journal
        self._read_key = read_key
        self._directories = tuple(directories)
        self._hour = hour
        self._clock = clock
        self._emit = emit
        self._write_at = 0.0  # by the monotonic clock: at the start what a crash left

    def step(self, progress: Callable[[int], None] = lambda _done: None) -> float:
        """Sign if it is due, write what is unwritten; seconds to the next step. Raises what
        ``sign`` does, but for ``Corrupt``, which is told as an alarm."""
        try:
            last = self._journal.last_tree_head()
            due = due_at(None if last is None else last.head, self._hour)
            if self._clock.now() >= due and self._journal.audit_size():
                self.sign(progress=progress)
            elif self._clock.monotonic() >= self._write_at:
                self.write()
        except Corrupt as error:
            link = error.number if isinstance(error, BrokenChain) else None
            self._emit("audit.broken", reason=error.code, error=error.message, link=link)
            return _ALARM_EVERY
        return _LOOK_EVERY

    def sign(
        self,
        actor: str = "hotfolder",
        progress: Callable[[int], None] = lambda _done: None,
    ) -> SignedHead | None:
        """Sign the chain as it stands. Returns the newest head: that of before, if nothing
        has been added to the chain since on the same day; None for an empty chain.

        The head is on disk in the journal when this returns. Raises ``OperatorFault``
        without a usable key, ``Corrupt`` if the chain does not continue the last head.
        """
        last, size = self._journal.last_tree_head(), self._journal.audit_size()
        now = self._clock.now()
        if not size:
            return None
        # The one link that follows a head is that of its signing.
        idle = last is not None and last.head.tree_size == size - 1
        if last is None or not idle or last.head.at[:10] != head_at(now)[:10]:
            root = self._check(last, size, progress)
            signed = self._read_key().sign(
                TreeHead(log=self._journal.log_id(), tree_size=size, root=root, at=head_at(now))
            )
            # False: another process has signed this size in the meantime; that head stands.
            if self._journal.add_tree_head(signed, now, actor=actor):
                self._emit("audit.signed", links=size, key=signed.key[:16])
            # survives: killed here, the head is found in the journal and written
            crashpoint("head.journalled")
        self.write()
        return self._journal.last_tree_head()

    def write(self) -> int:
        """Write every head to the directories that lack it; returns how many were written.
        A directory that is away is told of and tried again. ``Corrupt`` if one has another
        head than the journal."""
        heads = self._all_heads()
        written = 0
        missed = False
        for directory in self._directories:
            try:
                written += write_heads(directory, heads)
            except Corrupt:
                raise
            except HotfolderError as error:
                missed = True
                self._emit(
                    "audit.head_not_written",
                    directory=directory,
                    reason=error.code,
                    error=error.message,
                )
        # survives: nothing is left to do
        crashpoint("head.written")
        wait = _RETRY_EVERY if missed else _ALARM_EVERY
        self._write_at = self._clock.monotonic() + wait
        return written

    def _all_heads(self) -> list[SignedHead]:
        # One a day: a few thousand in the life of a journal.
        found: list[SignedHead] = []
        while page := self._journal.tree_heads(after=found[-1].head.tree_size if found else 0):
            found += page
        return found

    def _check(self, last: SignedHead | None, size: int, progress: Callable[[int], None]) -> str:
        """The root of ``size`` links, if they continue every head that is known; the links
        behind the last are recomputed."""
        before = 0 if last is None else last.head.tree_size
        if last is not None:
            self._continues(last.head, size)
        for directory in self._directories:
            try:
                sizes = list_heads(directory)
                newest = read_head(directory, sizes[-1]).signed if sizes else None
            except HotfolderError:
                continue  # away: told of when the head is to be written
            if newest is not None and newest.head.log == self._journal.log_id():
                self._continues(newest.head, size)
        root = self._journal.tree_root(size).hex()
        found = self._journal.recompute_chain([size], after=before, progress=progress)
        if found.roots.get(size) != root:
            raise BrokenChain("the tree over the audit chain has another root", size)
        return root

    def _continues(self, head: TreeHead, size: int) -> None:
        if head.tree_size > size:
            raise BrokenChain(
                f"the audit chain has {size} links, and {head.tree_size} were signed",
                size + 1,
                code="audit.cut",
            )
        proof = self._journal.consistency_proof(head.tree_size, size)
        roots = bytes.fromhex(head.root), self._journal.tree_root(size)
        if not verify_consistency(head.tree_size, size, *roots, proof):
            raise Corrupt(
                f"the audit chain does not continue the head of {head.tree_size} links",
                hint="`hotfolder audit verify` says more; nothing has been signed",
                code="audit.fork",
            )
