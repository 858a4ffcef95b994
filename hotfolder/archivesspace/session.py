"""The session that a login gives, and what the server says when it gives none."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from hotfolder.archivesspace.answer import Unanswered
from hotfolder.core.errors import ArchiveFault, Transient

_TOKEN = re.compile(r"[0-9A-Za-z_-]{8,256}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A token, and what the account may do: permissions by repository uri."""

    token: str
    permissions: Mapping[str, frozenset[str]]

    def __repr__(self) -> str:
        return "Session(...)"


def read_session(body: bytes) -> Session:
    try:
        answer = json.loads(body)
        token, user = answer["session"], answer["user"]
        permissions = read_permissions(user)
    except (ValueError, KeyError, TypeError, RecursionError, Unanswered):
        token, permissions = None, {}
    if not isinstance(token, str) or not _TOKEN.match(token):
        raise Transient(
            "the login was answered, but not by ArchivesSpace",
            hint="is a proxy or another program listening at this address?",
            code="archive.login",
        )
    return Session(token=token, permissions=permissions)


def read_permissions(user: object) -> Mapping[str, frozenset[str]]:
    found = user.get("permissions", {}) if isinstance(user, dict) else None
    if not isinstance(found, dict):
        raise Unanswered("the answer about the account has an unknown shape")
    return {
        str(place): frozenset(str(name) for name in names)
        for place, names in found.items()
        if isinstance(names, list)
    }


def judge_login_refusal(status: int) -> Transient | ArchiveFault:
    # 409: each login raises the account's lock_version, so two at once may collide
    if status >= 500 or status in (408, 409, 412, 429):
        return Transient(f"login: the server answered {status}", code="archive.login")
    if status in (400, 401, 403):
        return ArchiveFault(
            "ArchivesSpace refuses the login",
            hint="check user name and password; those of the service are in the configuration, in"
            " the credentials directory or in password_file",
            code="archive.login",
        )
    return ArchiveFault(
        f"there is no ArchivesSpace backend at this address (status {status} to the login)",
        hint="give the address of the backend (stock port 8089), not of the staff interface",
        code="archive.url",
    )
