"""Who acts, for the history, the audit chain and the roles."""

from __future__ import annotations

import os
import pwd

# proc(5), /proc/pid/loginuid: set when somebody logs in, kept through su and sudo, and not
# to be changed without CAP_AUDIT_CONTROL.
LOGIN_UID = "/proc/self/loginuid"
_UNSET = 0xFFFFFFFF  # nobody has logged in: a service, a container


def actor() -> str:
    """Who acts, by the name of their account: who logged in, as the kernel keeps it.

    Where it keeps nothing, who called sudo, which whoever may become the service's account
    could say otherwise; else the account that runs this.
    """
    return _logged_in() or os.environ.get("SUDO_USER") or _name_of(os.getuid())


def _logged_in() -> str:
    try:
        with open(LOGIN_UID, encoding="ascii") as stream:
            uid = int(stream.read())
    except (OSError, ValueError):
        return ""
    return "" if uid == _UNSET else _name_of(uid)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"
