"""How the scrub of the store stands, for ``hotfolder status``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hotfolder.core.fixity import FixityStatus
from hotfolder.service.story import moment

LATELY = 30  # days


def fixity_data(status: FixityStatus) -> dict[str, Any]:
    """For ``--json``."""
    last, current = status.last_round, status.open_round
    return {
        "last_round": None
        if last is None
        else {
            "number": last.number,
            "began": moment(last.began_at),
            "finished": moment(last.ended_at),
            **last.totals,
        },
        "open_round": None
        if current is None
        else {"number": current.number, "began": moment(current.began_at)},
        f"verified_in_{LATELY}_days": status.verified,
        "not_whole": status.damaged,
        "never_verified": status.never,
        "oldest_never_verified_taken": moment(status.oldest_never_at),
        "oldest_verified": moment(status.oldest_at),
    }


def fixity_lines(status: FixityStatus) -> Iterator[str]:
    """For people; nothing before the first verification."""
    last, current = status.last_round, status.open_round
    if last is None and current is None:
        if status.never:
            yield "the store was never verified: `hotfolder verify`"
        return
    if last is None:
        yield "no round of `hotfolder verify` is finished yet"
    else:
        yield f"the store was verified last on {moment(last.ended_at)} (round {last.number})"
    if current is not None:
        yield f"round {current.number} is under way since {moment(current.began_at)}"
    yield f"{status.verified:,} spools verified in the last {LATELY} days" + (
        "" if status.oldest_at is None else f", the longest ago on {moment(status.oldest_at)}"
    )
    if status.never:
        yield (
            f"{status.never:,} never verified, the oldest taken on {moment(status.oldest_never_at)}"
        )
    if status.damaged:
        yield f"{status.damaged:,} spools are not whole in every root: `hotfolder verify --all`"
