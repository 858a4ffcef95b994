"""Governance: what rules decide, and which files are refused."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.errors import Fault
from hotfolder.core.governance import ASKED, CONTROLLED, FILLED, Governance, Rule
from hotfolder.core.governancefile import Around, read_governance

AROUND = Around(classes=("FIN-7Y", "FIN-10Y"), units=("RETAIL", "LIFE"))
LISTS = """
[vocabularies]
document_type = ["statement", "letter"]
channel = ["print", "email"]
retention_class = ["FIN-7Y", "FIN-10Y"]
sensitivity = ["normal", "secret"]
[units.LIFE.vocabularies]
channel = ["branch"]
"""


def read(text: str, around: Around = AROUND) -> tuple[Governance, tuple[Fault, ...]]:
    return read_governance(tomllib.loads(text), around)


def wrong(text: str) -> list[tuple[str, str]]:
    return [(fault.code, fault.place) for fault in read(LISTS + text)[1]]


def sound(text: str) -> Governance:
    governance, faults = read(LISTS + text)
    assert not faults
    return governance


def check(governance: Governance, facts: Mapping[str, str | None]) -> list[tuple[str, str]]:
    found = governance.check(facts, lambda name: facts.get(name) is not None)
    return [(fault.code, fault.message) for fault in found]


# -- what rules decide ---------------------------------------------------------------------
def test_units_add_to_the_shared_lists() -> None:
    governance = sound("")
    assert governance.values_for("RETAIL", "channel") == ("print", "email")
    assert governance.values_for("LIFE", "channel") == ("print", "email", "branch")
    assert governance.values_anywhere("channel") == ("print", "email", "branch")
    assert governance.values_for("LIFE", "language") == ()


def test_the_first_rule_fills_and_the_next_see_it() -> None:
    governance = sound("""
[[rules]]
name = "a"
when = { business_unit = "LIFE" }
default = { channel = "branch" }
[[rules]]
name = "b"
default = { channel = "print" }
[[rules]]
name = "c"
when = { channel = "branch" }
default = { sensitivity = "secret" }
""")
    assert governance.fill({"business_unit": "LIFE"}) == {
        "channel": "branch",
        "sensitivity": "secret",
    }
    assert governance.fill({"business_unit": "RETAIL"}) == {"channel": "print"}
    assert governance.fill({"business_unit": "LIFE", "channel": "email"}) == {}


def test_the_first_rule_decides_the_class() -> None:
    governance = sound("""
[[rules]]
name = "letters"
when = { document_type = "letter", channel = ["print", "email"] }
class = "FIN-10Y"
[[rules]]
name = "all"
class = "FIN-7Y"
""")
    assert governance.class_for({"document_type": "Letter", "channel": "EMAIL"}) == "FIN-10Y"
    assert governance.class_for({"document_type": "letter"}) == "FIN-7Y"


def test_every_rule_that_is_met_must_hold() -> None:
    governance = sound("""
[[rules]]
name = "secret"
when = { sensitivity = "secret" }
allow = { channel = ["print"] }
[[rules]]
name = "customers"
require = ["customer_id"]
""")
    assert check(governance, {"sensitivity": "secret", "channel": "email"}) == [
        ("rule.allow", "rule 'secret': channel may not be 'email' where sensitivity is secret"),
        ("rule.require", "rule 'customers': customer_id is missing"),
    ]
    assert not check(governance, {"sensitivity": "secret", "customer_id": "C"})
    assert not check(governance, {"channel": "email", "customer_id": "C"})


# -- files that are refused -----------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("[[rules]]\nname = 'a'", "governance.empty", "rule 'a'"),
        ("[[rules]]\nrequire = 'channel'", "governance.name", "rule 1"),
        (
            "[[rules]]\nname='a'\nrequire='title'\n[[rules]]\nname='a'\nrequire='channel'",
            "governance.name",
            "rule 'a'",
        ),
        ("[[rules]]\nname='a'\nrequire='shoe'", "governance.field", "rule 'a' require"),
        ("[[rules]]\nname='a'\ndefault={channel='pigeon'}", "governance.value", "rule 'a'"),
        (
            "[[rules]]\nname='a'\nwhen={business_unit='RETAIL'}\ndefault={channel='branch'}",
            "governance.value",
            "rule 'a'",
        ),
        ("[[rules]]\nname='a'\nclass='FIN-8Y'", "governance.value", "rule 'a'"),
        (
            "[[rules]]\nname='a'\nwhen={business_unit='AUTO'}\nrequire='title'",
            "governance.unit",
            "rule 'a' when",
        ),
        ("[[rules]]\nname='a'\nwhen={title='x'}\nrequire='title'", "governance.unknown",
         "rule 'a' when"),
        ("[[rules]]\nname='a'\nwhen={channel=[]}\nrequire='title'", "governance.shape",
         "rule 'a' when channel"),
        ("[[rules]]\nname='a'\nwhen={channel=3}\nrequire='title'", "governance.shape",
         "rule 'a' when channel"),
        ("[units.AUTO.vocabularies]\nchannel=['x']", "governance.unknown", "units"),
        ("[units.RETAIL.vocabularies]\nlanguage=['x']", "governance.vocabulary",
         "units.RETAIL.vocabularies.language"),
        ("[units.RETAIL.vocabularies]\nchannel=['Print']", "governance.twice",
         "units.RETAIL.vocabularies.channel"),
        ("rulez = 1", "governance.unknown", "units.LIFE.vocabularies"),
    ],
)  # fmt: skip
def test_what_a_file_may_not_say(text: str, code: str, place: str) -> None:
    assert (code, place) in wrong(text)


def test_a_list_has_one_home() -> None:
    around = replace(AROUND, lists=frozenset({"channel"}))
    (fault,) = read(LISTS, around)[1]
    assert (fault.code, fault.place) == ("governance.vocabulary", "vocabularies.channel")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        # a rule against itself
        ("[[rules]]\nname='a'\nwhen={channel='print'}\nallow={channel='email'}", "rule 'a'"),
        ("[[rules]]\nname='a'\nwhen={channel='print'}\ndefault={channel='email'}", "rule 'a'"),
        ("[[rules]]\nname='a'\ndefault={channel='print'}\nallow={channel='email'}", "rule 'a'"),
        (
            "[[rules]]\nname='a'\nwhen={retention_class='FIN-7Y'}\nclass='FIN-10Y'",
            "rule 'a'",
        ),
        (
            "[[rules]]\nname='a'\nwhen={retention_class='FIN-7Y'}\ndefault={channel='print'}",
            "rule 'a'",
        ),
        # a rule that never decides
        (
            (
                "[[rules]]\nname='a'\nclass='FIN-7Y'\n"
                "[[rules]]\nname='b'\nwhen={channel='print'}\nclass='FIN-10Y'"
            ),
            "rule 'b'",
        ),
        (
            (
                "[[rules]]\nname='a'\nwhen={channel=['print','email']}\n"
                "default={sensitivity='normal'}\n"
                "[[rules]]\nname='b'\nwhen={channel='Email'}\ndefault={sensitivity='secret'}"
            ),
            "rule 'b'",
        ),
        # a rule that comes too early
        (
            (
                "[[rules]]\nname='a'\nwhen={channel='print'}\ndefault={sensitivity='normal'}\n"
                "[[rules]]\nname='b'\ndefault={channel='print'}"
            ),
            "rule 'a'",
        ),
        # lists without a common value
        (
            (
                "[[rules]]\nname='a'\nallow={channel='print'}\n"
                "[[rules]]\nname='b'\nwhen={sensitivity='secret'}\nallow={channel='email'}"
            ),
            "rule 'b'",
        ),
        # one gives what another refuses
        (
            (
                "[[rules]]\nname='a'\nwhen={document_type='letter'}\nclass='FIN-7Y'\n"
                "[[rules]]\nname='b'\nallow={retention_class='FIN-10Y'}"
            ),
            "rule 'a'",
        ),
    ],
)
def test_contradictions_are_found_in_the_file(text: str, place: str) -> None:
    assert ("governance.contradiction", place) in wrong(text)


@pytest.mark.parametrize(
    "text",
    [
        # disjoint conditions, and exceptions above the general case
        (
            "[[rules]]\nname='a'\nwhen={sensitivity='secret'}\nallow={channel='print'}\n"
            "[[rules]]\nname='b'\nwhen={sensitivity='normal'}\nallow={channel='email'}"
        ),
        (
            "[[rules]]\nname='b'\nwhen={channel='print'}\nclass='FIN-10Y'\n"
            "[[rules]]\nname='a'\nclass='FIN-7Y'"
        ),
        (
            "[[rules]]\nname='a'\nwhen={channel='print'}\ndefault={sensitivity='normal'}\n"
            "[[rules]]\nname='b'\ndefault={channel='email'}"
        ),
    ],
)
def test_what_is_sound_is_taken(text: str) -> None:
    assert not wrong(text)


# -- of any file -----------------------------------------------------------------------------
VALUES: Mapping[str, tuple[str, ...]] = {
    "document_type": ("statement", "letter"),
    "channel": ("print", "email"),
    "retention_class": ("FIN-7Y", "FIN-10Y"),
    "jurisdiction": ("DE", "FR"),
    "sensitivity": ("normal", "secret"),
    "language": ("de", "fr"),
    "business_unit": ("RETAIL", "LIFE"),
}


def conditions(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), st.none(), max_size=2).flatmap(
        lambda chosen: st.fixed_dictionaries(
            {
                name: st.lists(st.sampled_from(VALUES[name]), min_size=1, max_size=2, unique=True)
                for name in chosen
            }
        )
    )


def defaults() -> st.SearchStrategy[dict[str, Any]]:
    return conditions(FILLED).map(lambda found: {name: found[name][0] for name in found})


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, Any]]:
    rules = []
    for number in range(draw(st.integers(0, 5))):
        rule: dict[str, Any] = {"name": f"r{number}", "when": draw(conditions(ASKED))}
        parts = {
            "require": st.lists(st.sampled_from(CONTROLLED), min_size=1, max_size=2, unique=True),
            "allow": conditions(CONTROLLED),
            "default": defaults(),
            "class": st.sampled_from(VALUES["retention_class"]),
        }
        for part in draw(st.sets(st.sampled_from(sorted(parts)), min_size=1, max_size=2)):
            rule[part] = draw(parts[part])
        rules.append(rule)
    return rules


FACTS = st.fixed_dictionaries(
    {name: st.one_of(st.none(), st.sampled_from(values)) for name, values in VALUES.items()}
)


@given(tables(), FACTS)
def test_filling_twice_is_filling_once(rules: list[dict[str, Any]], facts: dict[str, Any]) -> None:
    governance, faults = read_governance({"rules": rules}, AROUND)
    filled = governance.fill(facts)
    assert all(facts[name] is None for name in filled)
    if not faults:
        assert not governance.fill({**facts, **filled})


@given(tables(), FACTS, st.randoms())
def test_the_order_of_rules_counts_for_class_and_defaults_alone(
    rules: list[dict[str, Any]], facts: dict[str, Any], random: Any
) -> None:
    governance, _ = read_governance({"rules": rules}, AROUND)
    mixed = list(governance.rules)
    random.shuffle(mixed)
    other = replace(governance, rules=tuple(mixed))
    assert sorted(check(governance, facts)) == sorted(check(other, facts))
    deciding = [rule for rule in governance.rules if rule.retention_class and rule.is_met(facts)]
    assert governance.class_for(facts) == (deciding[0].retention_class if deciding else None)


@given(tables(), FACTS)
def test_a_file_without_contradiction_refuses_nothing_that_a_single_rule_gives(
    rules: list[dict[str, Any]], facts: dict[str, Any]
) -> None:
    governance, faults = read_governance({"rules": rules}, AROUND)
    if faults:
        return
    for rule in governance.rules:
        alone = replace(governance, rules=(replace(rule, require=()),))
        known = {**facts, **alone.fill(facts)}
        if known["retention_class"] is None:
            known["retention_class"] = alone.class_for(known)
        given_now = {name for name in known if known[name] != facts[name]}
        said = alone.check(known, lambda _name: True)
        assert not given_now & {fault.place for fault in said}


@given(st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["name", "when", "allow", "default", "class",
                                                       "require", "channel", "RETAIL",
                                                       "vocabularies"]), inner, max_size=3),
                    max_leaves=12))  # fmt: skip
def test_whatever_a_file_says_it_is_told_in_words(value: Any) -> None:
    for name in ("vocabularies", "units", "rules"):
        governance, faults = read_governance({name: value}, AROUND)
        assert all(fault.place and fault.remedy for fault in faults)
        assert all(isinstance(rule, Rule) for rule in governance.rules)
