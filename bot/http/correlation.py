"""One id per request, in the answer, in every log line and in every error."""

import re
import uuid
from contextvars import ContextVar

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ID: ContextVar[str] = ContextVar("correlation_id", default="")
_ACCEPTED = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def correlation_id() -> str:
    """The id of the request being answered; empty outside of one."""
    return _ID.get()


class Correlation:
    """Takes the caller's X-Request-ID or makes one."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request under its id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _given(scope) or uuid.uuid4().hex

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        _ID.set(request_id)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=request_id)
        await self._app(scope, receive, send_with_id)


def _given(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ACCEPTED.fullmatch(value):
            return str(value.decode("ascii"))
    return ""
