"""The events that hotfolder tells of: the one list of names, fields and meanings.

An event is ``noun.verb``. Its fields are fixed here; ``logs`` drops any other, and a
test compares this list with every ``emit`` in the source and with docs/operate.md.
Fields never carry a secret or the value of a customer's field: a spool is named by
its id, a document not at all.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

DEBUG, INFO, WARNING, ERROR = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What an event means, how loud it is, and the fields it may have."""

    level: int
    fields: frozenset[str]
    sentence: str


def _event(level: int, fields: str, sentence: str) -> Event:
    return Event(level=level, fields=frozenset(fields.split()), sentence=sentence)


EVENTS: Mapping[str, Event] = {
    # -- the daemon -------------------------------------------------------------
    "daemon.started": _event(INFO, "folders", "All loops run; systemd has been told."),
    "daemon.stopped": _event(
        INFO, "broken", "All loops have ended; broken names those that had given up."
    ),
    "configuration.reloaded": _event(
        INFO, "changed folders", "SIGHUP: so many hot folders changed and were restarted."
    ),
    "configuration.refused": _event(
        ERROR, "faults error", "SIGHUP: the new configuration is wrong; the old one stays in force."
    ),
    "loop.late": _event(
        ERROR,
        "loops",
        "No beat within the allowance (no watchdog ping then), or no end in time.",
    ),
    "loop.paused": _event(
        WARNING, "loop reason error", "A loop met a known fault and waits before its next step."
    ),
    "loop.failed": _event(
        ERROR, "loop error", "A loop met a fault that hotfolder does not know; it goes on."
    ),
    "library.warned": _event(
        WARNING, "library message", "A library that hotfolder uses wrote a warning."
    ),
    "log.lost": _event(WARNING, "count", "So many lines before this one could not be written."),
    # -- retention ------------------------------------------------------------------
    "retention.changed": _event(
        INFO, "documents", "The last day of retention of so many documents was computed anew."
    ),
    # -- legal holds ----------------------------------------------------------------
    "hold.placed": _event(
        INFO,
        "hold documents spools",
        "A legal hold is acknowledged: the journal and every store have it.",
    ),
    "hold.lifted": _event(
        INFO, "hold documents spools", "A legal hold was released, and no store is marked with it."
    ),
    "hold.unreadable": _event(
        WARNING, "", "The store keeps a legal hold that this release cannot read; its marks stay."
    ),
    # -- what comes back, and goes downstream --------------------------------------------
    "feedback.received": _event(
        INFO, "facts unit", "Archivists have decided something in ArchivesSpace: so many facts."
    ),
    "feedback.carried_out": _event(
        INFO, "fact kind state", "What a fact asks for was done, or refused; see `feed facts`."
    ),
    "feedback.deferred": _event(
        WARNING, "fact kind reason", "What a fact asks for could not be done; tried again."
    ),
    "feed.written": _event(INFO, "file facts", "A file of the feed is there, with so many facts."),
    "feed.posted": _event(INFO, "file facts", "The callback has taken a change set."),
    "feed.deferred": _event(
        WARNING, "file reason seconds", "The callback did not take a change set; tried again."
    ),
    "feed.differs": _event(
        WARNING, "file", "A file was written anew and is not as it was: a document's fields went."
    ),
    # -- templates ------------------------------------------------------------------
    "package.packed": _event(
        INFO, "count folder", "A folder with so many files was packed as a template package."
    ),
    "package.left": _event(
        WARNING,
        "folder reason",
        "A folder in a folder of templates is no package (manifest: it has none) and stays.",
    ),
    "template.told": _event(
        INFO,
        "count spool",
        "So many events of a version of a template wait to be told to ArchivesSpace.",
    ),
    # -- disposal -------------------------------------------------------------------
    "disposal.proposed": _event(
        INFO, "disposal documents", "A list of documents whose retention has ended is proposed."
    ),
    "disposal.approved": _event(INFO, "disposal", "Another person has approved the list."),
    "disposal.withdrawn": _event(INFO, "disposal", "The list is not carried out."),
    "disposal.begun": _event(
        INFO,
        "disposal documents",
        "What of the list is destroyed is decided; there is no way back.",
    ),
    "disposal.waits": _event(
        WARNING,
        "disposal reason error",
        "A disposal that has begun cannot go on now; it is tried again.",
    ),
    "disposal.done": _event(
        INFO, "disposal documents", "All that was decided is destroyed, and certified."
    ),
    "clock.doubted": _event(
        ERROR,
        "day",
        "The clock shows a day too far behind the last one: nothing is destroyed on it.",
    ),
    # -- the audit chain ------------------------------------------------------------
    "audit.signed": _event(
        INFO, "links key", "The audit chain with so many links got a signed tree head."
    ),
    "audit.head_not_written": _event(
        WARNING,
        "directory reason error",
        "A directory of [audit] heads could not be written; tried again.",
    ),
    "audit.broken": _event(
        ERROR,
        "reason error link",
        "The audit chain is not what was signed; nothing is signed. `hotfolder audit verify`.",
    ),
    # -- the store ----------------------------------------------------------------
    "store.copy_used": _event(
        ERROR,
        "spool copy reason",
        "The store has lost or damaged a spool; it was read from a copy. Restore the object.",
    ),
    "store.not_copied": _event(
        ERROR, "spool", "No root of the store has this spool as it was journalled."
    ),
    "fixity.damage": _event(
        ERROR,
        "spool copy reason",
        "A root of the store has not this object as it was recorded. `hotfolder verify`.",
    ),
    "fixity.mended": _event(
        WARNING, "spool copy", "A root of the store got an object again from a whole one."
    ),
    "fixity.finished": _event(INFO, "round spools", "Every spool of a round was verified."),
    # -- hot folders --------------------------------------------------------------
    "folder.missing": _event(
        WARNING,
        "folder count",
        "Spools wait for a hot folder that is gone or no longer configured.",
    ),
    "folder.lost": _event(
        ERROR, "folder reason", "A hot folder is gone or another in its place; looked for again."
    ),
    "folder.returned": _event(INFO, "folder", "A lost hot folder is there again and was scanned."),
    "folder.overflowed": _event(
        WARNING, "folder times", "inotify lost events; a full scan makes good for it."
    ),
    "folder.not_watched": _event(
        WARNING, "folder reason", "No inotify watch could be set; the folder is polled meanwhile."
    ),
    "working.returned": _event(
        WARNING,
        "folder spool count",
        "Files in _working that the journal does not know went back to the hot folder.",
    ),
    # -- spools -------------------------------------------------------------------
    "claim.recovered": _event(
        INFO, "folder claimed abandoned", "Claims that a crash interrupted were decided."
    ),
    "spool.claimed": _event(INFO, "folder count bytes", "So many drops were moved into _working."),
    "spool.abandoned": _event(
        INFO, "spool reason", "A spool was gone or changed before it could be claimed."
    ),
    "spool.not_deferred": _event(
        ERROR, "count reason", "Intake failed, and the journal could not even note it."
    ),
    "spool.duplicate": _event(
        INFO, "spool first", "The same document was archived before, as the spool in first."
    ),
    "spool.new_version": _event(
        INFO, "spool documents", "So many documents in it supersede an earlier version."
    ),
    "spool.reading": _event(
        INFO, "spool documents", "A spool with many documents is being read; so many so far."
    ),
    "spool.skipped": _event(
        WARNING,
        "spool documents",
        "So many of its documents could not be read; the others go on (on_bad_document).",
    ),
    "spool.discarded": _event(
        WARNING,
        "spool count",
        "A corrupt spool was ended: its documents are archived whole with so many others.",
    ),
    "spool.document_refused": _event(
        ERROR,
        "spool reason delivered",
        "ArchivesSpace will not have one of its documents; the others go on. `hotfolder show`"
        " says which, `hotfolder retry` tries it again.",
    ),
    "spool.stored": _event(
        INFO, "spool bytes", "Its bytes are in the store, read back and compared."
    ),
    "spool.rejected": _event(
        WARNING, "spool reason faults", "The drop is at fault; it lies in _failed with a note."
    ),
    "spool.unreadable": _event(
        ERROR, "spool error", "Reading it met a fault that hotfolder does not know; it is held."
    ),
    "spool.held": _event(WARNING, "spool reason", "The spool waits for an operator."),
    "spool.damage_noted": _event(
        ERROR,
        "spool reason",
        "The store has not what was taken; the spool cannot be set aside before ArchivesSpace"
        " has answered.",
    ),
    "spool.corrupt": _event(
        ERROR, "spool reason", "Bytes or a record are not what they were; nothing was deleted."
    ),
    "spool.left_in_working": _event(
        WARNING, "spool reason", "A rejected drop stays in _working, as its hot folder is unknown."
    ),
    "spool.done": _event(INFO, "folder count", "So many spools have their receipt."),
    # -- the store ----------------------------------------------------------------
    "store.cleaned": _event(INFO, "count", "Half-written objects of a crash were removed."),
    "store.unreadable": _event(
        ERROR, "spool reason", "Rebuilding: an object of the store cannot be read."
    ),
    "spool.differs": _event(
        ERROR, "spool reason", "Rebuilding: ArchivesSpace has another checksum than the store."
    ),
    # -- out again ------------------------------------------------------------------
    "return.given": _event(INFO, "order to", "A document was given back; its receiver has it."),
    "return.deferred": _event(
        WARNING, "order to reason", "A document could not be given back yet; tried again."
    ),
    "return.failed": _event(
        ERROR, "order to reason", "A document cannot be given back; `hotfolder orders` says why."
    ),
    "return.corrupt": _event(
        ERROR, "order reason", "The bytes of a document to be given back are not what they were."
    ),
    "request.received": _event(
        INFO, "request kind", "A request is journalled: of a folder, or of ArchivesSpace."
    ),
    "request.answered": _event(
        INFO, "request given lines", "Whoever asked has the answer; so many of so many were given."
    ),
    "request.deferred": _event(
        WARNING, "request reason", "A request could not be answered yet; tried again."
    ),
    "request.rejected": _event(
        WARNING, "request reason", "The file is no request; it lies in _failed with a note."
    ),
    "events.taken": _event(
        INFO, "folder file count", "A file of events was taken; the clocks start with them."
    ),
    "events.rejected": _event(
        WARNING,
        "folder file faults",
        "Nothing in a file of events was taken; it lies in _failed with a note.",
    ),
    # -- ArchivesSpace ------------------------------------------------------------
    "session.opened": _event(INFO, "renewed", "Logged in; renewed if a session had ended."),
    "agent.created": _event(INFO, "uri", "The software agent of this version was made."),
    "series.created": _event(INFO, "series uri", "The resource of a series was made."),
    "cycle.created": _event(INFO, "series cycle uri", "The archival object of a cycle was made."),
    "unit.planned": _event(INFO, "unit documents", "The membership of a unit is journalled."),
    "unit.confirmed": _event(
        INFO, "unit documents spools seconds", "ArchivesSpace has all of the unit."
    ),
    "unit.adopted": _event(
        INFO, "unit documents", "The answer had been lost; the unit was found on the server."
    ),
    "unit.documents_adopted": _event(
        INFO, "unit documents", "Documents of the unit were on the server already and compared."
    ),
    "unit.deferred": _event(
        WARNING, "unit reason seconds", "No usable answer; tried again in so many seconds."
    ),
    "unit.halved": _event(
        WARNING, "unit documents", "Refused as a whole; halved to find the document at fault."
    ),
    "unit.incomplete": _event(
        ERROR,
        "unit missing",
        "The server has the unit without some documents; they are sent again.",
    ),
    "unit.lost": _event(
        ERROR, "unit documents", "Replay: the server has the unit no more; it is sent again."
    ),
    "unit.stopped": _event(
        ERROR, "unit reason error", "The unit, or with archive.login all, waits for the operator."
    ),
    "unit.failed": _event(
        ERROR, "unit error", "An importer met a fault that hotfolder does not know."
    ),
    "server.lost": _event(WARNING, "reason", "ArchivesSpace does not answer; intake goes on."),
    "server.returned": _event(
        INFO, "failures", "ArchivesSpace answers again after so many failures."
    ),
    "record.amended": _event(
        INFO, "count", "So many records say what happened to their documents since."
    ),
    "record.edited": _event(
        WARNING,
        "count",
        "In so many records archivists had changed what is ours; the later date stands.",
    ),
    "record.deferred": _event(
        WARNING, "reason seconds", "A record was not changed; tried again in so many seconds."
    ),
    "record.aside": _event(
        ERROR,
        "reason business_unit",
        "A record cannot be changed, or is gone; it is left alone. `hotfolder status` says why.",
    ),
    "event.told": _event(INFO, "count", "ArchivesSpace has so many events that waited."),
    "event.deferred": _event(
        WARNING, "reason seconds", "An event was not taken; it is told again in so many seconds."
    ),
    # -- migration ----------------------------------------------------------------
    "migration.started": _event(INFO, "migration", "A run goes through the export."),
    "migration.waiting": _event(
        INFO, "migration reason", "Nothing is taken: it is not one of the configured hours."
    ),
    "migration.refused": _event(
        WARNING, "migration reason", "An item of the export cannot be taken; it is accounted for."
    ),
    "migration.ended": _event(
        INFO,
        "migration taken refused left",
        "A run has ended; so many spools of it are not at their end.",
    ),
}
