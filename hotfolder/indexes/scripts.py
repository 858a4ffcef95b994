"""The code page of an index whose folder names it, and which names none itself."""

from __future__ import annotations

from hotfolder.core.errors import OperatorFault
from hotfolder.indexes.codepages import Text, describe, find_code_page
from hotfolder.indexes.faults import reject
from hotfolder.indexes.lines import Script, Source


def open_text(source: Source, code_page: str) -> Text:
    """The texts of ``source`` in ``code_page``, UTF-8 if that is empty. A byte order mark
    overrules it.

    Raises ``OperatorFault`` if nobody knows the code page, and ``InputFault`` if the
    index is plainly in another one.
    """
    page = find_code_page(code_page or "utf-8")
    if page is None:
        raise OperatorFault(
            f"the code page {code_page[:40]} of an index is not known",
            hint="use utf-8, 819, 850, 923, 1252, 37, 273, 500, 1047 or 1140",
            code="index.codepage",
        )
    if source.script in (Script.UTF8, Script.UTF16):
        page = find_code_page("utf-8")
        assert page is not None
        return Text(page, source.file)
    if page.ebcdic != (source.script is Script.EBCDIC):
        found = "EBCDIC" if source.script is Script.EBCDIC else "ASCII or one of its relatives"
        raise reject(
            "index.codepage",
            f"the index should be {describe(page)}, but is written in {found}",
            "configure its code page, or write it in UTF-8",
            file=source.file,
            place="byte 0",
        )
    return Text(page, source.file)
