"""``hotfolder check``: try every part for real, and say how to mend what is wrong."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import click

from hotfolder.core.errors import EX_CONFIG, EX_OK, Fault, HotfolderError, OperatorFault
from hotfolder.core.legacy import MIGRATION
from hotfolder.core.profiles import (
    EventFolder,
    FolderKind,
    FolderProfile,
    RequestFolder,
    ReturnKind,
    ReturnProfile,
)
from hotfolder.files.content import write_new
from hotfolder.files.durability import free_space, sync_directories, sync_files
from hotfolder.files.faults import os_errors
from hotfolder.files.layout import folder_paths, make_folders
from hotfolder.files.ownership import describe_owner
from hotfolder.flows.headfiles import list_heads
from hotfolder.service.composition import Works, assemble
from hotfolder.service.settings import Configuration, load
from hotfolder.service.terminal import print_json

_LOW_WATER = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was tried. ``advice`` marks what can be lived with."""

    subject: str
    said: str
    fault: Fault | None = None
    advice: bool = False


def check_everything(config_path: str, *, as_json: bool, offline: bool) -> int:
    """Run every check; 0 if nothing but advice was found, 78 otherwise."""
    checks = list(_run_checks(config_path, offline=offline))
    bad = [check for check in checks if check.fault is not None and not check.advice]
    if as_json:
        print_json(
            {
                "ok": not bad,
                "checks": [
                    {
                        "subject": check.subject,
                        "said": check.said,
                        "ok": check.fault is None,
                        "advice": check.advice,
                        "code": check.fault.code if check.fault else None,
                        "place": check.fault.place if check.fault else None,
                        "remedy": check.fault.remedy if check.fault else None,
                    }
                    for check in checks
                ],
            }
        )
    else:
        for check in checks:
            mark = "ok    " if check.fault is None else "advice" if check.advice else "FAULT "
            click.echo(f"{mark} {check.subject}: {check.said}")
            if check.fault is not None and check.fault.remedy:
                click.echo(f"         {check.fault.remedy}")
        click.echo("everything works" if not bad else f"{len(bad)} to mend")
    return EX_CONFIG if bad else EX_OK


def _run_checks(config_path: str, *, offline: bool) -> Iterator[Check]:
    try:
        configuration = load(config_path)
    except OperatorFault as error:
        yield from (_wrong(f"configuration {fault.place}".strip(), fault) for fault in error.faults)
        if not error.faults:
            yield _failed("configuration", error)
        return
    yield Check(subject="configuration", said=f"{config_path} has no fault")
    for fault in configuration.advice:
        yield Check(
            subject=f"configuration {fault.place}", said=fault.message, fault=fault, advice=True
        )
    yield from _check_folders(configuration)
    try:
        works = assemble(configuration, _silent)
    except HotfolderError as error:
        yield _failed("journal and store", error)
        return
    try:
        yield from _check_works(works, configuration, offline=offline)
    finally:
        works.close()


def _check_folders(configuration: Configuration) -> Iterator[Check]:
    """Every folder that is shared with others."""
    for profile in configuration.folders:
        yield _try(f"hot folder {profile.name}", partial(_check_folder, profile))
        yield from _advise_owner(profile)
    for ask in configuration.requests:
        yield _try(f"request folder {ask.name}", partial(_check_folder, ask))
    for dropped in configuration.events:
        yield _try(f"event folder {dropped.name}", partial(_check_folder, dropped))
    for back in configuration.returns:
        if back.kind is ReturnKind.FOLDER:
            yield _try(f"return folder {back.name}", partial(_check_return_folder, back))
    if configuration.feed.path:
        yield _try("folder of the feed", partial(_check_exchange, configuration.feed.path, ".tmp"))


def _check_works(works: Works, configuration: Configuration, *, offline: bool) -> Iterator[Check]:
    yield from _several("journal", "opened, sound", works.journal.check())
    yield from _several("store", "written, synced, renamed", works.store.diagnose())
    yield _try("free space for the journal", partial(_check_space, configuration.journal_path))
    for directory in configuration.audit.heads:
        yield _try(f"directory of signed heads {directory}", partial(_check_heads, directory))
    if offline:
        yield Check(subject="ArchivesSpace", said="not asked (--offline)")
        return
    types = configuration.feedback.types
    for finding in works.archive.diagnose(
        requests=configuration.asked.enabled,
        events=types.placed | types.released | types.decisions
        if configuration.feedback.enabled
        else frozenset(),
        made=frozenset(_event_types(configuration)),
    ):
        yield Check(
            subject=f"ArchivesSpace {finding.subject}",
            said=finding.said,
            fault=finding.fault,
            advice=finding.advice,
        )


def _event_types(configuration: Configuration) -> Iterator[str]:
    """Of the events that are recorded because of something in the configuration."""
    if any(folder.kind is FolderKind.TEMPLATES for folder in configuration.folders):
        yield configuration.template_events.approval
        yield configuration.template_events.publication
    if configuration.migrations:
        yield MIGRATION
    if configuration.disposal.event:
        yield configuration.disposal.event


def _check_folder(profile: FolderProfile | RequestFolder | EventFolder) -> str:
    """A file is written in the hot folder, renamed into ``_working`` and removed:
    exactly what a claim needs."""
    root = os.fsencode(profile.path)
    make_folders(root)
    name = b".hotfolder-check-" + secrets.token_hex(6).encode()
    source, target = os.path.join(root, name), os.path.join(folder_paths(root).working, name)
    with os_errors("trying a rename into _working"):
        write_new(source, b"hotfolder was here\n")
        try:
            sync_files([source])
            os.rename(source, target)
            sync_directories([root, folder_paths(root).working])
        finally:
            for path in (source, target):
                if os.path.lexists(path):
                    os.unlink(path)
    return f"a rename into _working works; {free_space(root) >> 20:,} MiB free"


def _check_return_folder(profile: ReturnProfile) -> str:
    """A file is written under a temporary name and renamed to another, which Exstream
    leaves alone too: what a return needs."""
    return _check_exchange(profile.path, profile.temporary_suffix)


def _check_exchange(path: str, temporary_suffix: str) -> str:
    """A file is written under a temporary name and renamed."""
    root = os.fsencode(path)
    suffix = os.fsencode(temporary_suffix)
    name = b".hotfolder-check-" + secrets.token_hex(6).encode()
    source, target = (os.path.join(root, name + part + suffix) for part in (b"-1", b"-2"))
    with os_errors("trying a rename in a folder that others read"):
        write_new(source, b"hotfolder was here\n")
        try:
            sync_files([source])
            os.rename(source, target)
            sync_directories([root])
        finally:
            for left in (source, target):
                if os.path.lexists(left):
                    os.unlink(left)
    return f"a rename works; {free_space(root) >> 20:,} MiB free"


def _check_heads(directory: str) -> str:
    """A file is written there and removed again; on write-once storage it may stay."""
    path = os.path.join(
        os.fsencode(directory), b".hotfolder-check-" + secrets.token_hex(6).encode()
    )
    with os_errors("writing to a directory of signed heads"):
        write_new(path, b"hotfolder was here\n")
        with suppress(PermissionError):
            os.unlink(path)
    return f"written; it has {len(list_heads(directory))} signed heads"


def _advise_owner(profile: FolderProfile) -> Iterator[Check]:
    for complaint, remedy in describe_owner(os.fsencode(profile.path)):
        yield Check(
            subject=f"hot folder {profile.name}",
            said=complaint,
            fault=Fault(code="folder.owner", message=complaint, remedy=remedy),
            # Producers must write there too, so another owner is often meant.
            advice=True,
        )


def _check_space(path: str) -> str:
    free = free_space(os.fsencode(os.path.dirname(path)))
    if free < _LOW_WATER:
        raise OperatorFault(
            f"only {free >> 20:,} MiB are free",
            hint="make room: intake stops when the disk is full",
            code="journal.space",
        )
    return f"{free >> 20:,} MiB"


def _try(subject: str, check: Callable[[], str]) -> Check:
    try:
        return Check(subject=subject, said=check())
    except HotfolderError as error:
        return _failed(subject, error)


def _failed(subject: str, error: HotfolderError) -> Check:
    return _wrong(subject, Fault(code=error.code, message=error.message, remedy=error.hint))


def _wrong(subject: str, fault: Fault) -> Check:
    return Check(subject=subject, said=fault.message, fault=fault)


def _several(subject: str, said: str, faults: list[Fault]) -> Iterator[Check]:
    if not faults:
        yield Check(subject=subject, said=said)
    for fault in faults:
        yield _wrong(subject, fault)


def _silent(_event: str, /, **_fields: object) -> None:
    """What happens during a check is said by its findings."""
