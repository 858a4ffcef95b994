"""What a company sends: one record per communication, from which its PDF or AFP and
its sidecar are made. A function of seed and number alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from hotfolder.sandbox.draw import Draw
from hotfolder.sandbox.people import Customer, make_customer

DOCUMENT_TYPES = ("statement", "bill", "policy", "notice", "letter")
CHANNELS = ("print", "email", "portal")
RETENTION_CLASSES = {
    "statement": "FIN-7Y",
    "bill": "FIN-7Y",
    "policy": "POL-10Y",
    "notice": "REG-PERM",
    "letter": "CORR-6Y",
}
POPULATION = 5000  # customers; beyond it, the same people get another month's output
_LATEST = date(2026, 9, 1)
_TEMPLATES = {
    "statement": ("STMT_MAIN", "4.2"),
    "bill": ("BILL_UTIL", "2.0"),
    "policy": ("POL_SCHED", "11.1"),
    "notice": ("NOT_RATE", "1.7"),
    "letter": ("LET_GEN", "3.3"),
}
# Four-byte characters and markup reach ArchivesSpace in titles; both are refused there as they are.
_EMOJI_NUMBER = 7
_MARKUP_NUMBER = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Communication:
    """One communication to one customer; amounts in cents."""

    seed: int
    number: int
    customer: Customer
    document_type: str
    issue_date: date
    channel: str
    title: str
    period: str
    retention_class: str
    references: tuple[tuple[str, str], ...]  # (kind, reference)
    job_number: str
    queue: str
    template: str
    template_version: str
    items: tuple[tuple[str, str, int], ...]  # (day, what, amount)
    revision: int = 0  # above 0: a corrected version under the same key

    @property
    def total(self) -> int:
        """Sum of the items, in cents."""
        return sum(amount for _, _, amount in self.items)


def make_communication(
    seed: int, number: int, *, document_type: str | None = None, revision: int = 0
) -> Communication:
    """The communication with this number.

    No two numbers share (customer, issue date), so their business keys differ;
    another ``revision`` has the same key and another content.
    """
    draw = Draw("communication", seed, number)
    customer = make_customer(seed, number % POPULATION)
    chosen = draw.pick(DOCUMENT_TYPES)
    kind = document_type or chosen
    issued = _issue_date(number // POPULATION, draw.below(27))
    template, template_version = _TEMPLATES[kind]
    return Communication(
        seed=seed,
        number=number,
        customer=customer,
        document_type=kind,
        issue_date=issued,
        channel=draw.pick(CHANNELS),
        title=_title(kind, number, issued),
        period=f"{issued:%Y-%m}",
        retention_class=RETENTION_CLASSES[kind],
        references=_references(kind, draw, Draw("change", seed, number)),
        job_number=f"{issued:%y%m}{draw.digits(4)}",
        queue=f"Q_{kind.upper()}",
        template=template,
        template_version=template_version,
        items=_items(draw, issued, revision),
        revision=revision,
    )


def _issue_date(months_back: int, day: int) -> date:
    years, month = divmod(_LATEST.month - 1 - months_back, 12)
    return date(_LATEST.year + years, month + 1, 1 + day)


def _title(kind: str, number: int, issued: date) -> str:
    if number == _EMOJI_NUMBER:
        return f"Your {kind} is ready \N{PARTY POPPER} {issued:%B %Y}"
    if number == _MARKUP_NUMBER:
        return f"<b>Important</b>: terms & charges from {issued:%d %B %Y}, fees < 5%"
    words = {
        "statement": "Account statement",
        "bill": "Bill",
        "policy": "Policy schedule",
        "notice": "Notice of change of rates",
        "letter": "Re: your enquiry, réf. n°",
    }
    return f"{words[kind]} {issued:%B %Y}"


def _references(kind: str, draw: Draw, changes: Draw) -> tuple[tuple[str, str], ...]:
    """A letter answers to a case, a claim or a dispute; some policies were changed."""
    if kind == "policy" and changes.below(3) == 0:
        return (("change", f"CHANGE-2026-{changes.digits(5)}"),)
    if kind != "letter":
        return ()
    prefix = draw.pick(("CASE", "CLAIM", "DISPUTE"))
    first = (prefix.lower(), f"{prefix}-2026-{draw.digits(5)}")
    return (first, ("case", f"CASE-2026-{draw.digits(5)}")) if draw.below(4) == 0 else (first,)


def _items(draw: Draw, issued: date, revision: int) -> tuple[tuple[str, str, int], ...]:
    words = ("Card payment", "Transfer", "Direct debit", "Refund", "Fee", "Interest", "Premium")
    count = 4 + draw.below(90)
    items = []
    for place in range(count):
        day = issued - timedelta(days=1 + place * 28 // count)
        what = f"{draw.pick(words)} {draw.digits(6)}"
        items.append((f"{day:%Y-%m-%d}", what, draw.below(90000) - 45000))
    if revision:
        items.append((f"{issued:%Y-%m-%d}", f"Correction no. {revision}", 100 * revision))
    return tuple(items)
