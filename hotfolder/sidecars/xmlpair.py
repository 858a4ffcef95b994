"""XML beside a spool: the descriptor of the StreamServe lineage, or plain elements.

The pair that Infor OS ships for Exstream's Communications Server has ``entity`` and
``ACL`` (both mandatory) and ``attr`` nodes whose child elements are called like the
attributes (reference/exstream-output-and-records-rules.md, section 1.B, source [7]).
As shapes differ between releases, an ``attr`` may also carry name and value as XML
attributes or as child elements of those names. Without any ``attr`` the leaves of the
tree are taken as fields.

No DOCTYPE, no entities, no external anything.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from hotfolder.core.errors import Fault, InputFault
from hotfolder.sidecars.raw import RawField, RawMetadata, check_fields, check_size, reject

_DEEPEST = 50
_MOST_ELEMENTS = 20_000


def read_xml(data: bytes, file: str, rank: int = 0) -> RawMetadata:
    """Read an XML sidecar. Raises ``InputFault`` with every fault, naming lines."""
    check_size(data, file)
    try:
        root = fromstring(data, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except ParseError as error:
        line, column = error.position
        raise reject(
            "sidecar.xml",
            f"the metadata file is no XML: {str(error).split(':', 1)[0]}",
            "correct it there; a tag that is not closed is the usual cause",
            file=file,
            place=f"line {line}, column {column + 1}",
        ) from error
    except DefusedXmlException as error:
        raise reject(
            "sidecar.doctype",
            "the metadata file has a DOCTYPE or entities",
            "write it without; nothing outside the file is read",
            file=file,
        ) from error
    except (ValueError, LookupError, RecursionError) as error:
        raise reject(
            "sidecar.xml",
            "the metadata file cannot be read as XML (encoding or nesting)",
            "write it in UTF-8",
            file=file,
        ) from error
    _check_shape(root, file)
    attributes = [element for element in root.iter() if _tag(element) == "attr"]
    fields = _read_descriptor(root, attributes, file) if attributes else _read_leaves(root)
    check_fields(fields, file)
    return RawMetadata(source=file, rank=rank, fields=tuple(fields))


def _tag(element: Element) -> str:
    tag = element.tag
    return tag.rsplit("}", 1)[-1] if isinstance(tag, str) else ""


def _check_shape(root: Element, file: str) -> None:
    level, count = [root], 0
    for _ in range(_DEEPEST):
        count += len(level)
        level = [child for element in level for child in element]
        if not level or count > _MOST_ELEMENTS:
            break
    if level or count > _MOST_ELEMENTS:
        raise reject(
            "sidecar.depth",
            f"the metadata has more than {_MOST_ELEMENTS} elements, or is nested deeper than"
            f" {_DEEPEST}",
            "send one metadata file for each document",
            file=file,
        )


def _read_descriptor(root: Element, attributes: list[Element], file: str) -> list[RawField]:
    faults: list[Fault] = []
    fields: list[RawField] = []
    for tag in ("entity", "ACL"):
        found = next((item for item in root.iter() if _tag(item).lower() == tag.lower()), None)
        value = _text_of(found) if found is not None else (root.get(tag) or "")
        if found is None and not value:
            faults.append(
                Fault(
                    code="sidecar.element",
                    message=f"the mandatory element {tag} is missing",
                    remedy="add it, or write plain elements without attr",
                    file=file,
                    place=tag,
                )
            )
        elif value:
            fields.append(RawField("access" if tag == "ACL" else "entity", value, tag))
    for number, element in enumerate(attributes, 1):
        children = [_tag(child).lower() for child in element]
        if children and "value" not in children and element.get("name") is None:
            # the shape of source [7]: each child element is called like the attribute
            fields += [
                RawField(_tag(child), value, f"attr {_tag(child)}")
                for child in element
                if (value := _text_of(child))
            ]
            continue
        name = element.get("name") or _child_text(element, "name")
        if not name:
            faults.append(
                Fault(
                    code="sidecar.element",
                    message="an attr has no name",
                    remedy="give it one",
                    file=file,
                    place=f"attr {number}",
                )
            )
            continue
        values = [_text_of(child) for child in element if _tag(child).lower() == "value"]
        single = element.get("value")
        if single is not None:
            values.append(single)
        if not values and not len(element):
            values.append(_text_of(element))
        fields += [RawField(name, value, f"attr {name}") for value in values if value]
    if faults:
        raise InputFault(faults)
    return fields


def _read_leaves(root: Element) -> list[RawField]:
    fields = [RawField(name, value, f"@{name}") for name, value in root.attrib.items() if value]
    for element in root.iter():
        if len(element) == 0 and element is not root:
            value = _text_of(element)
            if value:
                fields.append(RawField(_tag(element), value, _tag(element)))
    return fields


def _text_of(element: Element) -> str:
    return "".join(element.itertext()).strip()


def _child_text(element: Element, tag: str) -> str:
    return next((_text_of(child) for child in element if _tag(child).lower() == tag), "")
