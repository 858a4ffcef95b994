"""The units, judged by systemd's own tools."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hotfolder.core.errors import EX_CONFIG, EX_IOERR, EX_TEMPFAIL, EX_USAGE
from hotfolder.service.settings_account import CREDENTIAL
from hotfolder.service.settings_model import ServiceSection

UNITS = Path(__file__).parent.parent.parent / "systemd"
PROGRAM = "/opt/hotfolder/bin/hotfolder"
SERVICES = ("hotfolder.service", "hotfolder-check.service", "hotfolder-verify.service")
EXPOSURE = 2.0

analyze = shutil.which("systemd-analyze")
needs_analyze = pytest.mark.skipif(analyze is None, reason="systemd-analyze is not installed")


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with the example drop-in; the program is one that exists here."""
    for name in SERVICES:
        text = (UNITS / name).read_text()
        assert PROGRAM in text
        (tmp_path / name).write_text(text.replace(PROGRAM, sys.executable))
        drop_in = tmp_path / f"{name}.d"
        drop_in.mkdir()
        shutil.copy(UNITS / "hotfolder.service.d" / "folders.conf", drop_in)
    return tmp_path


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "info", **environ},
    )


@needs_analyze
@pytest.mark.parametrize("name", SERVICES)
def test_verify_has_nothing_to_say(units: Path, name: str) -> None:
    done = run("systemd-analyze", "verify", "--man=no", str(units / name))
    # It loads the units of this machine as well; what it says of those is not ours.
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "hotfolder" in line]
    assert ours == []


@needs_analyze
def test_verify_would_have_said_something(units: Path) -> None:
    path = units / "hotfolder.service"
    path.write_text(path.read_text().replace("WatchdogSec=120", "WatchDogSecs=120"))
    done = run("systemd-analyze", "verify", "--man=no", str(path))
    assert "WatchDogSecs" in done.stderr


@needs_analyze
@pytest.mark.parametrize("name", SERVICES)
def test_the_exposure_is_low(units: Path, name: str) -> None:
    done = run(
        "systemd-analyze", "security", "--offline=true", "--json=short", "--no-pager",
        f"--threshold={int(EXPOSURE * 10)}", str(units / name),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    exposures = [float(item["exposure"] or 0) for item in json.loads(done.stdout)]
    assert len(exposures) > 50
    plain = run("systemd-analyze", "security", "--offline=true", "--no-pager", str(units / name))
    overall = re.search(r"Overall exposure level for \S+: ([0-9.]+)", plain.stdout)
    assert overall is not None, plain.stdout
    assert float(overall[1]) <= EXPOSURE


def test_all_services_have_the_same_sandbox() -> None:
    boxes = []
    for name in SERVICES:
        text = (UNITS / name).read_text()
        box = text[text.index("# -- sandbox") : text.index("# -- end of the sandbox")]
        boxes.append([line for line in box.splitlines() if not line.startswith("#")])
        for line in ("User=hotfolder", "UMask=0027", "StateDirectory=hotfolder"):
            assert f"\n{line}\n" in text
    assert all(box == boxes[0] for box in boxes)
    assert "ProtectSystem=strict" in boxes[0]


def settings_of(name: str) -> dict[str, str]:
    lines = (UNITS / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]\w+=", line))


def test_the_unit_fits_the_program() -> None:
    unit = settings_of("hotfolder.service")
    assert unit["RestartPreventExitStatus"] == f"{EX_CONFIG} {EX_USAGE}"
    assert unit["LoadCredential"].split(":")[0] == CREDENTIAL
    stop_timeout = float(ServiceSection.model_fields["stop_timeout"].default)
    assert float(unit["TimeoutStopSec"]) > stop_timeout
    assert unit["ExecStart"].startswith(f"{PROGRAM} run ")


def test_the_scrub_gives_way_and_its_damage_is_a_failure() -> None:
    unit = settings_of("hotfolder-verify.service")
    assert unit["ExecStart"].startswith(f"{PROGRAM} verify --for 3h ")
    assert unit["SuccessExitStatus"] == str(EX_TEMPFAIL)
    assert str(EX_IOERR) not in unit["SuccessExitStatus"]
    assert (unit["Nice"], unit["IOSchedulingClass"]) == ("19", "idle")


@needs_analyze
def test_the_timer_starts_the_scrub(units: Path) -> None:
    shutil.copy(UNITS / "hotfolder-verify.timer", units)
    done = run("systemd-analyze", "verify", "--man=no", str(units / "hotfolder-verify.timer"))
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "hotfolder" in line]
    assert ours == []
    when = settings_of("hotfolder-verify.timer")["OnCalendar"]
    assert run("systemd-analyze", "calendar", when).returncode == 0


def test_the_example_grants_one_common_parent() -> None:
    lines = (UNITS / "hotfolder.service.d" / "folders.conf").read_text().splitlines()
    granted = [line for line in lines if line.startswith("ReadWritePaths=")]
    assert granted == ["ReadWritePaths=/srv/exstream"]


@pytest.mark.skipif(
    os.geteuid() != 0
    or shutil.which("systemd-sysusers") is None
    or shutil.which("systemd-tmpfiles") is None,
    reason="needs root, systemd-sysusers and systemd-tmpfiles",
)
def test_account_and_folders_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc" / "hotfolder").mkdir(parents=True)
    secret = tmp_path / "etc" / "hotfolder" / "archivesspace-password"
    secret.write_text("x")
    made = run("systemd-sysusers", f"--root={tmp_path}", str(UNITS / "hotfolder.sysusers"))
    assert made.returncode == 0, made.stderr
    account = next(
        line.split(":")
        for line in (tmp_path / "etc" / "passwd").read_text().splitlines()
        if line.startswith("hotfolder:")
    )
    assert account[5:] == ["/var/lib/hotfolder", "/usr/sbin/nologin"]
    made = run(
        "systemd-tmpfiles", "--create", f"--root={tmp_path}", str(UNITS / "hotfolder.tmpfiles")
    )
    assert made.returncode == 0, made.stderr
    state = (tmp_path / "var" / "lib" / "hotfolder").stat()
    assert (state.st_mode & 0o777, state.st_uid) == (0o750, int(account[2]))
    assert (secret.stat().st_mode & 0o777, secret.stat().st_gid) == (0o640, int(account[3]))
