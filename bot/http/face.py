"""What every route shares: the desk, the counters, and the one way from the event loop to the database."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, TypeVar, cast

import anyio
import anyio.to_thread
from fastapi import Depends, Request

from bot.http.auth import Caller, Credentials, authenticate, authenticate_server, bearer
from bot.http.metrics import Metrics
from bot.http.rates import Rates, address_of
from bot.settings import Settings
from core.errors import AuthenticationError
from core.tenancy import Scope
from core.token import token_hash
from jobs.desk import Desk
from storage.database import Tx
from storage.token import TOUCH_EVERY, touch_token

T = TypeVar("T")

API = "/api/v1"
THREADS = 12
"""More would only queue for the database: SQLite has one writer, a PostgreSQL pool ten connections."""


class Face:
    """Built once per application."""

    def __init__(self, desk: Desk, settings: Settings, rates: Rates, metrics: Metrics) -> None:
        """Keep what the routes need."""
        self.desk = desk
        self.settings = settings
        self.metrics = metrics
        self._rates = rates
        self._threads = anyio.CapacityLimiter(THREADS)
        admin = settings.admin_token
        self.admin_hash = token_hash(admin.get_secret_value()) if admin else None

    async def work(self, call: Callable[[], T]) -> T:
        """Run something that blocks off the event loop."""
        return await anyio.to_thread.run_sync(call, limiter=self._threads)

    async def read(self, request: Request, scope: Scope | None, question: Callable[[Tx, Caller], T]) -> T:
        """Authenticate and answer from one snapshot, in one thread."""
        credentials = await self._credentials(request)

        def ask() -> T:
            with self.desk.database.read() as tx:
                caller = self._authenticate(tx, credentials, scope)
                return question(tx, caller)

        return await self._answer(request, ask)

    async def read_by_any(self, request: Request, question: Callable[[Tx, Caller], T]) -> T:
        """Like `read`, for any token of the project."""
        return await self.read(request, None, question)

    async def act(self, request: Request, scope: Scope, job: Callable[[Caller], T]) -> T:
        """Authenticate and do a job, in one thread; the job opens its own transaction."""
        credentials = await self._credentials(request)
        return await self._answer(request, lambda: job(self._identified(credentials, scope)))

    async def act_as_server(self, request: Request, job: Callable[[Caller], T]) -> T:
        """Do a job that only whoever runs the server may ask for."""
        credentials = await self._credentials(request)
        return await self._answer(request, lambda: job(authenticate_server(credentials, self.admin_hash)))

    async def read_as_server(self, request: Request, question: Callable[[Tx], T]) -> T:
        """Answer only whoever runs the server."""
        credentials = await self._credentials(request)

        def ask() -> T:
            authenticate_server(credentials, self.admin_hash)
            with self.desk.database.read() as tx:
                return question(tx)

        return await self._answer(request, ask)

    async def identify(self, request: Request, scope: Scope) -> Caller:
        """Who asks, before a large body is read."""
        credentials = await self._credentials(request)
        return await self._answer(request, partial(self._identified, credentials, scope))

    async def admit(self, request: Request, token: str) -> Caller:
        """Who brings this token in a form instead of a header: checked, counted and noted the same way."""
        credentials = Credentials(token_hash(token.strip()))
        await self._rates.count_token(credentials.fingerprint)
        return await self._answer(request, partial(self._identified, credentials, Scope.READ))

    async def _credentials(self, request: Request) -> Credentials:
        try:
            credentials = bearer(
                request.headers.get("authorization", ""), request.query_params.get("project", "")
            )
        except AuthenticationError:
            await self._rates.count_failure(address_of(request.scope))
            raise
        await self._rates.count_token(credentials.fingerprint)
        return credentials

    async def _answer(self, request: Request, call: Callable[[], T]) -> T:
        try:
            return await self.work(call)
        except AuthenticationError:
            await self._rates.count_failure(address_of(request.scope))
            raise

    def _identified(self, credentials: Credentials, scope: Scope) -> Caller:
        with self.desk.database.read() as tx:
            caller = self._authenticate(tx, credentials, scope)
        self._touch(caller)
        return caller

    def _authenticate(self, tx: Tx, credentials: Credentials, scope: Scope | None) -> Caller:
        return authenticate(tx, credentials, wanted=scope, admin_hash=self.admin_hash, now=self.desk.now())

    def _touch(self, caller: Caller) -> None:
        """Note the use of a token that was not used for a while."""
        token, now = caller.token, self.desk.now()
        if token is None or (token.last_used_at and now - token.last_used_at < TOUCH_EVERY):
            return
        with self.desk.database.begin() as tx:
            touch_token(tx, token.id, now)


async def _face(request: Request) -> Face:
    """Asynchronous, so that it takes no thread."""
    return cast("Face", request.app.state.face)


Faced = Annotated[Face, Depends(_face)]
"""The face of the application that was asked."""
