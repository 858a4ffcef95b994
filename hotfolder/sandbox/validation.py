"""A posted record against its schema: cleaned, completed, or refused with every fault.

Unknown properties are dropped without a word, as the server does; read-only ones are
ignored; absent arrays and defaults are filled in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cached_property
from typing import Any

from hotfolder.sandbox.checks import check_record
from hotfolder.sandbox.contract import Json
from hotfolder.sandbox.inspection import class_of
from hotfolder.sandbox.unrecorded import UNRECORDED

Values = Callable[[str], tuple[str, ...] | None]

REQUIRED = "Property is required but was missing"
_MODEL = re.compile(r"JSONModel\(:(\w+)\) (object|uri|uri_or_object)\Z")
_URI_ID = r"(?:[0-9]+|import_[a-f0-9-]+)"
_PLACES = {  # uris of records whose schemas were not recorded
    "agent_person": "/agents/people",
    "agent_family": "/agents/families",
    "agent_corporate_entity": "/agents/corporate_entities",
    "subject": "/subjects",
    "term": "/terms",
    "classification": "/repositories/:repo_id/classifications",
    "classification_term": "/repositories/:repo_id/classification_terms",
    "top_container": "/repositories/:repo_id/top_containers",
    "location": "/locations",
    "vocabulary": "/vocabularies",
}


class Schema:
    """One schema, sorted for use."""

    def __init__(self, kind: str, body: Json) -> None:
        self.kind = kind
        self.uri: str | None = body.get("uri")
        self._properties: Json = body["properties"]

    @cached_property
    def writable(self) -> Json:
        """Properties that a client may set."""
        return {name: spec for name, spec in self._properties.items() if not _is_read_only(spec)}

    @cached_property
    def required(self) -> frozenset[str]:
        """Properties without which a record is refused."""
        return frozenset(n for n, spec in self.writable.items() if spec.get("ifmissing") == "error")

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """What absent properties become, in the schema's order. Arrays become empty."""
        found = {}
        for name, spec in self._properties.items():
            if "default" in spec and name in self.writable and spec["default"] != "":
                found[name] = spec["default"]
            elif spec.get("type") == "array" and "tags" not in spec:
                found[name] = []
        return found


class Validator:
    """Checks records against the schemas and the lists as they are now."""

    def __init__(self, schemas: Mapping[str, Json], values: Values) -> None:
        known = {**UNRECORDED, **schemas}
        self._schemas = {kind: Schema(kind, body) for kind, body in known.items()}
        self._values = values
        self._uris: dict[str, re.Pattern[str]] = {}

    def clean(
        self, kind: str, record: Json, *, new_values: list[tuple[str, str]] | None = None
    ) -> tuple[Json, dict[str, list[str]]]:
        """The record as it would be kept, and its faults by property.

        With ``new_values`` an unknown value of a list is no fault: (list, value) is
        noted there, as imports do. A kind without a schema is kept as it is.
        """
        run = _Run(self, new_values)
        cleaned = run.record(kind, record, "")
        return cleaned, run.faults

    def schema(self, kind: str) -> Schema | None:
        """The schema of a kind, where one is known."""
        return self._schemas.get(kind)

    def values(self, enumeration: str) -> tuple[str, ...] | None:
        """The values of a list now; None where any is accepted."""
        return self._values(enumeration)

    def uri_pattern(self, kind: str) -> re.Pattern[str]:
        """What the uri of a kind of record looks like, temporary ones included."""
        if kind not in self._uris:
            schema = self._schemas.get(kind)
            place = (schema.uri if schema else None) or _PLACES.get(kind)
            # Of kinds that were not recorded (trees, say) no more is known than this.
            pattern = f"{place}/{_URI_ID}\\Z" if place else "/"
            self._uris[kind] = re.compile(pattern.replace(":repo_id", "[0-9]+"))
        return self._uris[kind]


class _Run:
    """One record being checked: collects the faults of all its parts."""

    def __init__(self, validator: Validator, new_values: list[tuple[str, str]] | None) -> None:
        self._validator = validator
        self._new_values = new_values
        self.faults: dict[str, list[str]] = {}

    def record(self, kind: str, record: Json, path: str) -> Json:
        schema = self._validator.schema(kind)
        if schema is None:
            return {**record, "jsonmodel_type": kind}
        before = len(self.faults)
        cleaned: Json = {}
        for name, value in record.items():
            spec = schema.writable.get(name)
            if spec is not None and value is not None:
                cleaned[name] = self._value(spec, value, f"{path}{name}")
        cleaned["jsonmodel_type"] = kind
        for name in schema.required - cleaned.keys():
            self._fault(f"{path}{name}", REQUIRED)
        for name, default in schema.defaults.items():
            if name not in cleaned:
                cleaned[name] = list(default) if isinstance(default, list) else default
        if len(self.faults) == before:
            for name, text in check_record(kind, cleaned):
                self._fault(f"{path}{name}", text)
        return cleaned

    def _fault(self, path: str, text: str) -> None:
        self.faults.setdefault(path, []).append(text)

    def _wrong(self, path: str, wanted: str, value: Any) -> None:
        self._fault(path, f"Must be a {wanted} (you provided a {class_of(value)})")

    def _value(self, spec: Json, value: Any, path: str) -> Any:
        kind = spec.get("type", "any")
        if isinstance(kind, list):
            return self._one_of(kind, value, path)
        if (model := _MODEL.match(kind)) is not None:
            return self._model(model[1], model[2], value, path)
        if kind == "array":
            return self._array(spec, value, path)
        if kind == "object":
            return self._object(spec, value, path)
        if not _is_scalar(kind, value):
            self._wrong(path, kind, value)
        elif isinstance(value, str):
            self._text(spec, value, path)
        return value

    def _one_of(self, kinds: list[Any], value: Any, path: str) -> Any:
        named = [kind if isinstance(kind, str) else kind["type"] for kind in kinds]
        for name in named:
            model = _MODEL.match(name)
            if model is None:
                if _is_scalar(name, value):
                    return value
            elif isinstance(value, dict) and model[1] == value.get("jsonmodel_type"):
                return self._model(model[1], model[2], value, path)
            elif self._is_uri(model[1], model[2], value):
                return value
        text = f"Must be one of: {', '.join(named)} (you provided a {class_of(value)})"
        self._fault(path, text)
        return value

    def _is_uri(self, kind: str, use: str, value: Any) -> bool:
        if use == "object" or not isinstance(value, str):
            return False
        return self._validator.uri_pattern(kind).match(value) is not None

    def _model(self, kind: str, use: str, value: Any, path: str) -> Any:
        if use != "uri" and isinstance(value, dict):
            return self.record(kind, value, f"{path}/")
        if self._is_uri(kind, use, value):
            return value
        text = f"Must be a JSONModel(:{kind}) {use} (you provided a {class_of(value)})"
        if use == "uri":
            text += " (malformed or invalid uri? check if referenced object exists.)"
        self._fault(path, text)
        return value

    def _array(self, spec: Json, value: Any, path: str) -> Any:
        if not isinstance(value, list):
            self._wrong(path, "array", value)
            return value
        if len(value) < spec.get("minItems", 0):
            self._fault(path, f"At least {spec['minItems']} item(s) is required")
        items = spec.get("items")
        if items is None:
            return value
        return [self._value(items, item, f"{path}/{n}") for n, item in enumerate(value)]

    def _object(self, spec: Json, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            self._wrong(path, "object", value)
            return value
        properties = spec.get("properties")
        if properties is None:
            return value
        cleaned = {}
        for name, inner in value.items():
            known = properties.get(name)
            if known is not None and inner is not None and not _is_read_only(known):
                cleaned[name] = self._value(known, inner, f"{path}/{name}")
        for name, known in properties.items():
            if known.get("ifmissing") == "error" and name not in cleaned:
                self._fault(f"{path}/{name}", REQUIRED)
        return cleaned

    def _text(self, spec: Json, value: str, path: str) -> None:
        if len(value) > spec.get("maxLength", len(value)):
            self._fault(path, f"Must be {spec['maxLength']} characters or fewer")
        if len(value) < spec.get("minLength", 0):
            self._fault(path, f"Must be at least {spec['minLength']} characters")
        pattern = spec.get("pattern")
        if pattern is not None and not re.search(pattern.replace("\\z", "\\Z"), value):
            self._fault(path, f"Did not match regular expression: {pattern}")
        if "enum" in spec and value not in spec["enum"]:
            self._not_listed(path, value, spec["enum"])
        enumeration = spec.get("dynamic_enum")
        if enumeration is not None:
            self._listed(enumeration, value, path)

    def _listed(self, enumeration: str, value: str, path: str) -> None:
        values = self._validator.values(enumeration)
        if values is None or value in values:
            return
        if self._new_values is None:
            self._not_listed(path, value, values)
        else:
            self._new_values.append((enumeration, value))

    def _not_listed(self, path: str, value: str, values: tuple[str, ...] | list[str]) -> None:
        self._fault(path, f"Invalid value '{value}'.  Must be one of: {', '.join(values)}")


def _is_read_only(spec: Json) -> bool:
    return str(spec.get("readonly", "")).lower() == "true"


def _is_scalar(kind: str, value: Any) -> bool:  # noqa: PLR0911  one a type
    match kind:
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "date":
            return _parses(date.fromisoformat, value)
        case "date-time":
            return _parses(datetime.fromisoformat, value)
        case _:
            return True


def _parses(parse: Callable[[str], object], value: Any) -> bool:
    try:
        parse(value)
    except (ValueError, TypeError):
        return False
    return True
