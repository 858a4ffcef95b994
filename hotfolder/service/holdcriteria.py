"""What the options of ``hotfolder holds place`` say: which documents are meant."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from hotfolder.core.errors import EX_NOINPUT, EX_USAGE
from hotfolder.core.holds import Criteria
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.ports import Journal
from hotfolder.core.references import split_reference
from hotfolder.core.spelling import clean_value
from hotfolder.flows.naming import MOST
from hotfolder.journal.journal import SqliteJournal
from hotfolder.journal.tokens import has_word
from hotfolder.service.settings import Configuration
from hotfolder.sidecars.values import parse_date


class WrongError(Exception):
    """What was given does not say which documents are meant."""

    def __init__(self, message: str, exit_code: int = EX_USAGE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def criteria_of(
    config_path: str,
    journal: SqliteJournal,
    configuration: Configuration,
    *,
    only_now: bool,
    documents: tuple[str, ...],
    customer: str | None,
    account: str | None,
    policy: str | None,
    case: str | None,
    retention_class: str | None,
    document_type: str | None,
    series: str | None,
    business_unit: str | None,
    issued_from: str | None,
    issued_to: str | None,
    text: str | None,
    spool: str | None,
) -> Criteria:
    """The criteria that the options give. Raises ``WrongError``."""
    given = (customer, account, policy, case, document_type, text, *documents)
    if any(value is not None and not value.strip() for value in given):
        raise WrongError("an option is empty: leave it out, or say what is meant")
    # A hold that can never hold anything is a mistake that nobody would notice.
    first, last = _day("--from", issued_from), _day("--to", issued_to)
    if first is not None and last is not None and last < first:
        raise WrongError(f"no day is from {first} to {last}: nothing would be held")
    if text is not None and not has_word(text):
        raise WrongError(f"--text: there is no word in {text!r}: nothing would be held")
    rules = configuration.rules
    _known("--class", retention_class, rules.retention_classes)
    _known("--series", series, [item.code for item in rules.series])
    _known("--unit", business_unit, [item.code for item in rules.business_units])
    kind, reference = (None, None) if case is None else split_reference(clean_value(case))
    return Criteria(
        identities=identities_of(config_path, journal, documents),
        business_unit=business_unit,
        customer_id=_clean(customer),
        account_number=_clean(account),
        policy_number=_clean(policy),
        case_ref=reference,
        case_kind=kind,
        document_type=_clean(document_type),
        retention_class=retention_class,
        series=series,
        issued_from=first,
        issued_to=last,
        words=tuple((text or "").split()),
        spool_id=None if spool is None else _spool(journal, spool),
        last_number=journal.last_document() if only_now else None,
    )


def _clean(text: str | None) -> str | None:
    return None if text is None else clean_value(text)


def _known(option: str, value: str | None, values: Collection[str]) -> None:
    if value is not None and value not in values:
        raise WrongError(f"{option}: there is no {value!r}; one of: {', '.join(sorted(values))}")


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    day = parse_date(text)
    if day is None:
        raise WrongError(f"{option}: {text!r} is no day; write it like 2026-06-30")
    return day


def _spool(journal: Journal, text: str) -> str:
    row = journal.get_spool(text)
    if row is None:
        raise WrongError(f"no spool {text!r}", EX_NOINPUT)
    spool_id = row.first_spool_id or row.id
    if journal.states_of([spool_id])[spool_id] in (SpoolState.CORRUPT, SpoolState.REJECTED):
        for item in journal.iterate_documents(spool_id):
            found = journal.get_document(item.document.identity)
            if found is not None and found.spool_id != spool_id:
                raise WrongError(
                    f"documents of spool {spool_id} came again, and count in spool"
                    f" {found.spool_id}: --spool would not hold them, --document {spool_id} does"
                )
    return spool_id


def identities_of(
    config_path: str, journal: SqliteJournal, documents: tuple[str, ...]
) -> tuple[str, ...]:
    from hotfolder.service.naming import (  # noqa: PLC0415  the transport and its libraries
        UnknownNameError,
        resolve,
    )

    found: list[str] = []
    for text in documents:
        try:
            named = resolve(config_path, journal, text)
        except UnknownNameError as error:
            raise WrongError(error.told(), EX_NOINPUT) from error
        if len(named) == MOST:
            raise WrongError(f"{text!r} stands for {MOST:,} documents or more: use --spool")
        found += named
    return tuple(dict.fromkeys(found))


def unit_of(journal: Journal, criteria: Criteria) -> str | None:
    """The one business unit that a hold is about; None if it may be about several."""
    if criteria.business_unit is not None or not criteria.identities:
        return criteria.business_unit
    rows = [journal.get_document(identity) for identity in criteria.identities]
    units = {None if row is None else row.business_unit for row in rows}
    return units.pop() if len(units) == 1 else None
