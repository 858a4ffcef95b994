"""A template package: a ZIP whose every member is sound, harmless and known by its SHA-256.

Stricter than ``zippackage``, because members are looked at one by one, compared and shown.
Everything that the directory tells is checked before a byte is unpacked, and how many
members it says it has before any entry is read: memory holds the allowed members and no
more. Refused, besides what is damaged: too many members, names that lead out of a folder,
go too deep or mean the same file twice (also by letter case or Unicode form), links and
devices, members that are encrypted or cannot be unpacked here, and sizes and ratios of a
package that would expand without bound.
"""

from __future__ import annotations

import hashlib
import stat
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.profiles import TemplatesProfile
from hotfolder.core.templates import MANIFEST, TemplateMember
from hotfolder.formats.damage import DamageError
from hotfolder.formats.window import Window
from hotfolder.formats.zippackage import (
    ENCRYPTED,
    Directory,
    Member,
    check_content,
    check_name,
    find_data,
    find_directory,
    read_entries,
)

MAX_MANIFEST = 4 << 20  # bytes
MAX_FAULTS = 100
_LONGEST = 1000  # bytes of a name
_SHOWN = 100  # characters of it in a note
_SMALL = 100 << 20  # bytes; a package that unpacks to no more has any ratio
_UTF8 = 0x0800  # flag: the name is UTF-8 (APPNOTE 4.4.4), else code page 437
_UNIX, _DARWIN = 3, 19
_DOS_DIRECTORY = 0x10


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What is in a package: its members by name, and the manifest if that is one of them."""

    members: tuple[TemplateMember, ...]
    manifest: bytes | None


@dataclass(frozen=True, slots=True)
class _Named:
    member: Member
    name: str
    folder: bool


def read_package(stream: BinaryIO, size: int, limits: TemplatesProfile, file: str) -> Package:
    """Check a package as a whole and read its members. ``stream`` must be seekable. Raises
    ``InputFault`` with everything that is wrong, a hundred faults at most; ``file`` is what
    the package is called in them."""
    window = Window(stream, size)
    faults: list[Fault] = []
    try:
        named = _read_names(window, find_directory(window), limits, faults, file)
        if faults:
            raise InputFault(faults[:MAX_FAULTS])
        return _read_contents(window, named, file)
    except DamageError as damage:
        fault = damage.fault()
        found = Fault(
            code=fault.code,
            message=fault.message,
            remedy=fault.remedy,
            file=file,
            place=fault.place,
        )
        raise InputFault([*faults[: MAX_FAULTS - 1], found]) from damage


def read_member(stream: BinaryIO, size: int, name: str, limit: int) -> bytes | None:
    """The first ``limit`` bytes of a member of a package that was accepted; None if there is
    none of this name. Raises ``DamageError`` if it is not what it was."""
    window = Window(stream, size)
    for member in read_entries(window, directory := find_directory(window)):
        if _name_of(member) == name:
            kept = bytearray()

            def keep(piece: bytes, kept: bytearray = kept) -> None:
                kept.extend(piece[: limit - len(kept)])

            check_content(window, member, find_data(window, member, directory), keep)
            return bytes(kept)
    return None


# -- names and sizes, by the directory --------------------------------------------
def _read_names(
    window: Window,
    directory: Directory,
    limits: TemplatesProfile,
    faults: list[Fault],
    file: str,
) -> list[tuple[_Named, int]]:
    """The members that are files, each with the place of its bytes."""

    def wrong(code: str, message: str, remedy: str, place: str = "") -> None:
        if len(faults) < MAX_FAULTS:
            faults.append(
                Fault(
                    code=f"template.{code}",
                    message=message,
                    remedy=remedy,
                    file=file,
                    place=place,
                )
            )

    if directory.members > limits.members:
        wrong(
            "members",
            f"it has {directory.members:,} members; {limits.members:,} are the most",
            "leave out what does not belong to the template, or raise templates.members of"
            " this folder",
        )
        return []
    found: list[tuple[_Named, int]] = []
    names = _Names(wrong)
    packed = unpacked = 0
    for member in read_entries(window, directory):
        check_name(member)
        name = _name_of(member)
        shown = _show(name)
        packed += member.packed + 30 + len(member.name)
        unpacked += member.size
        if packed > directory.offset:
            raise DamageError(
                "zip.damaged", "the ZIP package is damaged: its members overlap", member.offset
            )
        folder = name.endswith("/")
        _check_member(member, name, folder=folder, limits=limits, wrong=wrong)
        names.add(name.rstrip("/"), shown, folder=folder)
        start = find_data(window, member, directory)
        if not folder:
            found.append((_Named(member, name, folder), start))
    names.check()
    most = limits.unpacked * 1_000_000
    if unpacked > most:
        wrong(
            "size",
            f"it unpacks to {unpacked:,} bytes; {most:,} are the most",
            "leave out what does not belong to the template, or raise templates.unpacked of"
            " this folder",
        )
    elif unpacked > _SMALL and unpacked > limits.ratio * window.size:
        wrong(
            "ratio",
            f"it unpacks to more than {limits.ratio} times its size",
            "pack it without what blows it up; a template is not mostly blanks",
        )
    if not found and not faults:
        wrong("empty", "there is no file in it", "pack the template's files")
    return found


def _check_member(
    member: Member,
    name: str,
    *,
    folder: bool,
    limits: TemplatesProfile,
    wrong: Callable[..., None],
) -> None:
    shown = _show(name)
    if len(member.name) > _LONGEST or not all(name.rstrip("/").split("/")):
        wrong("name", "a member has an empty or too long name", "rename it", shown)
    elif not name.isprintable() or "." in name.split("/"):
        wrong(
            "name",
            "the name of a member has characters that cannot be shown, or '.' as a folder",
            "rename it with letters, digits and plain punctuation",
            shown,
        )
    if name.rstrip("/").count("/") >= limits.depth:
        wrong(
            "depth",
            f"a member lies in more than {limits.depth - 1} folders",
            "pack it flatter, or raise templates.depth of this folder",
            shown,
        )
    if member.flags & ENCRYPTED:
        wrong("encrypted", "a member is encrypted", "pack it without a password", shown)
    if member.system in (_UNIX, _DARWIN):
        kind = stat.S_IFMT(member.attributes >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            wrong(
                "link",
                "a member is a link, a device or another file that is none",
                "pack the file itself in its place",
                shown,
            )
        elif (kind == stat.S_IFDIR) != folder and kind != 0:
            wrong("link", "a member says both that it is a folder and a file", "pack anew", shown)
    elif not folder and member.attributes & _DOS_DIRECTORY:
        wrong("link", "a member says both that it is a folder and a file", "pack anew", shown)
    if folder and member.size:
        wrong("name", "a folder has content", "pack anew", shown)


class _Names:
    """The names of a package: each once, whatever its spelling, and no file is a folder."""

    def __init__(self, wrong: Callable[..., None]) -> None:
        self._wrong = wrong
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def add(self, name: str, shown: str, *, folder: bool) -> None:
        """One more."""
        key = _key(name)
        if folder:
            self._folders.setdefault(key, shown)
        elif key in self._files:
            other = self._files[key]
            how = "twice" if other == shown else f"and {other!r}, which is the same file elsewhere"
            self._wrong("duplicate", f"a member is there {how}", "leave one of the two", shown)
        else:
            self._files[key] = shown
        parts = key.split("/")
        for end in range(1, len(parts)):
            self._folders.setdefault("/".join(parts[:end]), shown)

    def check(self) -> None:
        """After the last."""
        for key in self._files.keys() & self._folders.keys():
            self._wrong(
                "duplicate",
                "a member is a file, and the folder of others",
                "rename one of the two",
                self._files[key],
            )


def _key(name: str) -> str:
    """The same for names that are one file on some system."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())


def _name_of(member: Member) -> str:
    """The name as text, composed. A name that says it is UTF-8 and is not is read as code
    page 437, in which every byte is a character."""
    if member.flags & _UTF8:
        try:
            return unicodedata.normalize("NFC", member.name.decode())
        except UnicodeDecodeError:
            pass
    return unicodedata.normalize("NFC", member.name.decode("cp437"))


def _show(name: str) -> str:
    """A name in a note."""
    text = "".join(char if char.isprintable() else "�" for char in name)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


# -- the bytes --------------------------------------------------------------------
def _take(digest: hashlib._Hash, kept: bytearray | None, piece: bytes) -> None:
    digest.update(piece)
    if kept is not None:
        kept.extend(piece)


def _read_contents(window: Window, named: list[tuple[_Named, int]], file: str) -> Package:
    members: list[TemplateMember] = []
    manifest: bytes | None = None
    faults: list[Fault] = []
    for item, start in named:
        digest = hashlib.sha256()
        kept = bytearray()
        keeping = item.name == MANIFEST and item.member.size <= MAX_MANIFEST

        if not check_content(
            window, item.member, start, partial(_take, digest, kept if keeping else None)
        ):
            faults.append(
                Fault(
                    code="template.method",
                    message="a member is packed in a way that cannot be unpacked here",
                    remedy="pack it with Deflate, the usual way",
                    file=file,
                    place=_show(item.name),
                )
            )
            continue
        if item.name == MANIFEST:
            if not keeping:
                faults.append(
                    Fault(
                        code="template.manifest",
                        message=f"{MANIFEST} is larger than {MAX_MANIFEST >> 20} MiB",
                        remedy="shorten it",
                        file=file,
                    )
                )
            manifest = bytes(kept)
        members.append(
            TemplateMember(
                name=item.name,
                size=item.member.size,
                sha256=digest.hexdigest(),
                crc32=item.member.crc,
            )
        )
    if faults:
        raise InputFault(faults[:MAX_FAULTS])
    return Package(members=tuple(sorted(members, key=lambda item: item.name)), manifest=manifest)
