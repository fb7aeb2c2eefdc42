"""The Bolt application: one object for HTTP and Socket Mode; it asks nobody before an ack."""

import logging

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import Settings
from bot.slack.kit import Kit
from bot.slack.listeners import actions, commands, events, home, shortcuts, views
from bot.slack.web import async_client


def bolt_app(kit: Kit, settings: Settings) -> AsyncApp:
    """Every listener on one app. The door has verified the signature; workspaces are looked up after the ack."""
    app = AsyncApp(
        name="FlakeGuard",
        logger=logging.getLogger("slack_bolt"),
        client=_nobodys_client(settings),
        authorize=_authorize,
        request_verification_enabled=False,
        ssl_check_enabled=False,
        url_verification_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    for listeners in (commands, actions, views, home, shortcuts, events):
        listeners.register(app, kit)
    return app


async def _authorize(enterprise_id: str | None, team_id: str | None, user_id: str | None) -> AuthorizeResult:
    """Bolt wants an answer before its listeners; ours needs neither database nor Slack and grants nothing."""
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, user_id=user_id)


def _nobodys_client(settings: Settings) -> AsyncWebClient:
    """Bolt's own client has no token: our listeners speak with the visitor's workspace's."""
    return async_client(settings)
