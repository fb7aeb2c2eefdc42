"""Slack's two doors to one Bolt application: HTTP requests and Socket Mode."""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import structlog
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.settings import Settings
from bot.slack.app import bolt_app
from bot.slack.incoming import Incoming, read_http
from bot.slack.install import Installer
from bot.slack.kit import Kit
from bot.slack.refresh import keep_homes_fresh
from bot.slack.socket import run_socket
from bot.slack.verifier import Verifier
from core.errors import (
    AuthenticationError,
    FlakeGuardError,
    TooLargeError,
    UnsupportedMediaError,
    ValidationError,
)
from jobs.desk import Desk

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_BODY = 1_000_000
"""Slack's largest payloads (a view of 250 kB, escaped) stay well below."""
BODY_SECONDS = 5.0
REMEMBERED = 10_000
ANSWERS: Mapping[type[FlakeGuardError], int] = {
    AuthenticationError: 401,
    ValidationError: 400,
    UnsupportedMediaError: 415,
    TooLargeError: 413,
}


class SlackFace:
    """`asgi` answers below /slack/; `run_socket` holds a Socket Mode connection until it is cancelled."""

    def __init__(self, desk: Desk, settings: Settings) -> None:
        """Use `slack_face`."""
        self._settings, self._desk = settings, desk
        self.kit = Kit(desk, settings)
        self.app = bolt_app(self.kit, settings)
        self._verifier = Verifier(
            [secret.get_secret_value().encode() for secret in settings.slack_signing_secret]
        )
        self._installer = Installer(desk, settings, self.kit.workspaces)
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._warming: asyncio.Task[Any] | None = None

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        path, method = str(scope["path"]).rstrip("/"), scope["method"]
        self.warm()
        match method, path.rpartition("/")[2]:
            case "POST", "events":
                status, headers, body = await self._events(scope, receive)
            case "GET", "install":
                status, headers, body = await self._installer.begin(scope)
            case "GET", "oauth_redirect":
                status, headers, body = await self._installer.finish(scope)
            case _:
                status, headers, body = 404, {}, b"Not found\n"
        await _answer(send, status, headers, body)

    async def run_socket(self) -> None:
        """Socket Mode, reconnecting until cancelled."""
        self.warm()
        await run_socket(self._settings, self.dispatch)

    async def keep_homes_fresh(self) -> None:
        """Draw anew, until cancelled, whatever was decided elsewhere."""
        await keep_homes_fresh(self.kit)

    async def close(self) -> None:
        """Let what was acknowledged come to its end."""
        await self.kit.drain()

    async def _events(self, scope: Scope, receive: Receive) -> tuple[int, Mapping[str, str], bytes]:
        headers = {bytes(name).lower(): bytes(value) for name, value in scope["headers"]}
        try:
            body = await _body(receive, headers)
            self._verifier.check(
                body,
                timestamp=headers.get(b"x-slack-request-timestamp", b""),
                signature=headers.get(b"x-slack-signature", b""),
                now=self._desk.now().timestamp(),
            )
            incoming = read_http(body, headers.get(b"content-type", b"").decode("latin-1"))
        except FlakeGuardError as error:
            log.info("slack.refused", reason=error.message)
            status = next((code for kind, code in ANSWERS.items() if isinstance(error, kind)), 400)
            return status, {}, b""
        answer = await self.dispatch(incoming)
        return answer.status, {name: value[0] for name, value in answer.headers.items()}, answer.body.encode()

    async def dispatch(self, incoming: Incoming) -> BoltResponse:
        """Give one verified delivery to Bolt, once; what Bolt cannot read is the sender's fault."""
        if incoming.kind == "url_verification":
            return BoltResponse(status=200, body={"challenge": incoming.payload["challenge"]})
        if incoming.kind == "app_rate_limited" or self._again(incoming.key):
            return BoltResponse(status=200, body="")
        request = AsyncBoltRequest(mode="socket_mode", body=dict(incoming.payload))
        try:
            answer: BoltResponse | None = await self.app.async_dispatch(request)
        except Exception:  # the outermost step: nothing a payload holds may become a 500
            log.exception("slack.unreadable", kind=incoming.kind)
            return BoltResponse(status=400, body="")
        if answer is None or answer.status >= 400:  # noqa: PLR2004 - HTTP's own line
            log.warning("slack.unhandled", kind=incoming.kind)
            return BoltResponse(status=404, body="")
        return answer

    def _again(self, key: str) -> bool:
        """True when this delivery was seen in this process; other nodes are told apart after the ack."""
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return False

    def warm(self) -> None:
        """Ask who we are before somebody waits for it."""
        if self._warming is None and self.kit.workspaces.single:
            self._warming = asyncio.create_task(self.kit.workspaces.home())


def slack_face(desk: Desk, settings: Settings) -> SlackFace:
    """Slack's face of the bot; nothing runs yet."""
    return SlackFace(desk, settings)


async def _body(receive: Receive, headers: Mapping[bytes, bytes]) -> bytes:
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > MAX_BODY:
        raise TooLargeError("Slack sends less than this.")
    parts: list[bytes] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    break
                parts.append(message.get("body", b""))
                if sum(map(len, parts)) > MAX_BODY:
                    raise TooLargeError("Slack sends less than this.")
                if not message.get("more_body"):
                    return b"".join(parts)
    raise ValidationError("The body did not arrive whole.")


async def _answer(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    plain = {"content-type": "text/plain; charset=utf-8", **headers, "content-length": str(len(body))}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in plain.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
