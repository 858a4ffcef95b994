"""Is this file finished? A state machine over looks (DESIGN section 4, step 2).

A look is a ``Sighting`` and the moment it was made. What counts is what looks show:
size, modification time, inode and device. A modification time is only compared with
another one of the same file, never with a clock, so that preserved times and times in
the future do no harm. ``now`` is in seconds on a clock that nobody sets; should it
step back, waiting begins again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from hotfolder.core.bookings import Bookings
from hotfolder.core.errors import Fault, HotfolderError, InputFault
from hotfolder.core.incomplete import EMPTY, STILL_OPEN
from hotfolder.core.profiles import Completion, CompletionRule
from hotfolder.core.records import Inspection, Sighting

RELOOK = 0.25  # seconds to the look that confirms what a producer has announced
_SHORTEST = 0.01  # seconds between two looks at least
_WRITER_WAIT = 1.0  # between questions whether a writer still holds a file; its close is an event
_STALE = 1000  # booked looks that have lapsed, kept at most beside the live ones


class Standard(IntEnum):
    """What a file must show before it counts as finished."""

    ANNOUNCED = 0  # the producer has said so: trailer whole and no writer suffice
    CLOSED = 1  # it has just been closed: as announced, if the format shows its end
    NAMED = 2  # it bears its final name: seen unchanged for the quiet time
    QUIET = 3  # nothing is known: quiet and looked at often; longer without a trailer


# What is asked of a file that nobody has announced, where no word is waited for.
UNANNOUNCED = {CompletionRule.QUIET: Standard.QUIET, CompletionRule.RENAME: Standard.NAMED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer for one file. ``again`` is when a further look may change it."""

    ready: bool
    faults: tuple[Fault, ...] = ()
    again: float = 0.0


class _Track:
    """What the looks at one name have shown so far. 100,000 of them may wait, so the
    sighting is kept in short."""

    __slots__ = ("again", "closed", "inspection", "looked", "mark", "since", "unchanged", "version")

    def __init__(self, version: bytes, now: float, *, closed: bool) -> None:
        self.version = version
        self.closed = closed
        self.since = now  # first look at this version
        self.looked = now  # last look
        self.unchanged = 0  # later looks that showed the same
        self.inspection: Inspection | None = None  # of this version
        self.again: float | None = None  # the look that is booked
        self.mark = 0  # of the last full scan that met it


class Settling:
    """The looks at the files of one folder. Pure: it is told of looks and asks its two
    questions, ``is_whole`` and ``has_writer`` (None: cannot be told), only of files that
    have been still long enough, and ``is_whole`` once a version."""

    def __init__(
        self,
        completion: Completion,
        *,
        is_whole: Callable[[Sighting], Inspection],
        has_writer: Callable[[Sighting], bool | None],
    ) -> None:
        self._rule = completion
        self._is_whole = is_whole
        self._has_writer = has_writer
        self._folder = ""
        self._tracks: dict[bytes, _Track] = {}
        self._booked = Bookings(self._holds)
        self._last_booked = 0.0

    # -- looks --------------------------------------------------------------------
    def see(self, sighting: Sighting, now: float, mark: int = 0) -> bool:
        """Take in a look at a regular file; true if it is new or another than at the last
        look."""
        track = self._tracks.get(sighting.name)
        version = _version(sighting)
        if track is None:
            track = self._tracks[sighting.name] = _Track(version, now, closed=sighting.closed)
            track.mark = mark
            self._folder = sighting.folder
            return True
        track.mark = mark or track.mark
        backwards = now < track.looked
        if backwards or version != track.version:
            track.version = version
            track.closed = sighting.closed
            track.since = track.looked = now
            track.unchanged = 0
            track.inspection = None
            track.again = None
            return True
        if now > track.looked:
            track.unchanged += 1
            track.looked = now
        track.closed = track.closed or sighting.closed
        return False

    def lose(self, name: bytes) -> bool:
        """The file is gone, or no longer ours to watch; false if it was not known."""
        return self._tracks.pop(name, None) is not None

    def get(self, name: bytes) -> Sighting | None:
        """The last look at ``name``, or None."""
        return self.known(name) if name in self._tracks else None

    def known(self, name: bytes) -> Sighting:
        """The last look at ``name``. ``KeyError`` if it is not known."""
        track = self._tracks[name]
        size, mtime_ns, inode, device = (int(part, 16) for part in track.version.split())
        return Sighting(
            folder=self._folder,
            name=name,
            size=size,
            mtime_ns=mtime_ns,
            inode=inode,
            device=device,
            closed=track.closed,
        )

    def since(self, name: bytes) -> float:
        """When the present version was first seen. ``KeyError`` if it is not known."""
        return self._tracks[name].since

    def looked(self, name: bytes) -> float:
        """When it was last looked at. ``KeyError`` if it is not known."""
        return self._tracks[name].looked

    def unmarked(self, mark: int) -> list[bytes]:
        """Names that the full scan ``mark`` has not met."""
        return [name for name, track in self._tracks.items() if track.mark != mark]

    def __len__(self) -> int:
        return len(self._tracks)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._tracks)

    def __contains__(self, name: bytes) -> bool:
        return name in self._tracks

    # -- when to look next --------------------------------------------------------
    def book(self, name: bytes, at: float) -> None:
        """Ask for a look at ``name`` at ``at``, unless an earlier one is booked."""
        track = self._tracks[name]
        if track.again is None or at < track.again:
            # One float for all files of a scan.
            track.again = at = self._last_booked = (
                self._last_booked if at == self._last_booked else at
            )
            self._booked.add(name, at)
            if len(self._booked) > 2 * len(self._tracks) + _STALE:
                # Those of files long gone: at 2,000 files a second they would pile up.
                self._booked.replace(
                    (name, item.again)
                    for name, item in self._tracks.items()
                    if item.again is not None
                )

    def book_quiet(self, name: bytes, standard: Standard) -> None:
        """Book the look that a file needs which has just changed."""
        at = self._quiet_until(self._tracks[name], standard)
        if at is not None:
            self.book(name, at)

    def booked(self, name: bytes) -> bool:
        """Whether a look at ``name`` is booked. ``KeyError`` if it is not known."""
        return self._tracks[name].again is not None

    def due(self, now: float, limit: int) -> list[bytes]:
        """Up to ``limit`` names to look at now, longest overdue first."""
        found: list[bytes] = []
        while len(found) < limit and (name := self._booked.pop(now)) is not None:
            self._tracks[name].again = None
            found.append(name)
        return found

    def next_look(self) -> float | None:
        """When the next look is due; None if none is booked."""
        return self._booked.next()

    def _holds(self, name: bytes, at: float) -> bool:
        track = self._tracks.get(name)
        return track is not None and track.again == at

    # -- the verdict --------------------------------------------------------------
    def judge(  # noqa: PLR0911  one return a question
        self, name: bytes, standard: Standard, now: float, *, content: bool = True
    ) -> Verdict:
        """Is ``name`` finished, by ``standard``? ``KeyError`` if it is not known.

        Without ``content`` (sidecars) the bytes are nobody's question yet. A file that
        has been still for ``sidecar_wait`` and is yet not whole is ready with the fault
        that explains it, so that nothing is left lying without a word.
        """
        track = self._tracks[name]
        quiet_until = self._quiet_until(track, standard)
        if quiet_until is not None:
            return Verdict(ready=False, again=quiet_until)
        sighting = self.known(name)
        writer = self._has_writer(sighting) if self._rule.writer_check else None
        if writer:
            return self._wait(track, (STILL_OPEN,), now + _WRITER_WAIT)
        if sighting.size == 0:
            return self._wait(track, (EMPTY,))
        if content:
            try:
                inspection = track.inspection or self._is_whole(sighting)
            except HotfolderError as error:
                return self._wait(track, _faults_of(error), now + max(self._rule.quiet, RELOOK))
            track.inspection = inspection
            if inspection.fault is not None:
                return self._wait(track, (inspection.fault,))
            if inspection.has_trailer:
                return _READY
        return self._still(track, standard, writer, content=content)

    def _quiet_until(self, track: _Track, standard: Standard) -> float | None:
        """When to look again at a file that has not been still for long enough."""
        if standard <= Standard.CLOSED:
            return None
        rule = self._rule
        looks = 1 if standard is Standard.NAMED else max(1, rule.looks)
        end = track.since + rule.quiet
        if track.looked >= end and track.unchanged >= looks:
            return None
        # Looks are spread over the quiet time; the last falls at its end.
        step = max(_SHORTEST, rule.quiet / looks)
        if track.looked >= end:
            return track.looked + step / 2
        return min(end, max(track.since + step * (track.unchanged + 1), track.looked + step / 2))

    def _still(
        self, track: _Track, standard: Standard, writer: bool | None, *, content: bool
    ) -> Verdict:
        """The verdict on a file in which nothing shows its end."""
        wanted = self._rule.quiet
        if standard is Standard.ANNOUNCED:
            wanted = 0.0 if writer is False else min(RELOOK, wanted)
        elif standard is Standard.QUIET and content:
            wanted = max(wanted, self._rule.quiet_without_trailer)
        if track.looked >= track.since + wanted:
            return _READY
        return Verdict(ready=False, again=track.since + wanted)

    def _wait(
        self, track: _Track, faults: tuple[Fault, ...], again: float | None = None
    ) -> Verdict:
        """Not finished; after ``sidecar_wait`` without change ready with the faults."""
        end = track.since + self._rule.sidecar_wait
        if track.looked >= end:
            return Verdict(ready=True, faults=faults)
        return Verdict(ready=False, again=end if again is None else min(end, again))


_READY = Verdict(ready=True)


def _faults_of(error: HotfolderError) -> tuple[Fault, ...]:
    if isinstance(error, InputFault):
        return error.faults
    return (Fault(code=error.code, message=error.message, remedy=error.hint),)


def _version(sighting: Sighting) -> bytes:
    """What tells one version of a file from another. As text: times and inodes have no
    limit that is known here."""
    return b"%x %x %x %x" % (sighting.size, sighting.mtime_ns, sighting.inode, sighting.device)
