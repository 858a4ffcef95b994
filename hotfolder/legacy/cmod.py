"""Loads of IBM Content Manager OnDemand: generic indexes and the files that they name.

``arsdoc get`` and the tools around ``arsload`` write an index whose groups name the file
in which a document lies, often by its whole path and often one file for each document
(IBM Content Manager OnDemand, Administration Guide, arsdoc; indexes/cmod.py for the
format). Of a path only the last part counts here: the file lies beside the index. Where two
paths in a folder's indexes end in one name, nobody can say which of the two files it is,
and the groups that name it are refused.

An item is a file with the groups that follow one another and name it. Where an index
names one file only, by its bare name or not at all, it goes with it as it is; else an index
of the same groups is written in UTF-8 for each file.
"""

from __future__ import annotations

import codecs
import posixpath
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import BinaryIO

from hotfolder.core.errors import Fault, InputFault, OperatorFault
from hotfolder.core.indexed import IndexedDocument
from hotfolder.core.legacy import LegacyItem, MigrationProfile, OpenedItem, Part
from hotfolder.files.content import open_regular
from hotfolder.files.legacytree import Entry, LegacyTree
from hotfolder.files.scratch import Scratch
from hotfolder.indexes.cmod import read_cmod
from hotfolder.indexes.faults import BadDocument, read_file_name
from hotfolder.legacy.folder import ignored
from hotfolder.legacy.parts import (
    SIDECAR,
    faults_of,
    item_of,
    missing,
    not_named,
    not_regular,
    shown,
    sidecar,
    spool_name,
)
from hotfolder.sidecars.pairing import index_names

# The mark overrules the code page that the configuration has for the export's own indexes.
_HEAD = codecs.BOM_UTF8 + b"CODEPAGE:1208\n"


class _Run:
    """Groups that name one file, as they are read."""

    def __init__(self, file: bytes, ordinal: int) -> None:
        self.file = file
        self.first = ordinal
        self.count = 0


class CmodSource:
    """See ``core.legacy.LegacySource``. The order is that of the indexes' names, and of the
    groups in each; then the files that no index names."""

    def __init__(self, profile: MigrationProfile, tree: LegacyTree, scratch: Scratch) -> None:
        self._profile = profile
        self._tree = tree
        self._scratch = scratch
        self._suffix = profile.documents.index_suffix
        self._content_name = b""
        self._index: bytes | None = None  # as it lies in the export; None: the written one

    def items(self) -> Iterator[LegacyItem]:
        """Every file that an index names, and every file that none does."""
        for folder, found in self._tree.folders():
            entries = [entry for entry in found if not ignored(self._profile, entry.name)]
            there = {entry.name: entry for entry in entries}
            indexes = [entry for entry in entries if entry.name.endswith(self._suffix)]
            doubtful = self._doubtful(folder, indexes)
            named: set[bytes] = set()
            for entry in indexes:
                yield from self._of_index(folder, entry, there, named, doubtful)
            for entry in entries:
                if entry.name in named or entry.name.endswith(self._suffix):
                    continue
                place = shown(folder + entry.name)
                why = not_named(place) if entry.regular else not_regular(place)
                yield item_of(place, place, entry, faults=(why,))

    def _doubtful(self, folder: bytes, indexes: Sequence[Entry]) -> set[bytes]:
        """Names in which two paths end. What cannot be read is told when it is read again."""
        names = _Names()
        for index in indexes:
            if not index.regular:
                continue
            with (
                suppress(InputFault, OperatorFault),
                self._tree.path_of(folder + index.name) as path,
                open_regular(path) as stream,
            ):
                for _ in self._groups(stream, "", [], names):
                    pass
        return names.doubtful

    def _groups(
        self, stream: BinaryIO, place: str, bad: list[Fault], names: _Names
    ) -> Iterator[IndexedDocument]:
        return read_cmod(
            stream,
            place,
            code_page=self._profile.documents.code_page,
            # Of an index that goes as it is, the reading tells of them once more.
            skip=bad.append,
            file_name=names,
        )

    def _of_index(
        self,
        folder: bytes,
        index: Entry,
        there: dict[bytes, Entry],
        named: set[bytes],
        doubtful: Collection[bytes],
    ) -> Iterator[LegacyItem]:
        place = shown(folder + index.name)
        if not index.regular:
            yield item_of(place, place, index, faults=(not_regular(place),))
            return
        own = _content_of(index.name, self._suffix, there)
        bad: list[Fault] = []
        try:
            with (
                self._tree.path_of(folder + index.name) as path,
                open_regular(path) as stream,
                ExitStack() as stack,
            ):
                names = _Names(refused=doubtful)
                groups = self._groups(stream, place, bad, names)
                yield from self._runs(folder, index, own, groups, names, bad, there, named, stack)
        except (InputFault, OperatorFault) as error:
            if own:
                named.add(own)
            yield item_of(f"{place}#", place, index, faults=faults_of(error, place))

    def _runs(
        self,
        folder: bytes,
        index: Entry,
        own: bytes,
        groups: Iterator[IndexedDocument],
        names: _Names,
        bad: list[Fault],
        there: dict[bytes, Entry],
        named: set[bytes],
        stack: ExitStack,
    ) -> Iterator[LegacyItem]:
        run: _Run | None = None
        runs = 0
        place = shown(folder + index.name)
        writer = _IndexWriter(self._scratch)
        stack.callback(writer.close)
        for group in groups:
            file = group.file or (run.file if run is not None else own)
            if run is not None and file != run.file:
                runs += 1
                yield self._item(folder, index, run, there, named, writer, bad=0)
                run = None
            if run is None:
                run = _Run(file, group.ordinal)
                writer.begin()
            run.count += 1
            writer.add(group)
        if run is not None:
            as_it_is = runs == 0 and own == run.file == spool_name(own) and names.bare
            yield self._item(
                folder,
                index,
                run,
                there,
                named,
                None if as_it_is else writer,
                bad=len(bad) if as_it_is else 0,
            )
            if as_it_is:
                return
        nothing = index._replace(size=0)  # its bytes are not those of a document
        for number, why in enumerate(bad, 1):
            yield item_of(f"{place}#bad:{number}", place, nothing, faults=(why,))

    def _item(
        self,
        folder: bytes,
        index: Entry,
        run: _Run,
        there: dict[bytes, Entry],
        named: set[bytes],
        writer: _IndexWriter | None,
        *,
        bad: int,
    ) -> LegacyItem:
        place = shown(folder + index.name)
        source_id = f"{place}#{shown(run.file)}"
        if run.file in named or not run.file:
            source_id += f"@{run.first}"  # its groups do not follow one another, or it has none
        named.add(run.file)
        entry = there.get(run.file)
        faults: tuple[Fault, ...] = ()
        if entry is None:
            entry = Entry(run.file or index.name, 0, index.mtime_ns, regular=True)
            faults = (missing(place, f"group {run.first}"),)
        elif not entry.regular:
            faults = (not_regular(shown(folder + run.file)),)
        self._content_name = folder + run.file
        self._index = folder + index.name if writer is None else None
        if writer is not None:
            writer.end()
        return LegacyItem(
            source_id=source_id,
            place=shown(folder + run.file) if run.file else place,
            name=spool_name(entry.name),
            size=entry.size,
            mtime_ns=entry.mtime_ns,
            documents=run.count + bad,
            faults=faults,
        )

    @contextmanager
    def open(self, item: LegacyItem) -> Iterator[OpenedItem]:
        """See ``LegacySource``."""
        own = item.name + SIDECAR
        with ExitStack() as stack:
            content = stack.enter_context(self._tree.path_of(self._content_name))
            if self._index is None:
                index = self._scratch.path(_IndexWriter.NAME)
            else:
                index = stack.enter_context(self._tree.path_of(self._index))
            said = stack.enter_context(self._scratch.holding(own, sidecar(self._profile, item)))
            yield OpenedItem(
                content=Part(name=item.name, path=content),
                sidecars=(
                    Part(name=item.name + self._suffix, path=index),
                    Part(name=own, path=said),
                ),
            )


class _IndexWriter:
    """Writes the groups of one file as an index of its own."""

    NAME = b"groups.ind"

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._stream = scratch.writer(self.NAME)

    def begin(self) -> None:
        self._stream.close()
        self._stream = self._scratch.writer(self.NAME)
        self._stream.write(_HEAD)

    def add(self, group: IndexedDocument) -> None:
        for name, value in group.fields:
            self._line("GROUP_FIELD_NAME", name)
            self._line("GROUP_FIELD_VALUE", value)
        self._line("GROUP_OFFSET", str(group.offset or 0))
        self._line("GROUP_LENGTH", str(group.length or 0))
        self._line("GROUP_FILENAME", "")

    def _line(self, keyword: str, value: str) -> None:
        # In EBCDIC an index has other line ends, and a value may hold this one.
        self._stream.write(f"{keyword}:{value.replace(chr(10), ' ')}\n".encode())

    def end(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        self._stream.close()


class _Names:
    """Takes the last part of whatever path a group names, of whichever system."""

    def __init__(self, refused: Collection[bytes] = ()) -> None:
        self.bare = True  # none was more than a name
        self.doubtful: set[bytes] = set()  # names in which two paths ended
        self._refused = refused
        self._folders: dict[bytes, str] = {}

    def __call__(self, text: str) -> bytes:
        folder, mark, last = text.strip().replace("\\", "/").rpartition("/")
        self.bare &= not mark
        if not last:
            raise BadDocument("index.path", "the index names a folder", "name the file in it")
        name = read_file_name(last)
        if name in self._refused:
            raise BadDocument(
                "index.path",
                "files of this name lie in two folders, by the paths in the indexes here",
                "export each beside an index of its own, or under names of their own",
            )
        # On Windows letter case makes no other folder.
        folder = posixpath.normpath(folder.casefold() if "\\" in text else folder)
        if mark and self._folders.setdefault(name, folder) != folder:
            self.doubtful.add(name)
        return name


def _content_of(index: bytes, suffix: bytes, there: dict[bytes, Entry]) -> bytes:
    """The file that an index is named after: ``x.out`` of ``x.out.ind`` or ``x.ind``."""
    stem = index[: -len(suffix)] if suffix else index
    if stem in there:
        return stem
    found: Sequence[bytes] = [
        name
        for name in there
        if name != index and not name.endswith(suffix) and index in index_names(name, suffix)
    ]
    return found[0] if len(found) == 1 else b""
