"""The workspace's own events: the app was removed, or its tokens were revoked."""

from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp

from bot.slack.incoming import read_payload
from bot.slack.kit import Kit
from bot.slack.visit import Visit, visit_of
from jobs.subscribe import uninstall_workspace

log = structlog.get_logger(__name__)


def register(app: AsyncApp, kit: Kit) -> None:
    """Listen to both; the data stays, the token goes."""

    @app.event("app_uninstalled")
    async def uninstalled(body: dict[str, Any]) -> None:
        kit.start(_forget(kit, visit_of(read_payload(body))))

    @app.event("tokens_revoked")
    async def revoked(body: dict[str, Any]) -> None:
        tokens = body["event"].get("tokens")
        if isinstance(tokens, dict) and tokens.get("bot"):
            kit.start(_forget(kit, visit_of(read_payload(body))))


async def _forget(kit: Kit, visit: Visit) -> None:
    try:
        await kit.act(uninstall_workspace, visit.team)
    except Exception:  # the outermost step: a post will meet the revoked token and say so
        log.exception("slack.uninstall_failed", team=visit.team)
    kit.workspaces.forget(visit.team)
    log.info("slack.uninstalled", team=visit.team)
