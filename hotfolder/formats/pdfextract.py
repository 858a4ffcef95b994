"""Some pages of a PDF as a PDF of their own. Derived: these bytes were never sent."""

from __future__ import annotations

from typing import BinaryIO

import pikepdf

from hotfolder.core.errors import Corrupt, OperatorFault
from hotfolder.formats.window import Window

# ISO 32000-1, table 30: what in a page tells of the rest of its document.
_OF_THE_WHOLE = ("/B", "/StructParents", "/Thumb", "/PieceInfo", "/Tabs", "/AA", "/Metadata")
# Table 164: links and form fields lead to other pages and to their values.
_LEADING = ("/Link", "/Widget", "/FileAttachment")


def extract_pages(
    stream: BinaryIO, size: int, first_page: int, pages: int, out: BinaryIO, *, spool_sha256: str
) -> None:
    """Write ``pages`` pages from ``first_page`` (from 1) to ``out``; the same bytes each time.

    Fonts and images come along; bookmarks, names, attachments, form fields and links of
    the spool do not. The document information says what it was derived from. Raises
    ``Corrupt`` if the spool cannot be opened or has no such pages, ``OperatorFault`` if
    it needs a password.
    """
    try:
        with (
            pikepdf.open(
                Window(stream, size).reader(),
                attempt_recovery=False,
                suppress_warnings=True,
                access_mode=pikepdf.AccessMode.stream,
            ) as source,
            pikepdf.new() as target,
        ):
            if not 1 <= first_page <= first_page + pages - 1 <= len(source.pages):
                raise Corrupt(
                    "the spool does not have the pages that were journalled",
                    hint="nothing is given out; look at the spool with `hotfolder show`",
                    code="retrieve.pages",
                )
            for page in source.pages[first_page - 1 : first_page - 1 + pages]:
                target.pages.append(page)
            for page in target.pages:
                _sever(page.obj)
            # Pages may share one dictionary of all the pictures that the spool has.
            target.remove_unreferenced_resources()
            last = first_page + pages - 1
            target.docinfo["/Producer"] = pikepdf.String("hotfolder")
            target.docinfo["/Subject"] = pikepdf.String(
                f"Derived from pages {first_page} to {last} of the spool with SHA-256"
                f" {spool_sha256}; the spool is the record"
            )
            target.save(out, deterministic_id=True, fix_metadata_version=False)
    except pikepdf.PasswordError as error:
        raise OperatorFault(
            "the spool is encrypted: its pages cannot be taken out",
            hint="ask for the whole spool",
            code="retrieve.encrypted",
        ) from error
    except (pikepdf.PdfError, RuntimeError, ValueError) as error:
        raise Corrupt(
            f"the pages cannot be taken out of the spool ({type(error).__name__})",
            hint="ask for the whole spool",
            code="retrieve.pages",
        ) from error


def _sever(page: pikepdf.Object) -> None:
    for key in _OF_THE_WHOLE:
        if key in page:
            del page[key]
    if "/Annots" in page:
        kept = [item for item in page.Annots.as_list() if str(item.get("/Subtype")) not in _LEADING]
        if kept:
            page.Annots = pikepdf.Array(kept)
        else:
            del page["/Annots"]
