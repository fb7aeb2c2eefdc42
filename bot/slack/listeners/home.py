"""The Home tab: drawn when it is opened."""

from typing import Any

from slack_bolt.app.async_app import AsyncApp

from bot.slack.blocks.home import home
from bot.slack.homes import home_page
from bot.slack.incoming import read_payload
from bot.slack.kit import Kit
from bot.slack.visit import Visitor, visit_of
from jobs.desk import Desk
from storage.slack import opened_home


def register(app: AsyncApp, kit: Kit) -> None:
    """Listen to people opening their Home; Bolt acknowledges events by itself, at once."""

    @app.event("app_home_opened")
    async def opened(body: dict[str, Any]) -> None:
        if body["event"].get("tab", "home") == "home":
            kit.start(kit.serve(visit_of(read_payload(body)), lambda visitor: _publish(kit, visitor)))


async def _publish(kit: Kit, visitor: Visitor) -> None:
    page = await kit.act(home_page, kit.settings, visitor)
    await kit.views.publish(visitor, home(page))
    await kit.act(_remember, visitor)


def _remember(desk: Desk, visitor: Visitor) -> None:
    with desk.database.begin() as tx:
        opened_home(tx, team=visitor.workspace.team, user=visitor.visit.user, now=desk.now())
