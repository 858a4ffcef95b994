"""docs/internals.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from hotfolder.core.crashpoints import (
    AMEND_POINTS,
    DISPOSAL_POINTS,
    FEED_POINTS,
    GIVE_POINTS,
    HOLD_POINTS,
    KEY_POINTS,
    MIGRATION_POINTS,
    POINTS,
    RETURN_POINTS,
    SCRUB_POINTS,
    TEMPLATE_POINTS,
)
from hotfolder.core.disposals import DISPOSAL_MOVES
from hotfolder.core.lifecycle import SPOOL_MOVES, UNIT_MOVES
from hotfolder.core.orders import ORDER_MOVES, REQUEST_MOVES

TEXT = (Path(__file__).parent.parent.parent / "docs" / "internals.md").read_text()


def table_after(heading: str) -> dict[str, str]:
    section = TEXT.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", section, re.MULTILINE)
    return {name.strip(): rest.strip() for name, rest in rows[1:]}


def as_table(moves: object) -> dict[str, str]:
    assert hasattr(moves, "items")
    return {
        str(old): ", ".join(sorted(str(new) for new in news)) or "nothing"
        for old, news in moves.items()
    }


def test_the_states_of_a_spool_are_those_of_the_code() -> None:
    assert table_after("States of a spool") == as_table(SPOOL_MOVES)


def test_the_states_of_a_unit_are_those_of_the_code() -> None:
    assert table_after("States of a unit") == as_table(UNIT_MOVES)


def test_every_crash_point_is_explained() -> None:
    explained = table_after("What is on disk, and what a kill leaves")
    assert sorted(name.strip("`") for name in explained) == sorted(POINTS)


def test_those_of_giving_back_are_explained_too() -> None:
    explained = table_after("Giving back, and what a kill leaves")
    assert sorted(name.strip("`") for name in explained) == sorted(GIVE_POINTS)


def test_the_states_of_an_order_are_those_of_the_code() -> None:
    assert table_after("States of an order") == as_table(ORDER_MOVES)


def test_the_states_of_a_request_are_those_of_the_code() -> None:
    assert table_after("States of a request") == as_table(REQUEST_MOVES)


def test_the_states_of_a_disposal_are_those_of_the_code() -> None:
    assert table_after("States of a disposal") == as_table(DISPOSAL_MOVES)


def test_every_crash_point_of_the_way_out_is_explained() -> None:
    explained = table_after("What a kill leaves of what goes out")
    assert sorted(name.strip("`") for name in explained) == sorted(RETURN_POINTS)


def test_those_of_keys_are_explained_too() -> None:
    explained = table_after("Keys of encrypted spools, and what a kill leaves")
    assert sorted(name.strip("`") for name in explained) == sorted(KEY_POINTS)


def test_those_of_the_scrub_are_explained_too() -> None:
    explained = table_after("The scrub, and what a kill leaves")
    assert sorted(name.strip("`") for name in explained) == sorted(SCRUB_POINTS)


def test_every_crash_point_of_disposal_is_explained() -> None:
    explained = table_after("What a kill leaves of a disposal")
    assert sorted(name.strip("`") for name in explained) == sorted(DISPOSAL_POINTS)


def test_every_crash_point_of_holds_is_explained() -> None:
    text = (Path(__file__).parent.parent.parent / "docs" / "holds.md").read_text()
    explained = re.findall(r"^\| `(hold\.\w+)` \|", text, re.MULTILINE)
    assert sorted(explained) == sorted(HOLD_POINTS)


def test_those_of_changes_are_explained_too() -> None:
    explained = table_after("Telling ArchivesSpace of changes, and what a kill leaves")
    assert sorted(name.strip("`") for name in explained) == sorted(AMEND_POINTS)


def test_those_of_feedback_and_feed_are_explained_too() -> None:
    section = TEXT.split("## Feedback and feed, and what a kill leaves\n", 1)[1].split("\n## ", 1)[
        0
    ]
    points = re.findall(r"^\| `((?:look|fact|feed)\.[a-z]+)` \|", section, re.MULTILINE)
    assert sorted(points) == sorted(FEED_POINTS)


def test_those_of_templates_are_explained_too() -> None:
    explained = table_after("Templates, and what a kill leaves")
    assert sorted(name.strip("`") for name in explained) == sorted(TEMPLATE_POINTS)


def test_those_of_migrations_are_explained_too() -> None:
    explained = table_after("Moving an old archive in, and what a kill leaves")
    assert sorted(name.strip("`") for name in explained) == sorted(MIGRATION_POINTS)
