"""HTTP to a receiver of documents: one POST for each, and what its answer means.

* 2xx: it has the document;
* 4xx, but for those that say "later": it will not have it;
* no connection: nothing was sent (``Transient``);
* everything else (a time limit, a reset, 5xx): nobody knows. The same request with the
  same ``Idempotency-Key`` goes out again.

Neither bodies nor headers nor the secret appear in messages.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import httpx

from hotfolder.archivesspace.wire import DEADLINE, Wire, trust
from hotfolder.core.errors import OperatorFault, Transient
from hotfolder.core.orders import Sent
from hotfolder.core.ports import Clock
from hotfolder.core.profiles import ReturnProfile
from hotfolder.returns.headers import headers_of

_CHUNK = 65_536
_MAX_ANSWER = 65_536  # bytes that are read of an answer; what it says is not needed
_LATER = frozenset({408, 409, 423, 425, 429})
_OPERATOR = frozenset({401, 403, 407})
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class HttpReceiver:
    """One receiver; to be used from one thread at a time. Errors have codes that begin
    with ``code`` and name ``place`` in the configuration."""

    def __init__(
        self,
        profile: ReturnProfile,
        *,
        clock: Clock,
        version: str,
        code: str = "return",
        place: str = "the return profile",
    ) -> None:
        self._profile = profile
        self._code, self._place = code, place
        self._clock = clock
        read = min(profile.read_timeout, profile.total_timeout)
        self._client = httpx.Client(
            timeout=httpx.Timeout(
                connect=profile.connect_timeout, read=read, write=read, pool=profile.connect_timeout
            ),
            trust_env=False,
            follow_redirects=False,
            transport=Wire(
                verify=self._tls(profile),
                limits=httpx.Limits(max_connections=1, keepalive_expiry=5.0),
                clock=clock,
            ),
            headers={
                "User-Agent": f"hotfolder/{version}",
                "Accept-Encoding": "identity",
                **_authorization(profile),
            },
        )

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def send(self, key: str, record: Mapping[str, Any], content: BinaryIO, size: int) -> Sent:
        """POST the document; see ``core.ports.Receiver``."""
        return self.post(headers_of(key, record), content, size)

    def post(self, headers: Sequence[tuple[str, str]], content: BinaryIO, size: int) -> Sent:
        """POST ``size`` bytes with these headers. Raises as ``send`` does."""
        request = self._client.build_request(
            "POST",
            self._profile.url,
            headers=[*headers, ("Content-Length", str(size))],
            content=_pieces(content),
        )
        deadline = self._clock.monotonic() + self._profile.total_timeout
        request.extensions[DEADLINE] = deadline
        failure: Transient | OperatorFault
        try:
            response = self._client.send(request, stream=True)
            try:
                status = response.status_code
                self._drain(response, deadline)
            finally:
                response.close()
        except _NOTHING_SENT as error:
            failure = self._unreachable(error)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            return Sent(reason=f"no answer: {type(error).__name__}")
        else:
            return self._judge(status)
        # Raised outside the handler: httpx errors hold the request, and that the secret.
        raise failure

    def _drain(self, response: httpx.Response, deadline: float) -> None:
        """Read an answer, so that the connection can be used again, within limits."""
        size = 0
        for part in response.iter_raw():
            size += len(part)
            if size > _MAX_ANSWER or self._clock.monotonic() > deadline:
                return

    def _judge(self, status: int) -> Sent:
        if 200 <= status < 300:
            return Sent(taken=True)
        if status in _OPERATOR:
            raise OperatorFault(
                f"the receiver denies the POST to this account ({status})",
                hint=f"check username and credential of {self._place}",
                code=f"{self._code}.denied",
            )
        if status in _LATER or not 300 <= status < 500:
            return Sent(reason=f"it answered {status}")
        return Sent(refused=True, reason=f"it answered {status}")

    def _unreachable(self, error: Exception) -> Transient | OperatorFault:
        cause: BaseException | None = error
        for _ in range(10):
            if isinstance(cause, ssl.SSLCertVerificationError):
                return OperatorFault(
                    "the certificate of the receiver is not trusted",
                    hint=f"name the issuer's certificate in ca_file of {self._place}",
                    code=f"{self._code}.certificate",
                )
            cause = None if cause is None else cause.__cause__ or cause.__context__
        return Transient(
            f"the receiver cannot be reached: {type(error).__name__}",
            hint="is it running, and is its port open to this machine?",
            code=f"{self._code}.unreachable",
        )

    def _tls(self, profile: ReturnProfile) -> ssl.SSLContext | bool:
        try:
            return trust(profile.url, verify=profile.verify_tls, ca_file=profile.ca_file)
        except OSError:
            raise OperatorFault(
                f"the file named in ca_file of {self._place} cannot be read as certificates",
                hint="it must hold the issuer's certificate in PEM",
                code=f"{self._code}.certificate",
            ) from None


def _authorization(profile: ReturnProfile) -> dict[str, str]:
    if not profile.secret:
        return {}
    if not profile.username:
        return {"Authorization": f"Bearer {profile.secret}"}
    pair = f"{profile.username}:{profile.secret}".encode()
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


def _pieces(content: BinaryIO) -> Iterator[bytes]:
    while piece := content.read(_CHUNK):
        yield piece
