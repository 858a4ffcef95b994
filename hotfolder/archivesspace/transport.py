"""HTTP to ArchivesSpace: sessions, time limits, and what a failure means.

Every request ends in one of five ways:

* a ``Reply``: the server answered, and the answer can be trusted;
* ``Transient``: nothing was sent (no connection, no session yet);
* ``Unanswered``: the request may have been carried out, but no trustworthy answer
  came (time out, reset, cut body, 5xx: a 500 can hide a commit, reference 2.2);
* ``Denied``: 403 although the session is fresh; nothing was carried out;
* ``ArchiveFault``: the login is refused, the certificate is not trusted, the
  address is not that of an ArchivesSpace backend.

Bodies, tokens and the password appear in no message: the body of a 412 echoes the
token, that of a 400 the record.
"""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import httpx

from hotfolder.archivesspace.answer import Denied, Reply, Unanswered
from hotfolder.archivesspace.session import (
    Session,
    judge_login_refusal,
    read_permissions,
    read_session,
)
from hotfolder.archivesspace.wire import DEADLINE, Wire, trust
from hotfolder.core.errors import ArchiveFault, Transient
from hotfolder.core.ports import Clock, Emit
from hotfolder.core.profiles import ArchiveProfile

MAX_ANSWER = 64 * 1024 * 1024  # bytes; above 100 records of 1,000 instances each
_SESSION_LOST = 412
_DENIED = 403
_TRUSTED = frozenset({400, 404, 409, 413})  # answers that say that nothing was saved
# Whoever waited while a login got no answer would else wait as long again, one after the other.
_SHARED = 10.0  # seconds, at most, for which a login's failure is everybody's
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Transport:
    """One account at one server; safe to use from several threads, which share the
    session. One login at a time: who comes while another logs in, waits and uses it, or
    fails with it.
    """

    def __init__(
        self,
        profile: ArchiveProfile,
        password: str,
        *,
        clock: Clock,
        emit: Emit,
        version: str,
    ) -> None:
        self._profile = profile
        self._password = password
        self._clock = clock
        self._emit = emit
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._failed: Transient | ArchiveFault | None = None  # the login that was tried last
        self._failed_until = 0.0  # monotonic
        self._ahead: float | None = None
        read = min(profile.read_timeout, profile.total_timeout)
        try:
            self._client = httpx.Client(
                base_url=profile.url,
                timeout=httpx.Timeout(
                    connect=profile.connect_timeout,
                    read=read,
                    write=read,
                    pool=profile.connect_timeout,
                ),
                trust_env=False,
                follow_redirects=False,
                transport=Wire(
                    verify=_tls(profile),
                    # Idle connections are dropped early: a server or proxy that closes one
                    # just as it is used again makes an answer unknown without need.
                    limits=httpx.Limits(
                        max_connections=profile.importers + 4, keepalive_expiry=5.0
                    ),
                    clock=clock,
                ),
                headers={
                    "User-Agent": f"hotfolder/{version}",
                    "Accept": "application/json",
                    # An answer that may not be compressed cannot expand without bound.
                    "Accept-Encoding": "identity",
                },
            )
        except httpx.InvalidURL:
            raise _no_address() from None
        if self._client.base_url.scheme not in ("http", "https") or not self._client.base_url.host:
            self._client.close()
            raise _no_address()

    @property
    def ahead(self) -> float | None:
        """By how many seconds the server's clock was before ours when it answered last, as
        its ``Date`` said (whole seconds); None if it said nothing."""
        return self._ahead

    def close(self) -> None:
        """Close every connection. The session is left to expire."""
        self._client.close()

    # -- requests -----------------------------------------------------------------
    def get(self, path: str, params: Sequence[tuple[str, str]] = ()) -> Reply:
        """Read something; repeatable."""
        return self._request("GET", path, params=params)

    def post(self, path: str, body: bytes, params: Sequence[tuple[str, str]] = ()) -> Reply:
        """Send JSON. ``Unanswered`` means that it may have been carried out. ``params`` are
        in no message and no log."""
        return self._request("POST", path, params=params, body=body)

    def log_out(self) -> None:
        """End the session on the server, if there is one. What the server says to it is of
        no use to anybody: the session expires by itself."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            headers = {"X-ArchivesSpace-Session": session.token}
            with suppress(Transient, ArchiveFault):
                self._exchange(self._client.build_request("POST", "/logout", headers=headers))

    def get_public(self, path: str) -> Reply:
        """Read something that needs no session."""
        status, body = self._exchange(self._client.build_request("GET", path))
        return _trusted(status, body)

    def permissions(self, *, fresh: bool = False) -> Mapping[str, frozenset[str]]:
        """What the account may do, by repository uri (``_archivesspace``: everywhere),
        as the last login said; with ``fresh`` the server is asked again."""
        if not fresh:
            return self._current(None).permissions
        reply = self.get("/users/current-user")
        if not reply.ok:
            raise Unanswered(f"the server answered {reply.status} about the account")
        found = read_permissions(reply.decode())
        with self._lock:
            if self._session is not None:
                self._session = Session(token=self._session.token, permissions=found)
        return found

    def forget(self) -> None:
        """Log in anew at the next request."""
        with self._lock:
            self._session = None

    def _request(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> Reply:
        session = self._current(None)
        renewed: set[int] = set()
        while True:
            headers = {"X-ArchivesSpace-Session": session.token}
            if body is not None:
                headers["Content-Type"] = "application/json"
            request = self._client.build_request(
                method, path, params=list(params) or None, content=body, headers=headers
            )
            status, answer = self._exchange(request)
            if status not in (_SESSION_LOST, _DENIED):
                return _trusted(status, answer)
            if status in renewed:
                break
            # Both are said before anything is done, so the request can be repeated. 403 may
            # mean a right given since the login, or a session that is none: once more, then stop.
            renewed.add(status)
            session = self._current(session)
        if status == _SESSION_LOST:
            raise Transient(
                "the server lost a session that it had just given",
                hint="several servers behind one address need a shared database",
                code="archive.session",
            )
        raise Denied(
            f"ArchivesSpace denies {method} {_shape(path)} to this account",
            hint="`hotfolder check` lists the permissions that it needs",
            code="archive.permission",
        )

    def _exchange(self, request: httpx.Request) -> tuple[int, bytes]:
        """Send ``request`` and read the whole answer within the total time."""
        deadline = self._clock.monotonic() + self._profile.total_timeout
        request.extensions[DEADLINE] = deadline
        path = request.url.raw_path.decode("ascii").partition("?")[0]
        where = f"{request.method} {_shape(path)}"
        failure: Transient | ArchiveFault
        try:
            response = self._client.send(request, stream=True)
            self._ahead = _ahead(response.headers.get("Date", ""), self._clock.now())
            try:
                return response.status_code, self._read(response, deadline, where)
            finally:
                response.close()
        except _NOTHING_SENT as error:
            failure = _unreachable(error, request.url.netloc.decode("ascii"))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            late = self._clock.monotonic() >= deadline
            failure = Unanswered(
                f"the answer to {where} took longer than the total time allowed"
                if late
                else f"no answer to {where}: {type(error).__name__}"
            )
        # Raised outside the handler: httpx errors hold the request, and that the token.
        raise failure

    def _read(self, response: httpx.Response, deadline: float, where: str) -> bytes:
        # A body may dribble for ever within the read timeout, so the whole is limited too.
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise Unanswered(f"the answer to {where} is compressed although this was not offered")
        parts: list[bytes] = []
        size = 0
        for part in response.iter_raw():
            size += len(part)
            if size > MAX_ANSWER:
                raise Unanswered(f"the answer to {where} is too long")
            if self._clock.monotonic() > deadline:
                raise Unanswered(f"the answer to {where} took longer than the total time allowed")
            parts.append(part)
        return b"".join(parts)

    # -- sessions -------------------------------------------------------------------
    def _current(self, stale: Session | None) -> Session:
        """The session in use, or a new one if there is none or it is ``stale``."""
        with self._lock:
            session = self._session
            if session is None or (stale is not None and session.token == stale.token):
                self._session = None
                session = self._session = self._log_in_once()
                self._emit("session.opened", renewed=stale is not None)
            return session

    def _log_in_once(self) -> Session:
        """Log in, unless that has just failed: what a login waited for in vain, the next is
        not to wait for again, for as long as that took."""
        began = self._clock.monotonic()
        if self._failed is not None and began < self._failed_until:
            raise type(self._failed)(
                self._failed.message, hint=self._failed.hint, code=self._failed.code
            )
        self._failed = None
        try:
            return self._log_in()
        except (Transient, ArchiveFault) as error:
            ended = self._clock.monotonic()
            self._failed, self._failed_until = error, ended + min(_SHARED, ended - began)
            raise

    def _log_in(self) -> Session:
        request = self._client.build_request(
            "POST",
            f"/users/{quote(self._profile.username, safe='')}/login",
            # expiring=false: a week of idleness instead of an hour (reference 2.1)
            data={"password": self._password, "expiring": "false"},
        )
        failure: Transient | ArchiveFault
        try:
            status, body = self._exchange(request)
        except Unanswered as error:
            # A session that nobody knows of does no harm: for the caller nothing was sent.
            failure = Transient(f"login: {error.message}", hint=error.hint, code="archive.login")
        else:
            if 200 <= status < 300:
                return read_session(body)
            failure = judge_login_refusal(status)
        raise failure


def _ahead(said: str, now: float) -> float | None:
    try:
        return parsedate_to_datetime(said).timestamp() - now
    except (ValueError, OverflowError):
        return None


def _trusted(status: int, body: bytes) -> Reply:
    if 200 <= status < 300 or status in _TRUSTED:
        return Reply(status=status, body=body)
    if status == 429:
        raise Transient("the server, or a proxy before it, asks for fewer requests (429)")
    raise Unanswered(f"the server answered {status}")


def _unreachable(error: Exception, place: str) -> Transient | ArchiveFault:
    cause: BaseException | None = error
    for _ in range(10):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ArchiveFault(
                "the certificate of the ArchivesSpace server is not trusted",
                hint="name the issuer's certificate in ca_file",
                code="archive.certificate",
            )
        cause = None if cause is None else cause.__cause__ or cause.__context__
    return Transient(
        f"ArchivesSpace cannot be reached at {place}: {type(error).__name__}",
        hint="is it running there, and is its port open to this machine?",
        code="archive.unreachable",
    )


def _no_address() -> ArchiveFault:
    return ArchiveFault(
        "the address of ArchivesSpace is no http or https URL",
        hint="write it like http://archivesspace.example:8089",
        code="archive.url",
    )


def _tls(profile: ArchiveProfile) -> ssl.SSLContext | bool:
    try:
        return trust(profile.url, verify=profile.verify_tls, ca_file=profile.ca_file)
    except OSError:
        raise ArchiveFault(
            "the file named in ca_file cannot be read as certificates",
            hint="it must hold the issuer's certificate in PEM",
            code="archive.certificate",
        ) from None


def _shape(path: str) -> str:
    """``path`` with the user's name taken out of a login."""
    return re.sub(r"/users/[^/]+/login\Z", "/users/…/login", path)
