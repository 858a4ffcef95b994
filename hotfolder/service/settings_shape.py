"""The shape of the settings: what has a wrong one is explained and taken out, so that the
rest is checked all the same."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from hotfolder.service.settings_faults import placed, refusal
from hotfolder.service.settings_model import SettingsFile
from hotfolder.service.settings_sources import (
    EnvironmentSource,
    Finding,
    Place,
    SettingsText,
    nearest,
)


def read_shape(text: SettingsText, source: EnvironmentSource) -> tuple[SettingsFile, list[Finding]]:
    """The settings as far as they have the right shape, and what is wrong with the rest."""
    values: dict[str, Any] = copy.deepcopy(dict(text.values))
    findings: list[Finding] = []
    while True:
        try:
            return _validate(values, source), findings
        except ValidationError as error:
            found = error.errors(include_url=False)
        if not findings:
            # Later rounds only complain of what the first has taken out.
            findings = list(dict.fromkeys(_explain(item) for item in found))
        removed = [_take_out(tree, item) for item in found for tree in (values, source())]
        if not any(removed):
            raise refusal(text.path, placed(findings, text, source))


def _validate(values: Mapping[str, Any], environment: EnvironmentSource) -> SettingsFile:
    class Sourced(SettingsFile):
        """The settings from the environment over the file, and from nowhere else."""

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            *_: PydanticBaseSettingsSource,
            **__: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return environment, InitSettingsSource(settings_cls, init_kwargs=dict(values))

    return Sourced()


def _take_out(tree: dict[str, Any], item: Any) -> bool:
    """Remove what is wrong (of a table that lacks something, the table); false if it is
    not in this tree."""
    place = _keys(item["loc"])
    if item["type"] == "missing":
        place = place[:-1]
    node: Any = tree
    for part in place[:-1]:
        node = node.get(part) if isinstance(node, dict) else None
    if not isinstance(node, dict) or place[-1] not in node:
        return False
    del node[place[-1]]
    return True


def _explain(item: Any) -> Finding:
    """One of pydantic's findings in our words; never the value, which may be secret."""
    place = _keys(item["loc"])
    if item["type"] == "extra_forbidden":
        return Finding(
            place,
            "configuration.unknown",
            f"there is no key {place[-1]!r} here",
            nearest(place[-1], _known_keys(place[:-1])),
        )
    if item["type"] == "missing":
        return Finding(
            place, "configuration.missing-key", "this key is missing", f"add {place[-1]} = …"
        )
    if item["type"] == "string_pattern_mismatch":
        return Finding(
            place,
            "configuration.name",
            "this cannot be a name",
            "use letters, digits, _ . - and begin with a letter or digit",
        )
    choices = re.findall(r"'([^']*)'", str(item.get("ctx", {}).get("expected", "")))
    return Finding(
        place,
        "configuration.value",
        str(item["msg"]),
        nearest(str(item["input"]), choices)
        if choices  # a word from a list is no secret
        else "docs/configure.md says what it may be",
    )


def _keys(loc: Iterable[Any]) -> Place:
    """The keys of a location; what pydantic adds to them (positions, kinds, ``[key]`` for
    the name of a table) is left out."""
    kind: Any = SettingsFile
    keys: list[str] = []
    for part in loc:
        if part == "[key]":
            break
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            info = kind.model_fields.get(str(part))
            kind = None if info is None else info.annotation
        elif get_origin(kind) is dict:
            kind = get_args(kind)[1]
        else:
            break
        keys.append(str(part))
    return tuple(keys)


def _known_keys(place: Place) -> list[str]:
    kind: Any = SettingsFile
    for part in place:
        fields = getattr(kind, "model_fields", None)
        kind = get_args(kind)[1] if fields is None else fields[part].annotation
    return list(getattr(kind, "model_fields", {}))
