"""The summary of a bag of evidence: one page of HTML for people who are no engineers.

Nothing in it is fetched or run, and everything that came from outside is escaped; signs
that would change how other text is read (controls, marks of direction) are spelt out.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hotfolder.core.evidence import EvidenceForm, describe_contents, limits

_LONGEST = 160  # characters of a text that is shown; the whole of it is in the metadata
_STEPS = 8  # steps of the history that are shown
# What a step means to people; the others are in the history alone.
_WORDS = {
    ("spool", "CLAIMED"): "hotfolder took the file out of Exstream's folder.",
    ("spool", "READ"): "Its metadata were read and checked.",
    ("spool", "STORED"): "It was stored, read back and compared.",
    ("spool", "DELIVERED"): "ArchivesSpace had a record of every document in it.",
    ("spool", "DONE"): "The receipt was written.",
    ("spool", "REJECTED"): "It was rejected.",
    ("spool", "HELD"): "It was held.",
    ("spool", "CORRUPT"): "It was found damaged; nothing was deleted.",
    ("unit", "SENT"): "The document's record was sent to ArchivesSpace.",
    ("unit", "CONFIRMED"): "ArchivesSpace confirmed the record.",
    ("unit", "REFUSED"): "ArchivesSpace did not take the record in this unit.",
}
_STYLE = """
@page { size: A4; margin: 10mm }
body { font: 8pt/1.25 sans-serif; max-width: 190mm; margin: 0 auto; color: #000; background: #fff }
h1 { font-size: 13pt; margin: 0 } h2 { font-size: 9pt; margin: 1.5mm 0 0.5mm }
table { border-collapse: collapse; width: 100% }
th { text-align: left; width: 38mm; font-weight: normal; color: #444 }
th, td { vertical-align: top; padding: 0 2mm 0 0; overflow-wrap: anywhere }
ul { margin: 0; padding-left: 5mm } p { margin: 1mm 0 } .warning { border: 1pt solid; padding: 1mm }
"""
_HEAD = (
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta http-equiv="Content-Security-Policy"'
    " content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
)
_FIELDS = (
    ("Title", "title"),
    ("Type of document", "document_type"),
    ("Date of issue", "issue_date"),
    ("Sent to customer (id)", "customer_id"),
    ("Account", "account_number"),
    ("Policy", "policy_number"),
    ("Cases", "case_refs"),
    ("Claims", "claim_refs"),
    ("Disputes", "dispute_refs"),
    ("Policy changes", "change_refs"),
    ("Channel", "channel"),
    ("Language", "language"),
    ("Template", "template"),
    ("Template version", "template_version"),
    ("Application", "application"),
    ("Job", "job_number"),
)


def summary_html(
    claim: Mapping[str, Any],
    document: Mapping[str, Any],
    steps: Sequence[Mapping[str, Any]],
    audit: Sequence[Mapping[str, Any]],
    heads: Sequence[Mapping[str, Any]],
) -> str:
    """The page. ``claim`` is evidence.json, ``document`` the document's metadata, ``steps``
    the history, ``audit`` and ``heads`` the rows and signed heads that are in the bag."""
    form = EvidenceForm(claim["form"])
    checked = claim["checked"]
    sections = [
        _section("What was sent", _table(_sent(claim, document))),
        _section("Where it came from", _table(_origin(claim, document))),
        _section("What happened", _table(_happened(steps))),
        _section("Who checked what", _list([*checked, *_signed(audit, heads)])),
        _section("What is in this bag", _contents(form)),
        _section(
            "What is not proved", _list([*(item["words"] for item in claim["gaps"]), *limits(form)])
        ),
        _section("How to check", _how(heads)),
    ]
    identity = shown(claim["identity"])
    return (
        f"{_HEAD}<title>Evidence of {identity}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>Evidence of a document that was sent</h1>\n"
        f"<p>Made on {shown(claim['made_at'])} by {shown(claim['made_by'])} with hotfolder"
        f" {shown(claim['hotfolder'])}.</p>\n" + "".join(sections) + "</body>\n</html>\n"
    )


def shown(value: object) -> str:
    """A value for people, escaped for HTML; a list is separated by commas."""
    if isinstance(value, (list, tuple)):
        return ", ".join(shown(item) for item in value)
    text = str(value)
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "…"
    spelt = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
    return html.escape(spelt)


def _section(title: str, content: str) -> str:
    return f"<h2>{title}</h2>\n{content}"


def _table(rows: Iterable[tuple[str, object]]) -> str:
    lines = "".join(
        f"<tr><th>{shown(name)}:</th><td>{shown(value)}</td></tr>\n" for name, value in rows
    )
    return f"<table>\n{lines}</table>\n"


def _list(items: Iterable[str]) -> str:
    lines = "".join(f"<li>{html.escape(item)}</li>\n" for item in items)
    return f"<ul>\n{lines}</ul>\n"


def _sent(claim: Mapping[str, Any], document: Mapping[str, Any]) -> list[tuple[str, object]]:
    known, place = document["metadata"], document["range"]
    found: list[tuple[str, object]] = [
        (name, value)
        for name, field in _FIELDS
        if (value := known.get(field) or (document["title"] if field == "title" else None))
    ]
    if document["version"] > 1:
        found.append(("Version", f"{document['version']}, after {document['supersedes']}"))
    found.append(("Format", claim["format_name"]))
    if place["pages"] is not None:
        found.append(("Pages", place["pages"]))
    if place.get("by_pages"):
        found.append(("Digest of its pages", place["sha256"]))
    else:
        found.append(("Size", f"{place['length']:,} bytes"))
        found.append(("SHA-256", place["sha256"]))
    files = [item for item in (claim["document"]["file"],) if item]
    if claim["document"]["derived"]:
        files.append(f"{claim['document']['derived']} (made of it by hotfolder, never sent)")
    found.append(("Here as", files))
    return found


def _origin(claim: Mapping[str, Any], document: Mapping[str, Any]) -> list[tuple[str, object]]:
    spool, place = claim["spool"], document["range"]
    where = f"{place['length']:,} bytes behind the first {place['offset']:,}"
    if place.get("by_pages"):
        where = f"page {place['first_page']} and {place['pages']} in all"
    return [
        ("Identity", document["identity"]),
        ("File of Exstream", f"{spool['name']} ({spool['size']:,} bytes, spool {spool['id']})"),
        ("SHA-256 of that file", spool["sha256"]),
        ("The document in it", where),
        ("Taken by hotfolder", claim["taken_at"]),
        ("Record in ArchivesSpace", claim["archivesspace"]["record"] or "none yet"),
    ]


def _happened(steps: Sequence[Mapping[str, Any]]) -> list[tuple[str, object]]:
    told = [step for step in steps if (step["kind"], step["to"]) in _WORDS]
    rows: list[tuple[str, object]] = [
        (str(step["at"]), f"{_WORDS[step['kind'], step['to']]} {step['reason']}".strip())
        for step in told[:_STEPS]
    ]
    rows.append(("All steps", "data/custody/history.csv"))
    return rows


def _signed(audit: Sequence[Mapping[str, Any]], heads: Sequence[Mapping[str, Any]]) -> list[str]:
    count = sum(bool(row["proofs"]) for row in audit)
    found = [
        (
            f"{len(audit)} rows of the audit chain are about it; {count} of them are proved to"
            " be in a tree whose head is signed."
        )
    ]
    found += [
        f"Head of {head['head']['tree_size']:,} rows, signed on {head['head']['at']}"
        for head in heads
    ]
    return found


def _contents(form: EvidenceForm) -> str:
    kind = ' class="warning"' if form is EvidenceForm.SPOOL else ""
    return f"<p{kind}>{html.escape(describe_contents(form))}</p>\n"


def _how(heads: Sequence[Mapping[str, Any]]) -> str:
    keys = sorted({str(head["key"]) for head in heads})
    signed = "".join(f" Key that signed: <code>{shown(key)}</code>." for key in keys)
    return (
        "<p>With any Python from 3.8 on, and nothing else: <code>python3 -I verify.py</code> in"
        " the unpacked bag, or <code>python3 -I verify.py THE-BAG.zip</code>. It says what it"
        f" checked, and ends with 0 if all of it holds.{signed}</p>\n"
    )
