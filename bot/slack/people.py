"""Is somebody a guest? Asked of Slack where the scope allows, remembered for ten minutes.

This is the second lock: the first is the list of approvers, which people fill by name. Where Slack does not say
(no scope, no answer), the first lock decides alone.
"""

import asyncio
from time import monotonic

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackClientError

from bot.settings import Settings
from bot.slack.visit import Visitor
from bot.slack.web import async_client

log = structlog.get_logger(__name__)

KEEP_SECONDS = 600.0
WAIT_SECONDS = 3.0
MAX_REMEMBERED = 10_000


class People:
    """Remembers who is a guest."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[tuple[str, str], tuple[float, bool]] = {}

    async def guest(self, visitor: Visitor) -> bool:
        """True when Slack says that this person is a guest."""
        who = (visitor.workspace.team, visitor.visit.user)
        at, guest = self._known.get(who, (-KEEP_SECONDS, False))
        if monotonic() - at < KEEP_SECONDS:
            return guest
        answer = await self._ask(visitor)
        if answer is None:
            return guest
        if len(self._known) >= MAX_REMEMBERED:
            self._known.clear()
        self._known[who] = (monotonic(), answer)
        return answer

    async def _ask(self, visitor: Visitor) -> bool | None:
        client = async_client(self._settings, visitor.workspace.token)
        try:
            answer = await asyncio.wait_for(client.users_info(user=visitor.visit.user), WAIT_SECONDS)
        except (SlackClientError, ClientError, OSError, TimeoutError, ValueError) as error:
            log.info("slack.person_unknown", error=type(error).__name__)
            return None
        found = answer.get("user")
        if not isinstance(found, dict):
            return None
        return any(
            found.get(name) is True for name in ("is_restricted", "is_ultra_restricted", "is_stranger")
        )
