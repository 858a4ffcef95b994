"""What signals have asked for.

A handler runs in the main thread, between any two of its instructions. ``Event.set`` is
not made for it: it takes a lock, and the thread that it has interrupted may hold that
lock, in ``Event.wait``; then both wait for ever, and only SIGKILL ends them. What a
handler sets is therefore a ``SignalFlag``.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue


class SignalFlag:
    """Is down until it is set, by a signal handler or any thread; then it stays up."""

    def __init__(self) -> None:
        self._set = False
        # Its put may interrupt its get in the same thread (Python, queue.SimpleQueue.put).
        self._wakened: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """Raise it; whoever waits goes on."""
        self._set = True
        self._wakened.put(None)

    def is_set(self) -> bool:
        """Whether it is up."""
        return self._set

    def wait(self, timeout: float) -> bool:
        """Wait until it is up, up to ``timeout`` seconds; whether it is."""
        if self._set:
            return True
        try:
            self._wakened.get(timeout=max(0.0, timeout))
        except Empty:
            return self._set
        self._wakened.put(None)  # for the next who waits
        return True


@contextmanager
def stop_on_signals() -> Iterator[SignalFlag]:
    """Inside, SIGTERM and SIGINT end nothing but raise the flag that this gives."""
    stopping = SignalFlag()
    before = {
        number: signal.signal(number, lambda *_: stopping.set())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
