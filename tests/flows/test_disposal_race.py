"""A hold is placed by one process while another destroys: one of them is too late."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from hotfolder.core.errors import HotfolderError
from tests.support.disposal import DisposalWorld, hold
from tests.support.journals import spool_id

ROOT = Path(__file__).parent.parent.parent
_DOCUMENTS = 40
_DESTROYER = """
import sys
from pathlib import Path
from tests.support.disposal import DisposalWorld
world = DisposalWorld(Path(sys.argv[1]))
(row,) = world.journal.disposals()
print("ready", flush=True)
sys.stdin.readline()
world.flow.begin(row.id, actor="cem")
world.flow.complete(row.id)
"""


@pytest.mark.parametrize("ahead", [0, 1, 3, 8, 20, 40])
def test_a_hold_wins_or_is_refused(tmp_path: Path, ahead: int) -> None:
    world = DisposalWorld(tmp_path)
    identities = [world.add(number, "D")[0] for number in range(1, _DOCUMENTS + 1)]
    disposal = world.approved()
    process = subprocess.Popen(
        [sys.executable, "-c", _DESTROYER, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("go\n")
        process.stdin.flush()
        time.sleep(ahead / 1000)
        held: list[str] = []
        codes: set[str] = set()
        for number, identity in enumerate(identities):
            try:
                hold(world, str(number), identities=(identity,))
            except HotfolderError as error:
                codes.add(error.code)
            else:
                held.append(identity)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    assert codes <= {"hold.too_late"}
    outcomes = world.outcomes(disposal)
    for number, identity in enumerate(identities, 1):
        if identity in held:
            assert outcomes[identity] == "excluded"
            assert world.store.verify(spool_id(number))
            assert world.journal.get_document(identity) is not None
        else:
            assert outcomes[identity] == "destroyed"
            assert not world.is_there(number)
    world.close()
