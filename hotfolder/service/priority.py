"""Work that gives way: the lowest priority for processor and disk, where the system has it."""

from __future__ import annotations

import ctypes
import os
import platform

# ioprio_set(2); the numbers of asm/unistd.h
_CALLS = {"x86_64": 251, "aarch64": 30}
_WHO_PROCESS = 1
_CLASS_IDLE = 3 << 13
_NICE = 19


def give_way() -> bool:
    """Ask for idle input and output and the least of the processor; whether the disk's part
    was granted. A sandbox may refuse; systemd gives both to its own units."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    except OSError:
        return False
    number = _CALLS.get(platform.machine())
    if number is None:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.syscall(number, _WHO_PROCESS, 0, _CLASS_IDLE)) == 0
