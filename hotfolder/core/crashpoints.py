"""Named places at which a test may make the process die.

``crashpoint("claim.renamed")`` does nothing unless a hook is armed; the crash
sweep arms one that calls ``os._exit``. Every commit point of the protocol has a
name in ``POINTS`` or ``RETURN_POINTS``, and a test asserts that each of them is reached.
"""

from __future__ import annotations

from collections.abc import Callable

POINTS: tuple[str, ...] = (
    "claim.journalled",
    "claim.renamed",
    "claim.recorded",
    "read.recorded",
    "store.content_written",
    "store.object_written",
    "store.object_renamed",
    "store.recorded",
    "unit.planned",
    "unit.marked_sent",
    "unit.answered",
    "unit.confirmed",
    "receipt.written",
    "receipt.recorded",
    "working.removed",
    "aside.note_written",
    "aside.moved",
    "aside.recorded",
    "head.journalled",
    "head.written",
)

# Those of giving documents back, of copies of the store and of the outbox: tests of their
# own go through them.
GIVE_POINTS: tuple[str, ...] = (
    "give.recorded",
    "give.put",
    "copy.staged",
    "event.told",
)
# Those of the way out again (docs/returns.md): a sweep of their own goes through them.
RETURN_POINTS: tuple[str, ...] = (
    "order.journalled",
    "return.written",
    "return.staged",
    "return.renamed",
    "return.given",
    "return.sent",
    "return.recorded",
    "request.journalled",
    "request.claimed",
    "request.recorded",
    "answer.written",
    "answer.staged",
    "answer.renamed",
    "answer.recorded",
    "asked.recorded",
    "asked.decided",
    "asked.answered",
    "asked.closed",
)

# Those of the scrub and of mending, with tests of their own.
SCRUB_POINTS: tuple[str, ...] = (
    "scrub.marked",
    "scrub.recorded",
    "scrub.walked",
    "scrub.finished",
    "mend.recorded",
    "mend.set_aside",
    "mend.copied",
    "mend.verified",
    "discard.recorded",
    "discard.removed",
)
# Those of retention (docs/retention.md): a sweep of their own goes through them.
RETENTION_POINTS: tuple[str, ...] = ("schedule.noted", "retention.computed")
# Those of event folders.
EVENT_POINTS: tuple[str, ...] = (
    "events.claimed",
    "events.recorded",
    "events.receipted",
    "events.set_aside",
)
# Those of what comes back from ArchivesSpace and goes downstream (docs/feed.md).
FEED_POINTS: tuple[str, ...] = (
    "look.recorded",
    "fact.applied",
    "fact.settled",
    "feed.planned",
    "feed.written",
    "feed.staged",
    "feed.given",
    "feed.recorded",
    "feed.posted",
)
# Those of legal holds (docs/holds.md): a sweep of their own goes through them.
HOLD_POINTS: tuple[str, ...] = (
    "hold.journalled",
    "hold.gathered",
    "hold.marked",
    "hold.released",
    "hold.told",
    "hold.lifted",
)
# Those of telling ArchivesSpace of changes, likewise.
AMEND_POINTS: tuple[str, ...] = ("record.amended", "records.told")
# Those of encrypted spools (docs/encryption.md), with tests of their own.
KEY_POINTS: tuple[str, ...] = (
    "keys.placed",
    "keys.copied",
    "keys.destroyed",
    "keys.rewrapped",
)
# Those of template packages, besides those of every spool.
TEMPLATE_POINTS: tuple[str, ...] = (
    "package.taken",
    "package.put",
    "package.packed",
    "template.told",
)
# Those of disposal (docs/disposal.md): a sweep of their own goes through them.
DISPOSAL_POINTS: tuple[str, ...] = (
    "disposal.proposed",
    "disposal.approved",
    "disposal.begun",
    "purge.entombed",
    "purge.renamed",
    "purge.removed",
    "parts.entombed",
    "disposal.purged",
    "disposal.recorded",
    "disposal.forgotten",
    "certificate.written",
    "disposal.done",
)
# Those of moving an old archive in (docs/migrate.md): a sweep of their own.
MIGRATION_POINTS: tuple[str, ...] = (
    "migration.taken",
    "migration.claimed",
    "migration.settled",
)

_hook: Callable[[str], None] | None = None


def arm(hook: Callable[[str], None] | None) -> None:
    """Install ``hook`` to be called with the name of each point reached, or None."""
    global _hook  # noqa: PLW0603  one hook for the process, as the process dies once
    _hook = hook


def crashpoint(name: str) -> None:
    """Mark a commit point; a no-op in production."""
    if _hook is not None:
        _hook(name)
