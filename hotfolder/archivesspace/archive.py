"""``ArchivesSpace``: the ``Archive`` port of ``core.ports`` over the server's HTTP API;
``desk`` is the ``Desk`` port over the same session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hotfolder.archivesspace.answer import Denied, Reply, Unanswered
from hotfolder.archivesspace.calls import Calls, encode
from hotfolder.archivesspace.desk import ArchivesSpaceDesk
from hotfolder.archivesspace.diagnosis import Finding, diagnose
from hotfolder.archivesspace.importstream import Refused, Saved, parse_import
from hotfolder.archivesspace.lookup import Lookup
from hotfolder.archivesspace.mapping import Place, UnitRecords, build_unit, file_uri
from hotfolder.archivesspace.neededvalues import needed_values
from hotfolder.archivesspace.permissions import needed_permissions, require_permissions
from hotfolder.archivesspace.series import Places
from hotfolder.archivesspace.singles import SinglePosts
from hotfolder.archivesspace.slots import check_slots
from hotfolder.archivesspace.survey import survey
from hotfolder.archivesspace.transport import Transport
from hotfolder.archivesspace.vocabulary import Vocabulary
from hotfolder.core.drift import Survey
from hotfolder.core.errors import Fault, OperatorFault, Transient
from hotfolder.core.ports import Clock, Emit
from hotfolder.core.profiles import ArchiveProfile, Rules
from hotfolder.core.records import ArchivedDocument, ArchivedUnit, UnitAnswer, UnitRequest

_REASON_LIMIT = 2000


class ArchivesSpace:
    """One server and account. Safe to use from several importer threads.

    Raises at once, as ``OperatorFault``, what is wrong with the profile itself
    (address, certificate file, resolver, slots).
    """

    def __init__(
        self,
        profile: ArchiveProfile,
        password: str,
        rules: Rules,
        *,
        clock: Clock,
        version: str,
        on_event: Emit,
    ) -> None:
        _check_profile(profile)
        self._profile = profile
        self._rules = rules
        self._transport = Transport(profile, password, clock=clock, emit=on_event, version=version)
        self._calls = Calls(self._transport)
        self._vocabulary = Vocabulary(self._calls.read_enumeration)
        self._places = Places(
            self._calls,
            self._vocabulary,
            profile=profile,
            rules=rules,
            clock=clock,
            emit=on_event,
            version=version,
        )
        self._lookup = Lookup(self._calls, profile)
        self._singles = SinglePosts(
            self._calls, self._lookup, doubt=self._doubt, check=self._vocabulary.check
        )
        self._needed = needed_values(profile, rules)
        self.desk = ArchivesSpaceDesk(
            self._calls,
            self._places,
            self._vocabulary,
            self._lookup,
            profile,
            rules,
            doubt=self._doubt,
        )

    def close(self) -> None:
        """Close the connections. Nothing may be called afterwards."""
        self._transport.close()

    def survey(self) -> Survey:
        """What the server has of repositories, lists and the account's permissions."""
        return survey(self._calls, self._profile, self._rules)

    # -- sending ----------------------------------------------------------------------
    def prepare_series(self, business_unit: str, series: str, cycle: str) -> None:
        """Find or make the agent, series and cycle, and see that the account may deliver
        and that every needed controlled value exists; remembered until ``forget``."""
        self._prepare(business_unit, series, cycle)

    def forget(self) -> None:
        """Drop everything remembered of the server, the session included."""
        self._doubt()
        self._transport.forget()

    def send_unit(self, request: UnitRequest) -> UnitAnswer:
        """Deliver a unit by one import, or by single POSTs under ``least_privilege``.

        Raises ``Transient`` or ``OperatorFault`` only if nothing was sent, and
        ``Corrupt`` when single POSTs find a document there with another checksum or
        size. The ``reason`` of a refusal has the server's words, which may quote the
        record: it may go into the error note, never into a log. Every other reason is
        safe to log.
        """
        place, records = self._build(request)
        if self._profile.least_privilege:
            return self._singles.deliver(request, place, records)
        body = encode(records.listed())
        try:
            reply = self._calls.import_records(place.repository, body)
        except (Unanswered, Denied) as error:
            # Denied: the right was there when we looked. The next attempt looks again, and
            # raises before it sends.
            self._doubt()
            return UnitAnswer(outcome="unknown", reason=error.message)
        answer = self._judge(reply, records)
        if answer.outcome == "refused" and self._is_there(place, request):
            # Everything but the event: single POSTs that were interrupted, or an event that
            # was removed. What is missing is added.
            try:
                return self._singles.deliver(request, place, records)
            except (Transient, OperatorFault) as error:
                return UnitAnswer(outcome="unknown", reason=error.message)
        return answer

    def send_document(self, request: UnitRequest) -> UnitAnswer:
        """A unit of one document by single POSTs, whose refusal has the server's own
        words. ``ValueError`` for any other number. Otherwise as ``send_unit``."""
        if len(request.documents) != 1:
            raise ValueError(f"one document, not {len(request.documents)}")
        place, records = self._build(request)
        return self._singles.deliver(request, place, records)

    # -- finding ----------------------------------------------------------------------
    def find_units(self, business_unit: str, ref_ids: Sequence[str]) -> Mapping[str, ArchivedUnit]:
        """Which of these units the server has, each with the documents that it lists now.
        A unit that lacks its event was interrupted; it counts as absent, and sending it
        again finishes it."""
        repository = self._places.find_repository(business_unit).uri
        return self._lookup.find_units(repository, ref_ids)

    def find_documents(
        self, business_unit: str, identities: Sequence[str]
    ) -> Mapping[str, ArchivedDocument]:
        """Which of these documents the server has, and which units list them."""
        repository = self._places.find_repository(business_unit).uri
        return self._lookup.find_documents(repository, identities)

    # -- health -------------------------------------------------------------------------
    def probe(self) -> None:
        """Ask who we are: the cheapest request that needs server, database and session
        (``GET /`` answers anyone and proves nothing)."""
        self._transport.permissions(fresh=True)

    def diagnose(
        self,
        *,
        requests: bool = False,
        events: frozenset[str] = frozenset(),
        made: frozenset[str] = frozenset(),
    ) -> list[Finding]:
        """Try server, login, permissions, repositories, lists and slots; all findings.
        With ``requests`` also what answering archivists' requests needs; ``events`` are
        types of events that archivists decide with, ``made`` those that the configuration
        has recorded besides those of delivery."""
        self.forget()
        return diagnose(
            self._calls,
            self._places,
            self._vocabulary,
            profile=self._profile,
            rules=self._rules,
            requests=requests,
            events=events,
            made=made,
        )

    # -- inside -------------------------------------------------------------------------
    def _prepare(self, business_unit: str, series: str, cycle: str) -> Place:
        repository = self._places.find_repository(business_unit).uri
        require_permissions(
            self._transport, repository, needed_permissions(self._profile.least_privilege)
        )
        self._vocabulary.require(self._needed)
        return self._places.find_place(business_unit, series, cycle)

    def _build(self, request: UnitRequest) -> tuple[Place, UnitRecords]:
        """The records of a unit, with every controlled value checked."""
        unit = request.unit
        place = self._prepare(unit.business_unit, unit.series, unit.cycle)
        records = build_unit(
            request,
            place,
            profile=self._profile,
            rules=self._rules,
            allows=self._vocabulary.allows,
        )
        self._vocabulary.check(records.listed())
        return place, records

    def _is_there(self, place: Place, request: UnitRequest) -> bool:
        ref_id = request.unit.ref_id
        try:
            found = self._lookup.find_units(place.repository, [ref_id], finished=False)
        except (Transient, OperatorFault):
            return False  # the refusal stands; the caller looks again
        unit = found.get(ref_id)
        return unit is not None and unit.documents.keys() == set(request.unit.identities)

    def _judge(self, reply: Reply, records: UnitRecords) -> UnitAnswer:
        """What the answer to an import proves."""
        if reply.status == 413:
            return UnitAnswer(outcome="refused", reason="the unit is too large for the server")
        if not reply.ok:
            self._doubt()
            reason = f"the import was not begun (status {reply.status})"
            return UnitAnswer(outcome="unknown", reason=reason)
        sent = [str(record["uri"]) for record in records.listed()]
        result = parse_import(reply.body, sent)
        if isinstance(result, Saved):
            return UnitAnswer(
                outcome="confirmed",
                unit_uri=result.uris[records.unit["uri"]],
                uris={
                    identity: result.uris[record["uri"]]
                    for identity, record in records.documents.items()
                },
            )
        # The series may have been removed, or a list changed, since it was remembered.
        self._doubt()
        if isinstance(result, Refused):
            return UnitAnswer(outcome="refused", reason=result.words[:_REASON_LIMIT])
        return UnitAnswer(outcome="unknown", reason=result.why)

    def _doubt(self) -> None:
        self._places.forget()
        self._vocabulary.forget()


def _check_profile(profile: ArchiveProfile) -> None:
    faults = check_slots(profile.slots)
    try:
        named = [file_uri(profile, name) for name in ("a", "b")]
    except (KeyError, IndexError, ValueError, AttributeError):
        named = []
    if len(set(named)) != 2:
        faults.append(
            Fault(
                code="archive.resolver",
                message="the resolver does not name each document by its identity",
                remedy="write it like https://archive.example/objects/{identity}",
            )
        )
    if faults:
        raise OperatorFault(
            "; ".join(fault.message for fault in faults),
            hint=faults[0].remedy,
            code=faults[0].code,
            faults=faults,
        )
