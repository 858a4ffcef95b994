"""What comes back from ArchivesSpace, and what goes downstream, in one process.

The sweep runs it as a program and kills it:
``python -m tests.support.feedback ROOT URL CALLBACK``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hotfolder.core.facts import EventTypes, FeedbackProfile, FeedProfile
from hotfolder.core.profiles import ReturnKind, ReturnProfile
from hotfolder.flows.feedback import Feedback
from hotfolder.service.composition import Works
from tests.support.line import Line, arm_crash, build_line

PLACED, RELEASED = "acknowledgement_received", "acknowledgement_sent"
TYPES = EventTypes(
    placed=frozenset({PLACED}),
    released=frozenset({RELEASED}),
    decisions=frozenset({"appraisal"}),
)
KEY = "a key that both know"


def profiles(root: Path, callback: str = "", **changes: Any) -> Mapping[str, Any]:
    """Looking at everything at once, and a feed."""
    (root / "feed").mkdir(exist_ok=True)
    return {
        "feedback": FeedbackProfile(enabled=True, types=TYPES, **changes),
        "feed": FeedProfile(
            path=str(root / "feed"),
            fields=("source", "document_type", "customer_id"),
            every=0.01,
            signing_key=KEY,
            callback=ReturnProfile(
                name="feed.callback",
                kind=ReturnKind.HTTP,
                url=callback,
                read_timeout=2,
                total_timeout=4,
            )
            if callback
            else None,
        ),
    }


def build(root: Path, url: str, callback: str = "", **changes: Any) -> Line:
    """The line with both."""
    return build_line(root, url, outward=profiles(root, callback, **changes))


def feedback_of(works: Works) -> Feedback:
    """It is there."""
    assert works.feedback is not None
    return works.feedback


def feed(works: Works) -> int:
    """Gather and write until nothing is left; how many files it were."""
    files = 0
    while works.feeding.gather():
        pass
    while works.feeding.write():
        files += 1
    return files


def run(line: Line) -> bool:
    """Look, carry out, write, post; False if something is still waiting."""
    works = line.works
    feedback_of(works).poll()
    feed(works)
    while works.feeding.post():
        pass
    return not works.journal.waiting_facts() and (
        not works.feeding.calls or works.journal.unposted_feed_file() is None
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("url")
    parser.add_argument("callback")
    parser.add_argument("--crash", default="")
    parser.add_argument("--occurrence", type=int, default=1)
    options = parser.parse_args(arguments)
    if options.crash:
        arm_crash(options.crash, options.occurrence)
    line = build(options.root, options.url, options.callback)
    try:
        return 0 if run(line) else 75
    finally:
        line.works.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
