"""What a person reads when a drop was rejected, or some of its documents were:
``<name>.ERROR.txt``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime

from hotfolder.core.errors import Fault
from hotfolder.core.orders import RequestRow
from hotfolder.core.profiles import FolderProfile
from hotfolder.core.records import SpoolRow

_WIDTH = 76
_BLANKS = dict.fromkeys(b"\t\n\v\f\r", " ")


def error_note(
    row: SpoolRow, faults: Sequence[Fault], *, profile: FolderProfile, rejected_at: datetime
) -> str:
    """The note, for somebody who has never seen a terminal: what happened, every
    fault, what to do, whom to ask. Its reference is the spool's id."""
    name = printable_name(row.name.rsplit(b"/", 1)[-1])
    many = len(faults) != 1
    lines = [
        f"{name} was not archived.",
        "",
        *_wrap(
            f"{'These things are' if many else 'One thing is'} wrong with it. Nothing was lost:"
            " the file lies here, next to this note, just as it came."
        ),
        "",
    ]
    lines += [
        *_list_faults(faults),
        "How to send it again:",
        *_wrap(
            "Put it right, then copy the file (with its metadata file, if it has one) into the"
            f" hot folder {profile.name!r}. It will be treated as new.",
            "  ",
            first="  ",
        ),
        *_say_whom_to_ask(row, profile, rejected_at),
    ]
    return "\n".join(lines)


def skipped_note(row: SpoolRow, *, profile: FolderProfile, archived_at: datetime) -> str:
    """The note beside the receipt of a spool of which documents were skipped."""
    name = printable_name(row.name.rsplit(b"/", 1)[-1])
    lines = [
        f"{name} was archived, but for {row.skipped + row.refused} of its documents.",
        "",
        *_wrap(
            "These could not be read, or ArchivesSpace would not have them. The whole file is"
            " kept with the others, so nothing is lost; but these documents have no record."
        ),
        "",
    ]
    lines += [
        *_list_faults(row.remarks),
        "How to send them again:",
        *_wrap(
            "Put the index or the file right, then send the whole file again. What is archived"
            " already is recognised and not added twice.",
            "  ",
            first="  ",
        ),
        *_say_whom_to_ask(row, profile, archived_at),
    ]
    return "\n".join(lines)


def events_note(
    file_name: bytes,
    faults: Sequence[Fault],
    *,
    folder: str,
    owner: str,
    reference: str,
    at: datetime,
) -> str:
    """The note beside a file of events that cannot be taken."""
    name = printable_name(file_name)
    lines = [
        f"{name} was not taken: no event in it was recorded.",
        "",
        *_wrap(
            "A file is taken whole or not at all, so nothing is counted twice when it comes"
            " again. The file lies here, next to this note, just as it came."
        ),
        "",
        *_list_faults(faults),
        "How to send it again:",
        *_wrap("Put it right, then copy the file into the event folder again.", "  ", first="  "),
        "",
        f"Whom to ask:  {printable(owner) or 'whoever runs hotfolder here'}",
        f"Reference:    {reference}",
        f"When:         {at:%Y-%m-%d %H:%M} UTC",
        f"Folder:       {printable(folder)}",
        "",
    ]
    return "\n".join(lines)


def request_note(row: RequestRow, faults: Sequence[Fault], *, owner: str, at: datetime) -> str:
    """The note beside a request file that could not be read."""
    name = printable_name(row.name.rsplit(b"/", 1)[-1])
    lines = [
        f"{name} was not answered: it is not a request that can be read.",
        "",
        *_wrap("Nothing was given out. The file lies here, next to this note, just as it came."),
        "",
        *_list_faults(faults),
        "How to ask again:",
        *_wrap("Put it right, then copy the file into the request folder again.", "  ", first="  "),
        "",
        f"Whom to ask:  {printable(owner) or 'whoever runs hotfolder here'}",
        f"Reference:    {row.id}",
        f"When:         {at:%Y-%m-%d %H:%M} UTC",
        f"Folder:       {printable(row.source)}",
        "",
    ]
    return "\n".join(lines)


def _list_faults(faults: Sequence[Fault]) -> Iterator[str]:
    for number, fault in enumerate(faults, 1):
        where = ", ".join(part for part in (fault.file, fault.place) if part)
        yield from _wrap(f"{number}. {fault.message}." + (f" [{where}]" if where else ""), "   ")
        if fault.remedy:
            yield from _wrap(f"   What to do: {fault.remedy}.", "   ")
        yield ""


def _say_whom_to_ask(row: SpoolRow, profile: FolderProfile, at: datetime) -> tuple[str, ...]:
    return (
        "",
        f"Whom to ask:  {printable(profile.owner) or 'whoever runs hotfolder here'}",
        f"Reference:    {row.id}",
        f"When:         {at:%Y-%m-%d %H:%M} UTC",
        f"Hot folder:   {printable(profile.name)}",
        "",
    )


def printable(text: str) -> str:
    """``text`` on one line and without control characters, which would forge lines of a
    note or command the terminal that shows it. What cannot be printed is escaped."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def printable_name(name: bytes) -> str:
    """A file's name for people; bytes that are no text are escaped."""
    return printable(name.decode("utf-8", "backslashreplace"))


def _wrap(text: str, indent: str = "", *, first: str = "") -> list[str]:
    return textwrap.wrap(
        printable(text.translate(_BLANKS)),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
