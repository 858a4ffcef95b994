"""What the journal remembers of template packages: a part of ``core.ports.Journal``, whose
rules hold here too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from hotfolder.core.records import ArchiveEvent
from hotfolder.core.templates import Template, TemplateRow


class TemplatesJournal(Protocol):
    """Versions of templates. A version is journalled with its reading, in the same
    transaction (``record_readings``, ``restore_spool``)."""

    def templates_like(self, business_unit: str, name: str, family: str) -> list[TemplateRow]:
        """Versions of templates with this name or of this family, in any spelling, those of
        CORRUPT spools and destroyed ones too; without members."""

    def template_versions(self, name: str, business_unit: str | None = None) -> list[TemplateRow]:
        """The versions of a template, of one business unit or of all, by business unit and
        number, also those whose packages are damaged or were destroyed: they were in force
        all the same. Without members."""

    def template_names(self, business_unit: str | None = None) -> list[TemplateRow]:
        """Every version, as ``template_versions``, by business unit, family and name."""

    def template_of(self, identity: str) -> TemplateRow | None:
        """The version that this document is, live or of a CORRUPT spool, with its members;
        None if it is no template."""

    def template_in(self, spool_id: str) -> Template | None:
        """The version that this spool brought, with its members."""

    def templates_untold(self, limit: int) -> list[TemplateRow]:
        """Versions that ArchivesSpace has, and whose events were not made yet."""

    def tell_template(
        self, identity: str, business_unit: str, events: Sequence[ArchiveEvent], now: float
    ) -> None:
        """Its events wait in the outbox, and are not made again: one transaction. Harmless
        to repeat."""

    def template_documents_days(
        self, business_unit: str, name: str, version: str
    ) -> tuple[int, date | None, date | None]:
        """How many live documents name this version (``core.query.COUNT_LIMIT`` + 1 if there
        are more), and the days of the first and last."""
