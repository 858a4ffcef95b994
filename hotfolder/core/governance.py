"""Governance: controlled vocabularies and rules that all business units share.

A vocabulary is a list of values, and a business unit may add to it. A rule says what holds
of documents of which all its conditions are true. In this order:

1. ``default``: from the first rule to the last, a field without a value gets that of the
   first rule that is met; a rule sees what the rules above it have filled.
2. ``class``: a document that names no retention class gets that of the first rule that is
   met; without one, that of its series.
3. ``require`` and ``allow``: every rule that is met must hold.

Values are compared without regard to case. ``core.governancefile`` reads the file and
refuses rules that contradict one another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from hotfolder.core.errors import Fault

CONTROLLED = (
    "document_type",
    "channel",
    "retention_class",
    "jurisdiction",
    "sensitivity",
    "language",
)
ASKED = (*CONTROLLED, "business_unit")  # what a condition may ask for
FILLED = tuple(name for name in CONTROLLED if name != "retention_class")  # what default may fill

Facts = Mapping[str, str | None]  # of a document, by the names in ``ASKED``


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What holds of the documents of which every condition in ``when`` is true."""

    name: str
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # field -> one of these
    require: tuple[str, ...] = ()
    allow: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    default: Mapping[str, str] = field(default_factory=dict)
    retention_class: str | None = None

    def is_met(self, facts: Facts) -> bool:
        """Whether all conditions are true; of an absent field none is."""
        return all(has_value(facts.get(name), values) for name, values in self.when.items())


def has_value(value: str | None, values: tuple[str, ...]) -> bool:
    """Whether ``value`` is one of ``values``."""
    return value is not None and find_spelling(value, values) is not None


def find_spelling(value: str, values: tuple[str, ...]) -> str | None:
    """``value`` as it is written in the list; None if it is not there."""
    if value in values:
        return value
    folded = value.casefold()
    return next((item for item in values if item.casefold() == folded), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """Vocabularies and rules; empty, nothing is governed. ``digest`` is the SHA-256 of the
    file that they come from."""

    vocabularies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    additions: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    digest: str = field(default="", compare=False)  # a comment may change without a restart

    def values_for(self, business_unit: str, name: str) -> tuple[str, ...]:
        """What a field may be in a business unit; empty: anything."""
        shared = self.vocabularies.get(name, ())
        own = self.additions.get(business_unit, {}).get(name, ())
        return (*shared, *own) if own else shared

    def values_anywhere(self, name: str) -> tuple[str, ...]:
        """What a field may be in one unit or another; empty: anything."""
        own = (more.get(name, ()) for more in self.additions.values())
        every = (*self.vocabularies.get(name, ()), *(value for more in own for value in more))
        return tuple(dict.fromkeys(every))

    def fill(self, facts: Facts) -> dict[str, str]:
        """The values that rules give to fields that have none."""
        filled: dict[str, str] = {}
        known = dict(facts)
        for rule in self.rules:
            if rule.default and rule.is_met(known):
                for name, value in rule.default.items():
                    if known.get(name) is None:
                        known[name] = filled[name] = value
        return filled

    def class_for(self, facts: Facts) -> str | None:
        """The retention class that the first rule says; None if none does."""
        return next(
            (
                rule.retention_class
                for rule in self.rules
                if rule.retention_class is not None and rule.is_met(facts)
            ),
            None,
        )

    def check(self, facts: Facts, has: Callable[[str], bool]) -> Iterator[Fault]:
        """A fault for everything that a rule requires and ``has`` does not know, and for
        every value that a rule does not allow. An absent field is allowed: ``require``
        says what must be there."""
        for rule in self.rules:
            if not (rule.require or rule.allow) or not rule.is_met(facts):
                continue
            for name in rule.require:
                if not has(name):
                    yield Fault(
                        code="rule.require",
                        message=f"rule {rule.name!r}: {name} is missing",
                        remedy=f"add {name} to the metadata file",
                        place=name,
                    )
            for name, values in rule.allow.items():
                value = facts.get(name)
                if value is not None and not has_value(value, values):
                    yield Fault(
                        code="rule.allow",
                        message=f"rule {rule.name!r}: {name} may not be {value[:60]!r}"
                        + describe_conditions(rule),
                        remedy="one of: " + ", ".join(values),
                        place=name,
                    )


def describe_conditions(rule: Rule) -> str:
    """`` where channel is print or email and …``; empty without conditions."""
    said = [f"{name} is {' or '.join(values)}" for name, values in rule.when.items()]
    return " where " + " and ".join(said) if said else ""
