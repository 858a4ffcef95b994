"""What the operator must mend stops the series that it concerns, and no other."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hotfolder.core.errors import EX_OK
from tests.support.daemon import PATIENCE, Daemon
from tests.support.serving import make_repository, server_documents, serving

_OTHER = """
[units.OTHER]
name = "Other"
repository = "LATER"
[folders.second]
path = "{root}/second"
business_unit = "OTHER"
completion = {{ rule = "trigger" }}
"""


def test_a_unit_without_its_repository_waits_and_the_others_go_on(tmp_path: Path) -> None:
    with serving() as sandbox:
        daemon = Daemon(tmp_path, sandbox.url)
        (tmp_path / "second").mkdir()
        daemon.config.write_text(daemon.config.read_text() + _OTHER.format(root=tmp_path))
        with daemon.running():
            daemon.drop("second", "b.txt", customer_id="C-2")
            (stopped,) = daemon.wait_for("unit.stopped")
            assert stopped["reason"] == "archive.repository"
            daemon.drop("first", "a.txt", customer_id="C-1")
            assert daemon.wait_for("spool.done")[0]["folder"] == "first"
            # No second unit is planned into the void.
            daemon.drop("second", "c.txt", customer_id="C-3")
            daemon.wait_for("spool.stored", 3)
            daemon.drop("first", "d.txt", customer_id="C-4")
            daemon.wait_for("spool.done", 2)
            assert len(daemon.events("unit.planned")) == 3
            later = make_repository(sandbox.url, "LATER")
            subprocess.run(
                daemon.command("retry", "--all"),
                env=daemon.environ,
                check=True,
                capture_output=True,
                timeout=PATIENCE,
            )
            assert {item["folder"] for item in daemon.wait_for("spool.done", 4)[2:]} == {"second"}
            assert not daemon.events("server.lost")
            assert daemon.stop() == EX_OK
        assert len(server_documents(sandbox.url)) == 2
        assert len(server_documents(sandbox.url, later)) == 2
