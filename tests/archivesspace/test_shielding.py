"""What ArchivesSpace is not to have: everything that goes over the socket is searched."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest

from hotfolder.archivesspace.comparison import differences
from hotfolder.core.changes import Amendment
from hotfolder.core.holdmark import HoldMark
from hotfolder.core.shielding import IDENTIFIERS, Shield, pseudonym
from tests.archivesspace.test_delivery import Connect, administrator, call, clients
from tests.support.serving import serving
from tests.support.units import BUSINESS_UNIT, METADATA, make_request, make_row

KEY = "k" * 64
PLAIN: dict[str, Any] = {
    "customer_id": "C0100002",
    "customer_name": "Erika Mustermann",
    "account_number": "DE02-1203-0000",
    "policy_number": "POL-771-04",
    "case_refs": ("CASE-2026-40001",),
    "claim_refs": ("CLM-88-12345",),
    "dispute_refs": ("DSP-5550",),
    "change_refs": ("CHG-9001",),
    "job_number": "JOB-C0100002",  # shows the customer's number
    "external_job_id": "XJ-31337",
    "tracker_id": "TRK-90210",
    "legacy_id": "2019/C0100002.pdf",  # both as an old archive may name a file
    "extra": {"migration.id": ("Mustermann_2019.pdf",)},
}
TITLE = "Kontoauszug MUSTERMANN, c 010-0002"
ROW = make_row(metadata=replace(METADATA, **PLAIN), title=TITLE)
HOLD = HoldMark(hold="hold-1", matter="Mustermann v. Bank", placed_on=date(2026, 7, 1))
SECRETS = (
    "C0100002", "Mustermann", "MUSTERMANN", "010-0002", "DE02", "POL-771", "CASE-2026",
    "CLM-88", "DSP-5550", "CHG-9001", "JOB-", "XJ-31337", "TRK-90210",
)  # fmt: skip


class Wire:
    """Everything that was sent through a relay."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (str(parts.hostname), int(parts.port or 0))
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._ends: list[socket.socket] = []
        self._pumps: list[threading.Thread] = []
        self.sent = bytearray()

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                server = socket.create_connection(self._target)
                self._ends += [client, server]
                for ends in ((client, server, True), (server, client, False)):
                    pump = threading.Thread(target=self._pump, args=ends, daemon=True)
                    self._pumps.append(pump)
                    pump.start()

    def _pump(self, source: socket.socket, sink: socket.socket, kept: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if kept:
                    self.sent += data
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for end in (self._server, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for pump in self._pumps:
            pump.join()
        for end in (self._server, *self._ends):
            end.close()


@contextmanager
def wire(least_privilege: bool) -> Iterator[tuple[Wire, Connect, dict[str, str]]]:
    with serving() as sandbox, clients(sandbox, least_privilege=least_privilege) as connect:
        relay = Wire(sandbox.url)
        thread = threading.Thread(target=relay.serve, daemon=True)
        thread.start()
        token = administrator(sandbox)

        def record(uri: str) -> dict[str, object]:
            return dict(call(sandbox, "GET", uri, token=token))

        try:
            yield relay, lambda **more: connect(url=relay.url, **more), record  # type: ignore[misc]
        finally:
            relay.close()


@pytest.mark.parametrize("least_privilege", [False, True])
@pytest.mark.parametrize("pseudonyms", [False, True])
def test_no_plain_value_is_sent(least_privilege: bool, pseudonyms: bool) -> None:
    shield = (
        Shield(withhold=("customer_name",), pseudonyms=IDENTIFIERS, keys=(KEY,))
        if pseudonyms
        else Shield(withhold=(*IDENTIFIERS, "customer_name"))
    )
    with wire(least_privilege) as (relay, connect, record):
        archive = connect(shield=shield)
        archive.prepare_series("RETAIL", "STMT", "2026-06")
        answer = archive.send_unit(make_request(ROW))
        assert answer.outcome == "confirmed", answer.reason
        uri = answer.uris[ROW.document.identity]
        row = replace(ROW, record_uri=uri)
        done = archive.desk.amend_record(
            BUSINESS_UNIT, Amendment(row=row, holds=(HOLD,), held=True)
        )
        assert done.outcome == "changed"
        found = record(uri)  # type: ignore[operator]
    text = relay.sent.decode("utf-8", "replace")
    assert ROW.document.identity in text  # it was this that was sent
    assert "hold-1" in text
    assert [word for word in SECRETS if word in text] == []
    assert found["title"] == "statement 2026-06-30"
    ids = {item["external_id"] for item in found.get("external_ids", [])}
    customer = "cust:" + pseudonym(KEY, BUSINESS_UNIT, "customer_id", "C0100002")
    assert (customer in ids, len(ids)) == ((True, 10) if pseudonyms else (False, 0))
    assert not [
        item
        for item in differences(row, found, shield)
        if item["field"] in ("title", "external_ids")
    ]


def test_without_it_the_search_finds_all() -> None:
    with wire(False) as (relay, connect, _):
        archive = connect()
        archive.prepare_series("RETAIL", "STMT", "2026-06")
        assert archive.send_unit(make_request(ROW)).outcome == "confirmed"
    text = relay.sent.decode("utf-8", "replace")
    assert [word for word in SECRETS if word not in text] == ["Mustermann"]  # in capitals
