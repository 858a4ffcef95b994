"""A receiver of documents over HTTP, as Communications Server is one: it keeps the key."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], bool]
"""Answers a request in a way of its own; False to take the document."""


class Receiver:
    """What came: bytes and headers by key, and how often."""

    def __init__(self) -> None:
        self.taken: dict[str, bytes] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.times: Counter[str] = Counter()
        self.faults: list[Answer] = []  # for the next requests, in order
        self.url = ""

    def forget(self) -> None:
        """As if nothing had come."""
        self.taken.clear()
        self.headers.clear()
        self.times.clear()
        self.faults.clear()

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        """One POST."""
        data = handler.rfile.read(int(handler.headers["Content-Length"]))
        key = str(handler.headers["Idempotency-Key"])
        assert hashlib.sha256(data).hexdigest() == handler.headers["BlobInfo.SHA256"]
        assert self.taken.setdefault(key, data) == data, "another document under the same key"
        self.headers[key] = dict(handler.headers.items())
        self.times[key] += 1


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a socket."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            fault = receiver.faults.pop(0) if receiver.faults else take_it
            if fault(self):
                return
            receiver.take(self)
            if fault is lose_answer:
                self.close_connection = True  # taken, and the answer is lost
                return
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing is said."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/archive"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def status(code: int) -> Answer:
    """Answer with this status, and take nothing."""

    def answer(handler: BaseHTTPRequestHandler) -> bool:
        handler.rfile.read(int(handler.headers["Content-Length"]))
        handler.send_response(code)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True

    return answer


def hang_up(handler: BaseHTTPRequestHandler) -> bool:
    """Close the connection in the middle of the document."""
    handler.rfile.read(1)
    handler.close_connection = True
    return True


def lose_answer(handler: BaseHTTPRequestHandler) -> bool:
    """Take the document, and close without an answer."""
    return False


def take_it(handler: BaseHTTPRequestHandler) -> bool:
    """Take the document, and say so."""
    return False
