"""What somebody pastes from ArchivesSpace: a uri, the address of a page, an identifier.

All of it is text from outside: what comes out of here is numbers and checked keys, from
which the callers build their own paths. Addresses are those of ArchivesSpace 4.2.1: its
pages (``/digital_objects/29``), its tree (``/resources/7#tree::archival_object_107``),
its redirects (``/resolve/readonly?uri=…``) and the public interface.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from hotfolder.core.identity import is_document_identity

MAX_PASTED = 4000  # characters; addresses are shorter than that
_AROUND = " \t\r\n\"'<>"
_NUMBER = r"([0-9]{1,10})(?![0-9A-Za-z_])"
_URI = re.compile(r"(?<![0-9A-Za-z_])(digital_objects|archival_objects)/" + _NUMBER)
_NODE = re.compile(r"tree::(digital_object|archival_object)_" + _NUMBER)
_REPOSITORY = re.compile(r"/repositories/[^/?#&]*")
_REF_ID = re.compile(r"[A-Za-z0-9_:.-]{1,255}")  # reference 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """Exactly one of the three is given; ``uri`` lies in the repository asked for."""

    uri: str = ""
    identity: str = ""
    ref_id: str = ""


def read_pasted(text: str, repository: str) -> Pasted | None:
    """What ``text`` names in ``repository`` (a uri such as ``/repositories/2``).

    None where it names nothing that could be there, two records, or one of another
    repository. An address without a repository is one of the staff interface, where
    the repository is chosen once for all pages: it is taken to be in this one.
    """
    text = text.strip(_AROUND)
    if not text or len(text) > MAX_PASTED:
        return None
    if is_document_identity(text):
        return Pasted(identity=text)
    if _REF_ID.fullmatch(text):
        return Pasted(ref_id=text)
    address = unquote(text)
    if set(_REPOSITORY.findall(address)) - {repository}:
        return None
    # A node of a tree, if there is one: before it stands the record whose tree is shown.
    named = {(f"{found[1]}s", int(found[2])) for found in _NODE.finditer(address)} or {
        (found[1], int(found[2])) for found in _URI.finditer(address)
    }
    if len(named) != 1:
        return None
    ((kind, number),) = named
    return Pasted(uri=f"{repository}/{kind}/{number}")
