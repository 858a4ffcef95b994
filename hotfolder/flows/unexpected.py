"""An exception that nobody classified, in a form that may be logged."""

from __future__ import annotations

import traceback


def last_frames() -> str:
    """The exception in hand as type and places, without its text: that may quote
    a customer's data."""
    lines = traceback.format_exc().splitlines()
    places = [line.strip() for line in lines if line.startswith("  File ")]
    return " < ".join([lines[-1].split(":", 1)[0], *reversed(places[-4:])])
