"""A loop: one thread that makes one step after another until it is told to stop.

A step returns how long to wait before the next (seconds); ``wake`` cuts the wait
short. A step that raises does not end the thread: the error is told and the loop
waits. A loop that fails ``GIVE_UP`` times in a row with an error that nobody
classified ends the process, because a restart under systemd is safer than a
daemon that looks alive and does nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from hotfolder.core.errors import HotfolderError, OperatorFault
from hotfolder.core.ports import Emit
from hotfolder.flows.unexpected import last_frames

GIVE_UP = 20
_PAUSE_AFTER_ERROR = 5.0
_PAUSE_FOR_OPERATOR = 30.0
_LONGEST_WAIT = 5.0  # so that a waiting loop still beats


class Loop:
    """One named thread."""

    def __init__(
        self,
        name: str,
        step: Callable[[], float],
        *,
        emit: Emit,
        beat: Callable[[str], None],
        gave_up: Callable[[str], None],
        pause: float = _PAUSE_AFTER_ERROR,
    ) -> None:
        self.name = name
        self._step = step
        self._emit = emit
        self._beat = beat
        self._gave_up = gave_up
        self._pause = pause
        self._wakened = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._failures = 0

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def wake(self) -> None:
        """Make the next step now instead of waiting."""
        self._wakened.set()

    def stop(self) -> None:
        """Ask the loop to end after the step in hand; returns at once."""
        self._stopping.set()
        self._wakened.set()

    def join(self, timeout: float) -> bool:
        """Wait for the end; False if it has not come within ``timeout`` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._beat(self.name)
            wait = self._attempt()
            while wait > 0 and not self._stopping.is_set():
                self._beat(self.name)
                if self._wakened.wait(min(wait, _LONGEST_WAIT)):
                    break
                wait -= _LONGEST_WAIT
            self._wakened.clear()

    def _attempt(self) -> float:
        try:
            wait = self._step()
        except OperatorFault as error:
            self._emit("loop.paused", loop=self.name, reason=error.code, error=error.message)
            return max(self._pause, _PAUSE_FOR_OPERATOR)
        except HotfolderError as error:
            self._emit("loop.paused", loop=self.name, reason=error.code, error=error.message)
            return self._pause
        except Exception:  # noqa: BLE001  a thread that dies silently is the worst outcome
            self._failures += 1
            self._emit("loop.failed", loop=self.name, error=last_frames())
            if self._failures >= GIVE_UP:
                self._gave_up(self.name)
            return self._pause
        self._failures = 0
        return wait
