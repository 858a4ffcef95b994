"""``hotfolder evidence``: what was sent, provable without hotfolder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from hotfolder.core.errors import EX_NOINPUT, EX_OK, EX_USAGE, HotfolderError
from hotfolder.core.evidence import EvidenceForm, describe_contents
from hotfolder.service.options import CONFIG, JSON, Command
from hotfolder.service.terminal import print_json

_UNKNOWN = "no document is called so; `hotfolder find` shows what there is"

if TYPE_CHECKING:
    from hotfolder.flows.evidence import Bagged
    from hotfolder.service.evidencing import Maker


@click.command(
    cls=Command,
    epilog="hotfolder evidence hf-2279173966e3… --out evidence.zip\n"
    "hotfolder evidence --case claim:C-77 --out evidence/ --reason 'dispute 4711'",
)
@CONFIG
@JSON
@click.argument("identities", nargs=-1)
@click.option(
    "--case",
    help="For every document with this reference; case:X, claim:X, dispute:X, change:X of a kind.",
)
@click.option("--reason", default="", help="Why; kept on the audit chain.")
@click.option(
    "--out", "-o", "output", required=True, help="The file; for several documents, a folder."
)
@click.option(
    "--with-spool/--without-spool",
    "with_spool",
    default=None,
    help="Put the whole spool in, or a proof in its place (the default where other"
    " customers' documents are in the spool).",
)
@click.option("--offline", is_flag=True, help="Do not ask ArchivesSpace.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
def evidence(config_path: str, as_json: bool, **options: Any) -> int:
    """Evidence of documents: for each a ZIP that proves what was sent.

    In it: the exact document, its metadata, the records as ArchivesSpace holds them now,
    the chain of custody with proofs to a signed tree head, a summary for people
    (summary.html) and a program that checks all of it with nothing but Python (verify.py).
    """
    return make_evidence(config_path, as_json=as_json, **options)


def make_evidence(
    config_path: str,
    *,
    as_json: bool,
    identities: Sequence[str],
    case: str | None,
    reason: str,
    output: str,
    with_spool: bool | None,
    offline: bool,
    force: bool,
) -> int:
    """Make the bags; goes on after one that cannot be made. The code of the first fault."""
    from hotfolder.service.evidencing import opened_maker  # noqa: PLC0415  see cli.py

    if bool(identities) == bool(case):
        click.echo("name documents, or a case with --case", err=True)
        return EX_USAGE
    with opened_maker(config_path, offline=offline) as maker:
        told: list[dict[str, Any]] = []
        failed: list[dict[str, str]] = []
        code = EX_OK
        if case:
            wanted = maker.documents_of(case)
            if not wanted:
                click.echo(f"no document has the reference {case!r}", err=True)
                return EX_NOINPUT
        else:
            wanted, unknown = _named(maker, identities)
            for name in unknown:
                click.echo(f"{name}: {_UNKNOWN}", err=True)
                failed.append({"identity": name, "words": _UNKNOWN})
                code = EX_NOINPUT
        paths = _paths(wanted, output, several=bool(case) or len(identities) > 1)
        for identity, path in paths.items():
            made = _make(maker, identity, path, reason=reason, with_spool=with_spool, force=force)
            if isinstance(made, _Failed):
                click.echo(f"{identity}: {made.words}", err=True)
                failed.append({"identity": identity, "words": made.words})
                code = code or made.code
            else:
                told.append(_tell(made, path, as_json=as_json))
    if as_json:
        print_json({"evidence": told, "failed": failed})
    return code


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failed:
    """Why there is no bag, and the exit code for it."""

    words: str
    code: int


def _named(maker: Maker, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The identities of the documents, each once, and the names that nothing has."""
    from hotfolder.service.naming import UnknownNameError  # noqa: PLC0415  see cli.py

    found: dict[str, None] = {}
    unknown: list[str] = []
    for name in names:
        try:
            found.update(dict.fromkeys(maker.named(name)))
        except UnknownNameError:
            unknown.append(name)
    return list(found), unknown


def _paths(identities: Sequence[str], output: str, *, several: bool) -> dict[str, str]:
    """Where each bag goes; makes the folder for several."""
    if not several and len(identities) == 1 and not os.path.isdir(output):
        return {identities[0]: output}
    os.makedirs(output, mode=0o750, exist_ok=True)
    return {item: os.path.join(output, f"evidence-{item[:19]}.zip") for item in identities}


def _make(
    maker: Maker,
    identity: str,
    path: str,
    *,
    reason: str,
    with_spool: bool | None,
    force: bool,
) -> Bagged | _Failed:
    if os.path.lexists(path) and not force:
        return _Failed(words=f"{path} is there already; --force replaces it", code=EX_USAGE)
    try:
        return maker.make(identity, path, reason=reason, with_spool=with_spool)
    except KeyError:
        return _Failed(words=_UNKNOWN, code=EX_NOINPUT)
    except HotfolderError as error:
        return _Failed(words=str(error), code=error.exit_code)


def _tell(bag: Bagged, path: str, *, as_json: bool) -> dict[str, Any]:
    data = {
        "identity": bag.identity,
        "file": path,
        "bytes": bag.size,
        "sha256": bag.sha256,
        "form": str(bag.form),
        "others_documents": bag.form is EvidenceForm.SPOOL and bag.shared,
        "not_shown": [dict(gap) for gap in bag.gaps],
    }
    if as_json:
        return data
    click.echo(f"{path}: {bag.size:,} bytes, SHA-256 {bag.sha256}")
    click.echo(f"  {describe_contents(bag.form)}")
    for gap in bag.gaps:
        click.echo(f"  Not shown: {gap['words']}")
    click.echo("  To check it: unpack it, then python3 -I verify.py")
    return data
