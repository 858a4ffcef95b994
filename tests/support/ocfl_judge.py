"""What ``ocfl-py`` says of a storage root: the independent judge of the store.

Run in a process of its own: its libraries warn when they are imported.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.support.crash import run_python

_JUDGE = """
import json, sys, warnings
warnings.simplefilter("ignore")
from ocfl import StorageRoot
root = StorageRoot(root=sys.argv[1])
valid = root.validate(log_warnings=True)
print(json.dumps([valid, root.num_objects, root.good_objects, root.errors, root.log.status_str()]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether the root is valid, and how many of its objects are."""

    valid: bool
    objects: int
    good: int
    # But for W004: the design chooses SHA-256; and W901: extensions of our own are named so.
    complaints: list[str]


def judge(root: Path) -> Judgement:
    """Validate the storage root and every object in it, digests included."""
    run = run_python(_JUDGE, str(root))
    assert run.returncode == 0, run.stderr
    valid, objects, good, messages, log = json.loads(run.stdout.splitlines()[-1])
    lines = [line for _, text in messages for line in text.splitlines()] + log.splitlines()
    return Judgement(
        valid=valid,
        objects=objects,
        good=good,
        complaints=[
            line
            for line in lines
            if "[W004]" not in line and not ("[W901]" in line and "extensions/hotfolder-" in line)
        ],
    )


def check_valid(root: Path, objects: int) -> None:
    """Assert that the root is valid and holds exactly so many objects."""
    judgement = judge(root)
    assert judgement.complaints == []
    assert judgement.valid
    assert (judgement.objects, judgement.good) == (objects, objects)
