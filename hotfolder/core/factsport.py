"""What the journal remembers of ArchivesSpace's side, and what goes downstream: a part of
``core.ports.Journal``, whose rules hold here too."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Protocol

from hotfolder.core.facts import (
    Asked,
    FactKind,
    FactRow,
    FactState,
    FeedFact,
    FeedFile,
    KnownRecord,
    NewFact,
    SeenEvent,
    SeenHold,
    Sight,
)


class FactsJournal(Protocol):
    """Facts, each once, and the files in which they go downstream."""

    # -- how far a look has come ----------------------------------------------
    def look_position(self, name: str) -> Mapping[str, int]:
        """What was noted under ``name``; empty if nothing was."""

    # -- what is known --------------------------------------------------------
    def known_records(self, identities: Collection[str], since: float) -> dict[str, KnownRecord]:
        """What is known of the records of these documents; those that have none are left
        out. ``since`` is when the look began, by our clock: what the server was told
        later may not be in it."""

    def known_disposals(self, ids: Collection[str]) -> frozenset[str]:
        """Those of ``ids`` that are disposals of ours."""

    def decided(self, disposal: str) -> tuple[str, str | None]:
        """State of a disposal, and who approved it. ``KeyError`` if there is none."""

    def holds_by_events(self, identities: Collection[str]) -> list[SeenHold]:
        """Archivists' holds in force that events have placed on any of these."""

    def asked_before(self, event: str) -> dict[str, Asked]:
        """What an event has asked for, by its mark (a disposal, or the number of a hold):
        the newest of each. That it found no hold to release has no mark: it is told once."""

    def unseen_events(self, events: Sequence[SeenEvent]) -> list[SeenEvent]:
        """Those that were not looked at as they stand now."""

    def records_after(
        self, business_unit: str, after: int, limit: int
    ) -> tuple[dict[str, str], int]:
        """Records of documents (identity by uri), by number, and the last number."""

    def records_at(self, uris: Collection[str]) -> dict[str, dict[str, str]]:
        """By business unit, which of ``uris`` are records of documents (identity by uri)."""

    # -- what was seen --------------------------------------------------------
    def record_look(
        self,
        name: str,
        position: Mapping[str, int],
        now: float,
        *,
        sights: Sequence[Sight] = (),
        events: Sequence[SeenEvent] = (),
        facts: Sequence[NewFact] = (),
    ) -> int:
        """A page was looked at: its facts (each once, by its key, with its link of the
        audit chain), what is remembered of the records, and how far the look has come,
        in one transaction; returns how many facts are new."""

    def waiting_facts(self, *, due_at: float | None = None, limit: int = 100) -> list[FactRow]:
        """Facts whose effect is not carried out, oldest first."""

    def settle_fact(
        self, number: int, state: FactState, now: float, *, reason: str = "", hold: str = ""
    ) -> None:
        """WAITING to DONE or REFUSED; ``hold`` is the id of the hold that it placed."""

    def defer_fact(self, number: int, error: str, next_at: float) -> None:
        """Count an attempt and note when to try again."""

    def seen_hold(self, number: int) -> SeenHold | None:
        """A hold that was seen, by its number."""

    def facts(
        self,
        *,
        after: int = 0,
        limit: int = 100,
        identity: str = "",
        kind: FactKind | None = None,
        waiting: bool = False,
    ) -> list[FactRow]:
        """Facts, oldest first; with ``waiting`` those whose effect is not carried out."""

    # -- our own --------------------------------------------------------------
    def collect_changes(self, limit: int, now: float) -> int:
        """Turn a page of the history of dates and dispositions into facts; returns how
        many rows were looked at."""

    def collect_due(self, today: date, limit: int, now: float) -> int:
        """Turn a page of what is due into facts; returns how many documents it had."""

    # -- files of the feed ----------------------------------------------------
    def plan_feed_file(
        self, kinds: Collection[str], fields: Sequence[str], limit: int, now: float
    ) -> FeedFile | None:
        """Choose the oldest facts that are in no file for the next one; None if there are
        none. Those of other ``kinds`` (all, if empty) are passed over for good."""

    def has_unfed_facts(self) -> bool:
        """Whether a fact that is at its end is in no file, or a file is not written."""

    def unwritten_feed_file(self) -> FeedFile | None:
        """The file that is not written, if there is one."""

    def feed_file(self, number: int) -> FeedFile | None:
        """One file."""

    def feed_files(self, *, after: int = 0, limit: int = 100) -> list[FeedFile]:
        """Files, by number."""

    def feed_facts(self, number: int) -> Iterator[FeedFact]:
        """The facts of a file in order, in flat memory."""

    def stage_feed_file(self, number: int, sha256: str, folder: tuple[int, int]) -> None:
        """It is on disk under temporary names in this folder (device, inode)."""

    def record_feed_file(self, number: int, now: float) -> None:
        """It has its names."""

    def unposted_feed_file(self) -> FeedFile | None:
        """The oldest written file that the callback has not taken."""

    def record_posted(self, number: int, now: float) -> None:
        """The callback has taken it."""

    def defer_post(self, number: int, error: str, next_at: float) -> None:
        """Count an attempt and note when to try again."""

    def hasten_posts(self, now: float) -> int:
        """Let what waits for another attempt be posted at once; returns how many."""
