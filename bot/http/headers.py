"""Security headers on every answer; nothing of ours is meant to be framed, sniffed or embedded."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STRICT = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
DOCS_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data: https://fastapi.tiangolo.com; "
    "script-src 'unsafe-inline' https://cdn.jsdelivr.net; style-src 'unsafe-inline' https://cdn.jsdelivr.net; "
    "frame-ancestors 'none'"
)
"""Swagger UI comes from its usual place; only /docs may load it."""
DOCS = frozenset({"/docs", "/redoc"})
HSTS = "max-age=31536000"


class SecurityHeaders:
    """Sets what an answer has not set for itself."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        """`https`: the public address is served over TLS, so browsers may be told to stay there."""
        self._app = app
        self._headers = {**STRICT, **({"Strict-Transport-Security": HSTS} if https else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._complete(MutableHeaders(scope=message), scope["path"])
            await send(message)

        await self._app(scope, receive, send_guarded)

    def _complete(self, headers: MutableHeaders, path: str) -> None:
        if path in DOCS:
            headers.setdefault("Content-Security-Policy", DOCS_POLICY)
        for name, value in self._headers.items():
            headers.setdefault(name, value)
        if path.startswith("/api/"):
            headers.setdefault("Cache-Control", "no-store")
