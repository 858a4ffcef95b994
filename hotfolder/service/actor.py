"""Who acts, for the history and the audit chain."""

from __future__ import annotations

import getpass
import os


def actor() -> str:
    """Who acts, as the system knows them; sudo keeps the person's name."""
    return os.environ.get("SUDO_USER") or getpass.getuser()
