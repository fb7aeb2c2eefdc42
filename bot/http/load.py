"""Bounds on what one process takes on: bodies in size and time, requests worked on at once."""

import asyncio
import time
from collections.abc import Mapping

from prometheus_client import Gauge
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.http.errors import OverloadedError, SlowBodyError, problem_of
from core.errors import TooLargeError

SLOWEST = 64 * 1024
"""Bytes a second below which a body's time runs out."""
DRAINED = 32 * 2**20
"""Bytes beyond the limit that are still swallowed, so that the sender lives to read the answer."""
ALWAYS = frozenset({"/health", "/health/ready", "/health/deep", "/metrics"})
"""Answered however busy the process is."""


class BoundedBodies:
    """Counts a body as it arrives; too long ends in 413, too slow in 408, whoever reads it."""

    def __init__(self, app: ASGIApp, *, limits: Mapping[str, int], other: int, seconds: float) -> None:
        """`limits`: most bytes by path prefix; `other`: for every other path."""
        self._app = app
        self._limits = limits
        self._other = other
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not has_body(scope):
            await self._app(scope, receive, send)
            return
        body = _Body(receive, self._limit(scope["path"]), self._seconds)
        if (declared := content_length(scope)) is not None and declared > body.limit:
            await body.refuse_early(scope, send, declared)
            return
        await self._app(scope, body.receive, send)

    def _limit(self, path: str) -> int:
        for prefix, limit in self._limits.items():
            if path.startswith(prefix):
                return limit
        return self._other


class _Body:
    """One body on its way in."""

    def __init__(self, receive: Receive, limit: int, seconds: float) -> None:
        self.limit = limit
        self._receive = receive
        self._seconds = seconds
        self._began = time.monotonic()
        self._taken = 0
        self._whole = False

    async def receive(self) -> Message:
        """The next part; the errors come up where the body is read, and are answered from there."""
        if self._whole:
            return await self._receive()
        message = await self._next()
        self._taken += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._taken > self.limit:
            await self._drain()
            raise self._too_large()
        return message

    async def _next(self) -> Message:
        left = self._began + self._seconds + self._taken / SLOWEST - time.monotonic()
        try:
            return await asyncio.wait_for(self._receive(), max(left, 0.01))
        except TimeoutError:
            raise SlowBodyError(
                f"The body arrived too slowly; {self._seconds:g} seconds are allowed, and more for large bodies."
            ) from None

    async def refuse_early(self, scope: Scope, send: Send, declared: int) -> None:
        """Answer by the declared length alone; who waits for `100 Continue` need not even begin to send."""
        if not _expects(scope) and declared <= self.limit + DRAINED:
            await self._drain()
        await problem_of(self._too_large())(scope, self._receive, send)

    async def _drain(self) -> None:
        """Read on for a moment: closing at once would reset the connection under the sender's feet."""
        try:
            while not self._whole and self._taken <= self.limit + DRAINED:
                message = await self._next()
                self._taken += len(message.get("body", b""))
                self._whole = not message.get("more_body", False)
        except SlowBodyError:
            return

    def _too_large(self) -> TooLargeError:
        return TooLargeError(
            f"The body is larger than {_readable(self.limit)}. Send it compressed (gzip or zip), or in parts.",
            limit_bytes=self.limit,
        )


class BoundedWork:
    """At most so many requests are worked on at once; those still sending their body do not count."""

    def __init__(self, app: ASGIApp, *, limit: int, gauge: Gauge) -> None:
        """Beyond `limit` the answer is 503 with Retry-After, at once."""
        self._app = app
        self._limit = limit
        self._in_flight = 0
        gauge.set_function(lambda: self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in ALWAYS:
            await self._app(scope, receive, send)
            return
        slot = _Slot(self, receive)
        try:
            if not has_body(scope):
                slot.take()
            await self._app(scope, slot.receive, send)
        finally:
            slot.leave()

    def enter(self) -> None:
        """Begin to work on one more request."""
        if self._in_flight >= self._limit:
            raise OverloadedError
        self._in_flight += 1

    def leave(self) -> None:
        """One request less."""
        self._in_flight -= 1


class _Slot:
    """One request's place among those worked on, taken once its body is here."""

    def __init__(self, work: BoundedWork, receive: Receive) -> None:
        self._work = work
        self._receive = receive
        self._taken = False

    async def receive(self) -> Message:
        """The next part of the body."""
        message = await self._receive()
        if not self._taken and not message.get("more_body", False):
            self.take()
        return message

    def take(self) -> None:
        """Count from now on; raises OverloadedError."""
        self._work.enter()
        self._taken = True

    def leave(self) -> None:
        """Give the place back, if it was taken."""
        if self._taken:
            self._taken = False
            self._work.leave()


def has_body(scope: Scope) -> bool:
    """True when the request announces a body."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


def content_length(scope: Scope) -> int | None:
    """The declared length, None without one."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return None


def _expects(scope: Scope) -> bool:
    return any(name == b"expect" for name, _ in scope["headers"])


def _readable(size: int) -> str:
    return f"{size // 2**20} MB" if size >= 2**20 else f"{size // 1024} KB"
