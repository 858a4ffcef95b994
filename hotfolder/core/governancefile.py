"""The governance file: from parsed TOML to vocabularies and rules, and what is wrong with it.

Pure. Everything is reported at once, each fault with the rule and the remedy, and rules that
contradict one another are found before a document is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from hotfolder.core.errors import Fault
from hotfolder.core.governance import (
    ASKED,
    CONTROLLED,
    FILLED,
    Governance,
    Rule,
    find_spelling,
)
from hotfolder.core.records import DocumentMetadata
from hotfolder.core.rulesense import contradictions

_KNOWN = frozenset({"vocabularies", "units", "rules"})
_PARTS = frozenset({"name", "when", "require", "allow", "default", "class"})
_FIELDS = tuple(item.name for item in fields(DocumentMetadata) if item.name != "extra")
MAX_RULES = 1000  # each is asked of every document


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the configuration has that the file may name."""

    classes: tuple[str, ...]
    units: tuple[str, ...]
    lists: frozenset[str] = frozenset()  # fields that have a list in the configuration


class _Reader:
    """Reads one file; what is wrong is left out and kept in ``faults``."""

    def __init__(self, around: Around) -> None:
        self.faults: list[Fault] = []
        self._around = around

    def wrong(self, place: str, what: str, message: str, remedy: str) -> None:
        """One more fault."""
        self.faults.append(
            Fault(code=f"governance.{what}", message=message, remedy=remedy, place=place)
        )

    def table(self, value: object, place: str, known: Collection[str]) -> Mapping[str, Any]:
        """``value`` without the keys that there are not."""
        if not isinstance(value, Mapping):
            self.wrong(place, "shape", "this is no table", f"write it as [{place}]")
            return {}
        for name in value:
            if name not in known:
                choices = ", ".join(sorted(known)) or "nothing"
                self.wrong(place, "unknown", f"there is no {name!r} here", f"one of: {choices}")
        return {name: item for name, item in value.items() if name in known}

    def texts(self, value: object, place: str) -> tuple[str, ...]:
        """A text or a list of texts, none empty, none twice."""
        items = value if isinstance(value, list) else [value]
        found: dict[str, str] = {}
        for item in items:
            if not isinstance(item, str) or not item.strip():
                self.wrong(place, "shape", "this is no text", 'write texts: "print" or ["print"]')
            elif item.casefold() in found:
                self.wrong(place, "twice", f"{item!r} is there twice", "remove one of the two")
            else:
                found[item.casefold()] = item
        if not items:
            self.wrong(place, "shape", "the list is empty", "name a value, or remove the line")
        return tuple(found.values())

    # -- vocabularies -----------------------------------------------------------------
    def vocabularies(self, value: object) -> dict[str, tuple[str, ...]]:
        """The lists that all units share."""
        found = self._lists(value, "vocabularies")
        for name in found.keys() & self._around.lists:
            self.wrong(
                f"vocabularies.{name}",
                "vocabulary",
                f"{name} has a list in [vocabularies] of the configuration too",
                "remove the list there: one file says which values there are",
            )
        for code in found.get("retention_class", ()):
            self._check_class(code, "vocabularies.retention_class")
        return found

    def additions(
        self, value: object, shared: Mapping[str, tuple[str, ...]]
    ) -> dict[str, dict[str, tuple[str, ...]]]:
        """What units add to the lists."""
        found: dict[str, dict[str, tuple[str, ...]]] = {}
        for unit, section in self.table(value, "units", self._around.units).items():
            place = f"units.{unit}"
            inside = self.table(section, place, {"vocabularies"})
            lists = self._lists(inside.get("vocabularies", {}), f"{place}.vocabularies")
            for name, values in lists.items():
                where = f"{place}.vocabularies.{name}"
                if name not in shared:
                    self.wrong(
                        where,
                        "vocabulary",
                        f"there is no list of {name} to add to",
                        f"give [vocabularies] a list {name}, or remove this one",
                    )
                for item in values:
                    if find_spelling(item, shared.get(name, ())) is not None:
                        self.wrong(
                            where, "twice", f"{item!r} is in the shared list", "remove it here"
                        )
                    if name == "retention_class":
                        self._check_class(item, where)
            found[unit] = lists
        return found

    def _lists(self, value: object, place: str) -> dict[str, tuple[str, ...]]:
        return {
            name: self.texts(item, f"{place}.{name}")
            for name, item in self.table(value, place, CONTROLLED).items()
        }

    def _check_class(self, code: str, place: str) -> None:
        if code not in self._around.classes:
            self.wrong(
                place,
                "class",
                f"there is no retention class {code!r}",
                "one of: " + (", ".join(self._around.classes) or "none yet: add [retention.…]"),
            )

    # -- rules ------------------------------------------------------------------------
    def rules(self, value: object, governance: Governance) -> tuple[Rule, ...]:
        """The rules, in order."""
        if not isinstance(value, list):
            self.wrong("rules", "shape", "this is no list of tables", "write each as [[rules]]")
            return ()
        if len(value) > MAX_RULES:
            self.wrong("rules", "many", f"there are {len(value)} rules", f"at most {MAX_RULES}")
            return ()
        found: dict[str, Rule] = {}
        for number, item in enumerate(value, 1):
            name = item.get("name") if isinstance(item, Mapping) else None
            if not isinstance(name, str) or not name.strip():
                self.wrong(f"rule {number}", "name", "the rule has no name", 'add name = "…"')
                name = f"rule {number}"
            if name in found:
                self.wrong(
                    f"rule {name!r}", "name", "another rule has this name", "rename one of the two"
                )
            found[f"{name} {number}" if name in found else name] = self._rule(
                name, item, governance
            )
        return tuple(found.values())

    def _rule(self, name: str, value: object, governance: Governance) -> Rule:
        place = f"rule {name!r}"
        inside = self.table(value, place, _PARTS)
        when = self._conditions(inside.get("when", {}), f"{place} when", ASKED)
        allow = self._conditions(inside.get("allow", {}), f"{place} allow", CONTROLLED)
        default = {
            field: values[0]
            for field, values in self._conditions(
                inside.get("default", {}), f"{place} default", FILLED
            ).items()
            if values and self._one(values, f"{place} default")
        }
        require = self.texts(inside["require"], f"{place} require") if "require" in inside else ()
        for field in require:
            if field not in _FIELDS:
                self.wrong(
                    f"{place} require",
                    "field",
                    f"{field!r} is no canonical field",
                    "docs/formats.md lists them",
                )
        code = inside.get("class")
        if code is not None:
            (code,) = self.texts(code, f"{place} class")[:1] or (None,)
        if not (require or allow or default or code):
            self.wrong(
                place, "empty", "the rule says nothing", "add require, allow, default or class"
            )
        units = when.get("business_unit", ())
        for unit in units:
            if unit not in self._around.units:
                self.wrong(
                    f"{place} when",
                    "unit",
                    f"there is no business unit {unit!r}",
                    "one of: " + ", ".join(self._around.units),
                )
        given = [*when.items(), *allow.items(), *((key, (item,)) for key, item in default.items())]
        if code is not None:
            given.append(("retention_class", (code,)))
        for field, values in given:
            self._check_values(governance, place, field, values, units)
        return Rule(
            name=name,
            when=when,
            require=tuple(field for field in require if field in _FIELDS),
            allow=allow,
            default=default,
            retention_class=code,
        )

    def _one(self, values: tuple[str, ...], place: str) -> bool:
        if len(values) > 1:
            self.wrong(place, "shape", "a default is one value", "leave one of them")
        return len(values) == 1

    def _conditions(
        self, value: object, place: str, known: Collection[str]
    ) -> dict[str, tuple[str, ...]]:
        found = {
            name: self.texts(item, f"{place} {name}")
            for name, item in self.table(value, place, known).items()
        }
        return {name: values for name, values in found.items() if values}

    def _check_values(
        self,
        governance: Governance,
        place: str,
        name: str,
        values: tuple[str, ...],
        units: tuple[str, ...],
    ) -> None:
        """Of a rule for some units, their lists count."""
        lists = [governance.values_for(unit, name) for unit in units] or [
            governance.values_anywhere(name)
        ]
        for value in values:
            lacking = [known for known in lists if known and find_spelling(value, known) is None]
            if lacking:
                self.wrong(
                    place,
                    "value",
                    f"{value!r} is not in the list of {name}",
                    "one of: " + ", ".join(lacking[0]),
                )
            elif name == "retention_class" and find_spelling(value, self._around.classes) is None:
                self._check_class(value, place)


def read_governance(
    values: Mapping[str, Any], around: Around, *, digest: str = ""
) -> tuple[Governance, tuple[Fault, ...]]:
    """Vocabularies and rules as far as they can be read, and everything that is wrong;
    ``digest`` is the SHA-256 of the file."""
    reader = _Reader(around)
    inside = reader.table(values, "the file", _KNOWN)
    shared = reader.vocabularies(inside.get("vocabularies", {}))
    lists = Governance(
        vocabularies=shared, additions=reader.additions(inside.get("units", {}), shared)
    )
    governance = Governance(
        vocabularies=lists.vocabularies,
        additions=lists.additions,
        rules=reader.rules(inside.get("rules", []), lists),
        digest=digest,
    )
    return governance, tuple(_unique([*reader.faults, *contradictions(governance.rules)]))


def _unique(faults: list[Fault]) -> Iterator[Fault]:
    yield from dict.fromkeys(faults)
