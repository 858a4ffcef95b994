"""The sweep of migrations, whole:

    python -m tests.sweeps.migrate [--pairs N] [--seed S]

``hotfolder migrate run`` dies at every named point of taking, and of the line behind it, at
the first occurrence and a later one, then at pairs of points; after each kill it is given
again until it ends. Then what the export has is compared from outside with journal, store
and server, and reconciled: nothing lost, nothing twice, and the export as it was.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hotfolder.core.crashpoints import MIGRATION_POINTS, POINTS
from hotfolder.core.legacy import Outcome
from hotfolder.sandbox.legacy import make_export, write_export
from tests.support import forked
from tests.support.migrations import Site, migration_site, tree_of
from tests.support.serving import server_documents

KILLED = 137
ROOT = Path(__file__).parent.parent.parent
# Those that a run without audit key and receipts goes through.
LINE_POINTS = tuple(
    point for point in POINTS if point not in ("receipt.written", "head.journalled", "head.written")
)
SWEPT = (*MIGRATION_POINTS, "event.told", *LINE_POINTS)
_COUNT = 20
_PROGRAM = """
import sys
from hotfolder.core import crashpoints
from hotfolder.service.cli import main
from tests.support.line import arm_crash
arm_crash(sys.argv[1], int(sys.argv[2])) if sys.argv[1] else None
main(["migrate", "run", sys.argv[3], "--config", sys.argv[4], "--json"])
"""
Kill = tuple[str, int]


def run_once(site: Site, kind: str, point: str = "", occurrence: int = 1) -> int:
    """One life of the command; its exit code."""
    done = forked.run(
        [sys.executable, "-c", _PROGRAM, point, str(occurrence), kind, str(site.config)],
        cwd=ROOT,
        timeout=180,
    )
    if done.returncode not in (0, 65, KILLED):
        raise AssertionError(f"exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.returncode


def kill_and_go_on(root: Path, kind: str, kills: Sequence[Kill]) -> int:
    """Each kill in turn, then to the end, and everything compared; returns how many of the
    kills happened."""
    with migration_site(root) as site:
        export = make_export(kind, 3, _COUNT)
        write_export(export, str(site.exports / kind))
        before = tree_of(site.exports)
        reached = sum(run_once(site, kind, *kill) == KILLED for kill in kills)
        run_once(site, kind)
        check(site, kind, export.expected.outcomes)
        assert tree_of(site.exports) == before, "the export was changed"
        return reached


def check(site: Site, kind: str, expected: Counter[str]) -> None:
    """What became of every item, from the journal, the store and the server."""
    with site.journal() as journal:
        items = list(journal.iterate_items(kind))
        became = Counter(str(item.outcome) for item in items)
        # What a killed life had archived may be met again by the next as a duplicate of itself
        # only if it was taken twice: which must not be.
        assert became == expected, f"{became} instead of {expected}"
        archived = [item for item in items if item.outcome is Outcome.ARCHIVED and item.spool_id]
        documents = [
            row
            for item in archived
            for row in journal.iterate_documents(str(item.spool_id))
            if row.record_uri
        ]
        for item in archived:
            assert site.store.verify(str(item.spool_id)).content_sha256 == item.sha256
    server = server_documents(site.sandbox.url)
    identities = Counter(found["identity"] for found in server)
    assert max(identities.values()) == 1, "a document is there twice"
    assert {row.document.identity for row in documents} >= set(identities), "nobody's document"
    events = Counter(
        event["refid"] for event in site.events() if event["event_type"] == "migration"
    )
    units = {row.unit_ref_id for row in documents if row.unit_ref_id}
    assert events == Counter(f"hf:{unit}:migration:{kind}" for unit in units)
    statement = site.json("migrate", "reconcile", kind).data["statement"]
    assert statement["proven"], statement["named"]
    inbox = site.root / "inbox" / kind
    assert not list((inbox / "_working").iterdir())
    assert not list((inbox / "_incoming").iterdir())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=40, help="how many pairs; 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sweeps: list[list[Kill]] = [[(point, 1)] for point in SWEPT]
    sweeps += [[(point, 3)] for point in SWEPT]
    pairs: list[list[Kill]] = [[(one, 1), (two, 1)] for one, two in itertools.product(SWEPT, SWEPT)]
    if options.pairs:
        pairs = random.Random(options.seed).sample(pairs, min(options.pairs, len(pairs)))
    kills = reached = 0
    for number, sweep in enumerate([*sweeps, *pairs], 1):
        for kind in ("folder", "cmod"):
            with tempfile.TemporaryDirectory() as place:
                reached += kill_and_go_on(Path(place), kind, sweep)
            kills += len(sweep)
        print(f"{number}/{len(sweeps) + len(pairs)} {sweep}", flush=True)
    print(f"{kills} kills tried, {reached} points reached, nothing lost, nothing twice")


if __name__ == "__main__":
    main()
