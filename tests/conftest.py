"""For every test: an example may take as long as a loaded machine needs, and a journal is a
copy of one that the same migrations made, but where making it is what is tested."""

from __future__ import annotations

import ctypes
import os
import platform
import secrets
import sqlite3
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from hotfolder.journal.connection import Connection
from hotfolder.service import priority

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

MAKING = {
    "test_journal_connection.py",
    "test_journal_crash.py",
    "test_journal_migrations.py",
    "test_journal_schema.py",
}
_PRIORITY = os.getpriority(os.PRIO_PROCESS, 0)
_open = Connection.__init__


class _Test:
    """The one that runs."""

    copies = False


def _open_copy(self: Connection, path: bytes, *, must_exist: bool = False) -> None:
    if _Test.copies and not must_exist and not os.path.exists(path):
        made, log = _make()
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        except OSError:
            pass  # said by the journal itself
        else:
            with open(file, "wb") as copy:
                # Two journals have two audit logs.
                copy.write(made.replace(log, secrets.token_hex(16).encode()))
    _open(self, path, must_exist=must_exist)


@cache
def _make() -> tuple[bytes, bytes]:
    """A journal in which nothing is, and what its audit log is called."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        connection = Connection.__new__(Connection)
        _open(connection, os.fsencode(path))
        connection.close()
        reader = sqlite3.connect(path)
        log: str = reader.execute("SELECT id FROM audit_log").fetchone()[0]
        reader.close()
        return path.read_bytes(), log.encode()


Connection.__init__ = _open_copy  # type: ignore[method-assign]


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Commands that give way do so for good; the tests after them must not."""
    if os.getpriority(os.PRIO_PROCESS, 0) == _PRIORITY:
        return
    with suppress(PermissionError):  # without the right to it only the disk's part comes back
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)
    number = priority._CALLS.get(platform.machine())
    if number is not None:
        # ioprio_set(2): class 0 is that of a process that never asked for one.
        ctypes.CDLL(None).syscall(number, priority._WHO_PROCESS, 0, 0)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Whether the test that comes makes its journals from nothing."""
    _Test.copies = item.path.name not in MAKING
