"""The command line. Each command has ``--json``, an example in its help and an
exit code from sysexits.h; the work is done by the modules that it calls.

What only some commands need is imported by them: the flows and their libraries take
most of the start of a Python, and whoever looks at a status needs none of them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from hotfolder import __version__
from hotfolder.core.errors import EX_OK, EX_SOFTWARE, EX_TEMPFAIL, EX_USAGE, HotfolderError
from hotfolder.service import inspecting
from hotfolder.service.commands_audit import audit
from hotfolder.service.commands_case import case
from hotfolder.service.commands_compare import compare
from hotfolder.service.commands_disposal import disposal
from hotfolder.service.commands_evidence import evidence
from hotfolder.service.commands_feed import feed
from hotfolder.service.commands_fill import fill
from hotfolder.service.commands_governance import governance
from hotfolder.service.commands_holds import holds
from hotfolder.service.commands_keys import keys
from hotfolder.service.commands_migrate import migrate
from hotfolder.service.commands_pseudonym import pseudonym
from hotfolder.service.commands_report import report
from hotfolder.service.commands_requests import requests
from hotfolder.service.commands_retention import retention
from hotfolder.service.commands_retrieve import retrieve
from hotfolder.service.commands_return import orders, return_document
from hotfolder.service.commands_setup import setup
from hotfolder.service.commands_templates import templates
from hotfolder.service.commands_verify import verify
from hotfolder.service.options import CONFIG, JSON, Command, filters
from hotfolder.service.settings import DEFAULT_PATH
from hotfolder.service.terminal import (
    drop_output,
    open_missing_streams,
    output_fails,
    show_error,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hotfolder")
def group() -> None:
    """From OpenText Exstream's output folders into ArchivesSpace, exactly once.

    Exit codes: 0 done, 64 usage, 65 bad input, 66 not found, 69 it was destroyed, 70 a
    fault of hotfolder, 74 damaged data, 75 try again later, 77 you may not,
    78 configuration.
    """


@group.command(cls=Command, epilog="hotfolder run --config /etc/hotfolder/hotfolder.toml")
@CONFIG
@JSON
@click.option(
    "--until-idle",
    is_flag=True,
    help="Stop when nothing is left to do (75 if something waits for the server).",
)
@click.option("--background", is_flag=True, help="Detach, for hosts without systemd.")
@click.option("--pid-file", type=click.Path(), help="With --background: where the process id goes.")
@click.option("--log-file", type=click.Path(), help="With --background: where the log goes.")
def run(**options: Any) -> int:
    """Watch the hot folders and deliver, until told to stop.

    SIGTERM finishes the step in hand and exits 0. SIGHUP reads the configuration
    again and restarts the hot folders that changed.
    """
    from hotfolder.service.running import run_daemon  # noqa: PLC0415  only `run` needs watchers

    return run_daemon(**options)


@group.command(cls=Command, epilog="hotfolder init /etc/hotfolder/hotfolder.toml")
@click.argument("path", default=DEFAULT_PATH)
@JSON
@click.option("--force", is_flag=True, help="Overwrite a configuration that is there.")
def init(path: str, as_json: bool, force: bool) -> int:
    """Write a commented starting configuration to PATH."""
    from hotfolder.service import steering  # noqa: PLC0415  see the top

    return steering.write_configuration(Path(path), force=force, as_json=as_json)


@group.command(cls=Command, epilog="hotfolder check --json")
@CONFIG
@JSON
@click.option("--offline", is_flag=True, help="Do not ask ArchivesSpace.")
def check(config_path: str, as_json: bool, offline: bool) -> int:
    """Try every part for real and say what is wrong and how to mend it.

    A rename from each hot folder into its working folder, free space, ownership,
    journal, store, login, permissions, repositories, list values.
    """
    from hotfolder.service.checking import check_everything  # noqa: PLC0415

    return check_everything(config_path, as_json=as_json, offline=offline)


@group.command(cls=Command, epilog="hotfolder status")
@CONFIG
@JSON
def status(config_path: str, as_json: bool) -> int:
    """How much is where, what waits, and whether the server answers."""
    return inspecting.show_status(config_path, as_json=as_json)


@group.command("list", cls=Command, epilog="hotfolder list --state REJECTED --folder statements")
@CONFIG
@JSON
@click.option("--state", "states", multiple=True, help="Only spools in this state (repeatable).")
@click.option("--folder", help="Only spools from this hot folder.")
@click.option("--limit", default=50, show_default=True, help="How many.")
@click.option("--after", help="Go on after the spool with this id.")
@click.option("--oldest-first", is_flag=True, help="Oldest first.")
def list_spools(config_path: str, as_json: bool, **filters: Any) -> int:
    """Spools, newest first."""
    return inspecting.list_spools(config_path, as_json=as_json, **filters)


@group.command(cls=Command, epilog="hotfolder show 0193f2a4b6c1")
@CONFIG
@JSON
@click.argument("subject")
def show(config_path: str, as_json: bool, subject: str) -> int:
    """One spool, document or unit, with its history told as a story.

    SUBJECT is a spool's id, a document's identity (hf-…), or the beginning of one; a
    unit's ref_id (hf-unit-…); or the uri or an address of a record in ArchivesSpace.
    """
    return inspecting.show_subject(config_path, subject, as_json=as_json)


@group.command(cls=Command, epilog="hotfolder find --customer C0100002 --from 2026-01-01")
@CONFIG
@JSON
@filters
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--after", help="Go on after the document with this identity.")
@click.option("--count", is_flag=True, help="Say how many there are, and nothing else.")
def find(config_path: str, as_json: bool, **options: Any) -> int:
    """Documents, newest first; all filters that are given must hold."""
    from hotfolder.service import finding  # noqa: PLC0415  see the top

    return finding.find(config_path, as_json=as_json, **options)


@group.command(cls=Command, epilog="hotfolder retry 0193f2a4b6c1")
@CONFIG
@JSON
@click.argument("subjects", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Everything that waits.")
def retry(config_path: str, as_json: bool, subjects: Sequence[str], everything: bool) -> int:
    """Try spools or units again now instead of at their time."""
    from hotfolder.service import steering  # noqa: PLC0415  see the top

    return steering.retry(config_path, subjects, everything=everything, as_json=as_json)


@group.command(cls=Command, epilog="hotfolder hold 0193f2a4b6c1 --reason 'wrong template'")
@CONFIG
@JSON
@click.argument("spool")
@click.option("--reason", required=True, help="Why; kept in the history.")
def hold(config_path: str, as_json: bool, spool: str, reason: str) -> int:
    """Stop a spool where it is until it is released."""
    from hotfolder.service import steering  # noqa: PLC0415  see the top

    return steering.hold(config_path, spool, reason, as_json=as_json)


@group.command(cls=Command, epilog="hotfolder release 0193f2a4b6c1 --reason 'template confirmed'")
@CONFIG
@JSON
@click.argument("spool")
@click.option("--reason", required=True, help="Why; kept in the history.")
def release(config_path: str, as_json: bool, spool: str, reason: str) -> int:
    """Let a held (or mended corrupt) spool go on."""
    from hotfolder.service import steering  # noqa: PLC0415  see the top

    return steering.release(config_path, spool, reason, as_json=as_json)


@group.command(
    cls=Command, epilog="hotfolder discard 0193f2a4b6c1 --reason 'disk failed; sent again'"
)
@CONFIG
@JSON
@click.argument("spool")
@click.option("--reason", required=True, help="Why; kept on the audit chain.")
def discard(config_path: str, as_json: bool, spool: str, reason: str) -> int:
    """End a corrupt spool whose documents are archived whole with another."""
    from hotfolder.service import verifying  # noqa: PLC0415  see the top

    return verifying.discard_spool(config_path, spool, reason, as_json=as_json)


@group.command(cls=Command, epilog="hotfolder replay --since 2026-11-22 --verify")
@CONFIG
@JSON
@click.option("--since", help="Only units confirmed on or after this day or time (ISO 8601).")
@click.option("--folder", help="Only units with spools from this hot folder.")
@click.option("--verify", is_flag=True, help="Compare every document's checksum too.")
def replay(
    config_path: str, as_json: bool, since: str | None, folder: str | None, verify: bool
) -> int:
    """Compare confirmed units with ArchivesSpace and send again what it lost.

    For a server restored from a backup. Doubles nothing; may be interrupted and run
    again. While a daemon runs, the daemon does the sending. With --since and without
    --folder the daemon also tells ArchivesSpace again what it was told since then:
    dates, holds, destructions, events.
    """
    from hotfolder.service import steering  # noqa: PLC0415  see the top

    return steering.replay(config_path, since=since, folder=folder, verify=verify, as_json=as_json)


@group.command(cls=Command, epilog="hotfolder rebuild")
@CONFIG
@JSON
def rebuild(config_path: str, as_json: bool) -> int:
    """Make a new journal from the store and ArchivesSpace, after it was lost.

    The daemon must not be running. Move a damaged journal away first.
    """
    from hotfolder.service import steering  # noqa: PLC0415  see the top

    return steering.rebuild(config_path, as_json=as_json)


@group.command(cls=Command, epilog="hotfolder sandbox --port 8089 --state /tmp/sandbox.db")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8089, show_default=True)
@click.option("--state", "state_path", type=click.Path(), help="Keep the state in this file.")
@click.option("--control", is_flag=True, help="Serve the fault switches under /__sandbox/.")
def sandbox(host: str, port: int, state_path: str | None, control: bool) -> int:
    """A stand-in for ArchivesSpace, for trying out and for tests. Not an archive."""
    from hotfolder.sandbox.sandbox import run as run_sandbox  # noqa: PLC0415  a web server for this alone

    run_sandbox(host, port, state_path, control=control)
    return EX_OK


@group.command(cls=Command, epilog="hotfolder demo --keep demo")
@JSON
@click.option(
    "--keep",
    "place",
    default="demo",
    show_default=True,
    type=click.Path(),
    help="The folder it works in.",
)
@click.option("--seed", default=7, show_default=True, help="Another seed, other customers.")
@click.option("--scale", default=1.0, show_default=True, help="More or fewer documents.")
def demo(as_json: bool, place: str, seed: int, scale: float) -> int:
    """Run the main job on an embedded default, with an outage in the middle."""
    from hotfolder.service.demonstration import run_demo  # noqa: PLC0415

    return run_demo(Path(place), seed=seed, scale=scale, as_json=as_json)


@group.command(
    "demo-migration", cls=Command, epilog="hotfolder demo-migration --keep demo-migration"
)
@JSON
@click.option(
    "--keep",
    "place",
    default="demo-migration",
    show_default=True,
    type=click.Path(),
    help="The folder it works in.",
)
@click.option("--seed", default=7, show_default=True, help="Another seed, other customers.")
@click.option("--scale", default=1.0, show_default=True, help="More or fewer documents.")
def demo_migration(as_json: bool, place: str, seed: int, scale: float) -> int:
    """Move an old archive of several thousand documents in, beside a running daemon."""
    from hotfolder.service.demomigration import run_demo  # noqa: PLC0415  see the top

    return run_demo(Path(place), seed=seed, scale=scale, as_json=as_json)


group.add_command(compare)
group.add_command(audit)
group.add_command(case)
group.add_command(fill)
group.add_command(retrieve)
group.add_command(evidence)
group.add_command(return_document)
group.add_command(orders)
group.add_command(report)
group.add_command(requests)
group.add_command(verify)
group.add_command(retention)
group.add_command(feed)
group.add_command(holds)
group.add_command(governance)
group.add_command(pseudonym)
group.add_command(setup)
group.add_command(keys)
group.add_command(templates)
group.add_command(disposal)
group.add_command(migrate)


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point: errors become words and exit codes."""
    open_missing_streams()
    as_json = "--json" in (sys.argv[1:] if arguments is None else arguments)
    try:
        code = group.main(arguments, prog_name="hotfolder", standalone_mode=False)
    except HotfolderError as error:
        show_error(error, as_json=as_json)
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        click.echo("interrupted; what was done is journalled", err=True)
        sys.exit(EX_TEMPFAIL)
    except click.ClickException as error:
        error.show()
        sys.exit(EX_USAGE)
    except UnicodeEncodeError:
        # A file may be called so; no customer, policy or reason is.
        given = sys.argv[1:] if arguments is None else arguments
        if all(map(_is_utf8, given)):
            raise
        click.echo("an argument is not UTF-8", err=True)
        sys.exit(EX_USAGE)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing is wrong here.
        drop_output()
        sys.exit(EX_OK)
    except OSError as error:
        if not output_fails():
            raise
        drop_output()
        click.echo(f"hotfolder: standard output cannot be written: {error.strerror}", err=True)
        sys.exit(EX_TEMPFAIL)
    sys.exit(code if isinstance(code, int) else EX_SOFTWARE if code else EX_OK)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
