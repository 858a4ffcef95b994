"""What a document is by its metadata: type, series, key, cycle, retention."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from hotfolder.core.errors import Fault
from hotfolder.core.governance import CONTROLLED, find_spelling
from hotfolder.core.identity import business_key_of, document_identity, source_of
from hotfolder.core.profiles import Rules, SeriesProfile
from hotfolder.core.records import Document, DocumentMetadata, DocumentRange
from hotfolder.core.references import all_references
from hotfolder.core.retention import PAST_LAST_YEAR, Decision, DocumentFacts, decide

_COMMON = ("document_type", "issue_date")  # shared by many documents of a day
_LISTED = ("channel", "jurisdiction", "sensitivity", "language")


def classify(
    metadata: DocumentMetadata,
    place: DocumentRange,
    *,
    business_unit: str,
    rules: Rules,
    file: str,
    faults: list[Fault],
) -> Document | None:
    """The document that ``metadata`` and ``place`` make, in the spelling of the rules.

    Everything that is wrong is added to ``faults``, which name ``file``; None if the
    document cannot be made, or if ``faults`` had any before.
    """
    metadata = _fill(metadata, business_unit, rules)
    metadata = _check_vocabularies(metadata, business_unit, rules, file, faults)
    series = _find_series(metadata, rules, file, faults)
    if series is not None:
        _check_required(metadata, series, file, faults)
        metadata = _spell(metadata, series, business_unit, rules, file, faults)
    _check_rules(metadata, business_unit, rules, file, faults)
    if series is None:
        return None
    decision = _decide_retention(metadata, business_unit, rules, file, faults)
    issued = metadata.issue_date
    if faults or issued is None:
        return None
    source = source_of(business_unit, series.code)
    key = business_key_of(_key_values(metadata, series, place.sha256))
    return Document(
        identity=document_identity(source, key, place.sha256),
        source=source,
        business_key=key,
        series=series.code,
        cycle=cycle_of(issued, series.cycle),
        range=place,
        metadata=metadata,
        retain_until=decision.retain_until,
        class_version=decision.version,
        cutoff=decision.cutoff,
        title=metadata.title or f"{(metadata.document_type or '').capitalize()} {issued}",
    )


def _fill(metadata: DocumentMetadata, business_unit: str, rules: Rules) -> DocumentMetadata:
    """What rules give to fields that have no value."""
    if not rules.governance.rules:
        return metadata
    changes: dict[str, Any] = dict(rules.governance.fill(_facts(metadata, business_unit)))
    return replace(metadata, **changes) if changes else metadata


def _facts(metadata: DocumentMetadata, business_unit: str) -> dict[str, str | None]:
    """What conditions of rules ask for."""
    return {
        "business_unit": business_unit,
        **{name: getattr(metadata, name) or None for name in CONTROLLED},
    }


def _check_vocabularies(
    metadata: DocumentMetadata, business_unit: str, rules: Rules, file: str, faults: list[Fault]
) -> DocumentMetadata:
    changes: dict[str, Any] = {}
    for name in ("document_type", *_LISTED):
        value = getattr(metadata, name)
        allowed = rules.values_for(business_unit, name)
        if value is None or not allowed:
            continue
        spelling = find_spelling(value, allowed)
        if spelling is None:
            faults.append(
                Fault(
                    code=f"vocabulary.{name}",
                    message=f"{name} is {value[:60]!r}, which is not in the list",
                    remedy="one of: " + ", ".join(allowed),
                    file=file,
                    place=name,
                )
            )
        else:
            changes[name] = spelling
    return replace(metadata, **changes)


def _check_rules(
    metadata: DocumentMetadata, business_unit: str, rules: Rules, file: str, faults: list[Fault]
) -> None:
    """What the rules require and allow; a field that is wrong already is not missed again."""
    if not rules.governance.rules:
        return
    wrong = tuple(fault.place for fault in faults)
    for fault in rules.governance.check(
        _facts(metadata, business_unit),
        lambda name: _value_of(metadata, name) not in (None, (), ""),
    ):
        told = any(place.endswith(fault.place) for place in wrong)
        if fault.code != "rule.require" or not told:
            faults.append(replace(fault, file=file))


def _find_series(
    metadata: DocumentMetadata, rules: Rules, file: str, faults: list[Fault]
) -> SeriesProfile | None:
    known = [name for series in rules.series for name in series.document_types]
    if metadata.document_type is None:
        faults.append(
            Fault(
                code="field.missing",
                message="document_type is missing",
                remedy="one of: " + ", ".join(known),
                file=file,
                place="document_type",
            )
        )
        return None
    wanted = metadata.document_type.casefold()
    for series in rules.series:
        if wanted in (name.casefold() for name in series.document_types):
            return series
    if any(fault.code == "vocabulary.document_type" for fault in faults):
        return None  # the list of the rules says it already
    faults.append(
        Fault(
            code="vocabulary.document_type",
            message=f"document_type is {metadata.document_type[:60]!r}, which no series takes",
            remedy="one of: " + ", ".join(known),
            file=file,
            place="document_type",
        )
    )
    return None


def _check_required(
    metadata: DocumentMetadata, series: SeriesProfile, file: str, faults: list[Fault]
) -> None:
    # The issue date carries the cycle and the retention, whatever the series says.
    for name in dict.fromkeys((*series.required, "issue_date")):
        if _value_of(metadata, name) in (None, (), ""):
            already = any(fault.place.endswith(name) for fault in faults)
            if not already and not any(name in fault.message for fault in faults):
                faults.append(
                    Fault(
                        code="field.missing",
                        message=f"{name} is missing; series {series.code} needs it",
                        remedy=f"add {name} to the metadata file",
                        file=file,
                        place=name,
                    )
                )


def _spell(
    metadata: DocumentMetadata,
    series: SeriesProfile,
    business_unit: str,
    rules: Rules,
    file: str,
    faults: list[Fault],
) -> DocumentMetadata:
    """The series' spelling of the type, and the retention class of the document, or else
    of the first rule that decides it, or else of its series."""
    spelling = next(
        name
        for name in series.document_types
        if name.casefold() == (metadata.document_type or "").casefold()
    )
    code = metadata.retention_class
    if code is None and rules.governance.rules:
        code = rules.governance.class_for(_facts(metadata, business_unit))
    code = code or series.retention_class
    governed = rules.governance.values_for(business_unit, "retention_class")
    allowed = governed or tuple(rules.retention_classes)
    found = find_spelling(code, allowed) if code else None
    if code is not None and found is None:
        where = "list" if governed else "schedule"
        faults.append(
            Fault(
                code="vocabulary.retention_class",
                message=f"retention_class is {code[:60]!r}, which is not in the {where}",
                remedy="one of: " + ", ".join(allowed),
                file=file,
                place="retention_class",
            )
        )
    return replace(metadata, document_type=spelling, retention_class=found)


def _key_values(
    metadata: DocumentMetadata, series: SeriesProfile, sha256: str
) -> list[tuple[str, str]]:
    """The key fields with their texts. Where all that would tell one communication from
    another is absent (a letter dropped by hand without metadata), nothing says that two
    files of the same type and day are one: the bytes become part of the key."""
    values = [(name, _key_text(metadata, name)) for name in series.key]
    telling = [text for name, text in values if name not in _COMMON]
    return values if any(telling) or not telling else [*values, ("sha256", sha256)]


def _value_of(metadata: DocumentMetadata, name: str) -> Any:
    """A field for keys and requirements, where ``case_refs`` stands for references of
    every kind: claims, disputes and policy changes were case references before they had
    fields of their own, and identities must not change."""
    return all_references(metadata) if name == "case_refs" else getattr(metadata, name)


def _key_text(metadata: DocumentMetadata, name: str) -> str:
    value = _value_of(metadata, name)
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "\x1f".join(sorted(value))
    return value.isoformat() if isinstance(value, date) else str(value)


def _decide_retention(
    metadata: DocumentMetadata, business_unit: str, rules: Rules, file: str, faults: list[Fault]
) -> Decision:
    """What the schedule says, without the events that the journal knows."""
    decision = decide(
        DocumentFacts(
            retention_class=metadata.retention_class,
            issue_date=metadata.issue_date,
            business_unit=business_unit,
            jurisdiction=metadata.jurisdiction,
            trigger_date=metadata.trigger_date,
        ),
        rules.retention_classes,
        {},
    )
    if decision.why == PAST_LAST_YEAR:
        name = "trigger_date" if metadata.trigger_date else "issue_date"
        faults.append(
            Fault(
                code="field.date",
                message=f"counted from {name}, class {decision.retention_class} would end after"
                " the year 9999",
                remedy=f"correct {name}; a document that is kept for ever has a class of its own",
                file=file,
                place=name,
            )
        )
    return decision


def cycle_of(issued: date, cycle: str) -> str:
    """The name of the period that a document belongs to: ``2026``, ``2026-Q2``,
    ``2026-06`` or ``2026-06-30``."""
    if cycle == "year":
        return f"{issued.year:04}"
    if cycle == "quarter":
        return f"{issued.year:04}-Q{(issued.month + 2) // 3}"
    if cycle == "day":
        return issued.isoformat()
    return f"{issued.year:04}-{issued.month:02}"
