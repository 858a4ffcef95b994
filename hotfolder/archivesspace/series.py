"""Where units go: repository, series, cycle and agent, found or made, and remembered.

Each is found by a key that the server keeps unique (repo_code, id_0, ref_id, the
agent's content), so two daemons that make one at the same time end with one.
A repository is never made: who may see its records is for people to decide.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime
from typing import Any

from hotfolder.archivesspace.answer import Denied
from hotfolder.archivesspace.calls import (
    Calls,
    Created,
    Record,
    Refusal,
    Repository,
    as_record,
    as_records,
    text_of,
)
from hotfolder.archivesspace.mapping import WITHOUT_SLUG, Place, slot_values
from hotfolder.archivesspace.permissions import MAKING_AGENTS
from hotfolder.archivesspace.statements import retention_statement
from hotfolder.archivesspace.vocabulary import Vocabulary
from hotfolder.archivesspace.wording import IDENTIFIER_LIMIT, clean_title, clean_value
from hotfolder.core.errors import OperatorFault, Transient
from hotfolder.core.identity import cycle_ref_id
from hotfolder.core.ports import Clock, Emit
from hotfolder.core.profiles import ArchiveProfile, Rules, SeriesProfile
from hotfolder.core.templates import series_title

SOFTWARE = "hotfolder"


class Places:
    """Finds or makes. Safe to use from several threads; one of them at a time asks."""

    def __init__(
        self,
        calls: Calls,
        vocabulary: Vocabulary,
        *,
        profile: ArchiveProfile,
        rules: Rules,
        clock: Clock,
        emit: Emit,
        version: str,
    ) -> None:
        self._calls = calls
        self._vocabulary = vocabulary
        self._profile = profile
        self._rules = rules
        self._clock = clock
        self._emit = emit
        self._version = version
        self._lock = threading.RLock()
        self._repositories: dict[str, Repository] = {}
        self._series: dict[tuple[str, str], str] = {}
        self._cycles: dict[tuple[str, str, str], str] = {}
        self._agent: str | None = None

    def forget(self) -> None:
        """Remember nothing: the server may have been restored."""
        with self._lock:
            self._repositories.clear()
            self._series.clear()
            self._cycles.clear()
            self._agent = None

    def find_repository(self, business_unit: str) -> Repository:
        """The repository of ``business_unit``. ``OperatorFault`` if there is none."""
        with self._lock:
            if business_unit not in self._repositories:
                code = self._code_of(business_unit)
                found = {item.code: item for item in self._calls.list_repositories()}
                if code not in found:
                    raise OperatorFault(
                        f"ArchivesSpace has no repository with the short name {code!r}",
                        hint="`hotfolder setup` makes it (not published); or correct"
                        f" `repository` of business unit {business_unit}",
                        code="archive.repository",
                    )
                self._repositories[business_unit] = found[code]
            return self._repositories[business_unit]

    def find_place(self, business_unit: str, series: str, cycle: str) -> Place:
        """Find or make all that a unit of this cycle needs."""
        with self._lock:
            repository = self.find_repository(business_unit).uri
            if (business_unit, series) not in self._series:
                self._series[business_unit, series] = self._resource(repository, series)
            resource = self._series[business_unit, series]
            if (business_unit, series, cycle) not in self._cycles:
                found = self._cycle(repository, resource, series, cycle)
                self._cycles[business_unit, series, cycle] = found
            return Place(
                repository=repository,
                resource=resource,
                cycle=self._cycles[business_unit, series, cycle],
                agent=self.find_agent(),
                series_title=self._title_of(series),
            )

    def find_agent(self) -> str:
        """Find or make the software agent; its uri."""
        with self._lock:
            if self._agent is None:
                self._agent = self._find_agent()
            return self._agent

    # -- series ---------------------------------------------------------------------
    def find_resource(self, repository: str, series: str) -> Record | None:
        """The resource of ``series``, or None."""
        code = identifier_of(series)
        key = json.dumps([code], ensure_ascii=False)
        for record in self._calls.find_by_id(repository, "resources", "identifier", [key]):
            if record.get("id_0") == code and not record.get("id_1"):
                return record
        return None

    def make_resource(self, business_unit: str, series: str) -> str:
        """Find or make the resource of a series; its uri."""
        with self._lock:
            return self._resource(self.find_repository(business_unit).uri, series)

    def _resource(self, repository: str, series: str) -> str:
        found = self.find_resource(repository, series)
        if found is None:
            record = resource_record(
                series,
                self._rules.series_by_code(series),
                profile=self._profile,
                rules=self._rules,
                vocabulary=self._vocabulary,
                today=datetime.fromtimestamp(self._clock.now(), UTC).date(),
            )
            answer = self._calls.create(f"{repository}/resources", record)
            if isinstance(answer, Created):
                self._emit("series.created", series=series, uri=answer.uri)
                return answer.uri
            # Another daemon may have been quicker.
            found = self.find_resource(repository, series)
            if found is None:
                raise _refused(answer, f"the series {series!r}")
        return text_of(found, "uri")

    def _title_of(self, series: str) -> str:
        profile = self._rules.series_by_code(series)
        return profile.title if profile else series_title(series)

    # -- cycles ---------------------------------------------------------------------
    def _find_cycle(self, repository: str, resource: str, ref_id: str) -> str | None:
        for record in self._calls.find_by_id(repository, "archival_objects", "ref_id", [ref_id]):
            root = as_record(record.get("resource") or {})
            if record.get("ref_id") == ref_id and root.get("ref") == resource:
                return text_of(record, "uri")
        return None

    def _cycle(self, repository: str, resource: str, series: str, cycle: str) -> str:
        ref_id = cycle_ref_id(series, cycle)
        found = self._find_cycle(repository, resource, ref_id)
        if found is None:
            record = {
                "jsonmodel_type": "archival_object",
                "title": clean_title(cycle, ref_id),
                "level": "subseries",
                "ref_id": ref_id,
                "publish": False,
                **WITHOUT_SLUG,
                "resource": {"ref": resource},
            }
            self._vocabulary.check([record])
            answer = self._calls.create(f"{repository}/archival_objects", record)
            if isinstance(answer, Created):
                self._emit("cycle.created", series=series, cycle=cycle, uri=answer.uri)
                return answer.uri
            found = self._find_cycle(repository, resource, ref_id)
            if found is None:
                raise _refused(answer, f"the cycle {cycle!r} of series {series!r}")
        return found

    # -- the agent --------------------------------------------------------------------
    def has_agent(self) -> bool:
        """Whether the software agent of this version is there."""
        return self._look_for_agent() is not None

    def _find_agent(self) -> str:
        """The software agent of this version; never edited afterwards, because that
        would touch every record that it is linked to (reference 2.3)."""
        record = agent_record(self._version)
        self._vocabulary.check([record])
        try:
            answer = self._calls.create("/agents/software", record)
        except Denied:
            found = self._look_for_agent()
            if found is None:
                raise OperatorFault(
                    f"there is no software agent {SOFTWARE!r} version {self._version!r},"
                    " and this account may not make one",
                    hint=f"`hotfolder setup` makes it, or give the group {MAKING_AGENTS}",
                    code="archive.agent",
                ) from None
            return found
        if isinstance(answer, Created):
            self._emit("agent.created", uri=answer.uri)
            return answer.uri
        if answer.conflicting:
            return answer.conflicting[0]
        found = self._look_for_agent()
        if found is None:
            raise Transient("ArchivesSpace did not take the software agent", code="archive.agent")
        return found

    def _look_for_agent(self) -> str | None:
        wanted = agent_record(self._version)["names"][0]
        # Newest first: a site has few software agents, and ours is likely the last.
        for number in sorted(self._calls.list_ids("/agents/software"), reverse=True):
            record = self._calls.read_record(f"/agents/software/{number}")
            names = as_records((record or {}).get("names") or [])
            keys = ("software_name", "version")
            if names and all(names[0].get(key) == wanted[key] for key in keys):
                return f"/agents/software/{number}"
        return None

    def _code_of(self, business_unit: str) -> str:
        for unit in self._rules.business_units:
            if unit.code == business_unit:
                return unit.repository
        raise OperatorFault(
            f"the configuration has no business unit {business_unit!r}",
            hint="put it back, or withdraw what waits for it",
            code="archive.business_unit",
        )


def _refused(answer: Refusal, what: str) -> OperatorFault | Transient:
    """What it means that a record of ours was not taken, and is not there either."""
    if not answer.fields:
        # 409 or db_error: nothing was saved, and another attempt may do better
        return Transient(f"ArchivesSpace did not take {what} (status {answer.status})")
    if answer.fields & {"id_0", "ref_id"}:
        return OperatorFault(
            f"the identifier of {what} is taken by a record that is not shown",
            hint="look for a suppressed record, or one that differs in capitals or accents",
            code="archive.series",
        )
    return OperatorFault(
        f"ArchivesSpace refuses {what}: {answer.words}",
        hint="correct the series in the configuration, or make the record by hand",
        code="archive.series",
    )


def identifier_of(series: str) -> str:
    """``id_0`` of the resource of a series: its code, cut where the server would refuse it."""
    return clean_value(series, limit=IDENTIFIER_LIMIT)


def resource_record(
    series: str,
    described: SeriesProfile | None,
    *,
    profile: ArchiveProfile,
    rules: Rules,
    vocabulary: Vocabulary,
    today: date,
) -> dict[str, Any]:
    """The resource of a series, with what ArchivesSpace requires and no more.

    ``described`` is None when the configuration has the series no more. Raises
    ``OperatorFault`` for a code that it cannot hold, or a missing controlled value.
    """
    if any(ord(char) > 0xFFFF for char in series):
        raise OperatorFault(
            "a series code has characters that ArchivesSpace cannot hold",
            hint="use plain characters",
            code="archive.series",
        )
    code = described.retention_class if described else None
    record: dict[str, Any] = {
        "jsonmodel_type": "resource",
        "title": clean_title(described.title if described else series_title(series), series),
        "id_0": identifier_of(series),
        "level": "series",
        "publish": False,
        "finding_aid_language": "eng",
        "finding_aid_script": "Latn",
        "lang_materials": [
            {
                "jsonmodel_type": "lang_material",
                "language_and_script": {
                    "jsonmodel_type": "language_and_script",
                    "language": "und",
                },
            }
        ],
        "dates": [
            {
                "jsonmodel_type": "date",
                "date_type": "inclusive",
                "label": "issued",
                "begin": str(today.year),
                "expression": f"{today.year}-",
            }
        ],
        # Required, though it changes with every delivery; the real sizes are in the documents.
        "extents": [
            {
                "jsonmodel_type": "extent",
                "portion": "whole",
                "number": "0",
                "extent_type": "gigabytes",
                "container_summary": "grows with every delivery; not kept up to date here",
            }
        ],
    }
    retention = rules.retention_classes.get(code) if code else None
    if retention is not None:
        if profile.rights_statements == "exceptions":
            record["rights_statements"] = [retention_statement(today, None)]
        slots = slot_values(profile.slots, {"retention_class": retention.code}, vocabulary.allows)
        if slots:
            record["user_defined"] = slots
    vocabulary.check([record])
    return record


def agent_record(version: str) -> dict[str, Any]:
    """The daemon as a software agent; one for each version."""
    return {
        "jsonmodel_type": "agent_software",
        "names": [
            {
                "jsonmodel_type": "name_software",
                "software_name": SOFTWARE,
                "version": version,
                "manufacturer": SOFTWARE,
                "source": "local",
                "rules": "local",
                "sort_name_auto_generate": True,
            }
        ],
    }
