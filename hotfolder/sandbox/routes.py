"""The endpoints: what each path asks for, and the permission it takes."""

from __future__ import annotations

from hotfolder.sandbox.accounts import account_name
from hotfolder.sandbox.answers import (
    Answer,
    answer,
    bad_parameters,
    broken,
    missing,
    saved,
)
from hotfolder.sandbox.backend import Backend, Call, Handler, Route, compiled
from hotfolder.sandbox.batch import run_import
from hotfolder.sandbox.contract import Json
from hotfolder.sandbox.listing import every, first, page_wanted
from hotfolder.sandbox.trees import tree_root

VERSION = "v4.2.1"
_ABSENT = "Parameter required but no value provided"
_HTML = "text/html;charset=utf-8"


def _read_root(_: Backend, __: Call) -> Answer:
    about = {
        "databaseProductName": "MySQL",
        "databaseProductVersion": "5.5.5-10.11.19-MariaDB-0+deb12u1",
        "ruby_version": "3.1.0",
        "host_os": "linux",
        "host_cpu": "x86_64",
        "build": "java1.8",
        "java.runtime.name": "OpenJDK Runtime Environment",
        "java.version": "17.0.15",
        "archivesSpaceVersion": VERSION,
    }
    return answer(about, content_type=_HTML)


def _read_version(_: Backend, __: Call) -> Answer:
    return Answer(parts=(f"ArchivesSpace ({VERSION})".encode(),), content_type=_HTML)


def _log_in(backend: Backend, call: Call) -> Answer:
    fields = [*call.request.query, *call.request.form]
    password = first(fields, "password")
    if password is None:
        raise bad_parameters({"password": [_ABSENT]})
    expiring = first(fields, "expiring") != "false"
    with backend.state.transaction():
        name = account_name(call.parts["username"])
        shown = backend.accounts.log_in(name, password, expiring=expiring)
    return answer(shown)


def _log_out(backend: Backend, call: Call) -> Answer:
    if call.request.session is not None:
        with backend.state.transaction():
            backend.accounts.log_out(call.request.session)
    return answer({"status": "session_logged_out"})


def _read_current_user(backend: Backend, call: Call) -> Answer:
    if call.caller.username is None:
        raise missing("User")
    return answer(backend.accounts.user(call.caller.username))


def _create_user(backend: Backend, call: Call) -> Answer:
    user = backend.check("user", call.request.json())
    password = first([*call.request.query, *call.request.form], "password")
    if password is None:
        raise bad_parameters({"password": [_ABSENT]})
    backend.permit(call, "manage_users")
    with backend.state.transaction():
        name = account_name(user["username"])
        number = backend.create_user(name, password, user["name"], call.user)
    return saved("Created", number, f"/users/{number}", 0, stale=False)


def _list_repositories(backend: Backend, _: Call) -> Answer:
    return answer(backend.repositories.every())


def _create_repository(backend: Backend, call: Call) -> Answer:
    posted = backend.check("repository", call.request.json())
    backend.permit(call, "create_repository")
    with backend.state.transaction():
        number, uri = backend.repositories.create(posted, call.user)
    return saved("Created", number, uri, 0, stale=True)


def _read_repository(backend: Backend, call: Call) -> Answer:
    return answer(backend.repositories.one(call.number("id")))


def _list_groups(backend: Backend, call: Call) -> Answer:
    repository = backend.repositories.uri(call.number("repo_id"))
    backend.permit(call, "manage_repository", repository)
    return answer(backend.repositories.groups(repository))


def _create_group(backend: Backend, call: Call) -> Answer:
    repository = backend.repositories.uri(call.number("repo_id"))
    group = backend.check("group", call.request.json())
    backend.permit(call, "manage_repository", repository)
    with backend.state.transaction():
        number, uri = backend.repositories.add_group(repository, group, call.user)
    return saved("Created", number, uri, 0, stale=False)


def _create_record(backend: Backend, call: Call) -> Answer:
    kind, repository = call.kind(), backend.repository(call)
    record = backend.records.check(kind, call.request.json())
    backend.permit(call, kind.permission, repository)
    with backend.state.transaction():
        kept = backend.records.create(kind, repository, record, call.user)
    return saved("Created", kept.number, kept.uri, 0, stale=kind.stale)


def _update_record(backend: Backend, call: Call) -> Answer:
    kind, number = call.kind(), call.number("id")
    repository = backend.repository(call)
    record = backend.records.check(kind, call.request.json())
    backend.permit(call, kind.permission, repository)
    with backend.state.transaction():
        row = backend.records.find(kind, f"{kind.place(repository)}/{number}")
        kept = backend.records.update(kind, row, record, call.user)
    return saved("Updated", number, kept.uri, kept.lock_version, stale=kind.stale)


def _read_record(backend: Backend, call: Call) -> Answer:
    kind, number = call.kind(), call.number("id")
    repository = backend.repository(call)
    if repository is not None:
        backend.permit(call, "view_repository", repository)
    row = backend.records.find(kind, f"{kind.place(repository)}/{number}")
    shown = backend.renderer.record(row)
    return answer(backend.renderer.resolved(shown, every(call.request.query, "resolve")))


def _list_records(backend: Backend, call: Call) -> Answer:
    kind, repository = call.kind(), backend.repository(call)
    if repository is not None:
        backend.permit(call, "view_repository", repository)
    return answer(backend.listing.some(kind, repository, call.request.query))


def _delete_record(backend: Backend, call: Call) -> Answer:
    kind, number = call.kind(), call.number("id")
    repository = backend.repository(call)
    backend.permit(call, kind.deletion, repository)
    with backend.state.transaction():
        row = backend.records.find(kind, f"{kind.place(repository)}/{number}")
        backend.records.delete(row["uri"])
    return answer({"status": "Deleted", "id": number})


def _suppress_record(backend: Backend, call: Call) -> Answer:
    kind, number = call.kind(), call.number("id")
    repository = backend.repository(call)
    wanted = first(call.request.query, "suppressed")
    if wanted is None:
        raise bad_parameters({"suppressed": [_ABSENT]})
    backend.permit(call, "suppress_archival_record", repository)
    hide = wanted == "true"
    with backend.state.transaction():
        backend.records.suppress(kind, f"{kind.place(repository)}/{number}", suppressed=hide)
    return _suppressed(number, hide=hide)


def _suppressed(number: int, *, hide: bool) -> Answer:
    status = "Suppressed" if hide else "Unsuppressed"
    return answer({"status": status, "id": number, "suppressed_state": hide})


def _transfer_record(backend: Backend, call: Call) -> Answer:
    kind, number = call.kind(), call.number("id")
    repository = backend.repository(call)
    target = first(call.request.query, "target_repo")
    if target is None:
        raise bad_parameters({"target_repo": [_ABSENT]})
    backend.permit(call, "transfer_archival_record", repository)
    target = backend.repositories.uri(int(target.rsplit("/", 1)[1]))
    with backend.state.transaction():
        row = backend.records.find(kind, f"{kind.place(repository)}/{number}")
        backend.records.transfer(kind, row, target, call.user)
    return answer({"status": "Moved", "id": number, "merge_destination": number})


def _read_tree(backend: Backend, call: Call) -> Answer:
    kind, number = call.kind(), call.number("id")
    repository = backend.repository(call)
    backend.permit(call, "view_repository", repository)
    row = backend.records.find(kind, f"{kind.place(repository)}/{number}")
    return answer(tree_root(backend.state, row))


def _find_by_id(backend: Backend, call: Call) -> Answer:
    kind, repository = call.kind(), backend.repository(call)
    backend.permit(call, "view_repository", repository)
    return answer(backend.listing.find_by_id(kind, str(repository), call.request.query))


def _import(backend: Backend, call: Call) -> Answer:
    repository = str(backend.repository(call))
    backend.permit(call, "import_records", repository)
    return run_import(backend.state, backend.records, repository, call.request.body, call.user)


def _read_enumerations(backend: Backend, _: Call) -> Answer:
    return answer(backend.enumerations.every())


def _read_enumeration(backend: Backend, call: Call) -> Answer:
    return answer(backend.enumerations.numbered(call.number("id")))


def _name_enumeration(backend: Backend, call: Call) -> Answer:
    return answer(backend.enumerations.named(call.parts["name"]))


def _update_enumeration(backend: Backend, call: Call) -> Answer:
    number, posted = call.number("id"), call.request.json()
    backend.permit(call, "update_enumeration_record")
    with backend.state.transaction():
        shown = backend.enumerations.update(number, posted)
    return saved("Updated", number, shown["uri"], shown["lock_version"], stale=False)


def _suppress_value(backend: Backend, call: Call) -> Answer:
    wanted = first(call.request.query, "suppressed")
    if wanted is None:
        raise bad_parameters({"suppressed": [_ABSENT]})
    backend.permit(call, "update_enumeration_record")
    number, hide = call.number("id"), wanted == "true"
    with backend.state.transaction():
        backend.enumerations.suppress(number, hide=hide)
    return _suppressed(number, hide=hide)


def _read_schema(backend: Backend, call: Call) -> Answer:
    schema = backend.contract.schemas.get(call.parts["name"])
    if schema is None:
        raise missing("Schema")
    return answer(schema)


def _read_deletions(backend: Backend, call: Call) -> Answer:
    backend.permit(call, "index_system")
    since = int(first(call.request.query, "modified_since") or 0)
    page, size = page_wanted(call.request.query)
    rows = backend.state.rows("SELECT uri FROM tombstone WHERE at >= ? ORDER BY number", (since,))
    last = max(1, -(-len(rows) // size))
    shown: Json = {"first_page": 1, "last_page": last, "this_page": page}
    results = [row["uri"] for row in rows[size * (page - 1) : size * page]]
    return answer({**shown, "results": results})


def _read_updates(backend: Backend, call: Call) -> Answer:
    backend.permit(call, "index_system")
    after = int(first(call.request.query, "last_sequence") or 0)
    rows = backend.state.rows("SELECT * FROM tombstone WHERE number > ? ORDER BY number", (after,))
    shown = [
        {
            "record": "deleted",
            "uri": row["uri"],
            "sequence": row["number"],
            "timestamp": int(row["at"] * 1000),
        }
        for row in rows
    ]
    return answer(shown)


def _search(backend: Backend, call: Call) -> Answer:
    if "repo_id" in call.parts:
        backend.permit(call, "view_repository", backend.repository(call))
    text = (
        "Connection refused - Failed to open TCP connection to localhost:8983 (Connection"
        ' refused - connect(2) for "localhost" port 8983)'
    )
    raise broken(text, "search")


def _route(method: str, path: str, handler: Handler, *, writes: bool = False) -> Route:
    return Route(method=method, pattern=compiled(path), handler=handler, writes=writes)


_IN = "/repositories/:repo_id"

ROUTES: tuple[Route, ...] = (
    _route("GET", "/", _read_root),
    _route("GET", "/version", _read_version),
    _route("POST", "/users/:username/login", _log_in, writes=True),
    _route("POST", "/logout", _log_out, writes=True),
    _route("GET", "/users/current-user", _read_current_user),
    _route("POST", "/users", _create_user, writes=True),
    _route("GET", "/repositories", _list_repositories),
    _route("POST", "/repositories", _create_repository, writes=True),
    _route("GET", "/repositories/:id", _read_repository),
    _route("GET", f"{_IN}/groups", _list_groups),
    _route("POST", f"{_IN}/groups", _create_group, writes=True),
    _route("GET", f"{_IN}/find_by_id/:segment", _find_by_id),
    _route("POST", f"{_IN}/batch_imports", _import, writes=True),
    _route("GET", f"{_IN}/search", _search),
    _route("GET", "/search", _search),
    _route("GET", f"{_IN}/:segment/:id/tree/root", _read_tree),
    _route("POST", f"{_IN}/:segment/:id/suppressed", _suppress_record, writes=True),
    _route("POST", f"{_IN}/:segment/:id/transfer", _transfer_record, writes=True),
    *(
        route
        for base in (f"{_IN}/:segment", "/:shared")
        for route in (
            _route("GET", base, _list_records),
            _route("POST", base, _create_record, writes=True),
            _route("GET", f"{base}/:id", _read_record),
            _route("POST", f"{base}/:id", _update_record, writes=True),
            _route("DELETE", f"{base}/:id", _delete_record, writes=True),
        )
    ),
    _route("GET", "/config/enumerations", _read_enumerations),
    _route("GET", "/config/enumerations/names/:name", _name_enumeration),
    _route("GET", "/config/enumerations/:id", _read_enumeration),
    _route("POST", "/config/enumerations/:id", _update_enumeration, writes=True),
    _route("POST", "/config/enumeration_values/:id/suppressed", _suppress_value, writes=True),
    _route("GET", "/schemas/:name", _read_schema),
    _route("GET", "/delete-feed", _read_deletions),
    _route("GET", "/update-feed", _read_updates),
)
