"""A question to the catalogue: which documents?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

# With ``words``, a count ends here and one more says that there are more: of a word that
# is in every title, all documents would have to be looked at.
COUNT_LIMIT = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentQuery:
    """All that is given must hold; nothing given asks for every document.

    Texts are compared as they were journalled (customer, account, case, template: exactly;
    document type: without regard to the case of A to Z; ``words``: each must be the
    beginning of a word in the title, the customer's name, the campaign, the period or
    another field of the sidecar, without regard to case and accents).
    """

    customer_id: str | None = None
    account_number: str | None = None
    document_type: str | None = None
    issued_from: date | None = None
    issued_to: date | None = None  # this day included
    case_ref: str | None = None  # a reference of any kind, unless ``case_kind`` says which
    case_kind: str | None = None  # of ``core.references``
    business_units: tuple[str, ...] | None = None  # one of these; None: of any
    words: tuple[str, ...] = ()
    spool_id: str | None = None
    template: str | None = None  # the name of the one that made it, exactly
    template_version: str | None = None
    after: str | None = None  # the identity of the last document of the page before
