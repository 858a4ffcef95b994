"""Packages for InfoArchive that were handed over together: whether all of them are there.

A data submission session (``dss``) may be one package or several: each has its ``seqno``,
from 1, and one says that it ``is_last`` (sip.xsd of OpenText's infoarchive-sip-sdk). A
package that was left behind in the old archive shows nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from hotfolder.core.legacy import LegacyItem
from hotfolder.legacy.parts import fault, shown

_TRUE, _FALSE = ("true", "1"), ("false", "0")  # XML Schema, boolean
_DIGITS = 18


class PackageSeries:
    """The packages of each session, as they are read."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], set[int]] = {}
        self._ends: dict[tuple[str, str], bool] = {}  # whether one said that it is last

    def add(self, about: Mapping[str, Sequence[str]]) -> None:
        """One more, by the fields of its ``eas_sip.xml``."""
        number = _first(about, "sip.seqno")
        if not (number.isascii() and number.isdigit() and len(number) <= _DIGITS):
            return  # it says nothing that could be counted
        session = (_first(about, "sip.dss.holding"), _first(about, "sip.dss.id"))
        self._numbers.setdefault(session, set()).add(int(number))
        last = _first(about, "sip.is_last").lower()
        if last in _TRUE or last in _FALSE:
            self._ends[session] = self._ends.get(session, False) or last in _TRUE

    def missing(self) -> Iterator[LegacyItem]:
        """An item for each gap in the numbers of a session, and for an end that is not there."""
        for session, numbers in sorted(self._numbers.items()):
            for before, after in pairwise([0, *sorted(numbers - {0})]):
                if after - before > 1:
                    yield _item(session, before + 1, after - 1)
            if not self._ends.get(session, True):
                yield _item(session, max(numbers) + 1, None)


def _first(about: Mapping[str, Sequence[str]], name: str) -> str:
    return about.get(name, [""])[0].strip()


def _item(session: tuple[str, str], first: int, last: int | None) -> LegacyItem:
    holding, name = (shown(part.encode()) for part in session)
    which = f"{first:,} to {last:,}" if last is not None and last > first else f"{first:,}"
    what = f"package {which} of this session" + (
        " is not in the export, or cannot be read"
        if last is not None
        else " and what may follow: none that is here is the last"
    )
    place = f"{holding}, session {name}"
    why = fault(
        "package_missing",
        what,
        "export it too; or settle with its owner that there is none",
        file=place,
    )
    return LegacyItem(
        source_id=f"session:{holding}:{name}#{first}", place=place, name=b"document", faults=(why,)
    )
