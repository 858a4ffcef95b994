"""Making what hotfolder needs in ArchivesSpace, with an administrator's session: repositories,
the service account and its groups, list values, the software agent, resources of series.

Every step looks first and is repeatable: what is there is left as it is. The answers of the
server are those of the recorded exchanges (users, groups and lists: 114 to 116 and 175).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hotfolder.archivesspace.calls import (
    Calls,
    Created,
    Refusal,
    Updated,
    as_records,
    text_of,
)
from hotfolder.archivesspace.neededvalues import needed_values
from hotfolder.archivesspace.permissions import needed_permissions
from hotfolder.archivesspace.requestevents import REQUEST_VALUES
from hotfolder.archivesspace.series import Places
from hotfolder.archivesspace.transport import Transport
from hotfolder.archivesspace.vocabulary import Vocabulary
from hotfolder.core.errors import ArchiveFault, OperatorFault
from hotfolder.core.ports import Clock, Emit
from hotfolder.core.profiles import ArchiveProfile, BusinessUnit, Rules

THERE = "was there"
KEEPS_ITS_OWN = "was there, with a password that is not in the file"
_WORDS = 500  # characters of what the server says
# A text and no field: ``InvalidUsernameException`` in backend/app/lib/exceptions.rb
_NO_USERNAME = "Invalid username"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that hotfolder needs there. ``there`` is None where only trying tells."""

    kind: str  # repository | account | group | value | agent | series
    subject: str
    what: str
    there: bool | None
    make: Callable[[], str]  # makes it; what to say


class Preparing:
    """One administrator's session; ``close`` ends it on the server too."""

    def __init__(
        self,
        profile: ArchiveProfile,
        rules: Rules,
        *,
        administrator: ArchiveProfile,
        password: str,
        account_password: Callable[[], str],
        requests: bool,
        clock: Clock,
        emit: Emit,
        version: str,
    ) -> None:
        """``profile`` is that of the service account, ``administrator`` the same with the
        administrator's name; ``account_password`` is asked for when the account is made, and
        the password must be durable when it answers. ``requests``: archivists' requests are
        answered."""
        self._profile = profile
        self._rules = rules
        self._requests = requests
        self._account_password = account_password
        self._clock, self._emit, self._version = clock, emit, version
        self._transport = Transport(
            administrator, password, clock=clock, emit=emit, version=version
        )
        self._calls = Calls(self._transport)
        self._vocabulary = Vocabulary(self._calls.read_enumeration)
        self._places = Places(
            self._calls,
            self._vocabulary,
            profile=profile,
            rules=rules,
            clock=clock,
            emit=emit,
            version=version,
        )

    def close(self) -> None:
        """Log out and close the connections."""
        self._transport.log_out()
        self._transport.close()

    def plan(self, units: Sequence[str]) -> list[Step]:
        """All steps, in order; series are made for these business units. Nothing is changed.
        Raises as the transport does."""
        repositories = {item.code: item.uri for item in self._calls.list_repositories()}
        values = needed_values(self._profile, self._rules)
        if self._requests:
            values |= REQUEST_VALUES
        missing = sorted(pair for pair in values if not self._vocabulary.allows(*pair))
        steps = [self._value(name, value) for name, value in missing]
        steps += [
            self._repository(unit, unit.repository in repositories)
            for unit in self._rules.business_units
        ]
        steps.append(self._account())
        for unit in self._rules.business_units:
            steps.append(self._group(unit, repositories.get(unit.repository)))
        steps.append(
            Step(
                kind="agent",
                subject="hotfolder",
                what="the software agent of this version",
                there=self._places.has_agent(),
                make=self._places.find_agent,
            )
        )
        for unit in self._rules.business_units:
            if unit.code in units:
                uri = repositories.get(unit.repository)
                steps += [self._series(unit, series.code, uri) for series in self._rules.series]
        return steps

    def _may_log_in(self, password: str) -> bool:
        """Whether this is the account's password: an interrupted run may have made it."""
        own = Transport(
            self._profile, password, clock=self._clock, emit=self._emit, version=self._version
        )
        try:
            own.permissions()
        except ArchiveFault:
            return False
        finally:
            own.log_out()
            own.close()
        return True

    # -- steps ------------------------------------------------------------------------
    def _repository(self, unit: BusinessUnit, there: bool) -> Step:
        def make() -> str:
            answer = self._calls.create(
                "/repositories",
                {
                    "jsonmodel_type": "repository",
                    "repo_code": unit.repository,
                    "name": unit.name,
                    "publish": False,
                },
            )
            self._places.forget()
            if isinstance(answer, Refusal) and "repo_code" in answer.fields:
                # It was not in the list: the database compares as its collation does
                # (exchange 20, reference 2.4).
                raise OperatorFault(
                    f"ArchivesSpace has a repository called {unit.repository}"
                    " but for capitals or accents",
                    hint=f"write `repository` in [units.{unit.code}] as it is there",
                    code="setup.refused",
                )
            return _made(answer, f"the repository {unit.repository}")

        return Step(
            kind="repository",
            subject=unit.repository,
            what=f"unpublished, for business unit {unit.code}, called {unit.name!r}",
            there=there,
            make=make,
        )

    def _account(self) -> Step:
        name = self._profile.username

        def make() -> str:
            password = self._account_password()
            answer = self._calls.create_user(name, "hotfolder", password)
            if isinstance(answer, Refusal) and "username" in answer.fields:
                return THERE if self._may_log_in(password) else KEEPS_ITS_OWN
            if isinstance(answer, Refusal) and answer.words == _NO_USERNAME:
                raise OperatorFault(
                    f"ArchivesSpace takes no account of the name {name!r}",
                    hint="write `username` with letters from a to z, digits, - _ . @ and single"
                    " blanks",
                    code="setup.refused",
                )
            return _made(answer, f"the account {name}")

        return Step(kind="account", subject=name, what="the service account", there=None, make=make)

    def _group(self, unit: BusinessUnit, uri: str | None) -> Step:
        code = f"{self._profile.username}-service"
        wanted = sorted(needed_permissions(self._profile.least_privilege))
        there = uri is not None and any(
            group.get("group_code") == code for group in self._calls.list_groups(uri)
        )

        def make() -> str:
            repository = self._places.find_repository(unit.code).uri
            answer = self._calls.create(
                f"{repository}/groups",
                {
                    "jsonmodel_type": "group",
                    "group_code": code,
                    "description": "hotfolder: the least that it needs",
                    # As the server keeps it: its demo database (Derby) tells capitals apart.
                    "member_usernames": [self._profile.username.strip().lower()],
                    "grants_permissions": wanted,
                },
            )
            return _made(answer, f"the group {code}")

        return Step(
            kind="group",
            subject=f"{code} in {unit.repository}",
            what=", ".join(wanted),
            there=there,
            make=make,
        )

    def _value(self, listed: str, value: str) -> Step:
        def make() -> str:
            record = self._calls.read_list(listed)
            uri = text_of(record, "uri")
            values = record.get("values")
            have = values if isinstance(values, list) else []
            if value in have:
                return THERE
            items = as_records(record.get("enumeration_values") or [])
            # The server would take the list (200) and leave the value hidden: what is
            # suppressed counts as there (apply_values in backend/app/model/enumeration.rb).
            for item in items:
                if item.get("value") == value and item.get("suppressed") is True:
                    raise OperatorFault(
                        f"ArchivesSpace's list {listed} has the value {value!r}, suppressed",
                        hint="unsuppress it under System > Manage Controlled Value Lists,"
                        " then run `hotfolder setup` again",
                        code="setup.refused",
                    )
            # ``values`` lacks what is suppressed, and what is not sent counts as taken out: of a
            # value that is read-only (*request*, say) the server denies that (403).
            kept = dict.fromkeys([*have, *(text_of(item, "value") for item in items)])
            answer = self._calls.update(uri, {**record, "values": [*kept, value]})
            if not isinstance(answer, Updated):
                raise _refused(answer, f"the value {value!r} in {listed}")
            self._vocabulary.forget()
            return uri

        return Step(
            kind="value",
            subject=f"{listed}: {value}",
            what="a value of a controlled list, which every repository shares",
            there=False,
            make=make,
        )

    def _series(self, unit: BusinessUnit, series: str, uri: str | None) -> Step:
        there = uri is not None and self._places.find_resource(uri, series) is not None
        return Step(
            kind="series",
            subject=f"{series} in {unit.repository}",
            what="a resource",
            there=there,
            make=lambda: self._places.make_resource(unit.code, series),
        )


def _made(answer: Created | Refusal, what: str) -> str:
    if isinstance(answer, Created):
        return answer.uri
    raise _refused(answer, what)


def _refused(answer: Refusal, what: str) -> OperatorFault:
    # An administrator reads it at a terminal, and what was sent is of the configuration: the
    # server's words are the only ones that say what is wrong with it.
    return OperatorFault(
        f"ArchivesSpace did not take {what}, with status {answer.status}: {answer.words[:_WORDS]}",
        hint="mend in the configuration what it complains of, then run `hotfolder setup` again:"
        " what was made stays, and is found",
        code="setup.refused",
    )
