"""sd_notify to a real socket, and the beats that feed the watchdog."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.service.heartbeat import ALLOWANCE, ALLOWANCES, Beats, allowance_of
from hotfolder.service.notification import Notifier


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """The listening end: (NOTIFY_SOCKET, socket)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.settimeout(10)
        if request.param == "path":
            address = str(tmp_path / "notify")
            listener.bind(address)
        else:
            listener.bind("")  # the kernel picks an abstract name
            name = listener.getsockname()
            address = "@" + name[1:].decode()
        yield address, listener


def test_messages_are_those_of_the_protocol(systemd: tuple[str, socket.socket]) -> None:
    address, listener = systemd
    notifier = Notifier({"NOTIFY_SOCKET": address})
    assert notifier.ready()
    assert listener.recv(4096) == b"READY=1"
    assert notifier.alive()
    assert listener.recv(4096) == b"WATCHDOG=1"
    assert notifier.stopping()
    assert listener.recv(4096) == b"STOPPING=1"
    assert notifier.status("3 folders\nREADY=0  so it goes")
    assert listener.recv(4096) == b"STATUS=3 folders READY=0 so it goes"


def test_a_reload_carries_the_monotonic_clock(systemd: tuple[str, socket.socket]) -> None:
    address, listener = systemd
    before = time.monotonic_ns() // 1000
    assert Notifier({"NOTIFY_SOCKET": address}).reloading()
    first, second = listener.recv(4096).decode().splitlines()
    assert first == "RELOADING=1"
    name, _, value = second.partition("=")
    assert name == "MONOTONIC_USEC"
    assert before <= int(value) <= time.monotonic_ns() // 1000


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_without_systemd_nothing_happens(environ: dict[str, str]) -> None:
    assert not Notifier(environ).ready()


def test_a_systemd_that_has_gone_stops_nothing(tmp_path: Path) -> None:
    assert not Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive()


def test_a_systemd_that_reads_no_more_stops_nothing(systemd: tuple[str, socket.socket]) -> None:
    address, listener = systemd
    notifier = Notifier({"NOTIFY_SOCKET": address})
    sent = 0
    while notifier.alive():  # until its queue is full
        sent += 1
    assert listener.recv(4096) == b"WATCHDOG=1"
    assert sent > 0
    assert notifier.alive()  # there is room again


class _Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


def test_a_loop_is_late_after_its_own_allowance() -> None:
    clock = _Clock()
    beats = Beats(clock)
    beats.expect("finish")
    beats.expect("intake")
    beats.expect("folder:a", 10.0)
    clock.time += 10.0
    assert beats.late() == []
    clock.time += 0.5
    assert beats.late() == ["folder:a"]
    beats.beat("folder:a")
    assert beats.late() == []
    clock.time += ALLOWANCE + 1
    assert beats.late() == ["finish", "folder:a"]
    clock.time += ALLOWANCES["intake"]
    assert beats.late() == ["finish", "folder:a", "intake"]
    assert beats.ages()["folder:a"] == ALLOWANCE + 1 + ALLOWANCES["intake"]


def test_a_loop_that_has_ended_is_not_late() -> None:
    clock = _Clock()
    beats = Beats(clock)
    beats.expect("folder:a", 1.0)
    beats.forget("folder:a")
    beats.beat("folder:a")  # its last beat may come after it was forgotten
    clock.time += 5.0
    assert beats.late() == []
    assert beats.ages() == {}


def test_a_loop_that_waits_for_answers_may_wait_for_two() -> None:
    assert allowance_of("finish") == ALLOWANCE
    assert allowance_of("tell", 900.0) == ALLOWANCE + 1800.0
    assert allowance_of("intake") == ALLOWANCES["intake"]
