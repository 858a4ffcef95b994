"""Reading the configuration: one TOML file, the environment, the credentials directory.

Every fault is reported at once, with its place in the file and its remedy, and
nothing runs until there is none.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from hotfolder.core.errors import Fault, OperatorFault
from hotfolder.core.profiles import (
    ArchiveProfile,
    ArchiveSlots,
    BusinessUnit,
    Completion,
    FolderProfile,
    Rules,
    SeriesProfile,
    Vocabularies,
)
from hotfolder.core.retention import Period, RetentionClass, RetentionTrigger
from hotfolder.service.settings_checks import check_settings
from hotfolder.service.settings_model import Section, SettingsFile

DEFAULT_PATH = "/etc/hotfolder/hotfolder.toml"
CREDENTIAL = "archivesspace-password"
_OUTSIDE_VARIABLES = frozenset({"HOTFOLDER_CONFIG"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything that is configured, as plain records."""

    path: str
    journal_path: str
    store_path: str
    archive: ArchiveProfile
    password: str = field(repr=False)
    rules: Rules
    folders: tuple[FolderProfile, ...]
    log_format: str
    log_level: str
    metrics_port: int
    stop_timeout: float


def load(path: str, environ: Mapping[str, str] | None = None) -> Configuration:
    """Read and check the configuration. Raises ``OperatorFault`` with every fault."""
    environment = os.environ if environ is None else environ
    faults: list[Fault] = _check_variables(environment)
    raw = _read_file(path)
    try:
        settings = SettingsFile(**raw)
    except ValidationError as error:
        faults += [_explain(item, path) for item in error.errors(include_url=False)]
        raise _refused(path, faults) from None  # pydantic's own text quotes values
    account = _find_account(settings, environment, path, faults)
    faults += check_settings(settings, account.url, path)
    if faults:
        raise _refused(path, faults)
    return _convert(path, settings, account)


def _refused(path: str, faults: Sequence[Fault]) -> OperatorFault:
    count = len(faults)
    return OperatorFault(
        f"{path} has {count} fault{'s' if count != 1 else ''}",
        hint="mend them all; `hotfolder check` tries again",
        code="configuration",
        faults=faults,
    )


def _read_file(path: str) -> dict[str, Any]:
    try:
        with Path(path).open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError as error:
        raise OperatorFault(
            f"there is no configuration {path}",
            hint=f"write one with `hotfolder init {path}`, or name another with --config",
            code="configuration.missing",
        ) from error
    except OSError as error:
        raise OperatorFault(
            f"the configuration {path} cannot be read: {error.strerror}",
            hint="let the user that runs hotfolder read it",
            code="configuration.unreadable",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OperatorFault(
            f"the configuration {path} is no TOML: {error}",
            hint="correct it there; strings need quotes",
            code="configuration.toml",
        ) from error


def _check_variables(environ: Mapping[str, str]) -> list[Fault]:
    """Variables that begin like ours but mean nothing: most likely misspelt."""
    known = {f"HOTFOLDER_{name.upper()}": model for name, model in _sections().items()}
    faults: list[Fault] = []
    for variable in sorted(environ):
        if not variable.startswith("HOTFOLDER_") or variable in _OUTSIDE_VARIABLES:
            continue
        section, *rest = variable.split("__")
        model = known.get(section)
        keys = [key.upper() for key in model.model_fields] if model is not None else []
        # Tables with names of their own (folders, series…) are set in the file alone.
        if model is not None and rest and rest[0] in keys:
            continue
        choices = [f"{name}__{key.upper()}" for name, m in known.items() for key in m.model_fields]
        near = difflib.get_close_matches(variable, choices, 1)
        faults.append(
            Fault(
                code="configuration.variable",
                message=f"the environment variable {variable} means nothing here",
                remedy=f"did you mean {near[0]}?" if near else "unset it",
                file="environment",
                place=variable,
            )
        )
    return faults


def _sections() -> dict[str, type[Section]]:
    return {
        name: info.annotation
        for name, info in SettingsFile.model_fields.items()
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section)
    }


def _explain(item: Mapping[str, Any], path: str) -> Fault:
    """One of pydantic's findings in our words; never the value, which may be secret."""
    place = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return Fault(
            code="configuration.unknown",
            message=f"there is no key {item['loc'][-1]!r} here",
            remedy=_suggest(item["loc"]),
            file=path,
            place=place,
        )
    if item["type"] == "missing":
        return Fault(
            code="configuration.missing-key",
            message="this key is missing",
            remedy=f"add {item['loc'][-1]} = …",
            file=path,
            place=place,
        )
    return Fault(
        code="configuration.value",
        message=str(item["msg"]),
        remedy="see docs/configure.md for what it may be",
        file=path,
        place=place,
    )


def _suggest(loc: Sequence[Any]) -> str:
    model: Any = SettingsFile
    for part in loc[:-1]:
        info = getattr(model, "model_fields", {}).get(part)
        if info is not None:
            model = info.annotation
            if not hasattr(model, "model_fields"):
                model = getattr(model, "__args__", (None, None))[-1]
    keys = list(getattr(model, "model_fields", {}))
    near = difflib.get_close_matches(str(loc[-1]), keys, 1)
    if near:
        return f"did you mean {near[0]}?"
    return "remove it; known here: " + ", ".join(keys) if keys else "remove it"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    url: str
    username: str
    password: str = field(repr=False)


def _find_account(
    settings: SettingsFile, environ: Mapping[str, str], path: str, faults: list[Fault]
) -> _Account:
    archive = settings.archivesspace
    snake = _read_snake(archive.archivessnake, environ, path, faults)
    url = archive.url or str(snake.get("baseurl", ""))
    username = archive.username or str(snake.get("username", ""))
    password = ""
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    credential = Path(directory, CREDENTIAL) if directory else None
    if credential is not None and credential.exists():
        password = _read_secret(credential, path, faults)
    elif archive.password_file:
        password = _read_secret(Path(archive.password_file), path, faults)
    elif archive.password is not None:
        password = archive.password.get_secret_value()
    else:
        password = str(snake.get("password", ""))
    for name, value in (("url", url), ("username", username), ("password", password)):
        if not value and not any(fault.place == f"archivesspace.{name}" for fault in faults):
            faults.append(
                Fault(
                    code="configuration.account",
                    message=f"ArchivesSpace's {name} is not known",
                    remedy=f"give the credential {CREDENTIAL}, or password_file"
                    if name == "password"
                    else f"add {name} = …",
                    file=path,
                    place=f"archivesspace.{name}",
                )
            )
    return _Account(url=url.rstrip("/"), username=username, password=password)


def _read_secret(secret: Path, path: str, faults: list[Fault]) -> str:
    try:
        return secret.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        faults.append(
            Fault(
                code="configuration.secret",
                message=f"the password file {secret} cannot be read ({type(error).__name__})",
                remedy="write the password into it; let only the user of the service read it",
                file=path,
                place="archivesspace.password",
            )
        )
        return ""


def _read_snake(
    wanted: bool | str, environ: Mapping[str, str], path: str, faults: list[Fault]
) -> Mapping[str, Any]:
    """ArchivesSnake's own configuration: baseurl, username, password."""
    if not wanted:
        return {}
    place = Path(wanted if isinstance(wanted, str) else "~/.archivessnake.yml")
    if str(place).startswith("~"):
        place = Path(environ.get("HOME", "/")) / str(place).removeprefix("~/")
    try:
        found = yaml.safe_load(place.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        faults.append(
            Fault(
                code="configuration.archivessnake",
                message=f"{place} cannot be read ({type(error).__name__})",
                remedy="write baseurl, username and password into it, or drop archivessnake",
                file=path,
                place="archivesspace.archivessnake",
            )
        )
        return {}
    return found if isinstance(found, dict) else {}


def _convert(path: str, settings: SettingsFile, account: _Account) -> Configuration:
    archive = settings.archivesspace
    return Configuration(
        path=path,
        journal_path=settings.journal.path,
        store_path=settings.store.path,
        archive=ArchiveProfile(
            url=account.url,
            username=account.username,
            least_privilege=archive.least_privilege,
            rights_statements=archive.rights_statements,
            resolver=archive.resolver,
            unit_size=archive.unit_size,
            importers=archive.importers,
            connect_timeout=archive.connect_timeout,
            read_timeout=archive.read_timeout,
            total_timeout=archive.total_timeout,
            verify_tls=archive.verify_tls,
            ca_file=archive.ca_file,
            slots=ArchiveSlots(**archive.slots.model_dump()),
        ),
        password=account.password,
        rules=_rules(settings),
        folders=tuple(_folder(name, item) for name, item in settings.folders.items()),
        log_format=settings.log.format,
        log_level=settings.log.level,
        metrics_port=settings.metrics.port,
        stop_timeout=settings.service.stop_timeout,
    )


def _rules(settings: SettingsFile) -> Rules:
    return Rules(
        series=tuple(
            SeriesProfile(
                code=code,
                title=item.title,
                document_types=tuple(item.document_types),
                retention_class=item.retention_class or None,
                key=tuple(item.key),
                required=tuple(item.required),
                cycle=item.cycle,
            )
            for code, item in settings.series.items()
        ),
        business_units=tuple(
            BusinessUnit(code=code, name=item.name, repository=item.repository)
            for code, item in settings.units.items()
        ),
        retention_classes={
            code: RetentionClass(
                code=code,
                title=item.title,
                trigger=RetentionTrigger(item.trigger),
                period=Period.parse(item.period) if item.period else None,
                mandate=item.mandate,
                action=item.action,
            )
            for code, item in settings.retention.items()
        },
        vocabularies=Vocabularies(
            channel=tuple(settings.vocabularies.channel),
            jurisdiction=tuple(settings.vocabularies.jurisdiction),
            sensitivity=tuple(settings.vocabularies.sensitivity),
            language=tuple(settings.vocabularies.language),
        ),
    )


def _folder(name: str, item: Any) -> FolderProfile:
    completion = item.completion.model_dump()
    completion["temporary"] = tuple(completion["temporary"])
    values = item.model_dump(exclude={"completion", "include", "ignore"})
    return FolderProfile(
        name=name,
        completion=Completion(**completion),
        include=tuple(item.include),
        ignore=tuple(item.ignore),
        **values,
    )
