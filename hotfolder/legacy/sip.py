"""Packages for OpenText InfoArchive: a ZIP with ``eas_sip.xml``, ``eas_pdi.xml`` and files.

``eas_sip.xml`` (namespace ``urn:x-emc:ia:schema:sip:1.0``; sip.xsd of OpenText's
infoarchive-sip-sdk) says of the package: ``dss`` with holding, id, producer, entity,
application, retention_class, production_date; then seqno, is_last, aiu_count and the
``pdi_hash`` of the other. The schema of ``eas_pdi.xml`` is the site's own: its root has an
element for each AIU, and a leaf of it is the name of a file of the package.

A package is checked as any ZIP is (formats/zippackage.py) before anything in it is read.
"""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import IO, BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring, iterparse

from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.legacy import LegacyItem, MigrationProfile, OpenedItem, Part
from hotfolder.files.content import open_regular
from hotfolder.files.legacytree import Entry, LegacyTree
from hotfolder.files.scratch import Scratch
from hotfolder.formats import zippackage
from hotfolder.formats.window import Window
from hotfolder.legacy.folder import ignored
from hotfolder.legacy.parts import (
    SIDECAR,
    fault,
    item_of,
    missing,
    not_named,
    not_regular,
    shown,
    sidecar,
    spool_name,
)

PACKAGING, PDI = "eas_sip.xml", "eas_pdi.xml"
MOST_MEMBERS = 200_000  # their directory is held in memory
_LARGEST_PACKAGING = 1 << 20  # bytes
_LARGEST_AIU = 16 << 20
_MOST_ELEMENTS = 20_000  # of one AIU
_PIECE = 1 << 18
_PRODUCED = ("sip.dss.production_date", "sip.production_date")
_FLAG_ENCRYPTED = 0x1
_HASHES = {
    "MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384",
    "SHA-512": "sha512", "SHA3-224": "sha3_224", "SHA3-256": "sha3_256",
    "SHA3-384": "sha3_384", "SHA3-512": "sha3_512",
}  # fmt: skip

Fields = Mapping[str, list[str]]


class _BadPackageError(Exception):
    """The package, or the rest of it, cannot be used."""

    def __init__(self, why: Fault) -> None:
        super().__init__(why.message)
        self.why = why


class SipSource:
    """See ``core.legacy.LegacySource``. The order is that of the packages' names, then of
    the AIUs, then of the files that no AIU names."""

    def __init__(self, profile: MigrationProfile, tree: LegacyTree, scratch: Scratch) -> None:
        self._profile = profile
        self._tree = tree
        self._scratch = scratch
        self._package: zipfile.ZipFile | None = None
        self._member = ""
        self._fields: Fields = {}

    def items(self) -> Iterator[LegacyItem]:
        """Every file of every package, and what is wrong with packages."""
        for folder, entries in self._tree.folders():
            for entry in entries:
                if ignored(self._profile, entry.name):
                    continue
                place = shown(folder + entry.name)
                if not entry.regular:
                    yield item_of(place, place, entry, faults=(not_regular(place),))
                elif entry.name.lower().endswith(b".zip"):
                    yield from self._of_package(folder, entry, place)
                else:
                    yield item_of(place, place, entry, faults=(not_named(place),))

    def _of_package(self, folder: bytes, entry: Entry, place: str) -> Iterator[LegacyItem]:
        with (
            self._tree.path_of(folder + entry.name) as path,
            open_regular(path) as stream,
        ):
            try:
                _check_package(stream, entry, place)
                with _opened(stream, place) as package:
                    self._package = package
                    yield from self._members(package, entry, place)
            except _BadPackageError as bad:
                yield item_of(place, place, entry, faults=(bad.why,))
            finally:
                self._package = None

    def _members(self, package: zipfile.ZipFile, entry: Entry, place: str) -> Iterator[LegacyItem]:
        infos = {info.filename: info for info in package.infolist() if not info.is_dir()}
        for name in (PACKAGING, PDI):
            if name not in infos:
                raise _BadPackageError(
                    fault(
                        "package", f"it has no {name}", "export it again as a package", file=place
                    )
                )
        about, hashes = _read_packaging(package, place)
        _check_pdi(package, hashes, place)
        named = Counter[str]()
        aius = 0
        for fields in self._aius(package, place):
            aius += 1
            files = self._files_of(fields, infos)
            if not files:
                why = missing(place, f"AIU {aius}")
                yield item_of(f"{place}!aiu:{aius}", place, entry, faults=(why,))
            for name in files:
                named[name] += 1
                said = {**about, **fields}
                yield self._member_item(name, infos, named[name], said, entry, place, aius)
        declared = about.get("sip.aiu_count", [""])[0].strip()
        if declared.isdigit() and int(declared) != aius:
            why = fault(
                "aiu_count",
                f"the package says that it has {int(declared)} AIUs, and has {aius}",
                "export it again",
                file=place,
            )
            yield item_of(f"{place}!{PACKAGING}", place, entry, faults=(why,))
        for name, info in infos.items():
            if name not in named and name not in (PACKAGING, PDI):
                where = f"{place}!{shown(name.encode('utf-8', 'surrogateescape'))}"
                yield LegacyItem(
                    source_id=where,
                    place=where,
                    name=b"document",
                    size=info.file_size,
                    mtime_ns=entry.mtime_ns,
                    faults=(not_named(where),),
                )

    def _files_of(self, fields: Fields, infos: Mapping[str, zipfile.ZipInfo]) -> list[str]:
        wanted = self._profile.file_field
        found: list[str] = []
        for name, values in fields.items():
            if wanted and name != wanted and name.rsplit(".", 1)[-1] != wanted:
                continue
            # Where the configuration says which element it is, a name that is missing tells.
            found += [value for value in values if wanted or value in infos]
        return [name for name in dict.fromkeys(found) if name not in (PACKAGING, PDI)]

    def _member_item(
        self,
        name: str,
        infos: Mapping[str, zipfile.ZipInfo],
        count: int,
        fields: Fields,
        entry: Entry,
        place: str,
        aiu: int,
    ) -> LegacyItem:
        where = f"{place}!{shown(name.encode('utf-8', 'surrogateescape'))}"
        source_id = where if count == 1 else f"{where}@{aiu}"
        info = infos.get(name)
        faults: tuple[Fault, ...] = ()
        if info is None:
            faults = (missing(where, f"AIU {aiu}"),)
        elif info.flag_bits & _FLAG_ENCRYPTED:
            faults = (fault("encrypted", "it is encrypted", "export it plain", file=where),)
        elif count > 1:
            faults = (
                fault("twice", "another AIU has the same file", "leave one of the two", file=where),
            )
        self._member = name
        self._fields = fields
        return LegacyItem(
            source_id=source_id,
            place=where,
            name=spool_name(name.encode("utf-8", "surrogateescape")),
            size=0 if info is None else info.file_size,
            mtime_ns=entry.mtime_ns,
            faults=faults,
        )

    @contextmanager
    def open(self, item: LegacyItem) -> Iterator[OpenedItem]:
        """See ``LegacySource``. The file is unpacked for as long as it is open."""
        assert self._package is not None  # the package of the item that was given last
        own = item.name + SIDECAR
        with ExitStack() as stack, _reading(item.place):
            member = stack.enter_context(self._package.open(self._member))
            content = self._scratch.put_pieces(b"content", _pieces(member), limit=item.size)
            produced = self._fields.get(_PRODUCED[0]) or self._fields.get(_PRODUCED[1], [""])
            data = sidecar(self._profile, item, self._fields, archived_on=produced[0])
            parts = (Part(name=own, path=self._scratch.put(own, data)),)
        yield OpenedItem(content=Part(name=item.name, path=content), sidecars=parts)

    # -- the AIUs ----------------------------------------------------------------------
    def _aius(self, package: zipfile.ZipFile, place: str) -> Iterator[dict[str, list[str]]]:
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


def _too_much(place: str) -> _BadPackageError:
    return _BadPackageError(
        fault("aiu", f"an AIU in {PDI} is too large", "see what is wrong with it", file=place)
    )


def _leaves(element: Element, prefix: str, found: dict[str, list[str]], depth: int) -> None:
    for child in element:
        name = prefix + str(child.tag).rpartition("}")[2]
        if len(child) and depth < 20:
            _leaves(child, name + ".", found, depth + 1)
        elif child.text and child.text.strip():
            found.setdefault(name, []).append(child.text.strip())


# -- the package -------------------------------------------------------------------------
def _check_package(stream: BinaryIO, entry: Entry, place: str) -> None:
    """Whole, without names that lead out or members that expand without bound, and with no
    more members than can be held."""
    window = Window(stream, entry.size)
    # Asked of no other format: a package may begin with the bytes of a PDF in it.
    if not zippackage.recognises(window.read(0, 4)):
        raise _BadPackageError(
            fault("package", "it is no ZIP package", "export it again", file=place)
        )
    inspection = zippackage.inspect(window, full=True)
    if inspection.fault is not None:
        raise _BadPackageError(_of(inspection.fault, place))
    if zippackage.count_members(window) > MOST_MEMBERS:
        raise _BadPackageError(
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
def _opened(stream: BinaryIO, place: str) -> Iterator[zipfile.ZipFile]:
    try:
        package = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise _BadPackageError(
            fault("package", "it cannot be opened as ZIP", "export it again", file=place)
        ) from error
    with package:
        twice = [n for n, count in Counter(package.namelist()).items() if count > 1]
        if twice:
            raise _BadPackageError(
                fault(
                    "members_twice",
                    f"{len(twice)} names in it stand for several members each",
                    "export it again: nobody can say which is meant",
                    file=place,
                )
            )
        yield package


@contextmanager
def _reading(place: str) -> Iterator[None]:
    """What a member may hold that its directory did not tell."""
    try:
        yield
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputFault(
            [fault("member", "it cannot be unpacked", "export it again", file=place)]
        ) from error


def _pieces(member: IO[bytes]) -> Iterator[bytes]:
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
        raise _BadPackageError(
            fault("xml", f"{name} {what}", "export it again", file=place)
        ) from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise _BadPackageError(
            fault("member", f"{name} cannot be unpacked", "export it again", file=place)
        ) from error


def _read_packaging(
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


def _check_pdi(package: zipfile.ZipFile, hashes: list[tuple[str, str, str]], place: str) -> None:
    for algorithm, encoding, value in hashes:
        if algorithm not in _HASHES:
            continue  # MD2 is in no library any more
        digest = hashlib.new(_HASHES[algorithm], usedforsecurity=False)
        with _xml(place, PDI), package.open(PDI) as member:
            for piece in _pieces(member):
                digest.update(piece)
        found = digest.digest()
        shown_as = base64.b64encode(found).decode() if encoding == "base64" else digest.hexdigest()
        same = shown_as == value if encoding == "base64" else shown_as == value.lower()
        if not same:
            raise _BadPackageError(
                fault(
                    "pdi_hash",
                    f"{PDI} is not the one that {PACKAGING} was written for",
                    "export it again: it was changed since",
                    file=place,
                )
            )
