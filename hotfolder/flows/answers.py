"""Answers: the documents that a request file gets are written into its answer folder, each
with its sidecar, and each has a fate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hotfolder.core.errors import Corrupt, Destroyed, OperatorFault
from hotfolder.core.handover import handover_record
from hotfolder.core.orders import Fate, Fated
from hotfolder.core.ports import Clock, Emit, Journal, Store
from hotfolder.core.profiles import HandedFormat, RequestFolder
from hotfolder.core.returnname import returned_name
from hotfolder.files.answers import AnswerFolder
from hotfolder.flows.damage import mark_damaged
from hotfolder.flows.fates import FATES, Wanted
from hotfolder.flows.retrieve import Form, OpenSpool, retrieve
from hotfolder.sidecars.handed import SUFFIXES, render_handed

_PATTERN = "{order}-{document_type}-{issue_date}"
_ACTOR = "hotfolder"


class AnswerWriter:
    """Writes; what a line asks for may be given, or say why not."""

    def __init__(self, *, journal: Journal, store: Store, clock: Clock, emit: Emit) -> None:
        self._journal = journal
        self._store = store
        self._clock = clock
        self._emit = emit

    def write(
        self, folder: AnswerFolder, profile: RequestFolder, items: Sequence[Wanted | Fated]
    ) -> tuple[Fated, ...]:
        """Write what may be given into ``folder``; the fates of all, in their order."""
        # A document that two lines ask for is given once.
        wanted = {item.row.document.identity: item for item in items if isinstance(item, Wanted)}
        numbers = {identity: number for number, identity in enumerate(wanted, 1)}
        given: dict[str, Fated] = {}
        spools = OpenSpool(self._store)
        try:
            # Spool by spool: each is verified once, in whatever order its documents are asked for.
            for item in sorted(wanted.values(), key=lambda item: item.row.spool_id):
                identity = item.row.document.identity
                given[identity] = self._write_one(folder, profile, item, numbers[identity], spools)
        finally:
            spools.close()
        return tuple(
            item
            if isinstance(item, Fated)
            else replace(
                given[item.row.document.identity], line=item.line.number, asked=item.line.asked
            )
            for item in items
        )

    def _write_one(
        self,
        folder: AnswerFolder,
        profile: RequestFolder,
        item: Wanted,
        number: int,
        spools: OpenSpool,
    ) -> Fated:
        identity = item.row.document.identity
        name = returned_name(_PATTERN, f"{number:05d}", item.row)
        failed = Fated(line=0, asked="", fate=Fate.CORRUPT, identity=identity)
        form = Form(profile.form)
        try:
            with retrieve(self._journal, self._store, identity, form, spools=spools) as found:
                sha256, size = folder.write(name, found.pieces)
        except KeyError:
            return replace(failed, fate=Fate.UNKNOWN, why="there is no such document any more")
        except Corrupt as error:
            folder.discard(name)
            self._emit("return.corrupt", order="", reason=error.code)
            mark_damaged(
                self._journal,
                item.row.spool_id,
                error,
                actor=_ACTOR,
                now=self._clock.now(),
                emit=self._emit,
            )
            return replace(failed, why=error.message)
        except Destroyed as error:
            folder.discard(name)
            return replace(failed, fate=Fate.DESTROYED, why=error.message)
        except OperatorFault as error:
            fate = FATES.get(error.code)
            if fate is None:
                raise
            return replace(failed, fate=fate, why=error.message)
        files = [name]
        if profile.sidecar is not HandedFormat.NONE:
            record = handover_record(
                found.row,
                form=str(found.form),
                derived=found.derived,
                sha256=sha256,
                size=size,
                given_at=self._clock.now(),
            )
            files.append(name + SUFFIXES[profile.sidecar])
            folder.write(files[-1], [render_handed(record, profile.sidecar, name)])
        return replace(
            failed,
            fate=Fate.GIVEN,
            files=tuple(files),
            sha256=sha256,
            size=size,
            derived=found.derived,
            form=str(found.form),
        )
