"""The command ``compare``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from hotfolder.service.options import CONFIG, JSON, Command


@click.command(
    "compare", cls=Command, epilog="hotfolder compare hf-2279173966e3… again.pdf --out comparison"
)
@CONFIG
@JSON
@click.argument("first")
@click.argument("second")
@click.option("--files", is_flag=True, help="Both are files; no archive is asked.")
@click.option("--out", help="A new folder for the report and its pictures.")
@click.option("--reason", default="", help="Why; kept in the audit chain.")
@click.option(
    "--dpi", default=100, show_default=True, type=click.IntRange(36, 600), help="Of the pictures."
)
@click.option(
    "--tolerance",
    default=8,
    show_default=True,
    type=click.IntRange(0, 255),
    help="How far a colour (0 to 255) may be off: antialiasing.",
)
@click.option(
    "--shift",
    default=0,
    show_default=True,
    type=click.IntRange(0, 3),
    help="By how many pixels something may have moved.",
)
@click.option(
    "--ignore-region",
    "regions",
    multiple=True,
    metavar="PAGE:X,Y,W,H",
    help="Not to be looked at, in points from the upper left; page * is every page.",
)
@click.option(
    "--ignore-text",
    "texts",
    multiple=True,
    metavar="REGEX",
    help="Text within a line that may differ, such as a print date.",
)
@click.option(
    "--code-page", default="500", show_default=True, help="Of AFP text that does not say."
)
@click.option(
    "--pictures",
    default=100,
    show_default=True,
    type=click.IntRange(0, 1000),
    help="Of so many pages at most.",
)
@click.option(
    "--max-pages", default=10_000, show_default=True, type=click.IntRange(1, 1_000_000),
    help="A longer document is refused.",
)  # fmt: skip
@click.option(
    "--page-seconds", default=30.0, show_default=True, type=click.FloatRange(0.1, 3600),
    help="How long reading a page may take.",
)  # fmt: skip
def compare(
    config_path: str, as_json: bool, first: str, second: str, regions: Sequence[str], **options: Any
) -> int:
    """An archived document and a re-rendered copy: what differs, and where.

    FIRST is a document's identity (hf-…), SECOND a file; with --files both are files.
    The archived document's fixity is checked first, and taking it out is on the audit
    chain. PDF is compared page by page in text and picture, AFP in fields, text and
    tags, everything else byte by byte.

    Exit codes: 0 identical or equal in content (it says which), 1 they differ, 65 the copy
    cannot be read, 66 not found, 74 the archived bytes are damaged.
    """
    from hotfolder.comparing.findings import Rules  # noqa: PLC0415  see cli.py
    from hotfolder.service import comparing  # noqa: PLC0415

    texts: tuple[str, ...] = tuple(options.pop("texts"))
    wrong = comparing.check_patterns(texts)
    if wrong is not None:
        raise click.UsageError(
            f"--ignore-text {wrong!r} is no regular expression, or matches everything"
        )
    try:
        ignored = tuple(comparing.read_region(text) for text in regions)
    except ValueError as error:
        raise click.UsageError(
            f"--ignore-region {error} is no region: write it like 1:400,30,150,20"
        ) from error
    rules = Rules(
        dpi=options.pop("dpi"),
        tolerance=options.pop("tolerance"),
        shift=options.pop("shift"),
        ignored_regions=ignored,
        ignored_texts=texts,
        code_page=options.pop("code_page"),
        most_pages=options.pop("max_pages"),
        page_seconds=options.pop("page_seconds"),
    )
    return comparing.compare_documents(
        config_path, first, second, rules=rules, as_json=as_json, **options
    )
