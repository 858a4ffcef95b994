"""The tables of docs/operate.md: events from their list, metrics from the registry.

python -m tests.support.operate_doc     writes them anew
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

from hotfolder.service.events import EVENTS
from hotfolder.service.metrics import Metrics

DOCS = Path(__file__).parent.parent.parent / "docs" / "operate.md"
_TABLE = re.compile(r"<!-- table (?P<name>\S+) -->\n(?P<body>.*?)<!-- end -->", re.DOTALL)


def events_table() -> str:
    """Every event with its level, fields and meaning."""
    rows = ["| event | level | fields | what it means |", "|---|---|---|---|"]
    for name, event in EVENTS.items():
        level = logging.getLevelName(event.level).lower()
        fields = ", ".join(sorted(event.fields)) or "-"
        rows.append(f"| `{name}` | {level} | {fields} | {event.sentence} |")
    return "\n".join(rows) + "\n"


def metrics_table() -> str:
    """Every metric with its kind, labels and meaning."""
    metrics = Metrics()
    metrics.watch_beats(lambda: {"intake": 0.0})
    metrics.watch_folders(lambda: {"a": {}})
    labels = {
        getattr(metric, "_name", ""): ", ".join(getattr(metric, "_labelnames", ()))
        for metric in metrics.registry._collector_to_names
    }
    rows = ["| metric | kind | label | what it is |", "|---|---|---|---|"]
    for family in sorted(metrics.registry.collect(), key=lambda family: family.name):
        sampled = ", ".join(family.samples[0].labels) if family.samples else ""
        label = labels.get(family.name, sampled) or "-"
        name = family.name + ("_total" if family.type == "counter" else "")
        rows.append(f"| `{name}` | {family.type} | {label} | {family.documentation} |")
    return "\n".join(rows) + "\n"


def filled(text: str) -> str:
    """``text`` with both tables made anew."""
    tables = {"events": events_table(), "metrics": metrics_table()}
    return _TABLE.sub(
        lambda match: f"<!-- table {match['name']} -->\n{tables[match['name']]}<!-- end -->", text
    )


if __name__ == "__main__":
    DOCS.write_text(filled(DOCS.read_text()))
