"""One HTTP exchange with GitHub: bounded, paced, tried again where that is safe, refused in our own words."""

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin

import httpx
import structlog

from bot.github.config import FALLBACK_VERSION, GitHubConfig
from bot.github.limits import Holds
from core.errors import ForgeError
from core.github import fields
from jobs.forge import DeniedError, GoneError, MissingError, SuspendedError, UnknownOutcomeError, WaitError

log = structlog.get_logger()

USER_AGENT = "FlakeGuard"
MAX_REPLY = 32 * 2**20
"""A delivery's payload may have 25 MB; nothing we ask for is larger."""
PATIENCE = 3.0
"""Seconds we wait here; longer waits free the thread and put the work off."""
_TRIES = 3
_MAX_HOPS = 3
_SKEW_SECONDS = 30
_FINE = frozenset({200, 201, 202, 204, 302, 304})
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_CONNECTIONS = httpx.Limits(max_connections=50, max_keepalive_connections=20)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def data(self) -> Any:
        """The JSON in it."""
        try:
            return json.loads(self.body) if self.body else None
        except (ValueError, RecursionError) as error:
            raise ForgeError("GitHub answered with something that is not JSON.") from error

    @property
    def message(self) -> str:
        """GitHub's own words for an error."""
        try:
            return fields.text(json.loads(self.body), "message")
        except (ValueError, RecursionError):
            return ""


class UnauthorizedError(ForgeError):
    """GitHub does not accept our credentials."""


class Transport:
    """Sends requests; knows nothing of what they mean."""

    def __init__(
        self,
        config: GitHubConfig,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`now` is the clock; `sleep` waits."""
        self.config = config
        self.holds = Holds(now=now)
        self._now = now
        self._sleep = sleep
        self._version = config.version
        # Redirects are followed by hand: our token must never leave the configured host.
        self.http = httpx.Client(
            timeout=_TIMEOUT, limits=_CONNECTIONS, follow_redirects=False, trust_env=True
        )

    def close(self) -> None:
        """Give back the connections."""
        self.http.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        authorization: str,
        bucket: str,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        etag: str = "",
        creates: bool = False,
    ) -> Reply:
        """One request to the API, answered 2xx, 302 or 304, or an error of jobs.forge.

        `creates`: sent at most once, because a second time would have a second effect.
        """
        if creates:
            self.holds.count_write(bucket)
        headers = self._headers(authorization, etag)
        url = path if path.startswith("http") else self.config.api_url + path
        request = self.http.build_request(method, url, params=params, json=body, headers=headers)
        if body is None and method != "GET":
            request.headers["content-length"] = "0"
        reply = self._persist(request, bucket=bucket, creates=creates)
        return self._checked(reply, request, bucket)

    def _headers(self, authorization: str, etag: str) -> dict[str, str]:
        headers = {
            "authorization": authorization,
            "accept": "application/vnd.github+json",
            "user-agent": USER_AGENT,
        }
        if self._version:
            headers["x-github-api-version"] = self._version
        return headers | ({"if-none-match": etag} if etag else {})

    def _persist(self, request: httpx.Request, *, bucket: str, creates: bool) -> Reply:
        for attempt in range(1, _TRIES + 1):
            self._hold_still(bucket)
            last = creates or attempt == _TRIES
            try:
                reply = self._exchange(request)
            except httpx.TransportError as error:
                if last:
                    raise _lost(error, creates=creates) from error
            else:
                if reply.status < HTTPStatus.INTERNAL_SERVER_ERROR or last:
                    return reply
            self._sleep(0.2 * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
        raise AssertionError("the last attempt returns or raises")

    def _hold_still(self, bucket: str) -> None:
        wait = self.holds.left(bucket)
        if wait > PATIENCE:
            raise WaitError(retry_after=wait)
        if wait:
            self._sleep(wait)

    def _exchange(self, request: httpx.Request, hops: int = 0) -> Reply:
        with_stream = self.http.send(request, stream=True)
        try:
            body = _read_bounded(with_stream)
        finally:
            with_stream.close()
        reply = Reply(with_stream.status_code, with_stream.headers, body)
        moved = self._moved(request, reply)
        return self._exchange(moved, hops + 1) if moved and hops < _MAX_HOPS else reply

    def _moved(self, request: httpx.Request, reply: Reply) -> httpx.Request | None:
        """A renamed repository answers 301, 307 or 308; followed on our own host only."""
        if reply.status not in {301, 307, 308} or "location" not in reply.headers:
            return None
        target = urljoin(str(request.url), reply.headers["location"])
        if not self.config.same_host(target):
            return None
        kept = {name: value for name, value in request.headers.items() if name != "host"}
        return self.http.build_request(request.method, target, content=request.content, headers=kept)

    def _checked(self, reply: Reply, request: httpx.Request, bucket: str) -> Reply:
        message = "" if reply.status in _FINE else reply.message
        wait = self.holds.note(bucket, reply.status, reply.headers, message)
        if wait is not None:
            raise WaitError(f"GitHub asks to wait {wait:.0f} s.", retry_after=wait)
        if reply.status in _FINE:
            return reply
        if reply.status == HTTPStatus.BAD_REQUEST and self._lower_version(reply):
            request.headers["x-github-api-version"] = self._version
            return self._checked(self._exchange(request), request, bucket)
        self._log_refusal(reply, request)
        raise self._error(reply, request.method)

    def _lower_version(self, reply: Reply) -> bool:
        # An Enterprise Server older than our version answers 400 "... is not a supported version".
        if "version" not in reply.message.lower() or self._version == FALLBACK_VERSION:
            return False
        log.warning("github.version_not_supported", version=self._version, instead=FALLBACK_VERSION)
        self._version = FALLBACK_VERSION
        return True

    def _log_refusal(self, reply: Reply, request: httpx.Request) -> None:
        log.info(
            "github.refused",
            method=request.method,
            path=request.url.path,
            status=reply.status,
            reason=reply.message,
            request_id=reply.headers.get("x-github-request-id", ""),
        )

    def _error(self, reply: Reply, method: str) -> ForgeError:  # noqa: PLR0911 - one line for each answer
        said = f"GitHub answered {reply.status}: {reply.message or 'no reason given'}"
        match reply.status:
            case 401:
                return UnauthorizedError(said + self._skew(reply))
            case 403 if "suspended" in reply.message.lower():
                return SuspendedError(said)
            case 403:
                missing = reply.headers.get("x-accepted-github-permissions", "")
                return DeniedError(f"{said} (needs {missing})" if missing else said, permission=missing)
            case 404 | 451:
                return MissingError(said)
            case 410:
                return GoneError(said)
            case status if status >= 500 and method == "POST":  # noqa: PLR2004 - server errors
                return UnknownOutcomeError(said)
            case _:
                return ForgeError(said, status=reply.status)

    def _skew(self, reply: Reply) -> str:
        try:
            theirs = parsedate_to_datetime(reply.headers.get("date", ""))
            apart = (self._now() - theirs).total_seconds()
        except (ValueError, TypeError):
            return ""
        if abs(apart) < _SKEW_SECONDS:
            return ""
        log.error("github.clock_skew", seconds=round(apart))
        return f" (this machine's clock is {apart:+.0f} s off GitHub's: set it right)"


def _read_bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_REPLY:
            raise ForgeError("GitHub's answer is larger than anything we ask for.")
    return bytes(body)


def _lost(error: httpx.TransportError, *, creates: bool) -> ForgeError:
    if creates and not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return UnknownOutcomeError(f"GitHub's answer was lost ({type(error).__name__}).")
    return ForgeError(f"GitHub could not be reached ({type(error).__name__}).")
