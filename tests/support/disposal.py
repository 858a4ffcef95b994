"""A journal and a store with spools that are past their time, and a flow that destroys."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

from hotfolder.core.canonical import document_line
from hotfolder.core.disposals import DueFilter
from hotfolder.core.holds import Criteria, NewHold
from hotfolder.core.identity import business_key_of, document_identity, source_of
from hotfolder.core.profiles import AuditProfile
from hotfolder.core.records import (
    Document,
    DocumentMetadata,
    DocumentRange,
    Inspection,
    Reading,
    Role,
)
from hotfolder.core.retention import (
    DocumentFacts,
    Period,
    RetentionClass,
    RetentionTrigger,
    Schedule,
    decide,
)
from hotfolder.core.schedules import schedule_digest
from hotfolder.flows.disposing import Certifier, Disposing, Surroundings
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.certifying import SiteCertifier
from hotfolder.store.copies import CopiesStore
from hotfolder.store.ocfl import OcflStore
from tests.support.encrypted import KEYRING, body
from tests.support.journals import (
    CYCLE,
    SERIES,
    UNIT,
    claim,
    confirm,
    plan,
    spool_id,
)
from tests.support.spools import make_request

TODAY = date(2036, 3, 1)


def moment(day: date, hour: int = 12) -> float:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp()


def make_class(code: str, years: int, action: str = "destroy") -> RetentionClass:
    return RetentionClass(
        code=code,
        title=f"Class {code}",
        mandate="§ 147 AO",
        trigger=RetentionTrigger.ISSUE_DATE,
        period=Period(years=years),
        action=action,
    )


SCHEDULE: Schedule = {
    "D": make_class("D", 1),
    "R": make_class("R", 1, "review"),
    "K": make_class("K", 1, "keep"),
    "L": make_class("L", 30),
    "E": replace(make_class("E", 1), trigger=RetentionTrigger.EVENT, event="contract-end"),
}


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


class DisposalWorld:
    """Journal, two storage roots, and a flow over both."""

    def __init__(
        self,
        root: Path,
        *,
        schedule: Schedule = SCHEDULE,
        certifier: Certifier | None = None,
        names: Sequence[str] = ("one", "two"),
    ) -> None:
        self.root = root
        self._names = names
        self.schedule = schedule
        self.clock = Clock(moment(TODAY))
        self.events: list[tuple[str, dict[str, object]]] = []
        self._certifier = certifier or SiteCertifier(AuditProfile())
        self._ids = count(1)
        self.journal = SqliteJournal(os.fsencode(root / "journal.db"))
        self.store = self.open_store()
        self.flow = self.make_flow()
        self.journal.note_schedule(schedule, 1.0)
        self.compute()

    def open_store(self) -> CopiesStore:
        roots = [
            OcflStore(os.fsencode(self.root / name), clock=self.clock, keyring=KEYRING)
            for name in self._names
        ]
        store = CopiesStore(roots, emit=self.emit)
        store.initialise()
        return store

    def emit(self, event: str, /, **fields: object) -> None:
        self.events.append((event, fields))

    def make_flow(self) -> Disposing:
        return Disposing(
            journal=self.journal,
            store=self.store,
            schedule=self.schedule,
            folders={},
            surroundings=Surroundings(
                folder=os.fsencode(self.root / "certificates"), roots=2, version="0", page=2
            ),
            certifier=self._certifier,
            clock=self.clock,
            emit=self.emit,
            new_id=lambda: f"{next(self._ids):012x}",
        )

    def compute(self) -> None:
        while self.journal.compute_retention(self.schedule, 1000, self.clock.now()) is not None:
            pass

    def add(
        self,
        number: int,
        *codes: str | None,
        issued: date = date(2020, 1, 31),
        carried: bool = False,
        customer: str | None = None,
        policy: str | None = None,
        encrypted: bool = False,
        twice: bool = False,
    ) -> list[str]:
        """A spool with a document of each class, archived and receipted; its identities.
        With ``encrypted`` it is a document of 4,000 bytes each, with a key of its own; with
        ``twice`` its bytes have the first once more at their end."""
        content = b"spool %d" % number
        if encrypted:
            places = [*range(1, len(codes) + 1), *([1] if twice else [])]
            content = b"--" + b"".join(body(100 * number + place) for place in places)
        request = make_request(
            self.root / "working", number, data=content, name=b"mueller-4711.pdf"
        )
        request = replace(request, spool_id=spool_id(number))
        documents = [
            self._document(number, place, code, issued, customer or f"C-{number}", policy)
            for place, code in enumerate(codes, 1)
        ]
        if carried:
            documents = [replace(item, role=Role.CARRIED) for item in documents]
            documents.append(self._carrier(number, documents))
        if encrypted:
            documents = [self._in_place(item, content) for item in documents]
            lines = [document_line(item) for item in documents]
            request = replace(request, documents=lambda: iter(lines), encrypted=True)
        claim(self.journal, number)
        if twice:
            again = replace(documents[0].range, ordinal=len(documents) + 1)
            documents = [*documents, replace(documents[0], range=again)]
        reading = Reading(
            spool_id=spool_id(number),
            sha256=request.sha256,
            size=request.size,
            inspection=Inspection(format_name="pdf", pages=1),
            documents=tuple(documents),
            has_carrier=carried,
        )
        self.journal.record_readings([reading], 2.0)
        self.journal.record_stored(self.store.write_spools([request]), 3.0)
        confirm(self.journal, plan(self.journal))
        self.journal.record_receipted([spool_id(number)], 8.0)
        named = [item.identity for item in documents if item.role is not Role.CARRIER]
        return list(dict.fromkeys(named))

    def add_again(self, number: int, first: int, *codes: str) -> list[str]:
        """What came in spool ``first`` comes in another, archived and receipted; beside it a
        document of each class, whose identities are returned."""
        document = next(iter(self.journal.documents_of(spool_id(first)))).document
        beside = [
            self._document(number, place, code, date(2020, 1, 31), f"C-{number}", None)
            for place, code in enumerate(codes, 2)
        ]
        request = make_request(
            self.root / "working", number, data=b"spool %d" % first, name=b"mueller-4711.pdf"
        )
        request = replace(request, spool_id=spool_id(number))
        claim(self.journal, number)
        reading = Reading(
            spool_id=spool_id(number),
            sha256=request.sha256,
            size=request.size,
            inspection=Inspection(format_name="pdf", pages=1),
            documents=(document, *beside),
        )
        self.journal.record_readings([reading], 12.0)
        self.journal.record_stored(self.store.write_spools([request]), 13.0)
        confirm(self.journal, plan(self.journal))
        self.journal.record_receipted([spool_id(number)], 18.0)
        return [item.identity for item in beside]

    @staticmethod
    def _in_place(document: Document, content: bytes) -> Document:
        """Where the bytes of a document of an encrypted spool are."""
        ordinal = document.range.ordinal
        start, length = 2 + (ordinal - 1) * 4000, 4000
        if document.role is Role.CARRIER:
            start, length = 0, len(content)
        digest = hashlib.sha256(content[start : start + length]).hexdigest()
        place = DocumentRange(ordinal=ordinal, offset=start, length=length, sha256=digest)
        return replace(document, range=place)

    def _document(
        self,
        number: int,
        place: int,
        code: str | None,
        issued: date,
        customer: str,
        policy: str | None,
    ) -> Document:
        sha256 = hashlib.sha256(b"%d/%d" % (number, place)).hexdigest()
        source = source_of(UNIT, SERIES)
        key = business_key_of([("account_number", f"{number}/{place}")])
        metadata = DocumentMetadata(
            customer_id=customer,
            customer_name="Erika Mustermann",
            account_number=f"A-{number}-{place}",
            policy_number=policy,
            document_type="statement",
            issue_date=issued,
            retention_class=code,
            case_refs=(f"case-{number}",),
            extra={"iban": ("DE02 1203 0000 0000 2020 51",)},
        )
        said = decide(
            DocumentFacts(retention_class=code, issue_date=issued, business_unit=UNIT),
            self.schedule,
            {},
        )
        return Document(
            identity=document_identity(source, key, sha256),
            source=source,
            business_key=key,
            series=SERIES,
            cycle=CYCLE,
            range=DocumentRange(ordinal=place, offset=place, length=3, sha256=sha256),
            metadata=metadata,
            retain_until=said.retain_until,
            class_version=said.version,
            cutoff=said.cutoff,
            title=f"Statement for Erika Mustermann {number}",
        )

    def _carrier(self, number: int, documents: Sequence[Document]) -> Document:
        last = max(documents, key=lambda item: item.retain_until or date.max)
        ends = all(item.retain_until for item in documents if item.metadata.retention_class)
        return replace(
            last,
            identity="hf-" + hashlib.sha256(b"carrier %d" % number).hexdigest(),
            business_key=f"carrier-{number}",
            range=DocumentRange(ordinal=len(documents) + 1, offset=0, length=10, sha256="c" * 64),
            role=Role.CARRIER,
            metadata=DocumentMetadata(issue_date=last.metadata.issue_date),
            retain_until=last.retain_until if ends else None,
        )

    def approved(self, wanted: DueFilter | None = None, authority: str = "the board") -> str:
        """A list of what is due, approved; its id."""
        (row,) = self.flow.propose(wanted or DueFilter(), [UNIT], actor="ada")
        self.flow.approve(row.id, actor="ben", authority=authority)
        return row.id

    def destroy(self, wanted: DueFilter | None = None) -> str:
        """From the proposal to the certificate; the id of the disposal."""
        disposal = self.approved(wanted)
        self.flow.begin(disposal, actor="cem")
        self.flow.complete(disposal)
        return disposal

    def outcomes(self, disposal: str) -> Mapping[str, str | None]:
        return {item.identity: item.outcome for item in self.journal.disposal_members(disposal)}

    def is_there(self, number: int) -> bool:
        """Whether the store has the spool, whole, in both roots."""
        try:
            self.store.verify(spool_id(number))
        except KeyError:
            return False
        return True

    def digest(self) -> str:
        return schedule_digest(self.schedule)

    def close(self) -> None:
        self.journal.close()


def hold(world: DisposalWorld, name: str, **criteria: object) -> None:
    """Place a hold."""
    world.journal.place_hold(
        NewHold(
            id=f"hold-{name:0>12}",
            matter="matter",
            criteria=Criteria(**criteria),  # type: ignore[arg-type]
            actor="judge",
        ),
        world.clock.now(),
    )
