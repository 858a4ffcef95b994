"""Packages for OpenText InfoArchive: a ZIP with ``eas_sip.xml``, ``eas_pdi.xml`` and files.

``eas_sip.xml`` (namespace ``urn:x-emc:ia:schema:sip:1.0``; sip.xsd of OpenText's
infoarchive-sip-sdk) says of the package: ``dss`` with holding, id, producer, entity,
application, retention_class, production_date; then seqno, is_last, aiu_count and the
``pdi_hash`` of the other. The schema of ``eas_pdi.xml`` is the site's own: its root has an
element for each AIU, and a leaf of it is the name of a file of the package.

A package is checked as any ZIP is (``sippackage``) before anything in it is read.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from hotfolder.core.errors import Fault, InputFault, OperatorFault
from hotfolder.core.legacy import LegacyItem, MigrationProfile, OpenedItem, Part
from hotfolder.files.content import open_regular
from hotfolder.files.legacytree import Entry, LegacyTree
from hotfolder.files.scratch import Scratch
from hotfolder.legacy.folder import ignored
from hotfolder.legacy.packageseries import PackageSeries
from hotfolder.legacy.parts import (
    SIDECAR,
    fault,
    faults_of,
    item_of,
    missing,
    not_named,
    not_regular,
    shown,
    sidecar,
    spool_name,
)
from hotfolder.legacy.sippackage import (
    PACKAGING,
    PDI,
    BadPackageError,
    check_package,
    check_pdi,
    opened_package,
    pieces_of,
    read_aius,
    read_packaging,
    unpacking,
)

_PRODUCED = ("sip.dss.production_date", "sip.production_date")
_FLAG_ENCRYPTED = 0x1

Fields = Mapping[str, list[str]]


class SipSource:
    """See ``core.legacy.LegacySource``. The order is that of the packages' names, then of
    the AIUs, then of the files that no AIU names; at the end the packages that are missing."""

    def __init__(self, profile: MigrationProfile, tree: LegacyTree, scratch: Scratch) -> None:
        self._profile = profile
        self._tree = tree
        self._scratch = scratch
        self._package: zipfile.ZipFile | None = None
        self._member = ""
        self._fields: Fields = {}

    def items(self) -> Iterator[LegacyItem]:
        """Every file of every package, what is wrong with packages, and which are missing."""
        series = PackageSeries()
        for folder, entries in self._tree.folders():
            for entry in entries:
                if ignored(self._profile, entry.name):
                    continue
                place = shown(folder + entry.name)
                if not entry.regular:
                    yield item_of(place, place, entry, faults=(not_regular(place),))
                elif entry.name.lower().endswith(b".zip"):
                    yield from self._of_package(folder, entry, place, series)
                else:
                    yield item_of(place, place, entry, faults=(not_named(place),))
        yield from series.missing()

    def _of_package(
        self, folder: bytes, entry: Entry, place: str, series: PackageSeries
    ) -> Iterator[LegacyItem]:
        try:
            with (
                self._tree.path_of(folder + entry.name) as path,
                open_regular(path) as stream,
            ):
                check_package(stream, entry, place)
                with opened_package(stream, place) as package:
                    self._package = package
                    yield from self._members(package, entry, place, series)
        except BadPackageError as bad:
            yield item_of(place, place, entry, faults=(bad.why,))
        except (InputFault, OperatorFault) as error:
            yield item_of(place, place, entry, faults=faults_of(error, place))
        finally:
            self._package = None

    def _members(
        self, package: zipfile.ZipFile, entry: Entry, place: str, series: PackageSeries
    ) -> Iterator[LegacyItem]:
        infos = {info.filename: info for info in package.infolist() if not info.is_dir()}
        for name in (PACKAGING, PDI):
            if name not in infos:
                raise BadPackageError(
                    fault(
                        "package", f"it has no {name}", "export it again as a package", file=place
                    )
                )
        about, hashes = read_packaging(package, place)
        series.add(about)
        check_pdi(package, hashes, place)
        named = Counter[str]()
        aius = 0
        nothing = entry._replace(size=0)  # its bytes are not those of a document
        for fields in read_aius(package, place):
            aius += 1
            files = self._files_of(fields, infos)
            if not files:
                why = missing(place, f"AIU {aius}")
                yield item_of(f"{place}!aiu:{aius}", place, nothing, faults=(why,))
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
            yield item_of(f"{place}!{PACKAGING}", place, nothing, faults=(why,))
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
        with ExitStack() as stack, unpacking(item.place):
            member = stack.enter_context(self._package.open(self._member))
            content = self._scratch.put_pieces(b"content", pieces_of(member), limit=item.size)
            produced = self._fields.get(_PRODUCED[0]) or self._fields.get(_PRODUCED[1], [""])
            data = sidecar(self._profile, item, self._fields, archived_on=produced[0])
        with self._scratch.holding(own, data) as said:
            parts = (Part(name=own, path=said),)
            yield OpenedItem(content=Part(name=item.name, path=content), sidecars=parts)
