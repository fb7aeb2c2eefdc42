"""The outermost loop of the HTTP face: whatever goes wrong is logged here and answered as a problem."""

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.http.errors import problem, problem_of
from core.errors import FlakeGuardError

log = structlog.get_logger(__name__)


class LastResort:
    """No error passes this layer."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except FlakeGuardError as error:
            if started:
                raise
            await problem_of(error)(scope, receive, send)
        except Exception:
            log.exception("http.crashed", path=scope["path"])
            if started:
                raise
            detail = "Something went wrong here; the log tells more under this correlation id."
            await problem(500, "processing_error", detail)(scope, receive, send)
