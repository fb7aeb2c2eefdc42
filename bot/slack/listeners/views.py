"""Submitted dialogs: fields are checked in the ack, the decision is made after it, the dialog says how it ended."""

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack import submissions
from bot.slack.blocks import dialog
from bot.slack.blocks.pieces import View
from bot.slack.incoming import read_payload
from bot.slack.kit import Kit
from bot.slack.refresh import refresh_homes
from bot.slack.submissions import Form
from bot.slack.visit import Visitor, visit_of

Submit = Callable[[Kit, Visitor, Form], Awaitable[View | None]]
Check = Callable[[Form], dict[str, str]]

DIALOGS: dict[str, tuple[str, Check, Submit]] = {
    "fg.proposal.deny": ("Deny the quarantine", submissions.check_deny, submissions.deny),
    "fg.quarantine.release": ("Release", submissions.check_reason_length, submissions.release),
    "fg.quarantine.renew": ("Renew", submissions.check_renew, submissions.renew),
    "fg.quarantine.propose": ("Propose a quarantine", submissions.check_propose, submissions.propose),
    "fg.settings.save": ("Settings", submissions.check_settings, submissions.save_settings),
    "fg.login.link": ("Link GitHub", submissions.check_login, submissions.link_login),
}


def register(app: AsyncApp, kit: Kit) -> None:
    """Listen to every dialog."""
    for callback_id in DIALOGS:
        _listen(app, kit, callback_id)


def _listen(app: AsyncApp, kit: Kit, callback_id: str) -> None:
    title, check, submit = DIALOGS[callback_id]

    @app.view(callback_id)
    async def submitted(ack: AsyncAck, body: dict[str, Any]) -> None:
        form = Form.read(body["view"])
        if errors := check(form):
            await ack(response_action="errors", errors=errors)
            return
        await ack(response_action="update", view=dialog.saving(title))
        visit = visit_of(read_payload(body))

        async def work(visitor: Visitor) -> View | None:
            shown = await submit(kit, visitor, form)
            kit.start(refresh_homes(kit, visitor))
            return shown

        kit.start(kit.serve_dialog(visit, title, visit.view_id, work))
