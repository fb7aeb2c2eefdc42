"""A part of the address space that belongs to another ASGI application, which sees its requests unchanged."""

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send


class Passage(BaseRoute):
    """Unlike a mount it does not rewrite the path: a signature or a path check inside sees what was sent."""

    def __init__(self, prefix: str, app: ASGIApp) -> None:
        """Everything below `prefix` goes to `app`."""
        self.path = prefix
        self._app = app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for there."""
        ours = scope["type"] == "http" and scope["path"].startswith(self.path)
        return (Match.FULL, {"route": self}) if ours else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request over."""
        await self._app(scope, receive, send)
