"""Socket Mode: the same deliveries over a WebSocket that we open, so that no public address is needed."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.settings import Settings
from bot.slack.incoming import Incoming, read_payload
from bot.slack.web import async_client
from core.errors import FlakeGuardError

log = structlog.get_logger(__name__)

Dispatch = Callable[[Incoming], Awaitable[BoltResponse]]
FIRST_WAIT, MAX_WAIT = 1.0, 60.0


async def run_socket(settings: Settings, dispatch: Dispatch) -> None:
    """Connect, and again whenever connecting fails; the client itself reconnects a lost connection."""
    assert settings.slack_app_token is not None, "Socket Mode needs SLACK_APP_TOKEN"
    client = SocketModeClient(
        app_token=settings.slack_app_token.get_secret_value(), web_client=async_client(settings)
    )

    async def listen(_client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        await _deliver(client, request, dispatch)

    client.socket_mode_request_listeners.append(listen)
    try:
        await _connect(client)
        log.info("slack.socket_connected")
        await asyncio.Event().wait()
    finally:
        await client.close()  # type: ignore[no-untyped-call]  # slack_sdk leaves it so


async def _connect(client: SocketModeClient) -> None:
    wait = FIRST_WAIT
    while True:
        try:
            await client.connect()  # type: ignore[no-untyped-call]  # slack_sdk leaves it so
        except Exception as error:  # noqa: BLE001 - the outermost loop: whatever it was, try again later
            log.warning("slack.socket_failed", error=type(error).__name__, wait=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, MAX_WAIT)
        else:
            return


async def _deliver(client: SocketModeClient, request: SocketModeRequest, dispatch: Dispatch) -> None:
    """One envelope; an odd one is acknowledged too, or Slack would send it again."""
    try:
        incoming = read_payload(request.payload if isinstance(request.payload, dict) else {})
        answer = await dispatch(incoming)
    except FlakeGuardError as error:
        log.info("slack.refused", reason=error.message)
        answer = BoltResponse(status=200, body="")
    payload = _payload(answer)
    await client.send_socket_mode_response(
        SocketModeResponse(envelope_id=request.envelope_id, payload=payload)
    )


def _payload(answer: BoltResponse) -> dict[str, Any] | None:
    """What the ack says, where it says something."""
    if not answer.body:
        return None
    try:
        said = json.loads(answer.body)
    except ValueError:
        return {"text": answer.body}
    return said if isinstance(said, dict) else None
