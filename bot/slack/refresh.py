"""Draws somebody's Home: when they open it, and again after they decided something."""

from dataclasses import replace
from datetime import timedelta

import structlog

from bot.slack.blocks.home import home
from bot.slack.homes import home_page
from bot.slack.kit import Kit
from bot.slack.visit import Visit, Visitor
from core.errors import FlakeGuardError
from jobs.desk import Desk
from storage.slack import home_viewers, opened_home

log = structlog.get_logger(__name__)

LATELY = timedelta(hours=24)
MOST = 20
"""Homes drawn anew at a time; Slack limits how often an app may do it."""


async def publish_home(kit: Kit, visitor: Visitor) -> None:
    """Show the visitor their Home as it is now, and remember that they look at it."""
    await _draw(kit, visitor)
    await kit.act(_remember, visitor)


async def _draw(kit: Kit, visitor: Visitor) -> None:
    page = await kit.act(home_page, kit.settings, visitor)
    if not page.begun:
        page = replace(page, install_url=await kit.github_app.install_url())
    await kit.views.publish(visitor, home(page))


async def refresh_homes(kit: Kit, visitor: Visitor) -> None:
    """After a decision: for those who opened their Home lately, the one who decided first."""
    try:
        viewers = await kit.act(_viewers, visitor)
        for user in sorted(viewers, key=lambda one: one != visitor.visit.user)[:MOST]:
            await _draw(kit, replace(visitor, visit=Visit(key="", team=visitor.visit.team, user=user)))
    except FlakeGuardError as error:
        log.info("slack.home_not_refreshed", reason=error.message)


def _remember(desk: Desk, visitor: Visitor) -> None:
    with desk.database.begin() as tx:
        opened_home(tx, team=visitor.workspace.team, user=visitor.visit.user, now=desk.now())


def _viewers(desk: Desk, visitor: Visitor) -> list[str]:
    with desk.database.read() as tx:
        return list(home_viewers(tx, team=visitor.workspace.team, since=desk.now() - LATELY))
