"""Disposals: batches of documents that are destroyed together, and their states."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class DisposalState(StrEnum):
    """Where a disposal is on its way."""

    PROPOSED = "PROPOSED"  # a list that somebody else is to approve
    APPROVED = "APPROVED"
    EXECUTING = "EXECUTING"  # its documents are being destroyed; it always comes to DONE
    DONE = "DONE"  # certified
    WITHDRAWN = "WITHDRAWN"


DISPOSAL_MOVES: Mapping[DisposalState, frozenset[DisposalState]] = {
    DisposalState.PROPOSED: frozenset({DisposalState.APPROVED, DisposalState.WITHDRAWN}),
    DisposalState.APPROVED: frozenset({DisposalState.EXECUTING, DisposalState.WITHDRAWN}),
    DisposalState.EXECUTING: frozenset({DisposalState.DONE}),
    DisposalState.DONE: frozenset(),
    DisposalState.WITHDRAWN: frozenset(),
}
