"""Certificates of destruction, signed with the site's key and drawn for people.

The PDF says what the JSON says. Its fonts are the ones that every reader has; a letter that
they lack (beyond Western European) is drawn as a question mark, and a note at the end says so:
the JSON has it.
"""

from __future__ import annotations

import hashlib
import io
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from hotfolder.core.certificates import read_certificate
from hotfolder.core.profiles import AuditProfile

_LEFT, _TOP, _BOTTOM = 54.0, A4[1] - 60.0, 60.0
_WIDTH = A4[0] - 2 * _LEFT
_BODY, _SMALL = 9.5, 6.5
_VALUES = 130.0  # where values of entries begin
_SECOND, _THIRD = 290.0, 420.0  # columns of a row
_BETWEEN = 6.0  # what names and columns keep apart
_LACKING = (
    "Letters that the fonts of this page lack stand in it as question marks. The JSON file has"
    " them as they are."
)


class SiteCertifier:
    """``flows.disposing.Certifier`` with the key of [audit], if there is one."""

    def __init__(self, audit: AuditProfile) -> None:
        self._audit = audit

    def sign(self, data: bytes) -> Mapping[str, str] | None:
        """The signature of these bytes; None without a key. ``OperatorFault`` if it cannot
        be used: nothing is certified without the key that the site has."""
        if not self._audit.signing_key:
            return None
        from hotfolder.service.signingkey import read_key  # noqa: PLC0415  cryptography is slow to load

        return read_key(self._audit.signing_key).sign_bytes(data)

    def render(self, certificate: bytes) -> bytes:
        """The certificate as a PDF; the same for the same certificate."""
        return render_certificate(certificate)


def render_certificate(certificate: bytes) -> bytes:
    """A PDF of a certificate in JSON."""
    body, signature = read_certificate(certificate)
    made = io.BytesIO()
    sheet = _Sheet(made, f"Certificate of destruction {body['disposal']}")
    sheet.line("Certificate of destruction", size=18, bold=True, space=10)
    sheet.line(body["disposal"], size=11, space=12)
    for name, value in _head(body, certificate, signature):
        sheet.entry(name, value)
    sheet.heading("Method")
    sheet.text(body["method"])
    sheet.heading("Schedule")
    sheet.entry("Digest (SHA-256)", body["schedule"]["sha256"])
    for item in body["schedule"]["classes"]:
        sheet.entry(f"{item['class']}, version {item['version'] or '-'}", _class(item))
    sheet.heading(f"Destroyed: {body['counts']['destroyed']:,} documents")
    sheet.text("Identity, class and version, last day of retention; below it the SHA-256.")
    for item in body["destroyed"]:
        sheet.row(
            item["identity"],
            f"{item['retention_class']} {item['class_version'] or '-'}",
            item["retain_until"] or "",
            f"sha256 {item['sha256']}"
            + (", key destroyed" if item["destroyed_by"] == "key" else ""),
        )
    if body["not_destroyed"]:
        sheet.heading(f"Listed and not destroyed: {len(body['not_destroyed']):,} documents")
        for item in body["not_destroyed"]:
            sheet.row(item["identity"], item["outcome"] or "", "", item["reason"])
    if sheet.lacking:
        sheet.heading("Letters")
        sheet.text(_LACKING)
    sheet.close()
    return made.getvalue()


def _head(
    body: Mapping[str, Any], certificate: bytes, signature: Mapping[str, str] | None
) -> Iterable[tuple[str, str]]:
    counts = body["counts"]
    yield "Business unit", body["business_unit"]
    yield "Authority", body["authority"] or "the retention schedule"
    # Certificates of earlier releases have none.
    if body.get("reason"):
        yield "Reason", body["reason"]
    for step in ("proposed", "approved", "executed"):
        yield step.capitalize(), f"{body[step]['by']}, {body[step]['at']}"
    yield "Completed", body["completed"]
    yield "Day decided on", body["executed"]["today"]
    yield (
        "Documents",
        (
            f"{counts['listed']:,} listed; {counts['destroyed']:,} destroyed in"
            f" {counts['spools']:,} spools, of them {counts['destroyed_by_key']:,} by destroying"
            f" their keys in {counts['spools_that_stayed']:,} that stayed;"
            f" {counts['withheld']:,} withheld;"
            f" {counts['excluded']:,} excluded"
        ),
    )
    yield "Storage roots", f"{body['storage_roots']}, by hotfolder {body['hotfolder']}"
    yield "Digest of the list", body["list_sha256"]
    audit = body["audit"]
    yield "Audit log", f"{audit['log']}: {audit['links']:,} links, root {audit['root']}"
    yield "Certificate", f"sha256 {hashlib.sha256(certificate).hexdigest()} (the JSON file)"
    yield (
        "Signature",
        f"Ed25519, key {signature['key']}: {signature['signature']}"
        if signature
        else "none: this site has no signing key",
    )


def _class(item: Mapping[str, Any]) -> str:
    parts = [item.get("title"), item.get("mandate"), item.get("trigger"), item.get("period")]
    said = ", ".join(str(part) for part in parts if part)
    return f"{said}; {item.get('action', '')}: {item['documents']:,} documents"


class _Sheet:
    """A PDF that is written from top to bottom, page after page."""

    def __init__(self, target: io.BytesIO, title: str) -> None:
        # Invariant: no clock and no random id in it.
        self._canvas = Canvas(target, pagesize=A4, invariant=1, pageCompression=1)
        self._canvas.setTitle(title)
        self._canvas.setProducer("hotfolder")
        self._title = title
        self.lacking = False  # whether a letter was drawn as a question mark
        self._page = 1
        self._y = _TOP

    def line(
        self,
        text: str,
        *,
        size: float = _BODY,
        bold: bool = False,
        x: float = 0.0,
        space: float = 3.5,
    ) -> None:
        """One line."""
        self._need(size + space)
        self._draw(x, text, size=size, bold=bold)
        self._y -= size + space

    def heading(self, text: str) -> None:
        """The head of a part."""
        self._need(60)
        self._y -= 12
        self.line(text, size=12, bold=True, space=6)

    def text(self, text: str) -> None:
        """A paragraph."""
        for part in self._wrap(text, _WIDTH):
            self.line(part)

    def entry(self, name: str, value: str) -> None:
        """A name and what it is; a name that is too long has lines of its own above it."""
        names = self._wrap(name, _WIDTH, "Helvetica-Bold")
        room = _VALUES - _BETWEEN
        beside = len(names) == 1 and self._wide(names[0], "Helvetica-Bold", _BODY) <= room
        for part in () if beside else names:
            self.line(part, bold=True)
        for number, part in enumerate(self._wrap(value or "", _WIDTH - _VALUES)):
            self._need(_BODY + 3.5)
            if beside and not number:
                self._draw(0, names[0], bold=True)
            self._draw(_VALUES, part)
            self._y -= _BODY + 3.5

    def row(self, first: str, second: str, third: str, below: str) -> None:
        """A document of a list."""
        seconds = self._wrap(second, _THIRD - _SECOND - _BETWEEN, size=_SMALL)
        self._need((1 + len(seconds)) * (_SMALL + 2) + 2)
        self._draw(0, first, size=_SMALL)
        self._draw(_THIRD, third, size=_SMALL)
        for number, part in enumerate(seconds):
            if number:
                self._y -= _SMALL + 2
            self._draw(_SECOND, part, size=_SMALL)
        self._y -= _SMALL + 2
        self._draw(10, below[:150], size=_SMALL)
        self._y -= _SMALL + 4

    def close(self) -> None:
        """Write the last page."""
        self._end_page()
        self._canvas.save()

    def _need(self, height: float) -> None:
        if self._y - height < _BOTTOM:
            self._end_page()
            self._page += 1
            self._y = _TOP

    def _end_page(self) -> None:
        self._canvas.setFont("Helvetica", _SMALL + 1)
        self._canvas.drawString(_LEFT, _BOTTOM - 24, f"{self._title}, page {self._page}")
        self._canvas.showPage()

    def _draw(self, x: float, text: str, *, size: float = _BODY, bold: bool = False) -> None:
        shown, lacking = _plain(text)
        self.lacking |= lacking
        self._canvas.setFont("Helvetica-Bold" if bold else "Helvetica", size)
        self._canvas.drawString(_LEFT + x, self._y, shown)

    def _wide(self, text: str, font: str, size: float) -> float:
        return float(self._canvas.stringWidth(_plain(text)[0], font, size))

    def _wrap(
        self, text: str, width: float, font: str = "Helvetica", size: float = _BODY
    ) -> list[str]:
        lines = [""]
        for word in text.split():
            longer = f"{lines[-1]} {word}".strip()
            if self._wide(longer, font, size) <= width:
                lines[-1] = longer
                continue
            pieces = self._pieces(word, width, font, size)
            # The first line stays empty only where there is nothing to say.
            lines = [*(line for line in lines if line), *pieces]
        return lines

    def _pieces(self, word: str, width: float, font: str, size: float) -> list[str]:
        """A digest is longer than a line may be; nothing comes between its parts, so that it
        can be copied."""
        pieces = [""]
        for char in word:
            if pieces[-1] and self._wide(pieces[-1] + char, font, size) > width:
                pieces.append("")
            pieces[-1] += char
        return pieces


def _plain(text: str) -> tuple[str, bool]:
    """What can be drawn of a text, and whether letters of it are question marks now."""
    composed = unicodedata.normalize("NFC", text)
    shown = "".join(char if char.isprintable() else " " for char in composed)
    drawn = shown.encode("cp1252", "replace").decode("cp1252")
    return drawn, drawn != shown
