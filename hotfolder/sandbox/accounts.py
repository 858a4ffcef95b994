"""Users, groups, sessions: who may do what."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

from hotfolder.sandbox.answers import Refusal, refused_by_model
from hotfolder.sandbox.contract import Contract, Json
from hotfolder.sandbox.state import State, iso

GLOBAL = "/repositories/1"
EVERYWHERE = "_archivesspace"
IDLE = 3600  # seconds that a session may rest; of one that does not expire, the next
IDLE_LONG = 604_800
_NAME = re.compile(r"[a-z0-9_.@ -]+")

# Held in some repository, these bring others that hold everywhere (``implied_by`` in the
# server's backend/app/lib/bootstrap_access_control.rb; the recorded administrator has them
# in this order). ``import_records`` is not among them.
IMPLIED = {
    "manage_repository": ("update_location_record",),
    "delete_archival_record": ("delete_vocabulary_record",),
    "manage_subject_record": ("update_subject_record", "delete_subject_record"),
    "manage_agent_record": ("update_agent_record", "delete_agent_record"),
    "view_agent_contact_record": ("view_agent_contact_record_global",),
    "manage_vocabulary_record": ("update_vocabulary_record",),
    "manage_enumeration_record": ("update_enumeration_record",),
    "merge_agents_and_subjects": ("merge_subject_record", "merge_agent_record"),
    "manage_container_profile_record": ("update_container_profile_record",),
    "manage_location_profile_record": ("update_location_profile_record",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent a request. Without a session: nobody, who may do nothing."""

    username: str | None = None
    permissions: dict[str, list[str]]

    def may(self, permission: str, repository: str | None) -> bool:
        """Whether the permission is held, in the repository or everywhere."""
        held = self.permissions.get(EVERYWHERE, [])
        here = self.permissions.get(repository, []) if repository else []
        return permission in held or permission in here


NOBODY = Caller(permissions={})


def account_name(text: str) -> str:
    """A user's name as the server takes it. Raises ``Refusal`` (400) for characters that it
    does not (``Username`` in backend/app/lib/username.rb, and ``@`` by pull request 1474)."""
    name = text.strip().lower()
    if not _NAME.fullmatch(name) or "  " in name:
        raise Refusal(400, {"error": "Invalid username"})
    return name


class Accounts:
    """Users and their sessions, kept in the state, by names in small letters."""

    def __init__(self, state: State, contract: Contract) -> None:
        self._state = state
        self._contract = contract

    def add_user(self, username: str, password: str, name: str, agent: str, by: str) -> int:
        """A new user. Raises ``Refusal`` if the name is taken."""
        if self._row(username) is not None:
            raise refused_by_model({"username": [f"Username '{username}' is already in use"]})
        now = self._state.now()
        body = {
            "name": name,
            "agent": agent,
            "created_by": by,
            "lock_version": 0,
            "create_time": now,
            "mtime": now,
        }
        number = self._state.next_number("user")
        self._insert(number, username, password, body)
        return number

    def add_administrator(self, password: str) -> None:
        """The first user, ``admin``, who may do everything."""
        now = self._state.now()
        body = {
            "name": "Administrator",
            "agent": "/agents/people/1",
            "created_by": None,
            "lock_version": 0,
            "create_time": now,
            "mtime": now,
        }
        self._insert(1, "admin", password, body)

    def log_in(self, username: str, password: str, *, expiring: bool) -> Json:
        """A new session. Raises ``Refusal`` (403), which does not say what was wrong."""
        row = self._row(username)
        if row is None or not hmac.compare_digest(row["password"], _digest(username, password)):
            raise Refusal(403, {"error": "Login failed"})
        body = json.loads(row["body"])
        body["lock_version"] += 1
        body["mtime"] = self._state.now()
        self._state.execute(
            "UPDATE account SET body = ? WHERE username = ?", (json.dumps(body), username)
        )
        token = secrets.token_hex(32)
        self._state.execute(
            "INSERT INTO session (token, username, expiring, used) VALUES (?, ?, ?, ?)",
            (token, username, int(expiring), self._state.now()),
        )
        shown: Json = {"session": token, "user": self.user(username)}
        if not expiring:
            shown["expire_after_seconds"] = IDLE_LONG
        return shown

    def log_out(self, token: str) -> None:
        """End a session."""
        self._state.execute("DELETE FROM session WHERE token = ?", (token,))

    def caller(self, token: str | None) -> Caller:
        """Who a session is of. Raises ``Refusal`` (412) if it is gone or too old."""
        if token is None:
            return NOBODY
        row = self._state.row("SELECT * FROM session WHERE token = ?", (token,))
        if row is None:
            text = f"No session found for {token}"
            raise Refusal(412, {"code": "SESSION_GONE", "error": text})
        now = self._state.now()
        if now - row["used"] > (IDLE if row["expiring"] else IDLE_LONG):
            self.log_out(token)
            text = f"Session timed out for {token}"
            raise Refusal(412, {"code": "SESSION_EXPIRED", "error": text})
        if now != row["used"]:
            self._state.execute("UPDATE session SET used = ? WHERE token = ?", (now, token))
        return Caller(username=row["username"], permissions=self.permissions(row["username"]))

    def expire_sessions(self, only: str | None = None) -> None:
        """Let every session, or only one, have rested too long."""
        self._state.execute(
            "UPDATE session SET used = 0 WHERE ? IS NULL OR token = ?", (only, only)
        )

    def forget_sessions(self) -> None:
        """Let no session ever have been."""
        self._state.execute("DELETE FROM session")

    def user(self, username: str) -> Json:
        """A user as shown to themselves."""
        row = self._row(username)
        if row is None:
            raise Refusal(404, {"error": "User not found"})
        body = json.loads(row["body"])
        changed = iso(body["mtime"])
        shown = {
            "lock_version": body["lock_version"],
            "username": username,
            "name": body["name"],
            "source": "DBAuth",
            "is_system_user": username == "admin",
            "create_time": iso(body["create_time"]),
            "system_mtime": changed,
            "user_mtime": changed,
            "is_active_user": True,
            "jsonmodel_type": "user",
            "groups": [],
            "is_admin": username == "admin",
            "uri": f"/users/{row['number']}",
            "agent_record": {"ref": body["agent"]},
            "permissions": self.permissions(username),
        }
        if body["created_by"] is not None:
            shown["created_by"] = body["created_by"]
        return shown

    def permissions(self, username: str) -> dict[str, list[str]]:
        """What a user may do, by repository, as the login answer has it."""
        if username == "admin":
            return dict(self._contract.permissions)
        held: dict[str, list[str]] = {}
        for row in self._state.rows(
            "SELECT repository, body FROM record WHERE kind = 'group' ORDER BY number"
        ):
            body = json.loads(row["body"])
            if username in body["member_usernames"]:
                here = held.setdefault(row["repository"], [])
                here += [code for code in body["grants_permissions"] if code not in here]
        implied = sorted(
            {extra for here in held.values() for code in here for extra in IMPLIED.get(code, ())}
        )
        for here in held.values():
            here += [code for code in implied if code not in here]
        held[EVERYWHERE] = [*held.get(GLOBAL, []), *implied, "edit_user_self"]
        return held

    def _row(self, username: str) -> Any:
        return self._state.row("SELECT * FROM account WHERE username = ?", (username,))

    def _insert(self, number: int, username: str, password: str, body: Json) -> None:
        self._state.execute(
            "INSERT INTO account (username, number, password, body) VALUES (?, ?, ?, ?)",
            (username, number, _digest(username, password), json.dumps(body)),
        )


def _digest(username: str, password: str) -> str:
    return hashlib.sha256(f"{username}\0{password}".encode()).hexdigest()
