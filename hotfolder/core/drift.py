"""Drift: where the catalogue, ArchivesSpace and the configuration are not what governance
says. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hotfolder.core.governance import CONTROLLED, Facts, find_spelling
from hotfolder.core.profiles import FolderProfile, Rules
from hotfolder.core.reports import Report, Sheet
from hotfolder.core.templates import is_template_series

# ArchivesSpace's own in the list of each enum slot, before anybody has used it (its migration
# 007_add_enums_to_user_defined.rb): nobody has drifted.
_STOCK = "novalue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many documents of the catalogue have these values."""

    series: str
    facts: Facts
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedRepository:
    """A repository as the server shows it, and what the account may do in it."""

    uri: str
    name: str
    published: bool
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What ArchivesSpace has."""

    repositories: Mapping[str, SurveyedRepository]  # by business unit; one that is not there lacks
    everywhere: frozenset[str]  # what the account may do in all of them
    lists: Mapping[str, tuple[str, frozenset[str]]]  # field -> its list and the values in it
    needed: frozenset[str]  # permissions of the mode
    allowed: frozenset[str] = field(default_factory=frozenset)  # in all, besides


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One thing that is not as it should be."""

    kind: str
    subject: str
    what: str
    remedy: str
    documents: int = 0  # that it is about, where it is about documents


def find_drift(
    rules: Rules,
    folders: Sequence[FolderProfile],
    counted: Sequence[Counted],
    survey: Survey | None,
) -> list[Drift]:
    """Everything that has drifted; without a survey, what can be told without the server."""
    found = [
        *_values_of_catalogue(rules, counted),
        *_of_series(rules, counted),
        *_of_classes(rules, folders),
        *_of_types(rules),
        *_of_folders(folders),
        *_of_rules(rules, counted),
    ]
    if survey is not None:
        found += [
            *_of_repositories(rules, survey),
            *_of_permissions(rules, survey),
            *_of_lists(rules, counted, survey),
        ]
    return found


def drift_report(found: Sequence[Drift], *, at: str, documents: int, asked: bool) -> Report:
    """What was found, for people."""
    kinds = Counter(item.kind for item in found)
    return Report(
        title="Governance: drift",
        at=at,
        totals=(("findings", len(found)), ("documents looked at", documents)),
        sheets=(
            Sheet(
                name="drift",
                title="What is not as it should be",
                headers=("kind", "subject", "what", "documents", "remedy"),
                rows=tuple(
                    (item.kind, item.subject, item.what, item.documents, item.remedy)
                    for item in found
                ),
            ),
            Sheet(
                name="kinds",
                title="By kind",
                headers=("kind", "findings"),
                rows=tuple(sorted(kinds.items())),
            ),
        ),
        charts=(),
        notes=("A rule or list counts from the day on which it came: older documents may differ.",)
        + (() if asked else ("ArchivesSpace was not asked.",)),
    )


def _values_of_catalogue(rules: Rules, counted: Sequence[Counted]) -> Iterator[Drift]:
    totals: Counter[tuple[str, str, str]] = Counter()
    for item in counted:
        unit = item.facts.get("business_unit") or ""
        for name in CONTROLLED:
            if name == "document_type" and is_template_series(item.series):
                continue  # of a package of a template, and no word of any list
            value = item.facts.get(name)
            known = _values_for(rules, unit, name)
            if value and known and find_spelling(value, known) is None:
                totals[unit, name, value] += item.count
    for (unit, name, value), count in sorted(totals.items()):
        yield Drift(
            kind="value",
            subject=unit,
            what=f"{name} {value!r} of the catalogue is not in the list",
            remedy="add it to the vocabulary, or correct it at its source",
            documents=count,
        )


def _values_for(rules: Rules, unit: str, name: str) -> tuple[str, ...]:
    known = rules.values_for(unit, name)
    if known or name != "retention_class":
        return known
    return tuple(rules.retention_classes)


def _of_series(rules: Rules, counted: Sequence[Counted]) -> Iterator[Drift]:
    known = {series.code for series in rules.series}
    lost: Counter[str] = Counter()
    for item in counted:
        if item.series not in known and not is_template_series(item.series):
            lost[item.series] += item.count
    for code, count in sorted(lost.items()):
        yield Drift(
            kind="series",
            subject=code,
            what="the catalogue has documents of it, the configuration has it no more",
            remedy=f"bring [series.{code}] back, so that its class is known",
            documents=count,
        )
    by_rule = any(rule.retention_class for rule in rules.governance.rules)
    for series in rules.series:
        if series.retention_class is None:
            yield Drift(
                kind="class",
                subject=series.code,
                what="the series has no class"
                + (", and only what a rule classes has one" if by_rule else ""),
                remedy=f"give [series.{series.code}] a retention_class",
            )


def _of_classes(rules: Rules, folders: Sequence[FolderProfile]) -> Iterator[Drift]:
    given = {series.retention_class for series in rules.series}
    given |= {rule.retention_class for rule in rules.governance.rules}
    # Templates have no series of the configuration: their class is that of their folder.
    given |= {folder.defaults.get("retention_class") for folder in folders}
    used = tuple(code for code in given if code is not None)
    for code in rules.retention_classes:
        if find_spelling(code, used) is None:
            yield Drift(
                kind="class",
                subject=code,
                what="no series and no rule has this class",
                remedy="give it to a series or a rule, or leave it for documents that name it",
            )


def _of_types(rules: Rules) -> Iterator[Drift]:
    listed = rules.governance.values_anywhere("document_type")
    taken = tuple(name for series in rules.series for name in series.document_types)
    for series in rules.series:
        for name in series.document_types:
            if listed and find_spelling(name, listed) is None:
                yield Drift(
                    kind="type",
                    subject=series.code,
                    what=f"the vocabulary lacks its document type {name!r}: every one is rejected",
                    remedy="add it to the vocabulary, or take it out of the series",
                )
    for name in listed:
        if find_spelling(name, taken) is None:
            yield Drift(
                kind="type",
                subject=name,
                what="no series takes this document type of the vocabulary",
                remedy="name it in a series, or take it out",
            )


def _of_folders(folders: Sequence[FolderProfile]) -> Iterator[Drift]:
    for folder in folders:
        if not folder.owner:
            yield Drift(
                kind="folder",
                subject=folder.name,
                what="the hot folder has no owner",
                remedy=f"say in [folders.{folder.name}] owner whom to ask",
            )


def _of_rules(rules: Rules, counted: Sequence[Counted]) -> Iterator[Drift]:
    for rule in rules.governance.rules:
        if not any(rule.is_met(item.facts) for item in counted):
            yield Drift(
                kind="rule",
                subject=rule.name,
                what="no document of the catalogue meets it",
                remedy="see whether its conditions are what was meant",
            )


def _of_repositories(rules: Rules, survey: Survey) -> Iterator[Drift]:
    for unit in rules.business_units:
        found = survey.repositories.get(unit.code)
        if found is None:
            yield Drift(
                kind="repository",
                subject=unit.code,
                what=f"ArchivesSpace has no repository {unit.repository}",
                remedy="`hotfolder setup` makes it",
            )
            continue
        if found.published:
            yield Drift(
                kind="repository",
                subject=unit.code,
                what=f"repository {unit.repository} is published",
                remedy="take 'Publish' off it: these are customers' documents",
            )
        if found.name != unit.name:
            yield Drift(
                kind="repository",
                subject=unit.code,
                what=f"repository {unit.repository} is called {found.name!r}, not {unit.name!r}",
                remedy="rename one of the two",
            )


def _of_permissions(rules: Rules, survey: Survey) -> Iterator[Drift]:
    more = survey.everywhere - survey.needed - survey.allowed
    if more:
        yield _beyond("in every repository", more)
    for unit in rules.business_units:
        found = survey.repositories.get(unit.code)
        if found is None:
            continue
        lacking = survey.needed - found.permissions - survey.everywhere
        if lacking:
            yield Drift(
                kind="permission",
                subject=unit.code,
                what=f"the account lacks {', '.join(sorted(lacking))}",
                remedy="give it to the account's group in this repository",
            )
        beyond = found.permissions - survey.needed - survey.everywhere - survey.allowed
        if beyond:
            yield _beyond(unit.code, beyond)


def _beyond(subject: str, permissions: Iterable[str]) -> Drift:
    return Drift(
        kind="permission",
        subject=subject,
        what=f"the account may do more than it needs: {', '.join(sorted(permissions))}",
        remedy="take it from the account's groups",
    )


def _of_lists(rules: Rules, counted: Sequence[Counted], survey: Survey) -> Iterator[Drift]:
    for name, (listed, values) in survey.lists.items():
        known = rules.values_anywhere(name)
        if name == "retention_class":
            known = known or tuple(rules.retention_classes)
        if name == "document_type":
            known = known or tuple(kind for item in rules.series for kind in item.document_types)
        if not known:
            continue
        counts: Counter[str] = Counter()
        for item in counted:
            counts[item.facts.get(name) or ""] += item.count
        for value in sorted(values):
            if value not in known and value != _STOCK:
                yield Drift(
                    kind="list",
                    subject=listed,
                    what=f"ArchivesSpace's list has {value!r}, the vocabulary has not",
                    remedy="merge it into another value there, or add it to the vocabulary",
                    documents=counts[value],
                )
        for value in known:
            if value not in values:
                yield Drift(
                    kind="list",
                    subject=listed,
                    what=f"ArchivesSpace's list lacks {value!r}",
                    remedy="`hotfolder setup` adds it",
                    documents=counts[value],
                )
