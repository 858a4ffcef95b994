"""What the commands have in common: their options, and the shape of their help."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from hotfolder.service.settings import DEFAULT_PATH

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

CONFIG = click.option(
    "--config",
    "-c",
    "config_path",
    default=lambda: os.environ.get("HOTFOLDER_CONFIG", DEFAULT_PATH),
    show_default=DEFAULT_PATH,
    help="The configuration file (or HOTFOLDER_CONFIG).",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, one value.")


class Command(click.Command):
    """A command whose help keeps the shape of its example."""

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.epilog:
            formatter.write_paragraph()
            formatter.write("Example:\n")
            for line in self.epilog.splitlines():
                formatter.write(f"  {line}\n")


_FILTERS = (
    click.option("--customer", help="The customer's id, exactly."),
    click.option("--account", help="The account number, exactly."),
    click.option("--type", "document_type", help="The document type."),
    click.option("--from", "issued_from", help="Issued on this day or later (2026-06-30)."),
    click.option("--to", "issued_to", help="Issued on this day or earlier."),
    click.option(
        "--case",
        help="A reference of any kind, exactly; case:X, claim:X, dispute:X, change:X of one.",
    ),
    click.option("--text", help="Words that are all in the title."),
    click.option("--spool", help="Only within this spool."),
    click.option("--unit", "units", multiple=True, help="Of this business unit (repeatable)."),
    click.option("--template", help="Made with the template of this name, exactly."),
    click.option("--template-version", help="And with this version of it."),
)
FILTERS = ("customer", "account", "document_type", "issued_from", "issued_to", "case", "text",
           "spool", "template", "template_version", "units")  # fmt: skip


def filters(command: Decorated) -> Decorated:
    """The options that say which documents are meant; their names are ``FILTERS``."""
    for option in reversed(_FILTERS):
        command = option(command)
    return command
