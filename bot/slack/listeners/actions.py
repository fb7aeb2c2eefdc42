"""Clicks on buttons, menus and selects: acknowledged, then done by whoever knows the verb."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack import clicks, decisions, storms
from bot.slack.blocks.pieces import Message
from bot.slack.incoming import read_payload
from bot.slack.kit import Kit
from bot.slack.refresh import refresh_homes
from bot.slack.visit import Visitor, visit_of

Click = Callable[[Kit, Visitor, str], Awaitable[Message | None]]

CLICKS: dict[str, Click] = {
    "fg.proposal.details": clicks.evidence_dialog,
    "fg.proposal.deny": clicks.deny_dialog,
    "fg.quarantine.release": clicks.release_dialog,
    "fg.quarantine.renew": clicks.renew_dialog,
    "fg.home.review": clicks.review_dialog,
    "fg.list.review": clicks.review_dialog,
    "fg.home.waiting": clicks.waiting_dialog,
    "fg.digest.review": clicks.waiting_dialog,
    "fg.home.settings": clicks.settings_dialog,
    "fg.home.channel": clicks.settings_dialog,
    "fg.home.propose": clicks.propose_dialog,
    "fg.home.link": clicks.link_dialog,
    "fg.web.open": clicks.web_dialog,
    "fg.home.sample": clicks.load_sample,
    "fg.home.unsample": clicks.remove_sample,
    "fg.show.proposal": clicks.review_dialog,
    "fg.show.evidence": clicks.evidence_now_dialog,
    "fg.show.propose": clicks.propose_shown_dialog,
    "fg.show.share": clicks.share_test,
    "fg.top.show": clicks.show_test,
    "fg.top.share": clicks.share_top,
    "fg.top.full": clicks.full_list,
    "fg.digest.report": clicks.full_list,
    "fg.status.pending": clicks.list_pending,
    "fg.status.top": clicks.top_of_project,
    "fg.list.newer": clicks.turn_page,
    "fg.list.older": clicks.turn_page,
    "fg.storm.list": storms.tests_dialog,
}
"""Everything whose repetition does no harm: it reads, opens a dialog, or is done only once by itself."""


EFFECTS = frozenset({"fg.proposal.approve", "fg.proposal.more", "fg.storm.more"})
"""What a replay must not do again."""


def register(app: AsyncApp, kit: Kit) -> None:
    """Listen to every action of ours; `fg.open.*` are links and only want an ack."""

    @app.action(re.compile(r"^fg\."))
    async def clicked(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        name, value = str(action["action_id"]), value_of(action)
        if not name.startswith("fg.open.") and not value.startswith("open:"):
            kit.start(_do(kit, body, name, value))

    @app.action(re.compile(r""))
    async def unknown(ack: AsyncAck) -> None:
        await ack()


def value_of(action: dict[str, Any]) -> str:
    """What was clicked or chosen."""
    chosen = action.get("selected_option")
    value = chosen.get("value") if isinstance(chosen, dict) else action.get("value")
    return value if isinstance(value, str) else ""


async def _do(kit: Kit, body: dict[str, Any], name: str, value: str) -> None:
    visit = visit_of(read_payload(body))

    async def work(visitor: Visitor) -> Message | None:
        if name == "fg.proposal.approve":
            return await _approve(kit, visitor, value)
        if name == "fg.proposal.more":
            return await clicks.more(kit, visitor, value)
        if name == "fg.storm.more":
            return await storms.more(kit, visitor, value)
        if name.startswith(("fg.choose.", "fg.repo.")):
            return await clicks.chosen(kit, visitor, name, value)
        # In lists the action's id ends in an index: fg.home.review.2
        click = CLICKS.get(name) or CLICKS.get(name.rpartition(".")[0], clicks.outdated)
        return await click(kit, visitor, value)

    effect = name in EFFECTS or name.startswith("fg.choose.snooze")
    await kit.serve(visit, work, once=effect)


async def _approve(kit: Kit, visitor: Visitor, value: str) -> Message | None:
    if visitor.visit.view_type == "modal":
        await clicks.approve_in_dialog(kit, visitor, value)
        return None
    told = await decisions.approve(kit, visitor, value)
    kit.start(refresh_homes(kit, visitor))
    return told
