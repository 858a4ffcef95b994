"""Evidence: a bag that proves what was sent, to whom it is handed, with what checks it.

The bag is written as a stream: however large the spool is, memory holds a few pieces.
Its files are read twice, once for their digests and once for the ZIP, and must be the
same both times.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from hotfolder.core import evidence as names
from hotfolder.core.bag import Part, bag_entries, measure, text_part
from hotfolder.core.canonical import dump
from hotfolder.core.errors import Corrupt, HotfolderError, OperatorFault
from hotfolder.core.evidence import EvidenceForm, describe_gaps
from hotfolder.core.ports import Clock, Desk, Emit, Journal, Store
from hotfolder.core.profiles import RetrieveProfile
from hotfolder.core.receipts import instant
from hotfolder.core.records import CatalogueRow, Role, SpoolRow
from hotfolder.core.shielding import Shield
from hotfolder.core.summary import summary_html
from hotfolder.core.zipping import Entry, zip_pieces
from hotfolder.files.content import write_all
from hotfolder.flows.custody import (
    audit_extract,
    history_of,
    history_table,
    key_texts,
)
from hotfolder.flows.exhibits import Exhibits
from hotfolder.flows.gone import DESTROYED, WITHHELD, require_given, require_whole
from hotfolder.flows.reservations import checks, details_of_storing, find_gaps
from hotfolder.flows.terms import record_refusal, require_reason
from hotfolder.flows.testimony import ask

_OPEN = Shield()
_FORM = "evidence"  # of a refusal, on the audit chain
_REFUSALS = ("retrieve.reason", "evidence.shared", DESTROYED, WITHHELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bagged:
    """A bag that is on the disk."""

    identity: str
    form: EvidenceForm
    shared: bool  # others' documents are in the spool
    sha256: str
    size: int
    gaps: Sequence[Mapping[str, str]]  # what it does not show: code and words


class Evidence:
    """Makes bags. ``desk`` is None where ArchivesSpace is not to be asked; ``sign`` signs the
    head of the audit tree as it is now, and is None where there is no key."""

    def __init__(
        self,
        *,
        journal: Journal,
        store: Store,
        desk: Desk | None,
        sign: Callable[[], object] | None,
        clock: Clock,
        emit: Emit,
        terms: RetrieveProfile,
        version: str,
        scratch: bytes | None = None,
        shield: Shield = _OPEN,
    ) -> None:
        self._journal = journal
        self._shield = shield
        self._store = store
        self._desk = desk
        self._sign = sign
        self._clock = clock
        self._emit = emit
        self._terms = terms
        self._version = version
        self._scratch = scratch

    def make(
        self,
        identity: str,
        path: bytes,
        *,
        actor: str,
        reason: str = "",
        with_spool: bool | None = None,
    ) -> Bagged:
        """Write the evidence about ``identity`` to ``path``, whole or not at all.

        ``with_spool`` None puts the spool in if nobody else's documents are in it. The
        audit row ``evidence.made`` is durable before the bag has its name, the bag when
        this returns. Raises ``KeyError`` if there is no such document, ``Corrupt`` if
        anything is not what it was, ``OperatorFault`` if the document cannot be given
        without its whole spool and ``with_spool`` is not True, or without a reason: what is
        refused is on the audit chain, and damage marks the spool.
        """
        reason = reason.strip()
        try:
            require_reason(self._terms, reason)
            return self._bag(identity, path, actor=actor, reason=reason, with_spool=with_spool)
        except HotfolderError as error:
            # A full disk or a lock refuses nothing: the same may be asked for again.
            if isinstance(error, Corrupt) or error.code in _REFUSALS:
                record_refusal(
                    self._journal,
                    identity,
                    error,
                    actor=actor,
                    reason=reason,
                    form=_FORM,
                    now=self._clock.now(),
                    emit=self._emit,
                )
            raise

    def _bag(
        self, identity: str, path: bytes, *, actor: str, reason: str, with_spool: bool | None
    ) -> Bagged:
        row = require_given(self._journal, identity)
        spool = self._journal.get_spool(row.spool_id)
        if spool is None:
            raise KeyError(identity)
        if with_spool is True:
            require_whole(self._journal, spool.id)
        shared = not _is_alone(row, spool) and self._is_shared(spool)
        form = _form(row, spool, shared=shared, with_spool=with_spool)
        account = _Account()
        with Exhibits(
            self._journal,
            self._store,
            row,
            spool,
            form=form,
            everything=with_spool is True,
            scratch=self._scratch,
        ) as exhibits:
            entries, gaps = self._collect(exhibits, actor=actor, shared=shared)
            write_all([(path, self._recorded(entries, account, exhibits, actor, reason))])
        return Bagged(
            identity=identity,
            form=form,
            shared=shared,
            sha256=account.sha256,
            size=account.size,
            gaps=gaps,
        )

    def _is_shared(self, spool: SpoolRow) -> bool:
        """Whether documents are, or may be, in the spool that are not to be given along with
        one of it: somebody else's, or withheld ones."""
        if spool.skipped or spool.left_out or self._is_restored(spool):
            return True
        if self._journal.is_partly_withheld(spool.id):
            return True
        customers: set[str | None] = set()
        count = 0
        for row in self._journal.iterate_documents(spool.id):
            if row.document.role is Role.CARRIER:
                continue
            count += 1
            customers.add(row.document.metadata.customer_id)
            if count > 1 and (len(customers) > 1 or None in customers):
                return True
        return False

    def _is_restored(self, spool: SpoolRow) -> bool:
        """Whether the journal may not know what was skipped or left out of the spool: it was
        made anew from the store, or by a release whose audit rows do not tell."""
        return not any(
            row.action == "spool.stored" and not row.details.get("restored")
            for row in self._journal.audit_of([spool.id])
        )

    def _collect(
        self, exhibits: Exhibits, *, actor: str, shared: bool
    ) -> tuple[list[Entry], list[dict[str, str]]]:
        """The files of the ZIP, and the gaps."""
        row, form = exhibits.row, exhibits.form
        made_at = self._clock.now()
        told = ask(
            self._desk, row, shared=shared and form is EvidenceForm.PROOF, shield=self._shield
        )
        steps = history_of(self._journal, row)
        extract = audit_extract(self._journal, row, self._sign)
        stored = details_of_storing(extract, row.spool_id)
        gaps = describe_gaps(find_gaps(exhibits, told, extract, stored))
        parts = [*exhibits.parts, *told.parts]
        if stored is None or "documents_root" not in stored:
            # It would prove nothing: no audit row has the root to which it leads.
            parts = [part for part in parts if part.name != names.PROOF]
        claim = {
            "format": names.FORMAT,
            "hotfolder": self._version,
            "made_at": instant(made_at),
            "made_by": actor,
            "identity": row.document.identity,
            "business_unit": row.business_unit,
            "form": str(form),
            "contents": names.describe_contents(form),
            "format_name": row.format_name,
            "taken_at": instant(exhibits.spool.created_at),
            "unit": row.unit_ref_id,
            "spool": {
                "id": row.spool_id,
                "name": row.spool_name.decode("utf-8", "backslashreplace"),
                "sha256": row.spool_sha256,
                "size": row.spool_size,
                "file": exhibits.spool_file,
                "shared": shared,
            },
            "document": {"file": exhibits.document_file, "derived": exhibits.derived_file},
            "sidecars": exhibits.sidecars,
            "archivesspace": {
                "asked": told.asked,
                "found": told.found,
                "words": told.words,
                "differences": told.differences,
                "record": row.record_uri,
            },
            "unsigned": extract.unsigned,
            "checked": checks(steps, extract, told, made_at),
            "gaps": gaps,
            "limits": names.limits(form),
        }
        document = next(part for part in parts if part.name == names.DOCUMENT_LINE)
        summary = summary_html(
            claim, json.loads(b"".join(document.read())), steps, extract.rows, extract.heads
        )
        parts += [
            _json_part(names.CLAIM, claim),
            text_part(names.SUMMARY, summary.encode()),
            _json_part(names.HISTORY, {"steps": steps}),
            text_part(names.HISTORY_TABLE, history_table(steps)),
            _json_part(names.AUDIT, {"rows": extract.rows}),
            _json_part(names.HEADS, {"heads": extract.heads}),
            *(
                text_part(f"data/custody/key-{name}.pem", text)
                for name, text in key_texts(extract.heads).items()
            ),
        ]
        verifier = files("hotfolder.flows").joinpath("data", "verify.py").read_bytes()
        entries = bag_entries(
            f"evidence-{row.document.identity[:19]}",
            [measure(part) for part in parts],
            [measure(text_part(names.VERIFIER, verifier))],
            [
                ("Bagging-Date", str(instant(made_at))[:10]),
                ("Bag-Software-Agent", f"hotfolder {self._version}"),
                ("External-Identifier", row.document.identity),
                ("External-Description", names.describe_contents(form)),
                ("Internal-Sender-Identifier", row.spool_id),
            ],
        )
        return entries, gaps

    def _recorded(
        self,
        entries: Sequence[Entry],
        account: _Account,
        exhibits: Exhibits,
        actor: str,
        reason: str,
    ) -> Iterator[bytes]:
        """The bytes of the ZIP; after the last of them, the audit row."""
        digest = hashlib.sha256()
        for piece in zip_pieces(entries):
            digest.update(piece)
            account.size += len(piece)
            yield piece
        account.sha256 = digest.hexdigest()
        # Before the file has its name: a bag that somebody has is always on the chain. A
        # kill after this leaves a row about a bag that nobody has got.
        self._journal.append_audit(
            actor,
            "evidence.made",
            exhibits.row.document.identity,
            {
                "sha256": account.sha256,
                "size": account.size,
                "form": str(exhibits.form),
                "reason": reason,
            },
            self._clock.now(),
        )


@dataclass(slots=True)
class _Account:
    """What has gone into a bag so far."""

    size: int = 0
    sha256: str = ""


def _is_whole(row: CatalogueRow) -> bool:
    place = row.document.range
    return (place.offset, place.length) == (0, row.spool_size) and not place.by_pages


def _is_alone(row: CatalogueRow, spool: SpoolRow) -> bool:
    """Whether the document is all that there is in its spool."""
    return _is_whole(row) and spool.documents == 1 and row.document.role is not Role.CARRIER


def _form(
    row: CatalogueRow, spool: SpoolRow, *, shared: bool, with_spool: bool | None
) -> EvidenceForm:
    if _is_alone(row, spool):
        return EvidenceForm.DOCUMENT
    if _is_whole(row) and shared and not with_spool:
        raise OperatorFault(
            "the document is a whole spool with documents of several customers in it",
            hint="ask for the evidence of one of these, or for the spool with --with-spool",
            code="evidence.shared",
        )
    if with_spool or (with_spool is None and not shared):
        return EvidenceForm.SPOOL
    return EvidenceForm.PROOF


def _json_part(name: str, value: object) -> Part:
    return text_part(name, (dump(value) + "\n").encode())
