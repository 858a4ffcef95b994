"""JSON beside a spool: an object of fields, or ``{"metadata": {...}}``.

Values are texts, numbers, booleans or lists of them. Numbers keep their digits as
written (a customer number is no float). A name that comes twice is a fault: JSON
readers would silently take the last.
"""

from __future__ import annotations

import json

from hotfolder.sidecars.raw import (
    RawField,
    RawMetadata,
    check_fields,
    check_size,
    decode_text,
    reject,
)

_DEEPEST = 20


class _Number(str):
    """A number, with its digits as they were written."""

    __slots__ = ()


class _Twice(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _no_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise _Twice(name)
        found[name] = value
    return found


def read_json(data: bytes, file: str, rank: int = 0) -> RawMetadata:
    """Read a JSON sidecar. Raises ``InputFault`` naming line and column."""
    check_size(data, file)
    text = decode_text(data, file)
    try:
        found = json.loads(
            text,
            object_pairs_hook=_no_twins,
            parse_float=_Number,
            parse_int=_Number,
            parse_constant=_Number,
        )
    except json.JSONDecodeError as error:
        raise reject(
            "sidecar.json",
            f"the metadata file is no JSON: {error.msg}",
            "correct it there; a missing comma or quote before that place is the usual cause",
            file=file,
            place=f"line {error.lineno}, column {error.colno}",
        ) from error
    except _Twice as error:
        raise reject(
            "sidecar.twice",
            "a field stands there twice",
            "leave one",
            file=file,
            place=error.name[:60],
        ) from error
    except RecursionError as error:
        raise _too_deep(file) from error
    if isinstance(found, dict) and isinstance(found.get("metadata"), dict):
        found = found["metadata"]
    if not isinstance(found, dict):
        raise reject(
            "sidecar.json",
            "the metadata file is no object of fields",
            'write it like {"customer_id": "…", "document_type": "…"}',
            file=file,
        )
    fields: list[RawField] = []
    for name, value in found.items():
        _flatten(str(name), value, fields, file, 0)
    check_fields(fields, file)
    return RawMetadata(source=file, rank=rank, fields=tuple(fields))


def _flatten(name: str, value: object, fields: list[RawField], file: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise _too_deep(file)
    if value is None:
        return
    if isinstance(value, bool):
        fields.append(RawField(name, "true" if value else "false", name))
    elif isinstance(value, str):
        fields.append(RawField(name, str(value), name))
    elif isinstance(value, list):
        for item in value:
            _flatten(name, item, fields, file, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            _flatten(f"{name}.{key}", item, fields, file, depth + 1)


def _too_deep(file: str) -> Exception:
    return reject(
        "sidecar.depth",
        f"the metadata is nested deeper than {_DEEPEST}",
        "write the fields side by side",
        file=file,
    )
