"""Return: a document goes out of the archive again, to a folder or to an HTTP receiver.

Everything is journalled first. Into a folder a document goes exactly once: its files are
durable under temporary names, and the journal says so, before the first is renamed; after
a crash, a temporary name that is there is renamed, and one that is gone was given. Over
HTTP it goes at least once, with a key that stays the same, so that a receiver that keeps
it takes the document once.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import Corrupt, Destroyed, HotfolderError, OperatorFault, Transient
from hotfolder.core.handover import handover_record
from hotfolder.core.lifecycle import Backoff
from hotfolder.core.orders import Fate, NewOrder, OrderRow, OrderState, Staged
from hotfolder.core.pacing import within_a_step
from hotfolder.core.ports import Clock, Emit, Journal, Receiver, Store
from hotfolder.core.profiles import HandedFormat, RetrieveProfile, ReturnKind, ReturnProfile
from hotfolder.core.records import CatalogueRow
from hotfolder.core.returnname import returned_name
from hotfolder.files.content import BUFFER
from hotfolder.files.faults import os_errors
from hotfolder.files.giving import discard_files, give_files, identify_folder, stage_files
from hotfolder.flows.damage import mark_damaged_document
from hotfolder.flows.fates import FATES
from hotfolder.flows.gone import require_given
from hotfolder.flows.retrieve import Form, retrieve
from hotfolder.flows.terms import record_refusal, require_reason
from hotfolder.sidecars.handed import SUFFIXES, render_handed

_IN_MEMORY = 8 << 20  # bytes of a document that is made ready to be sent
_UNKNOWN = "return.unknown"
BATCH = 100  # orders at a time


class _FailedError(Exception):
    """Ends an order; carries what became of it and why."""

    def __init__(self, fate: Fate, why: str) -> None:
        super().__init__(why)
        self.fate = fate
        self.why = why


class Returns:
    """Orders documents, and carries out what is ordered. ``advance`` and ``carry_out``
    from one thread of one process at a time (whoever holds the daemon's lock)."""

    def __init__(
        self,
        *,
        journal: Journal,
        store: Store,
        profiles: Mapping[str, ReturnProfile],
        receivers: Mapping[str, Receiver],
        terms: RetrieveProfile,
        clock: Clock,
        emit: Emit,
        new_id: Callable[[], str],
        jitter: Callable[[], float],
        backoff: Backoff | None = None,
    ) -> None:
        """``receivers`` are the HTTP receivers by the name of their profile."""
        self._journal = journal
        self._store = store
        self.profiles = dict(profiles)
        self._receivers = dict(receivers)
        self._terms = terms
        self._clock = clock
        self._emit = emit
        self._new_id = new_id
        self._jitter = jitter
        self._backoff = backoff or Backoff()

    def close(self) -> None:
        """Close the connections to receivers."""
        for receiver in self._receivers.values():
            receiver.close()

    def order(self, identity: str, to: str, *, reason: str, actor: str) -> OrderRow:
        """Journal the order to give ``identity`` to the profile ``to``. ``KeyError`` if
        there is no such document, ``OperatorFault`` if there is no such profile, or no
        reason where one is demanded; that is on the audit chain then."""
        if to not in self.profiles:
            raise unknown_profile(to, self.profiles)
        try:
            require_given(self._journal, identity)
            require_reason(self._terms, reason)
        except OperatorFault as error:
            record_refusal(
                self._journal,
                identity,
                error,
                actor=actor,
                reason=reason,
                form="",
                now=self._clock.now(),
                emit=self._emit,
            )
            raise
        order = NewOrder(id=self._new_id(), identity=identity, to=to, reason=reason, actor=actor)
        self._journal.add_order(order, self._clock.now())
        # survives: killed from here on, the next start carries the order out
        crashpoint("order.journalled")
        row = self._journal.get_order(order.id)
        assert row is not None
        return row

    def advance(self, limit: int = BATCH) -> int:
        """Carry out what is due; returns how many orders came to their end."""
        ended = 0
        due = self._journal.open_orders(due_at=self._clock.now(), limit=limit)
        for order in within_a_step(due, self._clock.monotonic):
            ended += self.carry_out(order).fate is not None
        return ended

    def carry_out(self, order: OrderRow) -> OrderRow:
        """One attempt at an open order; as it stands then. What cannot be done now waits."""
        try:
            self._attempt(order)
        except _FailedError as error:
            self._fail(order, error.fate, error.why)
        except (Transient, OperatorFault) as error:
            self._defer(order, error)
        row = self._journal.get_order(order.id)
        assert row is not None
        return row

    # -- one attempt ------------------------------------------------------------------
    def _attempt(self, order: OrderRow) -> None:
        if order.staged is not None and order.staged.folder:
            # As it was staged, whatever the configuration says by now.
            self._give(order, order.staged)
            return
        profile = self.profiles.get(order.to)
        if profile is None:
            raise unknown_profile(order.to, self.profiles)
        if profile.kind is ReturnKind.HTTP:
            self._send(order, profile)
        else:
            staged = self._stage(order, profile)
            self._journal.stage_order(order.id, staged, self._clock.now())
            # survives: killed here, the temporary files are renamed
            crashpoint("return.staged")
            self._give(order, staged)

    def _stage(self, order: OrderRow, profile: ReturnProfile) -> Staged:
        folder = os.fsencode(profile.path)
        device, inode = identify_folder(folder)
        with self._taken(order, profile) as (record, row, content):
            name = returned_name(profile.pattern, order.id, row)
            names, parts = [name], [_pieces(content)]
            if profile.sidecar is not HandedFormat.NONE:
                suffix = profile.sidecar_suffix or SUFFIXES[profile.sidecar]
                # Before the document: who finds that finds its metadata.
                names.insert(0, name + suffix)
                parts.insert(0, iter([render_handed(record, profile.sidecar, name)]))
            if profile.trigger_suffix:
                names.append(name + profile.trigger_suffix)
                parts.append(iter([b""]))
            files = tuple((final + profile.temporary_suffix, final) for final in names)
            stage_files(
                folder,
                [(os.fsencode(file[0]), part) for file, part in zip(files, parts, strict=True)],
            )
            # survives: killed here, the same temporary files are written again
            crashpoint("return.written")
            return _staged(record, folder=profile.path, device=device, inode=inode, files=files)

    def _give(self, order: OrderRow, staged: Staged) -> None:
        give_files(
            os.fsencode(staged.folder),
            (staged.device, staged.inode),
            [(os.fsencode(temporary), os.fsencode(final)) for temporary, final in staged.files],
        )
        self._end(order)

    def _send(self, order: OrderRow, profile: ReturnProfile) -> None:
        receiver = self._receivers[profile.name]
        with self._taken(order, profile) as (record, _, content):
            if order.state is OrderState.ORDERED:
                self._journal.stage_order(order.id, _staged(record), self._clock.now())
            # survives: killed from here on, it is sent again with the same key
            crashpoint("return.staged")
            answer = receiver.send(order.id, record, content, int(record["given"]["bytes"]))
        crashpoint("return.sent")
        if answer.taken:
            self._end(order)
        elif answer.refused:
            raise _FailedError(Fate.REFUSED, answer.reason)
        elif order.unknown + 1 >= profile.attempts:
            raise _FailedError(
                Fate.UNANSWERED,
                f"sent {order.unknown + 1} times without an answer that can be trusted, the"
                f" last: {answer.reason}; the receiver may have it",
            )
        else:
            raise Transient(
                f"it is not known whether the receiver has it: {answer.reason}",
                hint="it is sent again with the same key",
                code=_UNKNOWN,
            )

    def _end(self, order: OrderRow) -> None:
        self._journal.give_order(order.id, "", self._clock.now())
        # survives: killed here, nothing is left to do
        crashpoint("return.recorded")
        self._emit("return.given", order=order.id, to=order.to)

    @contextmanager
    def _taken(
        self, order: OrderRow, profile: ReturnProfile
    ) -> Iterator[tuple[dict[str, Any], CatalogueRow, BinaryIO]]:
        """The document out of the store, checked: its record, its row, its bytes."""
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as made:
            content = cast("BinaryIO", made)
            digest, size = hashlib.sha256(), 0
            try:
                with (
                    retrieve(
                        self._journal, self._store, order.identity, Form(profile.form)
                    ) as found,
                    os_errors("making a document ready"),
                ):
                    for piece in found.pieces:
                        digest.update(piece)
                        size += content.write(piece)
            except KeyError as error:
                raise _FailedError(Fate.UNKNOWN, "there is no such document") from error
            except Corrupt as error:
                self._emit("return.corrupt", order=order.id, reason=error.code)
                mark_damaged_document(
                    self._journal,
                    order.identity,
                    error,
                    actor=order.actor,
                    now=self._clock.now(),
                    emit=self._emit,
                )
                raise _FailedError(Fate.CORRUPT, error.message) from error
            except Destroyed as error:
                raise _FailedError(Fate.DESTROYED, error.message) from error
            except OperatorFault as error:
                fate = FATES.get(error.code)
                if fate is None:
                    raise
                raise _FailedError(fate, error.message) from error
            record = handover_record(
                found.row,
                form=str(found.form),
                derived=found.derived,
                sha256=digest.hexdigest(),
                size=size,
                given_at=self._clock.now(),
            )
            made.seek(0)
            yield record, found.row, content

    # -- ends ---------------------------------------------------------------------------
    def _fail(self, order: OrderRow, fate: Fate, why: str) -> None:
        profile = self.profiles.get(order.to)
        if profile is not None and profile.kind is ReturnKind.FOLDER:
            # Of an attempt that a crash ended before it was journalled.
            discard_files(
                os.fsencode(profile.path), order.id, os.fsencode(profile.temporary_suffix)
            )
        self._journal.fail_order(order.id, fate, why, self._clock.now())
        self._emit("return.failed", order=order.id, to=order.to, reason=str(fate))

    def _defer(self, order: OrderRow, error: HotfolderError) -> None:
        wait = self._backoff.wait(order.attempts + 1, self._jitter())
        now = self._clock.now()
        self._journal.defer_order(
            order.id, str(error), now + wait, now, unknown=error.code == _UNKNOWN
        )
        self._emit("return.deferred", order=order.id, to=order.to, reason=error.code)


def unknown_profile(name: str, profiles: Mapping[str, ReturnProfile]) -> OperatorFault:
    """The fault of a return profile that is not configured."""
    return OperatorFault(
        f"no return profile is called {name!r}",
        hint="one of " + ", ".join(sorted(profiles)) if profiles else "add a [return.…] table",
        code="return.profile",
    )


def _pieces(content: BinaryIO) -> Iterator[bytes]:
    while piece := content.read(BUFFER):
        yield piece


def _staged(record: Mapping[str, Any], **place: Any) -> Staged:
    given = record["given"]
    return Staged(
        form=given["form"],
        derived=given["derived"],
        sha256=given["sha256"],
        size=given["bytes"],
        **place,
    )
