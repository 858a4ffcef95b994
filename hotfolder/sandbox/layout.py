"""Where the words of a communication stand on its pages.

A4 in points from the lower left corner, as PDF counts; the AFP writer turns them
into its own units. All text is Latin-1.
"""

from __future__ import annotations

from dataclasses import dataclass

from hotfolder.sandbox.communications import Communication

WIDTH, HEIGHT = 595, 842
_LEFT, _TOP, _BOTTOM, _STEP = 57, 780, 90, 14
_ROW_SIZE = 9
_OPENINGS = {
    "statement": "This is the statement of your account for the period {period}.",
    "bill": "Please find below what you owe us for the period {period}.",
    "policy": "This schedule is part of your policy {policy}. Keep it in a safe place.",
    "notice": "We write to give you notice of a change. It takes effect in thirty days.",
    "letter": "Thank you for your message. Our answer, under reference {case}, is as follows.",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text; ``font`` is ``plain``, ``bold`` or ``fixed``, ``size`` in points."""

    x: int
    y: int
    font: str
    size: int
    text: str


Page = tuple[Line, ...]


def compose_pages(communication: Communication) -> list[Page]:
    """The pages of a communication: address, opening, items, total, page numbers."""
    lines = _head(communication)
    y = lines[-1].y - 2 * _STEP
    pages: list[list[Line]] = [lines]
    for day, what, amount in communication.items:
        if y < _BOTTOM:
            pages.append([Line(_LEFT, _TOP, "bold", 11, f"{_heading(communication)}, continued")])
            y = _TOP - 2 * _STEP
        pages[-1].append(Line(_LEFT, y, "fixed", _ROW_SIZE, _row(day, what, amount)))
        y -= _STEP
    total = _row("", "TOTAL", communication.total)
    pages[-1].append(Line(_LEFT, y - 4, "fixed", _ROW_SIZE, total))
    count = len(pages)
    for number, page in enumerate(pages, start=1):
        page.append(Line(_LEFT, 50, "plain", 8, _foot(communication, number, count)))
    return [tuple(page) for page in pages]


def _head(communication: Communication) -> list[Line]:
    customer = communication.customer
    case = ", ".join(reference for _, reference in communication.references)
    texts = [
        ("bold", 14, "Meridian Mutual"),
        ("plain", 8, "PO Box 1, Customer Communications"),
        ("plain", 10, ""),
        ("plain", 10, customer.printed_name),
        *(("plain", 10, line) for line in customer.address),
        ("plain", 10, ""),
        ("plain", 10, f"{communication.issue_date:%d %B %Y}"),
        ("plain", 10, f"Customer {customer.customer_id}, account {customer.account_number}"),
        ("plain", 10, ""),
        ("bold", 12, _heading(communication)),
        (
            "plain",
            10,
            _OPENINGS[communication.document_type].format(
                period=communication.period, policy=customer.policy_number, case=case
            ),
        ),
    ]
    return [
        Line(_LEFT, _TOP - index * _STEP, font, size, text)
        for index, (font, size, text) in enumerate(texts)
        if text
    ]


def _heading(communication: Communication) -> str:
    return f"{communication.document_type.capitalize()} {communication.period}"


def _row(day: str, what: str, amount: int) -> str:
    sign = "-" if amount < 0 else ""
    whole, cents = divmod(abs(amount), 100)
    return f"{day:<12}{what:<36}{f'{sign}{whole:,}.{cents:02d} EUR':>20}"


def _foot(communication: Communication, number: int, count: int) -> str:
    revised = f" Rev. {communication.revision}" if communication.revision else ""
    return (
        f"{communication.template} {communication.template_version}{revised} · job "
        f"{communication.job_number} · page {number} of {count}"
    )
