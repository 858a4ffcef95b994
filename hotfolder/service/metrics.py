"""Prometheus metrics, on loopback, in a registry of their own.

Counters follow the events that the flows emit (``observe``) and what the watchers
count (``watch_folders``); gauges follow the journal (``show_status``) and the beats of
the loops (``watch_beats``). Labels are names from the configuration and codes of our
own, never text from outside.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from hotfolder.core.errors import OperatorFault
from hotfolder.core.lifecycle import SpoolState, UnitState
from hotfolder.core.records import JournalStatus

LOOPBACK = "127.0.0.1"
_UNIT_DOCUMENTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_UNIT_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 900)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    """A counter that follows an event: by how much, and under which label.

    ``amount`` and ``label`` are fields of the event; without ``amount`` it counts one.
    """

    event: str
    name: str
    text: str
    amount: str = ""
    label: str = ""


_COUNTS = (
    _Count(event="spool.claimed", name="claimed_spools", text="Spools moved into _working",
           amount="count", label="folder"),
    _Count(event="spool.claimed", name="claimed_bytes", text="Bytes of claimed spools",
           amount="bytes", label="folder"),
    _Count(event="spool.stored", name="stored_spools", text="Spools in the store, compared"),
    _Count(event="spool.stored", name="stored_bytes", text="Bytes in the store, compared",
           amount="bytes"),
    _Count(event="spool.duplicate", name="duplicate_spools", text="Spools archived before"),
    _Count(event="spool.new_version", name="new_versions", text="Documents that supersede another",
           amount="documents"),
    _Count(event="spool.rejected", name="rejected_spools", text="Rejected spools, by first fault",
           label="reason"),
    _Count(event="spool.held", name="held_spools", text="Spools that were held", label="reason"),
    _Count(event="spool.corrupt", name="corrupt_spools",
           text="Spools whose bytes or record changed", label="reason"),
    _Count(event="spool.done", name="done_spools", text="Spools that got their receipt",
           amount="count", label="folder"),
    _Count(event="unit.confirmed", name="confirmed_documents",
           text="Documents that ArchivesSpace confirmed", amount="documents"),
    _Count(event="unit.documents_adopted", name="adopted_documents",
           text="Documents that were on the server already", amount="documents"),
    _Count(event="unit.deferred", name="deferred_units", text="Attempts without a usable answer"),
    _Count(event="unit.halved", name="halved_units", text="Units refused as a whole"),
    _Count(event="server.lost", name="archivesspace_outages", text="Times the server was lost"),
    _Count(event="loop.failed", name="loop_failures", text="Unknown faults in a loop",
           label="loop"),
)  # fmt: skip

# What FolderWatcher.describe() counts since its start, and what it says of now.
_WATCH_COUNTERS = {
    "events": ("watch_events", "Events of inotify"),
    "overflows": ("watch_overflows", "Times inotify lost events; each led to a full scan"),
    "scans": ("rescans", "Full looks at the folder"),
    "drops": ("settled_drops", "Drops found finished"),
    "losses": ("folder_losses", "Times the folder was gone"),
    "rewatched": ("watch_starts", "Times the inotify watch was set"),
}
_WATCH_GAUGES = {
    "waiting": ("watched_files", "Files seen and not yet finished or claimed"),
    "irregular": ("irregular_files", "Links, fifos and devices met, never opened"),
    "healthy": ("folder_up", "1 if the folder is there and its events flow"),
}


class Metrics:
    """All metrics of one daemon. Safe to use from any thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._server: WSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._counts: dict[str, list[tuple[_Count, Counter]]] = {}
        for count in _COUNTS:
            labels = [count.label] if count.label else []
            made = Counter(f"hotfolder_{count.name}", count.text, labels, registry=self.registry)
            self._counts.setdefault(count.event, []).append((count, made))
        self._events = Counter(
            "hotfolder_events", "Events of the log, by name", ["event"], registry=self.registry
        )
        self._unit_documents = Histogram(
            "hotfolder_unit_documents",
            "Documents in a confirmed unit",
            buckets=_UNIT_DOCUMENTS,
            registry=self.registry,
        )
        self._unit_seconds = Histogram(
            "hotfolder_unit_seconds",
            "Seconds from sending a unit to its confirmation",
            buckets=_UNIT_SECONDS,
            registry=self.registry,
        )
        gauge = self._gauge
        self._spools = gauge("spools", "Spools in the journal, by state", "state")
        self._units = gauge("units", "Units in the journal, by state", "state")
        self._documents = gauge("documents", "Documents in the journal")
        self._documents_confirmed = gauge(
            "documents_confirmed", "Documents in the journal that ArchivesSpace has"
        )
        self._backlog = gauge("backlog_documents", "Documents not yet confirmed")
        self._backlog_age = gauge(
            "backlog_age_seconds", "Age of the oldest stored document not yet confirmed"
        )
        self._waiting = gauge("deferred", "Spools and units that wait for another attempt")
        self._rejected = gauge(
            "rejected_by_reason", "Rejected spools in the journal, by first fault", "reason"
        )
        self._fixity_finished = gauge(
            "fixity_round_timestamp", "When the last round of the scrub finished; 0 before it"
        )
        self._fixity_oldest = gauge(
            "fixity_oldest_timestamp", "When the spool was verified that waits longest; 0 if none"
        )
        self._fixity_damaged = gauge(
            "fixity_damaged_spools", "Spools that were not whole when they were last verified"
        )
        self._changes = gauge(
            "changes", "Changes of archived documents that ArchivesSpace has not, by state", "state"
        )
        self._server_up = gauge("archivesspace_up", "1 if ArchivesSpace answered last time")

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"hotfolder_{name}", text, labels, registry=self.registry)

    # -- what happened --------------------------------------------------------------
    def observe(self, event: str, fields: Mapping[str, object]) -> None:
        """Count an event of ``events.EVENTS``; a field that is missing counts as nothing."""
        self._events.labels(event).inc()
        for count, counter in self._counts.get(event, ()):
            amount = _number(fields.get(count.amount)) if count.amount else 1.0
            if count.label:
                counter.labels(str(fields.get(count.label, ""))).inc(amount)
            else:
                counter.inc(amount)
        if event == "unit.confirmed":
            self._unit_documents.observe(_number(fields.get("documents")))
            if fields.get("seconds") is not None:  # None: found on the server, not sent
                self._unit_seconds.observe(_number(fields.get("seconds")))

    # -- how it stands ----------------------------------------------------------------
    def show_status(self, status: JournalStatus, *, server_up: bool, now: float) -> None:
        """Set the gauges to what the journal counts; every state is shown, also with 0."""
        for spool_state in SpoolState:
            self._spools.labels(spool_state.value).set(status.spools.get(spool_state, 0))
        for unit_state in UnitState:
            self._units.labels(unit_state.value).set(status.units.get(unit_state, 0))
        self._documents.set(status.documents)
        self._documents_confirmed.set(status.documents_confirmed)
        self._backlog.set(status.documents - status.documents_confirmed)
        oldest = status.oldest_waiting_at
        self._backlog_age.set(0 if oldest is None else max(0.0, now - oldest))
        self._waiting.set(status.deferred)
        for reason, count in status.rejected_by_reason.items():
            self._rejected.labels(reason).set(count)
        self._server_up.set(server_up)

    def show_fixity(
        self, *, finished_at: float | None, oldest_at: float | None, damaged: int
    ) -> None:
        """Set the gauges of the scrub, which is another process, to what it journalled."""
        self._fixity_finished.set(finished_at or 0)
        self._fixity_oldest.set(oldest_at or 0)
        self._fixity_damaged.set(damaged)

    def show_changes(self, waiting: int, aside: int) -> None:
        """Set the gauge of what ArchivesSpace is to be told, and of what it will not be."""
        self._changes.labels("waiting").set(waiting)
        self._changes.labels("aside").set(aside)

    def watch_beats(self, ages: Callable[[], Mapping[str, float]]) -> None:
        """Show the age of each loop's last beat, asked for at every scrape."""
        self.registry.register(_Beats(ages))

    def watch_folders(
        self, describe: Callable[[], Mapping[str, Mapping[str, float | bool]]]
    ) -> None:
        """Show what ``FolderWatcher.describe`` says of each hot folder, by its name,
        asked for at every scrape. A folder that is watched anew counts from 0 again."""
        self.registry.register(_Folders(describe))

    # -- serving ------------------------------------------------------------------------
    def serve(self, port: int) -> int:
        """Serve ``/metrics`` on loopback; returns the port (a free one for 0).

        Raises ``OperatorFault`` if the port is taken.
        """
        try:
            self._server, self._thread = start_http_server(port, LOOPBACK, self.registry)
        except OSError as error:
            raise OperatorFault(
                f"the metrics cannot be served on port {port}: {error.strerror}",
                hint="give [metrics] another port, or 0 to turn them off",
                code="metrics.port",
            ) from error
        return int(self._server.server_port)

    def close(self) -> None:
        """Stop serving; the port is free when it returns."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = self._thread = None


class _Beats(Collector):
    def __init__(self, ages: Callable[[], Mapping[str, float]]) -> None:
        self._ages = ages

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "hotfolder_loop_beat_age_seconds", "Seconds since a loop last beat", labels=["loop"]
        )
        for name, age in self._ages().items():
            family.add_metric([name], age)
        yield family


class _Folders(Collector):
    def __init__(self, describe: Callable[[], Mapping[str, Mapping[str, float | bool]]]) -> None:
        self._describe = describe

    def describe(self) -> Iterator[Metric]:
        """The names, without asking the watchers."""
        return self._families({})

    def collect(self) -> Iterator[Metric]:
        return self._families(self._describe())

    def _families(self, found: Mapping[str, Mapping[str, float | bool]]) -> Iterator[Metric]:
        for key, (name, text) in _WATCH_COUNTERS.items():
            counter = CounterMetricFamily(f"hotfolder_{name}", text, labels=["folder"])
            for folder, values in found.items():
                counter.add_metric([folder], float(values.get(key, 0)))
            yield counter
        for key, (name, text) in _WATCH_GAUGES.items():
            gauge = GaugeMetricFamily(f"hotfolder_{name}", text, labels=["folder"])
            for folder, values in found.items():
                gauge.add_metric([folder], float(values.get(key, 0)))
            yield gauge


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
