"""Answers that only one person sees: through the response_url, else as an ephemeral message."""

from typing import Any

import httpx
import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.settings import Settings
from bot.slack.blocks.pieces import Message
from bot.slack.blocks.saying import simpler
from bot.slack.failures import REFUSED_BLOCKS, code_of
from bot.slack.validate import problems
from bot.slack.visit import Visitor
from bot.slack.web import TIMEOUT, async_client, may_answer_at

log = structlog.get_logger(__name__)

TRIES = 3
SERVER_FAULT = 500
NOT_THERE = frozenset({"not_in_channel", "channel_not_found", "is_archived"})


class Replies:
    """Sends answers; one that cannot be delivered is logged, for there is nobody left to tell."""

    def __init__(self, settings: Settings) -> None:
        """One pool of connections for all answers; redirects are never followed."""
        self._settings = settings
        self._http = httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, trust_env=False)

    async def say(
        self, visitor: Visitor, answer: Message, *, replace: bool = False, share: bool = False
    ) -> None:
        """Only to the visitor, unless `share`; `replace` changes the message that was clicked."""
        shown: Message | None = _checked(answer)
        for _ in range(TRIES):
            if shown is None or await self._once(visitor, shown, replace=replace, share=share):
                return
            shown = simpler(shown)
        log.warning("slack.reply_lost", team=visitor.workspace.team)

    async def _once(self, visitor: Visitor, shown: Message, *, replace: bool, share: bool) -> bool:
        url = visitor.visit.response_url
        if url and may_answer_at(self._settings, url):
            return await self._to_url(url, shown, replace=replace, share=share)
        if url:
            log.warning("slack.response_url_refused")
        return await self._in_channel(visitor, shown, share=share)

    async def _to_url(self, url: str, shown: Message, *, replace: bool, share: bool) -> bool:
        content: dict[str, Any] = {
            "response_type": "in_channel" if share else "ephemeral",
            "replace_original": replace,
            "text": shown.text,
            "blocks": list(shown.blocks),
        }
        try:
            answer = await self._http.post(url, json=content)
        except httpx.HTTPError as error:
            log.warning("slack.reply_failed", error=type(error).__name__)
            return True
        if answer.status_code < 400:  # noqa: PLR2004 - HTTP's own line
            return True
        log.warning("slack.reply_refused", status=answer.status_code)
        return answer.status_code >= SERVER_FAULT or not any(word in answer.text for word in REFUSED_BLOCKS)

    async def _in_channel(self, visitor: Visitor, shown: Message, *, share: bool) -> bool:
        if not visitor.visit.channel or not visitor.workspace.token:
            return True
        client = async_client(self._settings, visitor.workspace.token)
        content: dict[str, Any] = {
            "channel": visitor.visit.channel,
            "text": shown.text,
            "blocks": list(shown.blocks),
        }
        try:
            if share:
                await client.chat_postMessage(unfurl_links=False, unfurl_media=False, **content)
            else:
                await client.chat_postEphemeral(user=visitor.visit.user, **content)
        except (SlackClientError, ClientError, OSError, TimeoutError, ValueError) as error:
            log.warning("slack.reply_failed", error=type(error).__name__)
            return not any(word in str(error) for word in REFUSED_BLOCKS)
        return True

    async def may_speak(self, visitor: Visitor, channel: str) -> bool:
        """Try it, with a word to the person alone; False only when Slack says that the bot is not there."""
        client = async_client(self._settings, visitor.workspace.token)
        text = "FlakeGuard can speak here. Only you see this."
        try:
            await client.chat_postEphemeral(channel=channel, user=visitor.visit.user, text=text)
        except SlackApiError as error:
            return code_of(error) not in NOT_THERE
        except (SlackClientError, ClientError, OSError, TimeoutError, ValueError) as error:
            log.info("slack.channel_unknown", error=type(error).__name__)
        return True

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()


def _checked(answer: Message) -> Message:
    if found := problems({"text": answer.text, "blocks": answer.blocks}, "message"):
        log.error("slack.message_invalid", problems=found[:5])
        return Message(answer.text)
    return answer
