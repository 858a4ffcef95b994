"""Rules that contradict one another, or that can never decide anything.

What is reported is wrong of every document that it is about, so that nothing sound is
refused; a document that breaks several rules at once is told of each when it comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from hotfolder.core.errors import Fault
from hotfolder.core.governance import Rule, has_value

Conditions = Mapping[str, tuple[str, ...]]


def contradictions(rules: Sequence[Rule]) -> Iterator[Fault]:
    """A fault for each contradiction; its place is the rule to mend."""
    for rule in rules:
        yield from _within(rule)
    for place, earlier in enumerate(rules):
        for later in rules[place + 1 :]:
            yield from _of_order(earlier, later)
    for one, other in combinations(rules, 2):
        yield from _of_allowed(one, other)
    for rule in rules:
        for other in rules:
            if other is not rule:
                yield from _of_given(rule, other)


def implies(narrow: Conditions, wide: Conditions) -> bool:
    """Whether every document of which ``narrow`` is true is one of ``wide`` too."""
    return all(
        name in narrow and _folded(narrow[name]) <= _folded(values) for name, values in wide.items()
    )


def may_meet(one: Conditions, other: Conditions) -> bool:
    """Whether both may be true of one document."""
    return all(
        _folded(values) & _folded(other[name]) for name, values in one.items() if name in other
    )


def _folded(values: Sequence[str]) -> frozenset[str]:
    return frozenset(value.casefold() for value in values)


def _within(rule: Rule) -> Iterator[Fault]:
    for name, values in rule.allow.items():
        asked = rule.when.get(name)
        if asked is not None and not _folded(asked) & _folded(values):
            yield _fault(rule, f"it asks for {name} {_listed(asked)} and does not allow it")
    for name in rule.default:
        if name in rule.when:
            yield _fault(
                rule,
                f"it asks for {name} and fills it, which never happens",
                "take one of the two out",
            )
    if rule.retention_class is not None and "retention_class" in rule.when:
        yield _fault(
            rule,
            "it asks for retention_class and decides it, which never happens",
            "take one of the two out",
        )
    if "retention_class" in rule.when and rule.default:
        yield _fault(
            rule,
            "it asks for retention_class, which is decided after the defaults",
            "ask for what decides the class, such as document_type",
        )
    yield from _of_given(rule, rule)


def _of_order(earlier: Rule, later: Rule) -> Iterator[Fault]:
    for name in later.default:
        if name in earlier.default and implies(later.when, earlier.when):
            yield _fault(
                later,
                f"it never fills {name}: rule {earlier.name!r} above it always does",
                "put it above that rule, or remove it",
            )
        if earlier.default and _feeds(later, earlier, name):
            yield _fault(
                earlier,
                f"it asks for {name}, which rule {later.name!r} below it fills too late",
                "put that rule above this one",
            )
    if (
        later.retention_class is not None
        and earlier.retention_class is not None
        and implies(later.when, earlier.when)
    ):
        yield _fault(
            later,
            f"it never decides the class: rule {earlier.name!r} above it always does",
            "put it above that rule, or remove it",
        )


def _feeds(filler: Rule, rule: Rule, name: str) -> bool:
    """Whether what ``filler`` gives to a field may make ``rule`` met."""
    asked = rule.when.get(name, ())
    return has_value(filler.default[name], asked) and may_meet(filler.when, rule.when)


def _of_allowed(one: Rule, other: Rule) -> Iterator[Fault]:
    """Two lists without a common value, where one rule never stands without the other."""
    if implies(one.when, other.when):
        narrow, wide = one, other
    elif implies(other.when, one.when):
        narrow, wide = other, one
    else:
        return
    for name, values in narrow.allow.items():
        if name in wide.allow and not _folded(values) & _folded(wide.allow[name]):
            yield _fault(
                narrow,
                f"no {name} is allowed by it and by rule {wide.name!r} as well",
                "give the two lists a value in common, or narrow when in that rule",
            )


def _of_given(giver: Rule, judge: Rule) -> Iterator[Fault]:
    """A value that ``giver`` gives and ``judge`` refuses, of every document."""
    given = {name: (value,) for name, value in giver.default.items()}
    if giver.retention_class is not None:
        given["retention_class"] = (giver.retention_class,)
    for name, values in given.items():
        allowed = judge.allow.get(name)
        if (
            allowed is not None
            and not _folded(values) & _folded(allowed)
            and implies({**giver.when, name: values}, judge.when)
        ):
            yield _fault(
                giver,
                f"it gives {name} {values[0]!r}, which "
                + ("it" if judge is giver else f"rule {judge.name!r}")
                + " does not allow",
                "give an allowed value: " + ", ".join(allowed),
            )


def _listed(values: Sequence[str]) -> str:
    return " or ".join(repr(value) for value in values)


def _fault(rule: Rule, message: str, remedy: str = "correct one of the two") -> Fault:
    return Fault(
        code="governance.contradiction",
        message=f"rule {rule.name!r}: {message}",
        remedy=remedy,
        place=f"rule {rule.name!r}",
    )
