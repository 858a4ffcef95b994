"""Repositories and their groups."""

from __future__ import annotations

import json
from typing import Any

from hotfolder.sandbox.answers import bad_parameters, missing, refused_by_model
from hotfolder.sandbox.contract import Contract, Json
from hotfolder.sandbox.kinds import KINDS
from hotfolder.sandbox.records import Kept, Records, refuse_unfit
from hotfolder.sandbox.rendering import audit, render_repository
from hotfolder.sandbox.state import State


class Repositories:
    """Made with an agent that stands for them, and six groups. Call in a transaction."""

    def __init__(self, state: State, records: Records, contract: Contract) -> None:
        self._state = state
        self._records = records
        self._groups = contract.groups

    def create(self, record: Json, user: str) -> tuple[int, str]:
        """A new repository from a checked record: its number and uri. Raises ``Refusal``."""
        code = str(record["repo_code"])
        for row in self._state.rows("SELECT body FROM record WHERE kind = 'repository'"):
            if json.loads(row["body"])["repo_code"].casefold() == code.casefold():
                raise refused_by_model({"repo_code": ["short name already in use"]})
        for name, value in record.items():
            refuse_unfit("repository", name, value)
        agent = self._represent(record, user)
        number = self._state.next_number("repository")
        uri = f"/repositories/{number}"
        body = {
            "publish": False,
            "oai_is_disabled": False,
            "slug": code.lower(),
            **record,
            "agent_representation": {"ref": agent.uri},
        }
        for name in ("uri", "lock_version"):
            body.pop(name, None)
        self._insert("repository", uri, number, None, body, user)
        for group in self._groups:
            self.add_group(uri, {**group, "description": group["description"].format(code)}, user)
        return number, uri

    def uri(self, number: int) -> str:
        """The uri of a repository. Raises ``Refusal`` (400) if there is none."""
        uri = f"/repositories/{number}"
        if self._row(uri) is None:
            raise bad_parameters({"repo_id": ["Failed validation -- The Repository must exist"]})
        return uri

    def one(self, number: int) -> Json:
        """A repository as shown. Raises ``Refusal`` (404)."""
        row = self._row(f"/repositories/{number}")
        if row is None:
            raise missing("Repository")
        return render_repository(row)

    def every(self) -> list[Json]:
        """All repositories."""
        rows = self._state.rows("SELECT * FROM record WHERE kind = 'repository' ORDER BY number")
        return [render_repository(row) for row in rows]

    def add_group(self, repository: str, group: Json, user: str) -> tuple[int, str]:
        """A new group in a repository: its number and uri. Raises ``Refusal`` for a code that
        is taken, whatever its capitals, and for members who are no users (``validate`` and
        ``set_members`` in the server's backend/app/model/group.rb)."""
        code = group["group_code"].lower()
        if any(item["group_code"].lower() == code for item in self.groups(repository)):
            text = "Group code must be unique within a repository"
            raise refused_by_model({"group_code": [text]})
        # MySQL would take other capitals for the same name, Derby does not.
        members = list(group.get("member_usernames", []))
        lost = [name for name in members if not self._is_user(name)]
        if lost:
            text = "User {} does not exist" if len(lost) == 1 else "Users {} do not exist"
            raise refused_by_model({"member_usernames": [text.format(", ".join(lost))]})
        number = self._state.next_number("group")
        uri = f"{repository}/groups/{number}"
        body = {
            "group_code": group["group_code"],
            "description": group["description"],
            "member_usernames": members,
            "grants_permissions": group.get("grants_permissions", []),
        }
        self._insert("group", uri, number, repository, body, user)
        return number, uri

    def groups(self, repository: str) -> list[Json]:
        """The groups of a repository; the list does not name their members."""
        rows = self._state.rows(
            "SELECT * FROM record WHERE kind = 'group' AND repository = ? ORDER BY number",
            (repository,),
        )
        return [
            {
                "lock_version": row["lock_version"],
                **json.loads(row["body"]),
                **audit(row),
                "jsonmodel_type": "group",
                "member_usernames": [],
                "uri": row["uri"],
                "repository": {"ref": repository},
            }
            for row in rows
        ]

    def _is_user(self, name: str) -> bool:
        query = "SELECT count(*) FROM account WHERE username = ?"
        return bool(self._state.value(query, (name,)))

    def _row(self, uri: str) -> Any:
        return self._state.row("SELECT * FROM record WHERE uri = ? AND kind = 'repository'", (uri,))

    def _represent(self, record: Json, user: str) -> Kept:
        name = {
            "jsonmodel_type": "name_corporate_entity",
            "primary_name": record["name"],
            "short_name": record["repo_code"],
            "source": "local",
            "sort_name": record["name"],
        }
        agent = {"jsonmodel_type": "agent_corporate_entity", "names": [name]}
        return self._records.create(KINDS["agent_corporate_entity"], None, agent, user)

    def _insert(
        self, kind: str, uri: str, number: int, repository: str | None, body: Json, user: str
    ) -> None:
        now = self._state.now()
        self._state.execute(
            "INSERT INTO record (uri, kind, number, repository, body, created_by,"
            " last_modified_by, create_time, system_mtime, user_mtime)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (uri, kind, number, repository, json.dumps(body), user, user, now, now, now),
        )
