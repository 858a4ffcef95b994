"""Versions of templates. See ``core.templatesport``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from hotfolder.core.canonical import dump
from hotfolder.core.query import COUNT_LIMIT
from hotfolder.core.records import ArchiveEvent
from hotfolder.core.templates import (
    Template,
    TemplateMember,
    TemplateRow,
    fold,
    template_from_dict,
    template_to_dict,
    version_key,
)
from hotfolder.journal.connection import Connection
from hotfolder.journal.outbox import insert_events

_COLUMNS = (
    "t.document, t.details, t.members, d.identity, t.business_unit, s.id, d.sha256, d.length,"
    " d.version, d.live, d.record_uri, u.archival_object_uri, d.archived_at, d.disposition"
)
_JOINED = (
    "templates AS t JOIN documents AS d ON d.number = t.document"
    " JOIN spools AS s ON s.number = d.spool LEFT JOIN units AS u ON u.number = d.unit"
)


class Templates:
    """The journal's methods about templates."""

    _db: Connection

    def templates_like(self, business_unit: str, name: str, family: str) -> list[TemplateRow]:
        """Versions with this name or of this family, in any spelling, without members."""
        where = "t.business_unit = ? AND d.kept = 1 AND"
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_COLUMNS} FROM {_JOINED} WHERE {where} t.name_fold = ?"
                f" UNION SELECT {_COLUMNS} FROM {_JOINED} WHERE {where} t.family_fold = ?"
                " ORDER BY 1",
                (business_unit, fold(name), business_unit, fold(family)),
            ).fetchall()
        return [_row_from(row) for row in rows]

    def template_versions(self, name: str, business_unit: str | None = None) -> list[TemplateRow]:
        """The versions of a template, by business unit and number, without members. One whose
        package is damaged or was destroyed was in force all the same."""
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_COLUMNS} FROM {_JOINED} WHERE t.name_fold = :fold AND t.name = :name"
                " AND d.kept = 1 AND (:unit IS NULL OR t.business_unit = :unit)",
                {"fold": fold(name), "name": name, "unit": business_unit},
            ).fetchall()
        return sorted(map(_row_from, rows), key=_place)

    def template_names(self, business_unit: str | None = None) -> list[TemplateRow]:
        """Every version, by business unit, family and name, without members."""
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_COLUMNS} FROM {_JOINED} WHERE d.kept = 1"
                " AND (:unit IS NULL OR t.business_unit = :unit)",
                {"unit": business_unit},
            ).fetchall()
        return sorted(map(_row_from, rows), key=_place)

    def template_of(self, identity: str) -> TemplateRow | None:
        """The version that this document is, with its members."""
        with self._db.reading() as conn:
            row = conn.execute(
                f"SELECT {_COLUMNS} FROM {_JOINED} WHERE d.identity = ? AND d.kept = 1"
                " ORDER BY d.live DESC LIMIT 1",
                (identity,),
            ).fetchone()
            return None if row is None else _row_from(row, _members(conn, row[0]))

    def template_in(self, spool_id: str) -> Template | None:
        """The version that this spool brought, with its members."""
        with self._db.reading() as conn:
            row = conn.execute(
                f"SELECT {_COLUMNS} FROM {_JOINED} WHERE s.id = ?", (spool_id,)
            ).fetchone()
            return None if row is None else _row_from(row, _members(conn, row[0])).template

    def templates_untold(self, limit: int) -> list[TemplateRow]:
        """Versions that ArchivesSpace has, and whose events were not made yet."""
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_COLUMNS} FROM {_JOINED} WHERE t.told = 0 AND d.live = 1"
                " AND d.record_uri IS NOT NULL ORDER BY t.document LIMIT ?",
                (limit,),
            ).fetchall()
        return [_row_from(row) for row in rows]

    def tell_template(
        self, identity: str, business_unit: str, events: Sequence[ArchiveEvent], now: float
    ) -> None:
        """Its events wait in the outbox, and are not made again."""
        with self._db.writing() as conn:
            insert_events(conn, business_unit, events, now)
            conn.execute(
                "UPDATE templates SET told = 1 WHERE document = (SELECT number FROM documents"
                " WHERE identity = ? AND live = 1)",
                (identity,),
            )

    def template_documents_days(
        self, business_unit: str, name: str, version: str
    ) -> tuple[int, date | None, date | None]:
        """How many live documents name this version, ``COUNT_LIMIT`` + 1 if there are more,
        and the days of the first and last."""
        # The unary plus keeps the order of the index: see search.py.
        named = (
            "FROM documents AS d WHERE d.template = ? AND d.template_version = ?"
            " AND d.live = 1 AND d.role <> 'carrier' AND +d.business_unit = ?"
        )
        values = (name, version, business_unit)
        with self._db.reading() as conn:
            (count,) = conn.execute(
                f"SELECT count(*) FROM (SELECT 1 {named} LIMIT {COUNT_LIMIT + 1})", values
            ).fetchone()
            days = [
                conn.execute(
                    f"SELECT d.issue_date {named} AND d.issue_date IS NOT NULL"
                    f" ORDER BY d.issue_date {order} LIMIT 1",
                    values,
                ).fetchone()
                for order in ("ASC", "DESC")
            ]
        first, last = (None if row is None else _day(row[0]) for row in days)
        return int(count), first, last


def insert_template(
    conn: sqlite3.Connection, template: Template, spool: int, business_unit: str
) -> None:
    """Journal the version that the only document of a spool (by number) is."""
    details = {**template_to_dict(template), "members": []}
    until = template.effective_until
    (document,) = conn.execute(
        "INSERT INTO templates (document, business_unit, name, family, version, name_fold,"
        " family_fold, version_fold, effective_from, effective_until, standing, parent, details,"
        " members) SELECT number, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM documents"
        " WHERE spool = ? RETURNING document",
        (
            business_unit,
            template.name,
            template.family,
            template.version,
            fold(template.name),
            fold(template.family),
            dump(version_key(template.version)),
            template.effective_from.isoformat(),
            None if until is None else until.isoformat(),
            template.standing,
            template.parent,
            dump(details),
            len(template.members),
            spool,
        ),
    ).fetchone()
    conn.executemany(
        "INSERT INTO template_members (template, name, size, sha256, crc32) VALUES (?, ?, ?, ?, ?)",
        [(document, item.name, item.size, item.sha256, item.crc32) for item in template.members],
    )


def _members(conn: sqlite3.Connection, document: int) -> tuple[TemplateMember, ...]:
    return tuple(
        TemplateMember(name=name, size=size, sha256=sha256, crc32=crc32)
        for name, size, sha256, crc32 in conn.execute(
            "SELECT name, size, sha256, crc32 FROM template_members WHERE template = ?"
            " ORDER BY name",
            (document,),
        )
    )


def _row_from(row: Sequence[Any], members: Sequence[TemplateMember] = ()) -> TemplateRow:
    return TemplateRow(
        template=replace(template_from_dict(json.loads(row[1])), members=tuple(members)),
        members=row[2],
        identity=row[3],
        business_unit=row[4],
        spool_id=row[5],
        sha256=row[6],
        size=row[7],
        document_version=row[8],
        live=bool(row[9]),
        record_uri=row[10],
        unit_uri=row[11],
        archived_at=row[12],
        destroyed=row[13] in ("destroying", "destroyed"),
    )


def _place(row: TemplateRow) -> tuple[str, str, str, tuple[tuple[int, int, str], ...]]:
    template = row.template
    return row.business_unit, template.family, template.name, version_key(template.version)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
