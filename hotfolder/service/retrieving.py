"""``hotfolder retrieve``: one document back, out of the spool that holds it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import click

from hotfolder.core.errors import EX_NOINPUT, EX_OK, EX_USAGE
from hotfolder.files.content import write_all
from hotfolder.flows.retrieve import Form, Retrieved, retrieve
from hotfolder.service.composition import SystemClock
from hotfolder.service.inspecting import opened
from hotfolder.service.story import readable
from hotfolder.service.terminal import print_json
from hotfolder.store.ocfl import OcflStore

_STDOUT = "-"


def retrieve_document(
    config_path: str,
    identity: str,
    *,
    as_json: bool,
    form: str | None,
    output: str | None,
    force: bool,
) -> int:
    """Write the document to a file (or standard output), whole or not at all."""
    if output == _STDOUT and as_json:
        click.echo("--json needs standard output for itself: name a file", err=True)
        return EX_USAGE
    with opened(config_path) as (configuration, journal):
        store = OcflStore(os.fsencode(configuration.store_path), clock=SystemClock())
        wanted = None if form is None else Form(form)
        try:
            with retrieve(journal, store, identity, wanted) as found:
                path = output or _suggest(found)
                if path == _STDOUT:
                    for piece in found.pieces:
                        sys.stdout.buffer.write(piece)
                    sys.stdout.buffer.flush()
                    return EX_OK
                if os.path.lexists(path) and not force:
                    click.echo(f"{path} is there already; --force replaces it", err=True)
                    return EX_USAGE
                count = _Counted(found.pieces)
                write_all([(os.path.abspath(os.fsencode(path)), count)])
        except KeyError:
            click.echo(
                f"no document is called {identity!r}; `hotfolder find` shows what there is",
                err=True,
            )
            return EX_NOINPUT
    _tell(found, path, count.bytes, as_json=as_json)
    return EX_OK


class _Counted:
    """Pieces, counted while they go by."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.bytes += len(piece)
            yield piece


def _suggest(found: Retrieved) -> str:
    """A name in the current folder: of the spool, or made of the document's identity."""
    name = readable(os.path.basename(found.row.spool_name))
    if found.form is Form.SPOOL:
        return name.replace("\\", "_")
    suffix = os.path.splitext(name)[1]
    return found.row.document.identity[:19] + (suffix if suffix.isascii() else "")


def _tell(found: Retrieved, path: str, size: int, *, as_json: bool) -> None:
    row, place = found.row, found.row.document.range
    data: dict[str, Any] = {
        "identity": row.document.identity,
        "file": path,
        "form": str(found.form),
        "derived": found.derived,
        "bytes": size,
        "sha256": None if found.derived else _digest(found),
        "spool": row.spool_id,
        "spool_sha256": row.spool_sha256,
        "offset": None if place.by_pages else place.offset,
        "length": None if place.by_pages else place.length,
        "first_page": place.first_page,
        "pages": place.pages,
    }
    if as_json:
        print_json(data)
        return
    click.echo(f"{path}: {size:,} bytes")
    if found.derived:
        click.echo(
            f"  derived by hotfolder from spool {row.spool_id}, whose SHA-256 was checked:"
            f" {row.spool_sha256}"
        )
    else:
        click.echo(f"  as it was sent; SHA-256 checked: {_digest(found)}")


def _digest(found: Retrieved) -> str:
    if found.form is Form.SPOOL:
        return found.row.spool_sha256
    return found.row.document.range.sha256
