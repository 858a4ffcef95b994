"""Metrics: what events count, what the journal shows, and what a scrape gets."""

from __future__ import annotations

import socket
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hotfolder.core.errors import OperatorFault
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.records import JournalStatus
from hotfolder.service import metrics as module
from hotfolder.service.events import EVENTS
from hotfolder.service.metrics import Metrics


def scrape(port: int) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_events_count(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = Metrics()
    metrics.observe("spool.claimed", {"folder": "a", "count": 3, "bytes": 300})
    metrics.observe("spool.claimed", {"folder": "b", "count": 1, "bytes": 7})
    metrics.observe("spool.rejected", {"spool": "x", "reason": "pdf.truncated", "faults": 2})
    metrics.observe("unit.confirmed", {"unit": "u", "documents": 20, "spools": 2, "seconds": 1.5})
    metrics.observe("unit.confirmed", {"unit": "v", "documents": 1, "spools": 1, "seconds": None})
    metrics.observe("server.lost", {"reason": "refused"})
    port = metrics.serve(0)
    try:
        found = scrape(port)
    finally:
        metrics.close()
    assert found["hotfolder_claimed_spools_total", (("folder", "a"),)] == 3
    assert found["hotfolder_claimed_bytes_total", (("folder", "b"),)] == 7
    assert found["hotfolder_rejected_spools_total", (("reason", "pdf.truncated"),)] == 1
    assert found["hotfolder_confirmed_documents_total", ()] == 21
    assert found["hotfolder_unit_documents_count", ()] == 2
    assert found["hotfolder_unit_seconds_count", ()] == 1
    assert found["hotfolder_unit_seconds_sum", ()] == 1.5
    assert found["hotfolder_archivesspace_outages_total", ()] == 1
    assert found["hotfolder_events_total", (("event", "unit.confirmed"),)] == 2


def test_counters_follow_fields_that_their_events_have() -> None:
    for count in module._COUNTS:
        fields = {count.amount, count.label} - {""}
        assert fields <= EVENTS[count.event].fields, count.event


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_every_event_is_counted_even_without_its_fields(event: str) -> None:
    metrics = Metrics()
    metrics.observe(event, {})
    name = {"event": event}
    assert metrics.registry.get_sample_value("hotfolder_events_total", name) == 1


def test_the_journal_shows_as_gauges() -> None:
    metrics = Metrics()
    status = JournalStatus(
        spools={"STORED": 4},
        units={"SENT": 1},
        documents=40,
        documents_confirmed=30,
        oldest_waiting_at=900.0,
        deferred=2,
        rejected_by_reason={"field.date": 3},
    )
    value = metrics.registry.get_sample_value
    metrics.show_status(status, server_up=False, now=1000.0)
    assert value("hotfolder_spools", {"state": "STORED"}) == 4
    assert value("hotfolder_spools", {"state": SpoolState.CLAIMED}) == 0
    assert value("hotfolder_units", {"state": "SENT"}) == 1
    assert value("hotfolder_backlog_documents") == 10
    assert value("hotfolder_backlog_age_seconds") == 100
    assert value("hotfolder_deferred") == 2
    assert value("hotfolder_rejected_by_reason", {"reason": "field.date"}) == 3
    assert value("hotfolder_archivesspace_up") == 0
    metrics.show_status(
        JournalStatus(
            spools={},
            units={},
            documents=40,
            documents_confirmed=40,
            oldest_waiting_at=None,
            deferred=0,
            rejected_by_reason={},
        ),
        server_up=True,
        now=1001.0,
    )
    assert value("hotfolder_spools", {"state": "STORED"}) == 0
    assert value("hotfolder_backlog_age_seconds") == 0
    assert value("hotfolder_archivesspace_up") == 1


def test_the_scrub_shows_as_gauges() -> None:
    metrics = Metrics()
    value = metrics.registry.get_sample_value
    metrics.show_fixity(finished_at=None, oldest_at=None, damaged=0)
    assert value("hotfolder_fixity_round_timestamp") == 0
    metrics.show_fixity(finished_at=900.0, oldest_at=100.0, damaged=2)
    assert value("hotfolder_fixity_round_timestamp") == 900
    assert value("hotfolder_fixity_oldest_timestamp") == 100
    assert value("hotfolder_fixity_damaged_spools") == 2


def test_beats_and_folders_are_asked_at_each_scrape() -> None:
    metrics = Metrics()
    ages = {"intake": 1.0}
    folders: dict[str, dict[str, float | bool]] = {"a": {"overflows": 2, "healthy": True}}
    metrics.watch_beats(lambda: ages)
    metrics.watch_folders(lambda: folders)
    value = metrics.registry.get_sample_value
    assert value("hotfolder_loop_beat_age_seconds", {"loop": "intake"}) == 1
    assert value("hotfolder_watch_overflows_total", {"folder": "a"}) == 2
    assert value("hotfolder_folder_up", {"folder": "a"}) == 1
    ages["intake"] = 7.0
    folders["b"] = {"waiting": 9, "healthy": False}
    assert value("hotfolder_loop_beat_age_seconds", {"loop": "intake"}) == 7
    assert value("hotfolder_watched_files", {"folder": "b"}) == 9
    assert value("hotfolder_folder_up", {"folder": "b"}) == 0


def test_two_daemons_in_one_process_do_not_meet() -> None:
    first, second = Metrics(), Metrics()
    first.observe("spool.stored", {"spool": "x", "bytes": 5})
    assert first.registry.get_sample_value("hotfolder_stored_bytes_total") == 5
    assert second.registry.get_sample_value("hotfolder_stored_bytes_total") == 0


def test_metrics_are_served_on_loopback_only() -> None:
    metrics = Metrics()
    port = metrics.serve(0)
    try:
        assert metrics._server is not None
        assert metrics._server.server_address[0] == "127.0.0.1"
    finally:
        metrics.close()
    with pytest.raises(ConnectionRefusedError), socket.socket() as client:
        client.connect(("127.0.0.1", port))


def test_a_taken_port_is_the_operators_fault() -> None:
    metrics = Metrics()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OperatorFault, match="another port"):
            metrics.serve(taken.getsockname()[1])
    metrics.close()
