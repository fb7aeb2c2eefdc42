"""Draws somebody's Home: when they open it, and again after they decided something."""

from dataclasses import replace
from datetime import timedelta

import structlog

from bot.slack.blocks.home import home
from bot.slack.homes import home_page
from bot.slack.kit import Kit
from bot.slack.visit import Visitor
from core.errors import FlakeGuardError
from jobs.desk import Desk
from storage.slack import home_viewers, opened_home

log = structlog.get_logger(__name__)

LATELY = timedelta(hours=24)


async def publish_home(kit: Kit, visitor: Visitor) -> None:
    """Show the visitor their Home as it is now, and remember that they look at it."""
    page = await kit.act(home_page, kit.settings, visitor)
    if not page.begun:
        page = replace(page, install_url=await kit.github_app.install_url())
    await kit.views.publish(visitor, home(page))
    await kit.act(_remember, visitor)


async def refresh_home(kit: Kit, visitor: Visitor) -> None:
    """After a decision: only for those who opened their Home lately; a failure only leaves it as it was."""
    try:
        if visitor.visit.user in await kit.act(_viewers, visitor):
            await publish_home(kit, visitor)
    except FlakeGuardError as error:
        log.info("slack.home_not_refreshed", reason=error.message)


def _remember(desk: Desk, visitor: Visitor) -> None:
    with desk.database.begin() as tx:
        opened_home(tx, team=visitor.workspace.team, user=visitor.visit.user, now=desk.now())


def _viewers(desk: Desk, visitor: Visitor) -> list[str]:
    with desk.database.read() as tx:
        return list(home_viewers(tx, team=visitor.workspace.team, since=desk.now() - LATELY))
