"""Criteria and documents for Hypothesis, from few values, so that they meet."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from hotfolder.core.holds import Criteria, HoldFacts

IDENTITIES = tuple("hf-" + digit * 64 for digit in "ab")
UNITS = ("RETAIL", "CLAIMS")
SERIES = ("statements", "letters")
CUSTOMERS = ("C-1", "C-2")
ACCOUNTS = ("A-1", "A-2")
POLICIES = ("P-1", "P-2")
TYPES = ("Statement", "LETTER", "letter")
CLASSES = ("R1", "R2")
CASES = ("X-1", "X-2")
KINDS = ("case", "claim")
SPOOLS = ("s1", "s2")
DAYS = st.dates(min_value=date(2026, 6, 28), max_value=date(2026, 7, 2))


def _maybe(values: tuple[str, ...]) -> st.SearchStrategy[str | None]:
    return st.one_of(st.none(), st.none(), st.sampled_from(values))


CRITERIA = st.builds(
    Criteria,
    identities=st.lists(st.sampled_from(IDENTITIES), max_size=1).map(tuple),
    business_unit=_maybe(UNITS),
    customer_id=_maybe(CUSTOMERS),
    account_number=_maybe(ACCOUNTS),
    policy_number=_maybe(POLICIES),
    case_ref=_maybe(CASES),
    case_kind=_maybe(KINDS),
    document_type=_maybe(TYPES),
    retention_class=_maybe(CLASSES),
    series=_maybe(SERIES),
    issued_from=st.one_of(st.none(), DAYS),
    issued_to=st.one_of(st.none(), DAYS),
    words=st.sampled_from(((), (), ("final",), ("Müller", "stat"))),
    spool_id=_maybe(SPOOLS),
    last_number=st.one_of(st.none(), st.integers(0, 3)),
)
FACTS = st.builds(
    HoldFacts,
    identity=st.sampled_from(IDENTITIES),
    business_unit=st.sampled_from(UNITS),
    series=st.sampled_from(SERIES),
    number=st.integers(1, 3),
    spool_id=st.sampled_from(SPOOLS),
    customer_id=_maybe(CUSTOMERS),
    account_number=_maybe(ACCOUNTS),
    policy_number=_maybe(POLICIES),
    document_type=_maybe(TYPES),
    retention_class=_maybe(CLASSES),
    issue_date=st.one_of(st.none(), DAYS),
    references=st.frozensets(st.tuples(st.sampled_from(KINDS), st.sampled_from(CASES)), max_size=2),
)
