"""The proof of a migration: what the export has, against what became of it.

Every item is a line ``sha256 size id``; the sum over all of them, in the order of their ids,
is one SHA-256, which anybody can make again with ``sort`` and ``sha256sum``. The sum over
the export is made of what is read there now; the other of what the journal and the
catalogue have. They are the same only if nothing is missing, nothing is over and no byte
differs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hotfolder.core.legacy import MigrationProfile, Outcome, TakenItem, item_line
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.reports import Chart, Report, Sheet

FORMAT = "hotfolder-reconciliation/1"
MOST_DIFFERENCES = 1000  # that are named; all are counted
_OF_SUMS = (
    "An item is a line: SHA-256, size, id. A sum is the SHA-256 of all lines in the order of the"
    " ids' bytes. That of the export was read there just now."
)
_ARCHIVED = (SpoolState.DELIVERED, SpoolState.DONE)
DESTROYED = "destroyed"  # of an item that was archived, or a duplicate, and went since


@dataclass(slots=True)
class Sum:
    """Items, bytes, documents, and the hash of their lines; in the order of their ids."""

    items: int = 0
    size: int = 0
    documents: int = 0
    _digest: Any = field(default_factory=hashlib.sha256)

    def add(self, sha256: str | None, size: int, source_id: str, documents: int) -> None:
        """One more."""
        self.items += 1
        self.size += size
        self.documents += documents
        self._digest.update(item_line(sha256, size, source_id))

    @property
    def sha256(self) -> str:
        """Of all lines so far."""
        return str(self._digest.hexdigest())

    def data(self) -> dict[str, Any]:
        """For the report."""
        return {
            "items": self.items,
            "bytes": self.size,
            "documents": self.documents,
            "sha256": self.sha256,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """An item as it was read in the export just now; without a file, no SHA-256."""

    source_id: str
    size: int
    sha256: str | None
    documents: int


@dataclass(slots=True)
class Reconciliation:
    """What was compared so far. ``counted``: the export says how many documents a file has."""

    counted: bool = True
    source: Sum = field(default_factory=Sum)
    taken: Sum = field(default_factory=Sum)
    outcomes: dict[str, Sum] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    gone: int = 0  # items that were rejected, and that the export has no more
    skipped: int = 0  # documents that were bad, of files that are archived
    destroyed: int = 0  # documents that went by their keys, of files that are archived
    differences: Counter[str] = field(default_factory=Counter)
    named: list[tuple[str, str, str]] = field(default_factory=list)

    def compare(self, line: SourceLine | None, item: TakenItem | None) -> str:
        """One id, from either side or both; what became of it, for the list of all."""
        if line is not None:
            self.source.add(line.sha256, line.size, line.source_id, line.documents)
        if item is None:
            assert line is not None
            return self._differ("not_taken", line.source_id, "it is in the export, not taken")
        if line is None and item.outcome is Outcome.REJECTED:
            # It was corrected or withdrawn there. Nothing of it was ever taken in.
            self.gone += 1
            return "gone"
        sha256, size = item.sha256, item.size
        if item.outcome in (Outcome.ARCHIVED, Outcome.DUPLICATE):
            # What the catalogue says, which the store was compared with: not what was copied.
            sha256, size = item.spool_sha256, item.spool_size
        documents = item.documents
        if item.outcome is Outcome.ARCHIVED:
            documents = (documents if self.counted else item.spool_documents) - item.skipped
            self.skipped += item.skipped
        self.taken.add(sha256, size, item.source_id, documents)
        if item.outcome is Outcome.ARCHIVED and not item.disposal:
            documents -= item.destroyed
            self.destroyed += item.destroyed
        if (became := _became(item)) is not None:
            self.outcomes.setdefault(became, Sum()).add(sha256, size, item.source_id, documents)
        if line is None:
            return self._differ("vanished", item.source_id, "it was taken; the export lacks it")
        if line.sha256 != sha256 or line.size != size:
            return self._differ("changed", item.source_id, "its bytes are not what was taken")
        return self._end_of(item)

    def _end_of(self, item: TakenItem) -> str:
        name = item.source_id
        if item.outcome is None:
            state = (item.spool_state or SpoolState.ABANDONED).value
            return self._differ("under_way", name, f"it has not come to an end: {state}")
        if item.outcome is Outcome.REJECTED:
            self.reasons[item.faults[0].code if item.faults else "unknown"] += 1
            return Outcome.REJECTED
        for whose, found, wanted in _states(item):
            if found not in wanted:
                state = "gone" if found is None else found.value
                return self._differ("state", name, f"{whose} is not what it was: {state}")
        if item.unconfirmed:
            return self._differ("unconfirmed", name, "ArchivesSpace lacks documents of it")
        if (
            self.counted
            and item.outcome is Outcome.ARCHIVED
            and item.spool_documents != item.documents
        ):
            return self._differ(
                "documents",
                name,
                f"the export says {item.documents} documents, {item.spool_documents} are known",
            )
        return _became(item) or item.outcome

    def _differ(self, kind: str, source_id: str, message: str) -> str:
        self.differences[kind] += 1
        if len(self.named) < MOST_DIFFERENCES:
            self.named.append((kind, source_id, message))
        return f"difference:{kind}"

    @property
    def proven(self) -> bool:
        """Whether every item of the export was archived, is a duplicate or rejected."""
        same = (self.source.items, self.source.size, self.source.sha256) == (
            self.taken.items,
            self.taken.size,
            self.taken.sha256,
        )
        return same and not self.differences


def _became(item: TakenItem) -> str | None:
    """What became of an item, as it is today; None while it is under way."""
    if item.disposal and item.outcome in (Outcome.ARCHIVED, Outcome.DUPLICATE):
        return DESTROYED
    return item.outcome


def _states(
    item: TakenItem,
) -> Iterator[tuple[str, SpoolState | None, Collection[SpoolState]]]:
    """Whose state an outcome rests on, what it is, and what it may be."""
    if item.outcome is Outcome.ARCHIVED:
        yield "its spool", item.spool_state, _ARCHIVED
    else:
        yield "its spool", item.spool_state, (SpoolState.DUPLICATE,)
        yield "the spool that it is a duplicate of", item.first_state, _ARCHIVED


def merge(
    lines: Iterator[SourceLine], items: Iterator[TakenItem]
) -> Iterator[tuple[SourceLine | None, TakenItem | None]]:
    """Both sides side by side; each in the order of its ids' UTF-8 bytes."""
    line, item = next(lines, None), next(items, None)
    while line is not None or item is not None:
        left = None if line is None else line.source_id.encode("utf-8", "surrogatepass")
        right = None if item is None else item.source_id.encode("utf-8", "surrogatepass")
        if right is None or (left is not None and left < right):
            yield line, None
            line = next(lines, None)
        elif left is None or right < left:
            yield None, item
            item = next(items, None)
        else:
            yield line, item
            line, item = next(lines, None), next(items, None)


def reconciliation_data(
    profile: MigrationProfile, done: Reconciliation, at: str, list_sha256: str
) -> dict[str, Any]:
    """The proof as data; what is signed."""
    return {
        "format": FORMAT,
        "migration": profile.name,
        "archive": profile.old_archive,
        "kind": profile.kind.value,
        "business_unit": profile.business_unit,
        "at": at,
        "proven": done.proven,
        "source": done.source.data(),
        "taken": done.taken.data(),
        "outcomes": {name: total.data() for name, total in sorted(done.outcomes.items())},
        "rejected_by_reason": dict(sorted(done.reasons.items())),
        "rejected_and_gone": done.gone,
        "documents_skipped": done.skipped,
        "documents_destroyed": done.destroyed,
        "differences": dict(sorted(done.differences.items())),
        "named": [
            {"difference": kind, "item": name, "what": what} for kind, name, what in done.named
        ],
        "list_sha256": list_sha256,
    }


def reconciliation_report(data: Mapping[str, Any], signed_by: str) -> Report:
    """The proof as a page."""
    outcomes: Mapping[str, Any] = data["outcomes"]
    sides = [("in the export", data["source"]), ("taken", data["taken"]), *outcomes.items()]
    verdict = "NOT PROVEN: the differences are below."
    if data["proven"]:
        verdict = "Every item of the export is archived, a duplicate or rejected with a reason"
        gone_since = [
            f"{outcomes[DESTROYED]['items']} items" if DESTROYED in outcomes else "",
            f"{keys} documents of others" if (keys := data["documents_destroyed"]) else "",
        ]
        if any(gone_since):
            verdict += "; " + " and ".join(filter(None, gone_since))
            verdict += " were archived, and have been destroyed since under disposals"
        verdict += "."
    return Report(
        title=f"Reconciliation of migration {data['migration']} ({data['archive']})",
        at=data["at"],
        totals=(
            ("items in the export", data["source"]["items"]),
            ("bytes in the export", data["source"]["bytes"]),
            *((name, total["items"]) for name, total in outcomes.items()),
            *((("rejected once, and gone", gone),) if (gone := data["rejected_and_gone"]) else ()),
            *((("documents skipped", skipped),) if (skipped := data["documents_skipped"]) else ()),
            *((("documents destroyed", keys),) if (keys := data["documents_destroyed"]) else ()),
            ("differences", sum(data["differences"].values())),
        ),
        sheets=(
            Sheet(
                name="sums",
                title="Sums",
                headers=("what", "items", "bytes", "documents", "sha-256 of the lines"),
                rows=tuple(
                    (name, side["items"], side["bytes"], side["documents"], side["sha256"])
                    for name, side in sides
                ),
            ),
            Sheet(
                name="rejected",
                title="Rejected, by reason",
                headers=("reason", "items"),
                rows=tuple(data["rejected_by_reason"].items()),
            ),
            Sheet(
                name="differences",
                title="Differences",
                headers=("difference", "item", "what"),
                rows=tuple(
                    (found["difference"], found["item"], found["what"]) for found in data["named"]
                ),
            ),
        ),
        charts=(
            Chart(
                title="What became of the items",
                parts=("items",),
                bars=tuple((name, (total["items"],)) for name, total in outcomes.items()),
            ),
        ),
        notes=(
            verdict,
            _OF_SUMS,
            signed_by,
        ),
    )
