"""What people call a document: our ids, and what they paste from ArchivesSpace.

Addresses of the staff and public interfaces: ArchivesSpace 4.2, frontend/config/routes.rb
(``/digital_objects/5``, ``/resolve/readonly?uri=…``, ``#tree::archival_object_7``) and
public/config/routes.rb (``/repositories/2/digital_objects/5``).
"""

from __future__ import annotations

import re
from urllib.parse import unquote

SHORTEST_PREFIX = 12  # characters of an identity, hf- included
_TREE = re.compile(r"#tree::(?P<kind>digital_object|archival_object)_(?P<id>\d{1,18})\Z")
_RECORD = re.compile(
    r"(?P<repository>/repositories/\d{1,18})?"
    r"/(?P<record>(?:digital_objects|archival_objects)/\d{1,18})(?![\w])"
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{5,254}\Z")


def record_uri_in(text: str) -> str | None:
    """The uri of the digital or archival object that an address leads to, with the
    repository if the address has it; None if it is no such address."""
    plain = unquote(text.strip())
    tree = _TREE.search(plain)
    if tree is not None:
        return f"/{tree['kind']}s/{tree['id']}"
    found = _RECORD.search(plain)
    return None if found is None else f"{found['repository'] or ''}/{found['record']}"


def may_be_a_name(text: str) -> bool:
    """Whether ArchivesSpace may have a record called so: by its uri, ``ref_id`` or
    ``digital_object_id``."""
    return record_uri_in(text) is not None or _NAME.match(text.strip()) is not None
