"""Names of receipts: what a producer looks for, and never another spool's."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from hotfolder.core.records import SpoolRow
from hotfolder.flows.receipts import SUFFIX, choose_receipt
from tests.support.journals import make_row


def write(folder: Path, path: bytes, row: SpoolRow) -> None:
    assert os.path.dirname(path) == os.fsencode(folder)
    Path(os.fsdecode(path + SUFFIX)).write_text(json.dumps({"spool": {"id": row.id}}))


def test_the_plain_name_while_it_is_free(tmp_path: Path) -> None:
    row = replace(make_row(1), name=b"in/letter.pdf")
    path = choose_receipt(os.fsencode(tmp_path), row)
    assert path == os.fsencode(tmp_path / "letter.pdf")
    write(tmp_path, path, row)
    assert choose_receipt(os.fsencode(tmp_path), row) == path


def test_a_second_spool_of_the_name_does_not_touch_the_first(tmp_path: Path) -> None:
    first = replace(make_row(1), name=b"letter.pdf")
    second = replace(first, id="01BBBBBBBBBBBBBBBB01234567")
    write(tmp_path, choose_receipt(os.fsencode(tmp_path), first), first)
    path = choose_receipt(os.fsencode(tmp_path), second)
    assert path == os.fsencode(tmp_path / "letter.pdf.01234567")
    write(tmp_path, path, second)
    # Also when somebody has taken the first away meanwhile: one receipt for one spool.
    (tmp_path / "letter.pdf.receipt.json").unlink()
    assert choose_receipt(os.fsencode(tmp_path), second) == path


def test_two_of_one_name_in_one_batch(tmp_path: Path) -> None:
    first = replace(make_row(1), name=b"x/letter.pdf")
    second = replace(first, id="01BBBBBBBBBBBBBBBB01234567", name=b"y/letter.pdf")
    folder = os.fsencode(tmp_path)
    plain = choose_receipt(folder, first)
    assert choose_receipt(folder, second, {plain}) != plain


@pytest.mark.parametrize("kind", ["text", "list", "fifo", "link", "folder", "deep"])
def test_what_is_no_receipt_of_ours_is_left_alone(tmp_path: Path, kind: str) -> None:
    there = tmp_path / "letter.pdf.receipt.json"
    if kind == "fifo":
        os.mkfifo(there)
    elif kind == "link":
        there.symlink_to(tmp_path / "nowhere")
    elif kind == "folder":
        there.mkdir()
    else:
        there.write_text({"text": "hello", "list": "[1]", "deep": "[" * 100_000}[kind])
    row = replace(make_row(1), id="01BBBBBBBBBBBBBBBB01234567", name=b"letter.pdf")
    assert choose_receipt(os.fsencode(tmp_path), row).endswith(b"letter.pdf.01234567")


def test_long_names_are_cut_and_still_told_apart(tmp_path: Path) -> None:
    first = replace(make_row(1), name=b"n" * 251 + b".pdf")
    second = replace(first, id="01BBBBBBBBBBBBBBBB01234567", name=b"n" * 251 + b".txt")
    write(tmp_path, choose_receipt(os.fsencode(tmp_path), first), first)
    write(tmp_path, choose_receipt(os.fsencode(tmp_path), second), second)
    assert len(list(tmp_path.iterdir())) == 2
