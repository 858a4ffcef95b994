"""``hotfolder retrieve`` at the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from hotfolder.service.options import CONFIG, FILTERS, JSON, Command, filters

_EXAMPLE = """\
hotfolder retrieve hf-2279173966e3 --output letter.pdf
hotfolder retrieve --case claim:CLAIM-2026-20011 --out claim --reason 'complaint 4711'"""


@click.command(cls=Command, epilog=_EXAMPLE)
@CONFIG
@JSON
@click.argument("names", nargs=-1, metavar="[ID]...")
@filters
@click.option(
    "--as",
    "form",
    type=click.Choice(["exact", "alone", "spool"]),
    help="Exact bytes (the default), made to stand alone, or the whole spool.",
)
@click.option("--output", "-o", help="Where one document goes; - is standard output.")
@click.option("--out", help="The folder for any number; made if it is not there.")
@click.option("--reason", default="", help="Why; kept on the audit chain.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option(
    "--limit",
    default=1000,
    show_default=True,
    type=click.IntRange(1),
    help="No more documents than this; more are refused, not cut off.",
)
def retrieve(config_path: str, as_json: bool, names: Sequence[str], **options: Any) -> int:
    """Documents back, after their fixity was checked.

    ID is a document's identity (hf-…, or its beginning), a spool's id, a unit's ref_id,
    or the uri or an address of a record in ArchivesSpace. One document goes to a file;
    any number into a folder, each with its metadata beside it. What is in the folder
    already, whole, is left: an interrupted command is simply given again.

    A document inside a larger spool is given back as the exact bytes that were sent.
    Alone, an AFP document gets the spool's resources around it so that it prints, and
    pages of a PDF become a PDF of their own; both are derived, and said to be.
    """
    from hotfolder.service import retrieving  # noqa: PLC0415  flows and their libraries

    chosen = {name: options.pop(name) for name in FILTERS}
    return retrieving.retrieve_documents(
        config_path, names, as_json=as_json, filters=chosen, **options
    )
