"""``hotfolder run``: from the command line to a supervised daemon and back."""

from __future__ import annotations

import os
from collections.abc import Callable

from hotfolder.core.errors import OperatorFault
from hotfolder.flows.governing import adopt_governance
from hotfolder.journal.daemonlock import acquire_daemon_lock
from hotfolder.service.background import run_in_background
from hotfolder.service.composition import assemble
from hotfolder.service.heartbeat import Beats
from hotfolder.service.logs import configure_logs, make_emit
from hotfolder.service.metrics import Metrics
from hotfolder.service.notification import Notifier
from hotfolder.service.settings import Configuration, load
from hotfolder.service.supervisor import Supervisor


def run_daemon(
    config_path: str,
    *,
    as_json: bool,
    until_idle: bool,
    background: bool,
    pid_file: str | None,
    log_file: str | None,
) -> int:
    """Run the daemon; returns its exit code.

    In the background the process is detached before any thread, socket or database
    exists, because none of them survives a fork.
    """
    configuration = load(config_path)
    if not configuration.folders:
        raise OperatorFault(
            "no hot folder is configured",
            hint="add a [folders.…] table",
            code="folder.none",
        )
    config_path = os.path.abspath(config_path)

    def run() -> int:
        return _run(
            configuration,
            lambda: load(config_path),
            log_format="json" if as_json or background else configuration.log_format,
            until_idle=until_idle,
        )

    if not background:
        return run()
    home = os.path.dirname(configuration.journal_path)
    return run_in_background(
        pid_file or os.path.join(home, "hotfolder.pid"),
        log_file or os.path.join(home, "hotfolder.log"),
        run,
    )


def _run(
    configuration: Configuration,
    reload: Callable[[], Configuration],
    *,
    log_format: str,
    until_idle: bool,
) -> int:
    configure_logs(log_format, configuration.log_level)
    lock = acquire_daemon_lock(os.fsencode(configuration.journal_path))
    try:
        metrics = Metrics()
        works = assemble(configuration, make_emit(metrics))
        try:
            if configuration.metrics_port:
                metrics.serve(configuration.metrics_port)
            beats = Beats(works.clock)
            metrics.watch_beats(beats.ages)
            # Before anything is taken: what comes in is to have the dates of a schedule
            # that is adopted.
            works.retaining.adopt()
            adopt_governance(works.journal, configuration.rules.governance, works.clock)
            supervisor = Supervisor(
                configuration=configuration,
                works=works,
                reload=reload,
                notifier=Notifier(os.environ),
                beats=beats,
                metrics=metrics,
            )
            return supervisor.run(until_idle=until_idle)
        finally:
            metrics.close()
            works.close()
    finally:
        lock.release()
