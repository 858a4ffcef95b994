"""What the commands have in common: their options, and the shape of their help."""

from __future__ import annotations

import os

import click

from hotfolder.service.settings import DEFAULT_PATH

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
