"""Ruby's notation of values: the server quotes refused records in it."""

from __future__ import annotations

from typing import Any

_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\x1b": "\\e",
    "\x07": "\\a",
    "\x08": "\\b",
    "\x0b": "\\v",
    "\x0c": "\\f",
}


def inspect_value(value: Any) -> str:
    """A JSON value as ``Object#inspect`` writes it."""
    match value:
        case None:
            return "nil"
        case bool():
            return "true" if value else "false"
        case str():
            return _inspect_text(value)
        case dict():
            return "{" + inspect_pairs(value) + "}"
        case list():
            return "[" + ", ".join(inspect_value(item) for item in value) + "]"
        case _:
            return str(value)


def inspect_record(value: dict[str, Any]) -> str:
    """A record's properties, in their order."""
    return "{" + inspect_pairs(value) + "}"


def inspect_pairs(value: dict[str, Any]) -> str:
    """The pairs of a hash, without its braces."""
    return ", ".join(f"{_inspect_text(str(k))}=>{inspect_value(v)}" for k, v in value.items())


def class_of(value: Any) -> str:  # noqa: PLR0911  one a class
    """The Ruby class of a JSON value, as named in complaints about types."""
    match value:
        case None:
            return "NilClass"
        case bool():
            return "TrueClass" if value else "FalseClass"
        case int():
            return "Integer"
        case float():
            return "Float"
        case str():
            return "String"
        case list():
            return "Array"
        case _:
            return "Hash"


def _inspect_text(text: str) -> str:
    pieces = []
    for position, char in enumerate(text):
        if char == "#" and text[position + 1 : position + 2] in {"{", "$", "@"}:
            pieces.append("\\#")
        elif char in _ESCAPES:
            pieces.append(_ESCAPES[char])
        elif ord(char) < 0x20 or char == "\x7f":
            pieces.append(f"\\x{ord(char):02X}")
        else:
            pieces.append(char)
    return '"' + "".join(pieces) + '"'
