"""Sidecars as an Exstream installation writes them: JSON, XML descriptor, table.

The XML descriptor is that of the StreamServe lineage: mandatory ``entity`` and ``ACL``,
then ``attr`` nodes whose child elements carry the attribute values under the attribute's
own name, in CDATA where a value may hold reserved characters (Infor OS administration
guide, "Output Files" of StreamServe,
docs.infor.com/inforosltr/2023.x/.../lcm1702044835731.html). The page does not name the
root element; other installations write name and value as two children instead
(``style="pairs"``).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any
from xml.sax.saxutils import escape

from hotfolder.core.references import REFERENCE_FIELDS
from hotfolder.sandbox.communications import Communication

ACCESS = {"print": "CustomerOutput", "email": "CustomerOutput", "portal": "CustomerOutputPortal"}

Fields = dict[str, Any]  # canonical name to text or list of texts


class SidecarKind(StrEnum):
    """What lies beside the spool."""

    JSON = "json"
    XML = "xml"
    XML_PAIRS = "xml-pairs"
    CSV = "csv"
    NONE = "none"


def fields_of(communication: Communication) -> Fields:
    """What an enterprise hands over with a communication, under canonical names, and
    two fields of its own that hotfolder has no name for."""
    customer = communication.customer
    fields: Fields = {
        "customer_id": customer.customer_id,
        "customer_name": customer.name,
        "account_number": customer.account_number,
        "segment": customer.segment,
        "document_type": communication.document_type,
        "issue_date": communication.issue_date.isoformat(),
        "channel": communication.channel,
        "title": communication.title,
        "language": customer.language,
        "period": communication.period,
        "application": "CUSTCOMM",
        "template": communication.template,
        "template_version": communication.template_version,
        "job_number": communication.job_number,
        "queue": communication.queue,
        "retention_class": communication.retention_class,
        "address": list(customer.address),
        "total_amount": f"{communication.total / 100:.2f}",
    }
    if communication.document_type == "policy":
        fields["policy_number"] = customer.policy_number
    for kind, reference in communication.references:
        fields.setdefault(REFERENCE_FIELDS[kind], []).append(reference)
    return fields


def write_json(fields: Mapping[str, Any]) -> bytes:
    """``name.pdf.json``: one object, UTF-8."""
    return (json.dumps(fields, ensure_ascii=False, indent=2) + "\n").encode()


def write_xml(fields: Mapping[str, Any], *, style: str = "named") -> bytes:
    """``name.pdf.xml``: the descriptor; ``style`` is ``named`` or ``pairs``.

    ``ValueError`` if a field's name could not be an element's.
    """
    entity = str(fields.get("document_type", "Document")).capitalize()
    access = ACCESS.get(str(fields.get("channel", "")), "CustomerOutput")
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<item>",
        f"  <entity>{escape(entity)}</entity>",
        f"  <ACL>{escape(access)}</ACL>",
    ]
    for name, value in _pairs(fields):
        if not name.isidentifier():
            raise ValueError("not a name for an element")
        if style == "named":
            lines.append(f"  <attr><{name}>{_cdata(value)}</{name}></attr>")
        else:
            lines.append(f"  <attr><name>{name}</name><value>{_cdata(value)}</value></attr>")
    lines.append("</item>\n")
    return "\n".join(lines).encode()


def write_csv(rows: Sequence[tuple[str, Mapping[str, Any]]], *, delimiter: str = ",") -> bytes:
    """``metadata.csv``: a row for each (file name, fields); a column that is needed
    several times is repeated."""
    width: dict[str, int] = {}
    for _, fields in rows:
        for name, value in fields.items():
            count = len(value) if isinstance(value, list) else 1
            width[name] = max(width.get(name, 1), count)
    columns = [name for name, count in width.items() for _ in range(count)]
    text = io.StringIO(newline="")
    table = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    table.writerow(["filename", *columns])
    for filename, fields in rows:
        cells = [filename]
        for name, count in width.items():
            value = fields.get(name, "")
            values = [str(item) for item in value] if isinstance(value, list) else [str(value)]
            cells += values + [""] * (count - len(values))
        table.writerow(cells)
    return text.getvalue().encode()


def write_sidecar(kind: SidecarKind, fields: Mapping[str, Any]) -> bytes:
    """The sidecar of one spool; empty for ``NONE`` and ``CSV``, which is shared."""
    if kind is SidecarKind.JSON:
        return write_json(fields)
    if kind is SidecarKind.XML:
        return write_xml(fields)
    if kind is SidecarKind.XML_PAIRS:
        return write_xml(fields, style="pairs")
    return b""


def _pairs(fields: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in fields.items():
        for item in value if isinstance(value, list) else [value]:
            yield name, str(item)


def _cdata(text: str) -> str:
    if not set(text) & set("<>&"):
        return text
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"
