"""Rate limits by token and by address, counted in this process or in Redis for all nodes together."""

from collections.abc import Callable
from datetime import datetime

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.http.load import ALWAYS
from core.errors import RateLimitError

log = structlog.get_logger(__name__)

FAILED = "600/minute"
"""Wrong tokens one address may try; tokens are 256 random bits, so this only keeps the log readable."""


class Rates:
    """Who may ask how often."""

    def __init__(
        self, *, token_rate: str, address_rate: str, now: Callable[[], datetime], redis_url: str = ""
    ) -> None:
        """Rates are written like `1200/minute`."""
        self._limiter = FixedWindowRateLimiter(_storage(redis_url))
        self._now = now
        self._token = parse(token_rate)
        self._address = parse(address_rate)
        self._failed = parse(FAILED)

    async def count_address(self, address: str) -> None:
        """One more request from there; raises RateLimitError."""
        await self._count(self._address, "address", address)

    async def count_token(self, fingerprint: str) -> None:
        """One more request with this token; raises RateLimitError."""
        await self._count(self._token, "token", fingerprint)

    async def count_failure(self, address: str) -> None:
        """One more wrong token from there; raises RateLimitError."""
        await self._count(self._failed, "failure", address)

    async def _count(self, rate: RateLimitItem, kind: str, who: str) -> None:
        try:
            if await self._limiter.hit(rate, kind, who):
                return
            reset = (await self._limiter.get_window_stats(rate, kind, who)).reset_time
        except StorageError:
            # Counting is a courtesy to other callers; without the counter the work goes on.
            log.warning("rates.unavailable", counted=kind)
            return
        wait = min(max(1.0, reset - self._now().timestamp()), float(rate.get_expiry()))
        raise RateLimitError(f"More than {rate} by one {kind}; wait and try again.", retry_after=wait)


def _storage(redis_url: str) -> Storage:
    storage = storage_from_string(
        f"async+{redis_url}" if redis_url else "async+memory://", wrap_exceptions=True
    )
    assert isinstance(storage, Storage)
    return storage


class LimitedAddresses:
    """Counts every request by where it comes from, before anything is done for it."""

    def __init__(self, app: ASGIApp, *, rates: Rates) -> None:
        """Wrap an application."""
        self._app = app
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["path"] not in ALWAYS:
            await self._rates.count_address(address_of(scope))
        await self._app(scope, receive, send)


def address_of(scope: Scope) -> str:
    """Where a request comes from; behind a proxy the server (uvicorn) has put the client's address here."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"
