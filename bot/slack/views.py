"""Dialogs and Home tabs: opened at once, filled later, published in the plainer form when refused."""

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import Settings
from bot.slack.blocks.home import plainer
from bot.slack.blocks.pieces import View
from bot.slack.failures import REFUSED_BLOCKS, code_of
from bot.slack.validate import check
from bot.slack.visit import Visitor
from bot.slack.web import async_client
from core.errors import ChatError

TROUBLE = (SlackClientError, ClientError, OSError, TimeoutError, ValueError)
LATE = frozenset({"expired_trigger_id", "exchanged_trigger_id", "trigger_expired", "trigger_exchanged"})


class Views:
    """Speaks views.* for one visitor at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def open(self, visitor: Visitor, view: View) -> str:
        """Open a dialog, or push it onto the one that was clicked in; answers its id."""
        check(view, "modal")
        client, visit = self._client(visitor), visitor.visit
        if not visit.trigger_id:
            raise ChatError("Slack gave no way to open a dialog here. Use the command instead.")
        try:
            if visit.view_type == "modal":
                answer = await client.views_push(trigger_id=visit.trigger_id, view=view)
            else:
                answer = await client.views_open(trigger_id=visit.trigger_id, view=view)
        except SlackApiError as error:
            if code_of(error) in LATE:
                raise ChatError("Slack took too long to open the dialog. Click once more.") from error
            raise ChatError(f"Slack could not open the dialog ({code_of(error) or 'no answer'}).") from error
        except TROUBLE as error:
            raise ChatError("Slack did not answer. Click once more.") from error
        opened = answer.get("view")
        return str(opened.get("id", "")) if isinstance(opened, dict) else ""

    async def update(self, visitor: Visitor, view_id: str, view: View) -> None:
        """Replace what an open dialog shows; one that was closed meanwhile is no trouble."""
        check(view, "modal")
        if not view_id:
            return
        try:
            await self._client(visitor).views_update(view_id=view_id, view=view)
        except SlackApiError as error:
            if code_of(error) != "not_found":
                raise ChatError(f"Slack could not update the dialog ({code_of(error)}).") from error
        except TROUBLE as error:
            raise ChatError("Slack did not answer.") from error

    async def publish(self, visitor: Visitor, view: View) -> None:
        """Show this Home to the visitor; with lists for tables where tables are refused."""
        check(view, "home")
        client = self._client(visitor)
        try:
            try:
                await client.views_publish(user_id=visitor.visit.user, view=view)
            except SlackApiError as error:
                if code_of(error) not in REFUSED_BLOCKS:
                    raise
                await client.views_publish(user_id=visitor.visit.user, view=plainer(view))
        except TROUBLE as error:
            raise ChatError("Slack did not take the Home tab.") from error

    def _client(self, visitor: Visitor) -> AsyncWebClient:
        return async_client(self._settings, visitor.workspace.token)
