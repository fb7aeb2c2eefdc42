"""Draws somebody's Home: when they open it, after they decided something, and when anybody decided elsewhere."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter

import structlog

from bot.slack.blocks.home import home
from bot.slack.homes import home_page
from bot.slack.kit import Kit
from bot.slack.visit import Visit, Visitor
from bot.slack.workspaces import Workspace
from core.errors import FlakeGuardError
from jobs.desk import Desk
from storage import audit
from storage.slack import HomeViewer, draw_home, home_viewers, opened_home

log = structlog.get_logger(__name__)

LATELY = timedelta(hours=24)
MOST = 20
"""Homes drawn anew at a time; Slack limits how often an app may do it."""
EVERY = 5.0
"""Seconds between looks at what was decided elsewhere; whatever happened meanwhile is one drawing."""
AT_ONCE = 8
"""Homes drawn in one such look: about as many in a minute as Slack lets an app publish."""


async def publish_home(kit: Kit, visitor: Visitor) -> None:
    """Show the visitor their Home as it is now, and remember that they look at it."""
    mark = await _mark(kit, visitor.workspace)
    await _draw(kit, visitor)
    await kit.act(_remember, visitor, mark)


async def refresh_homes(kit: Kit, visitor: Visitor) -> None:
    """After a decision: for those who opened their Home lately, the one who decided first."""
    try:
        mark = await _mark(kit, visitor.workspace)
        viewers = await kit.act(_viewers, visitor)
        for one in sorted(viewers, key=lambda one: one.user != visitor.visit.user)[:MOST]:
            await kit.act(_claim, one, mark)
            await _draw(kit, _as(one, visitor.workspace))
    except FlakeGuardError as error:
        log.info("slack.home_not_refreshed", reason=error.message)


async def keep_homes_fresh(kit: Kit) -> None:
    """Until cancelled."""
    while True:
        await asyncio.sleep(EVERY)
        try:
            await sweep_homes(kit)
        except FlakeGuardError as error:
            log.info("slack.home_not_refreshed", reason=error.message)
        except Exception:  # the outermost loop of the homes: the next look tries again
            log.exception("slack.homes_failed")


async def sweep_homes(kit: Kit) -> int:
    """Draw anew the Homes behind what was decided: over the API, the command line, GitHub, or by time alone."""
    lately = kit.desk.now() - LATELY
    viewers = await kit.read(home_viewers, since=lately)
    drawn = 0
    for team in dict.fromkeys(one.team for one in viewers):
        if (workspace := await kit.workspaces.find(team)) is not None:
            theirs = [one for one in viewers if one.team == team]
            drawn += await _redraw(kit, workspace, theirs, AT_ONCE - drawn)
    return drawn


async def _redraw(kit: Kit, workspace: Workspace, viewers: Sequence[HomeViewer], most: int) -> int:
    mark = await _mark(kit, workspace)
    # Who is behind longest comes first: while something is decided all the time, the others would starve.
    behind = sorted((one for one in viewers if one.mark < mark), key=attrgetter("mark"))[:most]
    for one in behind:
        if await kit.act(_claim, one, mark):
            await _draw(kit, _as(one, workspace))
    return len(behind)


async def _mark(kit: Kit, workspace: Workspace) -> int:
    """Read before the page is: what is decided while it is drawn makes it be drawn again."""
    return await kit.read(audit.length, workspace.organization_id)


async def _draw(kit: Kit, visitor: Visitor) -> None:
    page = await kit.act(home_page, kit.settings, visitor)
    if not page.begun:
        page = replace(page, install_url=await kit.github_app.install_url())
    await kit.views.publish(visitor, home(page))


def _as(viewer: HomeViewer, workspace: Workspace) -> Visitor:
    return Visitor(Visit(key="", team=workspace.team, user=viewer.user), workspace)


def _claim(desk: Desk, viewer: HomeViewer, mark: int) -> bool:
    with desk.database.begin() as tx:
        return draw_home(tx, team=viewer.team, user=viewer.user, mark=mark)


def _remember(desk: Desk, visitor: Visitor, mark: int) -> None:
    team, user = visitor.workspace.team, visitor.visit.user
    with desk.database.begin() as tx:
        opened_home(tx, team=team, user=user, now=desk.now())
        draw_home(tx, team=team, user=user, mark=mark)


def _viewers(desk: Desk, visitor: Visitor) -> Sequence[HomeViewer]:
    with desk.database.read() as tx:
        return home_viewers(tx, team=visitor.workspace.team, since=desk.now() - LATELY)
