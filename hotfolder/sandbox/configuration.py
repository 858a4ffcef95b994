"""The demo's configuration, as a file that an operator could have written."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence

from hotfolder.sandbox.communications import CHANNELS
from hotfolder.sandbox.scenario import FOLDERS, LETTER_DEFAULTS

REPOSITORIES = {"RETAIL": "Retail bank", "INSURE": "Insurance"}  # to be made in the sandbox

Value = str | int | float | bool | Sequence[str] | Mapping[str, str]

_RETENTION: Mapping[str, Mapping[str, Value]] = {
    "FIN-7Y": {
        "title": "Financial communications",
        "trigger": "issue_date",
        "period": "P7Y",
        "mandate": "Books and records, six years and the current one",
        "action": "review",
    },
    "POL-10Y": {
        "title": "Policy documents",
        "trigger": "event",
        "period": "P10Y",
        "mandate": "Ten years after the policy ends",
        "action": "review",
    },
    "CORR-6Y": {
        "title": "Correspondence",
        "trigger": "issue_date",
        "period": "P6Y",
        "mandate": "Limitation of actions",
        "action": "destroy",
    },
    "REG-PERM": {
        "title": "Regulatory notices",
        "trigger": "permanent",
        "mandate": "Supervisor's order",
        "action": "keep",
    },
}
_SERIES: Mapping[str, Mapping[str, Value]] = {
    "STMT": {
        "title": "Account statements and bills",
        "document_types": ["statement", "bill"],
        "retention_class": "FIN-7Y",
        "required": ["customer_id", "document_type", "issue_date", "channel"],
        "cycle": "month",
    },
    "POL": {
        "title": "Policy schedules",
        "document_types": ["policy"],
        "retention_class": "POL-10Y",
        "key": ["customer_id", "policy_number", "document_type", "issue_date"],
        "required": ["customer_id", "policy_number", "document_type", "issue_date"],
        "cycle": "quarter",
    },
    "NOT": {
        "title": "Notices to customers",
        "document_types": ["notice"],
        "retention_class": "REG-PERM",
        "cycle": "quarter",
    },
    "CORR": {
        "title": "Case correspondence",
        "document_types": ["letter"],
        "retention_class": "CORR-6Y",
        "key": ["customer_id", "case_refs", "document_type", "issue_date"],
        "cycle": "year",
    },
}
_QUIET: Mapping[str, Value] = {
    "rule": "quiet",
    "quiet": 1.5,
    "looks": 3,
    "quiet_without_trailer": 4.0,
    "sidecar_wait": 8.0,
}
_FOLDER_PROFILES: Mapping[str, Mapping[str, Value]] = {
    "statements": {"business_unit": "RETAIL", "sidecar": "json"},
    "policies": {"business_unit": "INSURE", "sidecar": "xml"},
    "notices": {"business_unit": "RETAIL", "recursive": True},
    "letters": {
        "business_unit": "RETAIL",
        "manual": True,
        "sidecar_required": False,
        "owner": "Records office, extension 4711",
        "defaults": LETTER_DEFAULTS,
    },
    "runs": {"business_unit": "RETAIL"},
}
_DOCUMENTS: Mapping[str, Mapping[str, Value]] = {"runs": {"index": "afp"}}
_COMPLETION: Mapping[str, Mapping[str, Value]] = {
    "statements": {**_QUIET, "rule": "trigger", "trigger_suffix": ".done"},
    "policies": {**_QUIET, "rule": "rename", "temporary": ["*.tmp", "*.part", ".*"]},
    "notices": _QUIET,
    "letters": _QUIET,
    "runs": {**_QUIET, "rule": "trigger", "trigger_suffix": ".done"},
}


def hot_folders(root: str) -> dict[str, bytes]:
    """Where the demo's hot folders lie under ``root``; nothing is made."""
    return {name: os.fsencode(os.path.join(root, "exstream", name)) for name in FOLDERS}


def template_folder(root: str) -> str:
    """Where the demo's template packages are dropped."""
    return os.path.join(root, "exstream", "templates")


def demo_configuration(
    root: str,
    url: str,
    *,
    username: str = "admin",
    password_file: str,
    signing_key: str = "",
    unit_size: int = 50,
    importers: int = 4,
    metrics_port: int = 0,
    log_format: str = "auto",
    least_privilege: bool = False,
    templates: bool = False,
) -> str:
    """The TOML of an installation whose every file lies under ``root`` (absolute)."""
    top: dict[str, Mapping[str, Value]] = {
        "archivesspace": {
            "url": url,
            "username": username,
            "password_file": password_file,
            "unit_size": unit_size,
            "importers": importers,
            "least_privilege": least_privilege,
            "connect_timeout": 2.0,
            "read_timeout": 20.0,
            "total_timeout": 60.0,
        },
        "journal": {"path": os.path.join(root, "journal.db")},
        "store": {"path": os.path.join(root, "store")},
        "audit": {"signing_key": signing_key},
        "log": {"format": log_format},
        "metrics": {"port": metrics_port},
        "vocabularies": {"channel": CHANNELS},
    }
    tables: list[tuple[str, Mapping[str, Value]]] = [
        ("# Written by `hotfolder demo`: five hot folders and a sandbox to deliver to.", {})
    ]
    tables += [(f"[{name}]", values) for name, values in top.items()]
    tables += [(f"[retention.{name}]", values) for name, values in _RETENTION.items()]
    tables += [
        (f"[units.{code}]", {"name": title, "repository": code})
        for code, title in REPOSITORIES.items()
    ]
    tables += [(f"[series.{name}]", values) for name, values in _SERIES.items()]
    for name, path in hot_folders(root).items():
        profile = {"path": os.fsdecode(path), **_FOLDER_PROFILES[name]}
        tables.append((f"[folders.{name}]", profile))
        if name in _DOCUMENTS:
            tables.append((f"[folders.{name}.documents]", _DOCUMENTS[name]))
        tables.append((f"[folders.{name}.completion]", _COMPLETION[name]))
    if templates:
        profile = {"path": template_folder(root), "business_unit": "RETAIL", "kind": "templates"}
        tables.append(("[folders.templates]", profile))
        tables.append(("[folders.templates.completion]", _QUIET))
    return "\n\n".join("\n".join([head, *_lines(values)]) for head, values in tables) + "\n"


def _lines(values: Mapping[str, Value]) -> list[str]:
    return [f"{name} = {_toml(value)}" for name, value in values.items()]


def _toml(value: Value) -> str:
    """A value as TOML 1.0; JSON's strings, numbers and booleans are TOML's too."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_toml(item)}" for name, item in value.items()) + " }"
    if isinstance(value, (str, bool, int, float)):
        return json.dumps(value, ensure_ascii=False)
    return "[" + ", ".join(_toml(item) for item in value) + "]"
