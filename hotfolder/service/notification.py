"""Telling systemd how it goes: the protocol of sd_notify(3), as far as it is needed."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping

_PATIENCE = 1.0  # seconds for systemd to make room in its queue


class Notifier:
    """Sends to the socket that ``NOTIFY_SOCKET`` in ``environ`` names; without one, does
    nothing.

    Each method returns whether systemd could be told. A daemon goes on either way:
    when systemd does not listen, its watchdog decides.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")

    def ready(self) -> bool:
        """The start, or a reload, is complete."""
        return self._send("READY=1")

    def stopping(self) -> bool:
        """The stop has begun."""
        return self._send("STOPPING=1")

    def reloading(self) -> bool:
        """A reload has begun; ``ready`` ends it."""
        # systemd pairs the two by this clock: CLOCK_MONOTONIC in microseconds.
        return self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def alive(self) -> bool:
        """All is well: reset the watchdog."""
        return self._send("WATCHDOG=1")

    def status(self, text: str) -> bool:
        """One line for ``systemctl status``."""
        return self._send("STATUS=" + " ".join(text.split()))

    def _send(self, message: str) -> bool:
        address = self._address
        if address[:1] not in ("/", "@"):
            return False
        if address[0] == "@":  # the abstract name space
            address = "\0" + address[1:]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            # Else a listener that reads no more would stop us, and SIGTERM with us.
            channel.settimeout(_PATIENCE)
            try:
                channel.connect(address)
                channel.sendall(message.encode())
            except OSError:
                return False
        return True
