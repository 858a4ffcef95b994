"""Where settings come from: the file, with line numbers, and the environment over it."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from hotfolder.core.errors import Fault, OperatorFault

PREFIX = "HOTFOLDER_"
NOT_SETTINGS = frozenset({"HOTFOLDER_CONFIG"})  # variables of ours that are no settings

Place = tuple[str, ...]  # keys from the top: ("folders", "statements", "path")


class Finding(NamedTuple):
    """Something wrong at a place of the configuration, not yet a fault with a line."""

    place: Place
    code: str
    message: str
    remedy: str


_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEYS = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*\[\s*(?P<keys>{_KEYS})\s*\]")
_ASSIGNMENT = re.compile(rf"\s*(?P<keys>{_KEYS})\s*=(?P<value>.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsText:
    """The file as it was read: its values, and the line of each key (from 1)."""

    path: str
    values: Mapping[str, Any]
    lines: Mapping[Place, int]

    def line_of(self, place: Sequence[str]) -> int | None:
        """The line of ``place``, or of the nearest table around it."""
        for length in range(len(place), 0, -1):
            if tuple(place[:length]) in self.lines:
                return self.lines[tuple(place[:length])]
        return None


def read_text(path: str) -> SettingsText:
    """Read the file. Raises ``OperatorFault`` if it is not there, not readable, not TOML."""
    try:
        text = Path(path).read_bytes().decode("utf-8")
        values = tomllib.loads(text)
    except FileNotFoundError as error:
        raise OperatorFault(
            f"there is no configuration {path}",
            hint=f"write one with `hotfolder init {path}`, or name another with --config",
            code="configuration.missing",
        ) from error
    except OSError as error:
        raise OperatorFault(
            f"the configuration {path} cannot be read: {error.strerror}",
            hint="let the user that runs hotfolder read it",
            code="configuration.unreadable",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise OperatorFault(
            # The parser names line and column; it quotes one character at most.
            f"the configuration {path} is no TOML: {error}",
            hint="correct it there; texts need quotes, and a table or key may appear once",
            code="configuration.toml",
        ) from error
    return SettingsText(path=path, values=values, lines=find_lines(text))


def find_lines(text: str) -> dict[Place, int]:
    """The line of each table and key in valid TOML; keys of inline tables have none."""
    lines: dict[Place, int] = {}
    table: Place = ()
    closing = ""  # of a multi-line text that is open
    for number, line in enumerate(text.split("\n"), 1):
        if closing:
            if closing in line:
                closing = ""
            continue
        header = _HEADER.match(line)
        if header is not None:
            table = _split(header["keys"])
            lines.setdefault(table, number)
            continue
        found = _ASSIGNMENT.match(line)
        if found is not None:
            lines.setdefault((*table, *_split(found["keys"])), number)
            value = found["value"].lstrip()
            if value[:3] in ('"""', "'''") and value.count(value[:3]) == 1:
                closing = value[:3]
    return lines


def _split(keys: str) -> Place:
    """The parts of a dotted key; none if it is no key after all (a line of a text)."""
    try:
        node: Any = tomllib.loads(f"{keys} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    parts: list[str] = []
    while isinstance(node, dict):
        ((key, node),) = node.items()
        parts.append(key)
    return tuple(parts)


def nearest(wrong: str, known: Iterable[str]) -> str:
    """A remedy for a name that nobody knows: the closest spelling, or what there is."""
    choices = list(known)
    folded = {choice.casefold(): choice for choice in reversed(choices)}
    near = difflib.get_close_matches(wrong.casefold(), list(folded), 1)
    if near:
        return f"did you mean {folded[near[0]]}?"
    return "one of: " + ", ".join(choices) if choices else "remove it; nothing is known here"


class UnknownVariableError(Exception):
    """A variable that begins like ours and means nothing; the text is the remedy."""


class EnvironmentSource(PydanticBaseSettingsSource):
    """``HOTFOLDER_SECTION__KEY`` variables over the values of the file.

    Letter case does not count, and in names of tables neither do ``-`` and ``.``, which
    a shell cannot have in a variable: HOTFOLDER_RETENTION__FIN_7Y__PERIOD. A variable
    changes what the file has; it makes no folder, series or unit of its own. Lists are
    JSON or separated by commas.
    """

    def __init__(
        self, settings: type[BaseSettings], environ: Mapping[str, str], values: Mapping[str, Any]
    ) -> None:
        super().__init__(settings)
        self.faults: list[Fault] = []
        self.origins: dict[Place, str] = {}
        self._found: dict[str, Any] = {}
        for variable in sorted(environ):
            if variable.startswith(PREFIX) and variable not in NOT_SETTINGS:
                self._take(variable, environ[variable], values)

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """The part of one section, as the base class asks for it."""
        return self._found.get(field_name), field_name, True

    def __call__(self) -> dict[str, Any]:
        """All values found, nested as in the file."""
        return self._found

    def _take(self, variable: str, text: str, values: Mapping[str, Any]) -> None:
        try:
            place, value = self._resolve(variable.removeprefix(PREFIX).split("__"), text, values)
        except UnknownVariableError as error:
            self.faults.append(
                Fault(
                    code="configuration.variable",
                    message=f"the environment variable {variable} means nothing here",
                    remedy=str(error),
                    file="environment",
                    place=variable,
                )
            )
            return
        node = self._found
        for key in place[:-1]:
            node = node.setdefault(key, {})
        node[place[-1]] = value
        self.origins[place] = variable

    def _resolve(
        self, parts: Sequence[str], text: str, values: Mapping[str, Any]
    ) -> tuple[Place, Any]:
        kind: Any = self.settings_cls
        node: Any = values
        place: list[str] = []
        for part in parts:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                key = _match(part, list(kind.model_fields), place)
                kind = kind.model_fields[key].annotation
            elif get_origin(kind) is dict:
                named = list(node) if isinstance(node, Mapping) else []
                kind = get_args(kind)[1]
                key = _match(part, named, place)
            else:
                raise UnknownVariableError(f"{_variable(place)} has nothing inside it")
            place.append(key)
            node = node.get(key, {}) if isinstance(node, Mapping) else {}
        if get_origin(kind) is dict or (isinstance(kind, type) and issubclass(kind, BaseModel)):
            raise UnknownVariableError(f"name a key in it: {_variable([*place, 'key'])}")
        return tuple(place), _read_list(text) if get_origin(kind) is list else text


def _match(part: str, known: Sequence[str], place: Sequence[str]) -> str:
    folded = {_fold(name): name for name in reversed(known)}
    found = folded.get(_fold(part))
    if found is None:
        near = difflib.get_close_matches(_fold(part), list(folded), 1)
        names = [_variable([*place, name]) for name in ([folded[near[0]]] if near else known)]
        raise UnknownVariableError(
            (f"did you mean {names[0]}?" if near else "one of: " + ", ".join(names))
            if names
            else "unset it; the file has nothing there"
        )
    return found


def _fold(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "_", name.casefold())


def _variable(place: Sequence[str]) -> str:
    return PREFIX + "__".join(_fold(key).upper() for key in place)


def _read_list(text: str) -> Any:
    if text.lstrip().startswith("["):
        try:
            return json.loads(text)
        except ValueError:
            return text  # refused by the model, as a list that it is not
    return [part.strip() for part in text.split(",") if part.strip()]
