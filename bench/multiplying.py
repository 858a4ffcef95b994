"""A journal of a million spools in a minute: what the journal wrote of some thousands,
many times over.

    python -m bench.multiplying PATH SEED TIMES

SEED spools go through the journal's own methods to DONE, in a schema made by its own
migrations. Then every row is copied TIMES - 1 times with new numbers and new names,
triggers off and indexes dropped; both are made again from the journal's own text, and
the counters are multiplied. At the end SQLite checks pages and references, and the
journal its counts.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from pathlib import Path

from bench.common import answer
from bench.journalling import fill, spool_id
from hotfolder.journal.journal import SqliteJournal

# How a copied column differs, where it does; {s}, {u}, {d} and {h} are the shifts of the
# numbers of spools, units, documents and history. Random names lie in an index as the
# true ones do, which are hashes.
_HASH = "lower(hex(randomblob(32)))"
_CHANGED = {
    "spools": {"number": "number + {s}", "id": "spool_id(number + {s})", "sha256": _HASH},
    "units": {"number": "number + {u}", "ref_id": f"'hf-unit-' || substr({_HASH}, 1, 40)"},
    "documents": {
        "number": "number + {d}",
        "identity": f"'hf-' || {_HASH}",
        "spool": "spool + {s}",
        "unit": "unit + {u}",
        "business_key": _HASH,
        "sha256": _HASH,
        "customer_id": "printf('C-%08d', abs(random()) % 400000)",
    },
    "history": {
        "number": "number + {h}",
        "subject": "subject + CASE kind WHEN 'spool' THEN {s} ELSE {u} END",
    },
}
_SHIFTS = {"s": "spools", "u": "units", "d": "documents", "h": "history"}


def multiply(path: Path, times: int) -> None:
    """Copy every row of a journal that nobody has open. Not synced; a run that dies is
    begun anew."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.create_function("spool_id", 1, lambda number: spool_id(number - 1), deterministic=True)
    conn.execute("PRAGMA synchronous = OFF")
    conn.execute("PRAGMA journal_mode = MEMORY")
    conn.execute("PRAGMA cache_size = -1000000")
    made = conn.execute(
        "SELECT type, name, sql FROM sqlite_schema"
        " WHERE type IN ('trigger', 'index') AND sql IS NOT NULL ORDER BY type"
    ).fetchall()
    conn.execute("BEGIN")
    for kind, name, _ in made:
        conn.execute(f"DROP {kind} {name}")
    shifts = {
        letter: conn.execute(f"SELECT max(number) FROM {table}").fetchone()[0]
        for letter, table in _SHIFTS.items()
    }
    for table, changed in _CHANGED.items():
        columns = [row[1] for row in conn.execute(f"PRAGMA table_info({table})")]
        for copy in range(1, times):
            shifted = {letter: copy * shift for letter, shift in shifts.items()}
            values = ", ".join(changed.get(name, name).format(**shifted) for name in columns)
            last = shifts[next(key for key, name in _SHIFTS.items() if name == table)]
            conn.execute(
                f"INSERT INTO {table} ({', '.join(columns)})"
                f" SELECT {values} FROM {table} WHERE number <= {last}"
            )
    conn.execute(f"UPDATE counts SET count = count * {times}")
    for _, _, text in made:
        conn.execute(text)
    conn.execute("COMMIT")
    conn.execute("PRAGMA journal_mode = WAL")
    conn.close()


def main(path: Path, seed: int, times: int) -> None:
    """Fill, multiply, and look whether it is a journal."""
    started = time.monotonic()
    fill(path, 0, seed, 1)
    multiply(path, times)
    journal = SqliteJournal(os.fsencode(path))
    faults = journal.check()
    done = journal.status().spools
    found = journal.get_spool(spool_id(seed * times - 1))
    journal.close()
    if faults or done.get("DONE") != seed * times or found is None:
        raise SystemExit(f"that is no sound journal: {faults}, {done}")
    answer(seconds=time.monotonic() - started, bytes=path.stat().st_size)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
