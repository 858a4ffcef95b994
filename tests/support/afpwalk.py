"""A reader of structured fields of the tests' own, to judge the writer by."""

from __future__ import annotations

from dataclasses import dataclass, field

NAMES = {
    0xD3A8A8: "BDT", 0xD3A9A8: "EDT", 0xD3A8AD: "BNG", 0xD3A9AD: "ENG", 0xD3A8AF: "BPG",
    0xD3A9AF: "EPG", 0xD3A8C9: "BAG", 0xD3A9C9: "EAG", 0xD3A89B: "BPT", 0xD3A99B: "EPT",
    0xD3A8C6: "BRG", 0xD3A9C6: "ERG", 0xD3A8CE: "BRS", 0xD3A9CE: "ERS", 0xD3A8CD: "BFM",
    0xD3A9CD: "EFM", 0xD3A8CC: "BMM", 0xD3A9CC: "EMM", 0xD3A090: "TLE", 0xD3EEEE: "NOP",
    0xD3AB8A: "MCF", 0xD3A6AF: "PGD", 0xD3B19B: "PTD", 0xD3EE9B: "PTX",
}  # fmt: skip


@dataclass
class Group:
    """One page group: its name, its tags in order, its pages."""

    name: str
    tags: dict[str, str] = field(default_factory=dict)
    pages: int = 0
    written: int = 0  # pages with text on them


@dataclass
class Walk:
    """What a whole file has."""

    kinds: list[str]
    groups: list[Group]
    pages: int
    text: str


def walk(data: bytes) -> Walk:
    """Read every field; ``AssertionError`` where the file breaks a rule."""
    found = Walk([], [], 0, "")
    stack: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        assert data[at] == 0x5A, f"no field at {at}"
        length = int.from_bytes(data[at + 1 : at + 3], "big")
        assert 8 <= length <= 32767
        identifier = int.from_bytes(data[at + 3 : at + 6], "big")
        body = data[at + 9 : at + 1 + length]
        assert at + 1 + length <= len(data), "cut"
        at += 1 + length
        _take(found, stack, identifier, body)
    assert not stack, "left open"
    return found


def _take(found: Walk, stack: list[tuple[int, bytes]], identifier: int, body: bytes) -> None:
    kind = NAMES[identifier]
    found.kinds.append(kind)
    category = identifier & 0xFF
    if identifier >> 8 & 0xFF == 0xA8:
        stack.append((category, body[:8]))
    elif identifier >> 8 & 0xFF == 0xA9:
        assert stack.pop() == (category, body[:8])
    if kind == "BNG":
        assert [NAMES[0xD3A800 | item[0]] for item in stack] == ["BDT", "BNG"]
        found.groups.append(Group(body[:8].decode("cp500")))
    elif kind == "TLE":
        name, value = _triplets(body)
        assert found.kinds[-2] in ("BNG", "TLE")
        found.groups[-1].tags[name] = value
    elif kind == "BPG":
        found.pages += 1
        if found.groups:
            found.groups[-1].pages += 1
    elif kind == "BPT" and found.groups:
        found.groups[-1].written += 1
    elif kind == "PTX":
        found.text += _text(body)


def _triplets(body: bytes) -> tuple[str, str]:
    name, value, at = "", "", 0
    while at < len(body):
        length, identifier = body[at], body[at + 1]
        assert length >= 2
        if identifier == 0x02:
            assert body[at + 2 : at + 4] == b"\x0b\x00"
            name = body[at + 4 : at + length].decode("cp500")
        else:
            assert identifier == 0x36
            assert body[at + 2 : at + 4] == b"\x00\x00"
            value = body[at + 4 : at + length].decode("cp500")
        at += length
    assert at == len(body)
    return name, value


def _text(body: bytes) -> str:
    """The transparent data of the control sequences; chained but for the last."""
    assert body[:2] == b"\x2b\xd3"
    at, lines = 2, []
    while at < len(body):
        length, kind = body[at], body[at + 1]
        assert length >= 2
        if kind & 0xFE == 0xDA:
            lines.append(body[at + 2 : at + length].decode("cp500"))
        at += length
        assert (kind & 1 == 0) == (at == len(body)), "the chain ends with the field"
    return "".join(line + "\n" for line in lines)
