"""A signal may come between any two instructions: each is tried."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hotfolder
from hotfolder.service.signals import SignalFlag

_TRIED = """\
import signal, sys, threading
from hotfolder.service.signals import stop_on_signals

{flag}

def interrupted_at(number):
    seen = 0

    def trace(frame, what, _):
        nonlocal seen
        if frame.f_globals["__name__"] not in ("hotfolder.service.signals", "threading"):
            return None
        frame.f_trace_opcodes = True
        if what == "opcode" and frame.f_code.co_name not in ("set", "notify", "notify_all"):
            seen += 1
            if seen == number:
                signal.raise_signal(signal.SIGTERM)
        return trace

    with raised() as flag:
        sys.settrace(trace)
        try:
            while seen < number and not flag.wait(0.001):
                if seen > 2000:
                    break
        finally:
            sys.settrace(None)
        return seen >= number and flag.is_set()

assert all([interrupted_at(number) for number in range(1, 120)])
print("all ended")
"""
_OURS = "raised = stop_on_signals"
_EVENT = """\
from contextlib import contextmanager
@contextmanager
def raised():
    flag = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: flag.set())
    yield flag
"""


def _try(flag: str, patience: float) -> str:
    return subprocess.run(
        [sys.executable, "-c", _TRIED.format(flag=flag)],
        capture_output=True,
        text=True,
        check=True,
        timeout=patience,
    ).stdout


def test_a_signal_at_any_instruction_of_the_wait_ends_it() -> None:
    assert _try(_OURS, 60) == "all ended\n"


def test_with_an_event_some_instruction_waits_for_ever() -> None:
    # Else the test above proves nothing.
    with pytest.raises(subprocess.TimeoutExpired):
        _try(_EVENT, 3)


def test_whoever_waits_goes_on_and_the_flag_stays_up() -> None:
    flag = SignalFlag()
    assert not flag.wait(0.0)
    assert not flag.is_set()
    flag.set()
    flag.set()
    assert [flag.wait(60.0) for _ in range(5)] == [True] * 5
    assert flag.is_set()


def test_what_a_handler_sets_is_no_event() -> None:
    root = Path(hotfolder.__file__).parent
    handling = []
    for path in root.rglob("*.py"):
        called = {
            ast.unparse(node.func)
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call)
        }
        if "signal.signal" in called:
            handling.append(path.name)
            assert not called & {"threading.Event", "threading.Condition", "Event", "Condition"}
    assert {"signals.py", "supervisor.py", "sandbox.py"} <= set(handling)
