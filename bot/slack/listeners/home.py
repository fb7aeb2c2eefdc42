"""The Home tab: drawn when it is opened."""

from typing import Any

from slack_bolt.app.async_app import AsyncApp

from bot.slack.incoming import read_payload
from bot.slack.kit import Kit
from bot.slack.refresh import publish_home
from bot.slack.visit import visit_of


def register(app: AsyncApp, kit: Kit) -> None:
    """Listen to people opening their Home; Bolt acknowledges events by itself, at once."""

    @app.event("app_home_opened")
    async def opened(body: dict[str, Any]) -> None:
        if body["event"].get("tab", "home") == "home":
            kit.start(kit.serve(visit_of(read_payload(body)), lambda visitor: publish_home(kit, visitor)))
