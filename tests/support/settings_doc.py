"""The tables of docs/configure.md, made from the model, so that they cannot rot.

python -m tests.support.settings_doc     writes them anew
"""

from __future__ import annotations

import json
import re
import types
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from hotfolder.service.settings_model import SettingsFile

DOCS = Path(__file__).parent.parent.parent / "docs" / "configure.md"
_TABLE = re.compile(r"<!-- table (?P<name>\S+) -->\n(?P<body>.*?)<!-- end -->", re.DOTALL)


def sections(model: type[BaseModel] = SettingsFile, prefix: str = "") -> dict[str, type[BaseModel]]:
    """Each table of the file with its model: ``folders.NAME.completion``."""
    found: dict[str, type[BaseModel]] = {}
    for name, info in model.model_fields.items():
        kind: Any = info.annotation
        path = f"{prefix}{name}"
        if get_origin(kind) is dict and _is_model(get_args(kind)[1]):
            kind, path = get_args(kind)[1], f"{path}.NAME"
        if get_origin(kind) is list and _is_model(get_args(kind)[0]):
            kind = get_args(kind)[0]
        if _is_model(kind):
            found[path] = kind
            found |= sections(kind, f"{path}.")
    return found


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def keys(model: type[BaseModel]) -> list[str]:
    """The keys of a table that are no tables themselves."""
    return [
        name
        for name, info in model.model_fields.items()
        if not any(map(_is_model, (info.annotation, *get_args(info.annotation))))
    ]


def table(model: type[BaseModel]) -> str:
    """The Markdown table of one section."""
    rows = ["| key | default | may be | what it is |", "|---|---|---|---|"]
    for name in keys(model):
        info = model.model_fields[name]
        rows.append(f"| `{name}` | {_default(info)} | {_kind(info)} | {info.description} |")
    return "\n".join(rows) + "\n"


def _default(info: Any) -> str:
    value = info.default_factory() if info.default_factory else info.default
    if value is PydanticUndefined:
        return "must be given"
    if value is None:
        return ""
    value = value.value if isinstance(value, Enum) else value
    text = "{}" if value == {} else json.dumps(value)
    return f"`{text}`"


def _kind(info: Any) -> str:
    kind: Any = info.annotation
    if get_origin(kind) in (Union, types.UnionType) and get_origin(get_args(kind)[0]) in (
        Literal,
        list,
    ):
        kind = get_args(kind)[0]
    bounds = {type(item).__name__: item for item in info.metadata}
    least = getattr(bounds.get("Ge"), "ge", None)
    most = getattr(bounds.get("Le"), "le", None)
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    if isinstance(kind, type) and issubclass(kind, Enum):
        choices = tuple(choice.value for choice in kind)
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    if get_origin(kind) in (Union, types.UnionType):
        return "`true`, `false` or a path" if bool in get_args(kind) else "text"
    kinds = {
        list: "a list of texts",
        dict: "names to texts",
        bool: "`true`, `false`",
        int: f"{least} to {most}" if most is not None else f"{least} or more",
        float: "seconds" if least == 0 else "seconds, more than 0",
        str: "text",
        date: "a day",
    }
    return kinds[get_origin(kind) or kind]


def filled(text: str) -> str:
    """``text`` with every table made anew."""
    models = sections()

    def fill(match: re.Match[str]) -> str:
        body = table(models[match["name"]])
        return f"<!-- table {match['name']} -->\n{body}<!-- end -->"

    return _TABLE.sub(fill, text)


def named(text: str) -> set[str]:
    """The tables that ``text`` has."""
    return {match["name"] for match in _TABLE.finditer(text)}


if __name__ == "__main__":
    DOCS.write_text(filled(DOCS.read_text()))
