"""A package for InfoArchive as it lies there: checked, opened, and what its two files of XML say.

``eas_sip.xml`` and ``eas_pdi.xml`` come from a stranger: neither may be larger than any
could be, and neither may name what lies outside of it.
"""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring, iterparse

from hotfolder.core.errors import Fault, InputFault
from hotfolder.files.legacytree import Entry
from hotfolder.formats import zippackage
from hotfolder.formats.window import Window
from hotfolder.legacy.parts import fault

PACKAGING, PDI = "eas_sip.xml", "eas_pdi.xml"
MOST_MEMBERS = 200_000  # their directory is held in memory
_LARGEST_PACKAGING = 1 << 20  # bytes
_LARGEST_AIU = 16 << 20
_MOST_ELEMENTS = 20_000  # of one AIU
_PIECE = 1 << 18
_HASHES = {
    "MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384",
    "SHA-512": "sha512", "SHA3-224": "sha3_224", "SHA3-256": "sha3_256",
    "SHA3-384": "sha3_384", "SHA3-512": "sha3_512",
}  # fmt: skip


class BadPackageError(Exception):
    """The package, or the rest of it, cannot be used."""

    def __init__(self, why: Fault) -> None:
        super().__init__(why.message)
        self.why = why


def check_package(stream: BinaryIO, entry: Entry, place: str) -> None:
    """Whole, without names that lead out or members that expand without bound, and with no
    more members than can be held."""
    window = Window(stream, entry.size)
    # Asked of no other format: a package may begin with the bytes of a PDF in it.
    if not zippackage.recognises(window.read(0, 4)):
        raise BadPackageError(
            fault("package", "it is no ZIP package", "export it again", file=place)
        )
    inspection = zippackage.inspect(window, full=True)
    if inspection.fault is not None:
        raise BadPackageError(_of(inspection.fault, place))
    if zippackage.count_members(window) > MOST_MEMBERS:
        raise BadPackageError(
            fault(
                "members",
                f"it has more than {MOST_MEMBERS:,} members",
                "export it as several packages",
                file=place,
            )
        )
    stream.seek(0)


def _of(why: Fault, place: str) -> Fault:
    return Fault(code=why.code, message=why.message, remedy=why.remedy, file=place, place=why.place)


@contextmanager
def opened_package(stream: BinaryIO, place: str) -> Iterator[zipfile.ZipFile]:
    """The package, open; no name in it stands for two members."""
    try:
        package = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise BadPackageError(
            fault("package", "it cannot be opened as ZIP", "export it again", file=place)
        ) from error
    with package:
        twice = [n for n, count in Counter(package.namelist()).items() if count > 1]
        if twice:
            raise BadPackageError(
                fault(
                    "members_twice",
                    f"{len(twice)} names in it stand for several members each",
                    "export it again: nobody can say which is meant",
                    file=place,
                )
            )
        yield package


@contextmanager
def unpacking(place: str) -> Iterator[None]:
    """What a member may hold that its directory did not tell."""
    try:
        yield
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputFault(
            [fault("member", "it cannot be unpacked", "export it again", file=place)]
        ) from error


def pieces_of(member: IO[bytes]) -> Iterator[bytes]:
    """What a member holds, never all of it at once."""
    while piece := member.read(_PIECE):
        yield piece


@contextmanager
def _xml(place: str, name: str) -> Iterator[None]:
    """What may be wrong with a file of XML."""
    try:
        yield
    except (ParseError, DefusedXmlException, LookupError, ValueError, RecursionError) as error:
        what = (
            "has a DOCTYPE or entities" if isinstance(error, DefusedXmlException) else "is no XML"
        )
        raise BadPackageError(
            fault("xml", f"{name} {what}", "export it again", file=place)
        ) from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise BadPackageError(
            fault("member", f"{name} cannot be unpacked", "export it again", file=place)
        ) from error


def read_packaging(
    package: zipfile.ZipFile, place: str
) -> tuple[dict[str, list[str]], list[tuple[str, str, str]]]:
    """What ``eas_sip.xml`` says, as fields, and the hashes (algorithm, encoding, value)."""
    with _xml(place, PACKAGING), package.open(PACKAGING) as member:
        data = member.read(_LARGEST_PACKAGING + 1)
        if len(data) > _LARGEST_PACKAGING:
            raise _too_much(place)
        root = fromstring(data, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    found: dict[str, list[str]] = {}
    _leaves(root, "sip.", found, 0)
    hashes = [
        (
            element.get("algorithm", ""),
            element.get("encoding", ""),
            "".join((element.text or "").split()),
        )
        for element in root.iter()
        if str(element.tag).rpartition("}")[2] == "pdi_hash"
    ]
    return {name: values for name, values in found.items() if name != "sip.pdi_hash"}, hashes


def check_pdi(package: zipfile.ZipFile, hashes: list[tuple[str, str, str]], place: str) -> None:
    """``eas_pdi.xml`` is the one that the packaging was written for."""
    for algorithm, encoding, value in hashes:
        if algorithm not in _HASHES:
            continue  # MD2 is in no library any more
        digest = hashlib.new(_HASHES[algorithm], usedforsecurity=False)
        with _xml(place, PDI), package.open(PDI) as member:
            for piece in pieces_of(member):
                digest.update(piece)
        found = digest.digest()
        shown_as = base64.b64encode(found).decode() if encoding == "base64" else digest.hexdigest()
        same = shown_as == value if encoding == "base64" else shown_as == value.lower()
        if not same:
            raise BadPackageError(
                fault(
                    "pdi_hash",
                    f"{PDI} is not the one that {PACKAGING} was written for",
                    "export it again: it was changed since",
                    file=place,
                )
            )


# -- the AIUs ---------------------------------------------------------------------------
def read_aius(package: zipfile.ZipFile, place: str) -> Iterator[dict[str, list[str]]]:
    """The leaves of each AIU by their names, with the names of the elements around them
    as far as they lie in the AIU."""
    with _xml(place, PDI), package.open(PDI) as member:
        bounded = _Bounded(member, place)
        depth = elements = 0
        root: Element | None = None
        for event, element in iterparse(
            bounded, events=("start", "end"), forbid_dtd=True, forbid_entities=True
        ):
            if event == "start":
                depth += 1
                elements += 1
                root = element if root is None else root
                if elements > _MOST_ELEMENTS:
                    raise _too_much(place)
                continue
            depth -= 1
            if depth == 1:
                found: dict[str, list[str]] = {}
                _leaves(element, "", found, 0)
                yield found
                assert root is not None
                root.clear()
                elements = 0
                bounded.since = 0


class _Bounded:
    """A stream that ends in a fault when one AIU is larger than any could be."""

    def __init__(self, stream: IO[bytes], place: str) -> None:
        self._stream = stream
        self._place = place
        self.since = 0  # bytes since the last AIU ended

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(min(size, 1 << 16) if size > 0 else 1 << 16)
        self.since += len(data)
        if self.since > _LARGEST_AIU:
            raise _too_much(self._place)
        return data


def _too_much(place: str) -> BadPackageError:
    return BadPackageError(
        fault("aiu", f"an AIU in {PDI} is too large", "see what is wrong with it", file=place)
    )


def _leaves(element: Element, prefix: str, found: dict[str, list[str]], depth: int) -> None:
    for child in element:
        name = prefix + str(child.tag).rpartition("}")[2]
        if len(child) and depth < 20:
            _leaves(child, name + ".", found, depth + 1)
        elif child.text and child.text.strip():
            found.setdefault(name, []).append(child.text.strip())
