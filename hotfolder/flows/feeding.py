"""Feeding: facts go downstream, each in one file, files in order and without gaps.

A file is planned (its facts are chosen), staged (written under temporary names, on disk),
and given its names; each step is journalled, and a kill anywhere loses and doubles none.
A consumer may take a file the moment it has its name: it is not written again. The
callback has the same change sets, one after the other; while it fails, it waits alone.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import BinaryIO, Protocol

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import HotfolderError, OperatorFault, Transient
from hotfolder.core.facts import FeedFile, FeedProfile, FileState
from hotfolder.core.feedlines import SCHEMA, csv_rows, json_lines
from hotfolder.core.lifecycle import Backoff
from hotfolder.core.orders import Sent
from hotfolder.core.ports import Clock, Emit, Journal
from hotfolder.files.giving import discard_files, give_files, has_any, identify_folder, stage_files

_IDLE = 1.0
_PAGE = 500
_RENDER = {"jsonl": json_lines, "csv": csv_rows}
SIGNATURE = "Hotfolder-Signature"


class Callback(Protocol):
    """Who is told over a network."""

    def post(self, headers: Sequence[tuple[str, str]], content: BinaryIO, size: int) -> Sent:
        """Send ``size`` bytes. Raises ``Transient`` or ``OperatorFault``."""

    def close(self) -> None:
        """Close every connection."""


class Feeding:
    """Gathers facts and writes files. One thread; ``post`` may be called from another."""

    def __init__(
        self,
        *,
        journal: Journal,
        profile: FeedProfile,
        callback: Callback | None,
        clock: Clock,
        emit: Emit,
        jitter: Callable[[], float],
        backoff: Backoff | None = None,
    ) -> None:
        self._journal = journal
        self.profile = profile
        self._callback = callback
        self._clock = clock
        self._emit = emit
        self._jitter = jitter
        self._backoff = backoff or Backoff()
        self._next = 0.0  # monotonic
        self._gathered = False  # all that was there at the start

    @property
    def enabled(self) -> bool:
        """Whether there is a feed."""
        return bool(self.profile.path)

    @property
    def calls(self) -> bool:
        """Whether somebody is called."""
        return self.enabled and self._callback is not None

    def close(self) -> None:
        """Close every connection."""
        if self._callback is not None:
            self._callback.close()

    # -- files ---------------------------------------------------------------------------
    def step(self) -> float:
        """Gather a page of our own facts; or finish a file, or begin one when it is time.
        Seconds to the next step."""
        if self.gather():
            return 0.0
        if self._journal.unwritten_feed_file() is None and self._clock.monotonic() < self._next:
            return _IDLE
        self._gathered = True
        if not self.write():
            return _IDLE
        self._next = self._clock.monotonic() + self.profile.every
        return 0.0

    def pending(self) -> bool:
        """Whether a file is to be written, or posted, now or at the end of the interval."""
        if not self.enabled:
            return False
        file = self._journal.unposted_feed_file() if self.calls else None
        due = file is not None and (file.next_at is None or file.next_at <= self._clock.now())
        return due or not self._gathered or self._journal.has_unfed_facts()

    def waiting(self) -> bool:
        """Whether something did not get to who is to have it."""
        return self.enabled and (
            self._journal.has_unfed_facts()
            or (self.calls and self._journal.unposted_feed_file() is not None)
        )

    def gather(self) -> int:
        """Turn what happened here into facts, a page at most; returns how many it was."""
        now = self._clock.now()
        today = datetime.fromtimestamp(now, UTC).date()
        return self._journal.collect_changes(_PAGE, now) or self._journal.collect_due(
            today, _PAGE, now
        )

    def write(self) -> bool:
        """Write one file, the one that was begun first; False if no fact waits for any."""
        file = self._journal.unwritten_feed_file()
        if file is None:
            file = self._journal.plan_feed_file(
                self.profile.kinds, self.profile.fields, self.profile.limit, self._clock.now()
            )
            if file is None:
                return False
            # survives: killed here, this file is written with these facts
            crashpoint("feed.planned")
        if file.state is FileState.PLANNED:
            file = self._stage(file)
        self._give(file)
        self._journal.record_feed_file(file.number, self._clock.now())
        # survives: killed here, nothing is left to do
        crashpoint("feed.recorded")
        self._emit("feed.written", file=file.number, facts=file.facts)
        return True

    def _stage(self, file: FeedFile) -> FeedFile:
        folder = identify_folder(os.fsencode(self.profile.path))
        digest = self._write(file, ".tmp")
        # survives: killed here, the temporary files are written again
        crashpoint("feed.written")
        self._journal.stage_feed_file(file.number, digest, folder)
        # survives: killed here, what is staged gets its names
        crashpoint("feed.staged")
        staged = self._journal.feed_file(file.number)
        assert staged is not None
        return staged

    def _give(self, file: FeedFile) -> None:
        assert file.folder is not None
        try:
            give_files(os.fsencode(self.profile.path), file.folder, self._names(file, ".tmp"))
        except OperatorFault as error:
            if error.code != "return.folder":
                raise
            raise OperatorFault(
                "another folder is in the place of the feed's",
                hint=f"mount it again; or `hotfolder feed replay {file.number} --settle`",
                code="feed.folder",
            ) from error
        # survives: killed here, names that were given are not given again
        crashpoint("feed.given")

    def replay(self, number: int, *, settle: bool = False) -> FeedFile:
        """Write a file anew from the journal, for a consumer that has lost it. With
        ``settle`` also one whose folder was replaced while it was staged.

        Raises ``OperatorFault`` if there is no such file, or if it is there.
        """
        file = self._journal.feed_file(number)
        # What is PLANNED is not staged anywhere: it is written by itself, and would be twice.
        again = (FileState.WRITTEN, FileState.STAGED) if settle else (FileState.WRITTEN,)
        if file is None or file.state not in again:
            raise OperatorFault(
                f"there is no written file {number} of the feed",
                hint="`hotfolder feed list`",
                code="feed.unknown",
            )
        folder = os.fsencode(self.profile.path)
        # Before one of the two gets its name: a consumer may have taken the other long ago.
        if has_any(folder, [final for _, final in self._names(file, "")]):
            raise _there(number)
        digest = self._write(file, ".replay")
        if file.state is FileState.WRITTEN and digest != file.sha256:
            self._emit("feed.differs", file=number)
        try:
            give_files(folder, identify_folder(folder), self._names(file, ".replay"))
        except OperatorFault as error:
            discard_files(folder, f"-{number:010d}.", b".replay")
            if error.code != "return.name":
                raise
            raise _there(number) from error
        self._journal.record_feed_file(number, self._clock.now())
        return file

    def _write(self, file: FeedFile, suffix: str) -> str:
        """All formats under temporary names; the SHA-256 of the JSON lines."""
        digest = hashlib.sha256()

        def hashed(pieces: Iterable[bytes]) -> Iterator[bytes]:
            for piece in pieces:
                digest.update(piece)
                yield piece

        stage_files(
            os.fsencode(self.profile.path),
            [
                (
                    name,
                    (hashed if kind == "jsonl" else iter)(
                        _RENDER[kind](
                            file.number, self._journal.feed_facts(file.number), file.fields
                        )
                    ),
                )
                for kind, (name, _) in zip(self._formats(), self._names(file, suffix), strict=True)
            ],
        )
        if "jsonl" not in self._formats():
            for piece in self._lines(file):
                digest.update(piece)
        return digest.hexdigest()

    def _lines(self, file: FeedFile) -> Iterator[bytes]:
        return json_lines(file.number, self._journal.feed_facts(file.number), file.fields)

    def _formats(self) -> list[str]:
        """In the order in which they get their names: JSON lines come last."""
        return sorted(self.profile.formats)

    def _names(self, file: FeedFile, suffix: str) -> list[tuple[bytes, bytes]]:
        names = [f"hotfolder-facts-{file.number:010d}.{kind}" for kind in self._formats()]
        return [(os.fsencode(f".{name}{suffix}"), os.fsencode(name)) for name in names]

    # -- the callback --------------------------------------------------------------------
    def step_post(self) -> float:
        """Post the next change set if it is due; seconds to the next step."""
        return 0.0 if self.post() else _IDLE

    def post(self) -> bool:
        """Post the oldest change set that the callback has not taken; False if there is
        none that is due, or if it was not taken."""
        file = self._journal.unposted_feed_file()
        if file is None or self._callback is None:
            return False
        if file.next_at is not None and file.next_at > self._clock.now():
            return False
        body = b"".join(self._lines(file))
        try:
            sent = self._callback.post(self._headers(file, body), io.BytesIO(body), len(body))
        except (Transient, OperatorFault) as error:
            self._defer(file, error.code, error)
            return False
        if not sent.taken:
            self._defer(file, "feed.refused" if sent.refused else "feed.unknown", sent.reason)
            return False
        # survives: killed here, it is posted again under the same key
        crashpoint("feed.posted")
        self._journal.record_posted(file.number, self._clock.now())
        self._emit("feed.posted", file=file.number, facts=file.facts)
        return True

    def _headers(self, file: FeedFile, body: bytes) -> list[tuple[str, str]]:
        key = f"{self._journal.log_id()}-{file.number}"
        headers = [
            ("Idempotency-Key", key),
            ("Content-Type", "application/jsonl; charset=utf-8"),
            ("Hotfolder-Schema", SCHEMA),
            ("Hotfolder-Feed-File", str(file.number)),
        ]
        if self.profile.signing_key:
            signed = key.encode() + b"." + body
            digest = hmac.new(self.profile.signing_key.encode(), signed, hashlib.sha256)
            headers.append((SIGNATURE, f"v1={digest.hexdigest()}"))
        return headers

    def _defer(self, file: FeedFile, code: str, error: HotfolderError | str) -> None:
        wait = self._backoff.wait(file.attempts + 1, self._jitter())
        self._journal.defer_post(file.number, str(error)[:500], self._clock.now() + wait)
        self._emit("feed.deferred", file=file.number, reason=code, seconds=round(wait, 1))


def _there(number: int) -> OperatorFault:
    return OperatorFault(
        f"file {number} of the feed is there",
        hint="it is written again when none of its formats is; move it away first",
        code="feed.there",
    )
