"""The settings dialog: who decides, how long and how many, what the channel hears."""

import json
from typing import Any

from bot.slack.blocks.dialog import short_title
from bot.slack.blocks.pieces import (
    Block,
    View,
    alert,
    context,
    field_input,
    header,
    modal,
    number_input,
    option,
    radio,
    text_input,
)
from bot.slack.blocks.proposal import is_user_id
from bot.slack.escape import escape, line
from bot.slack.pages import SettingsPage

MAX_DECIDERS = 50
KINDS = {"all": "Proposals and digest", "digest": "Digest only", "proposals": "Proposals only"}


def settings(page: SettingsPage) -> View:
    """SLACK_LAYOUTS §7; the version in the metadata tells whether somebody else saved meanwhile."""
    return modal(
        short_title("Settings", line(page.repo, 140)),
        [*_conflict(page), *_who(page), *_how_long(page), *_channel(page), context(SMALL_PRINT)],
        close="Cancel",
        submit="Save",
        callback_id="fg.settings.save",
        private_metadata=json.dumps(_metadata(page)),
    )


def _metadata(page: SettingsPage) -> dict[str, Any]:
    """The ids the submission needs; `k` are those who decide whoever is picked, absent when a group does too."""
    ids: dict[str, Any] = {"p": page.project_id, "v": page.policy.version}
    return ids if page.policy.approver_group else {**ids, "k": list(page.deciders[:MAX_DECIDERS])}


SMALL_PRINT = "Changes apply to new proposals; open ones keep their policy. Every change is in the audit log."


def _conflict(page: SettingsPage) -> list[Block]:
    if page.uninvited:
        return [alert("warning", "Invite FlakeGuard to this channel first. Nothing was saved.")]
    if not page.changed_by:
        return []
    who = f"@{escape(page.changed_by, 60)}"
    return [alert("warning", f"Changed by {who} while this was open. These are the present values.")]


def _who(page: SettingsPage) -> list[Block]:
    people = [user for user in page.approvers if is_user_id(user)][:20]
    chooser: Block = {"type": "multi_users_select", "max_selected_items": 20}
    if people:
        chooser["initial_users"] = people
    never = page.policy.protected_approvals == 0
    own = "" if page.policy.allow_self_approval else " Nobody approves their own proposal."
    return [
        header("Who decides"),
        field_input("approvers", "Approvers", chooser, hint=f"People of this workspace.{own}", optional=True),
        field_input("quorum", "Approvals needed", number_input(page.policy.approvals_required, 1, 5)),
        field_input(
            "never",
            "Never quarantine these paths" if never else "Protected paths",
            text_input(
                value="\n".join(page.policy.protected_paths), placeholder="tests/security/**", limit=1000
            ),
            hint=_protected(page),
            optional=True,
        ),
    ]


def _protected(page: SettingsPage) -> str:
    needed = page.policy.protected_approvals
    return "One pattern per line." + (f" Tests in them need {needed} approvals." if needed else "")


def _how_long(page: SettingsPage) -> list[Block]:
    policy = page.policy
    return [
        header("How long, how many"),
        field_input("ttl", "Days in quarantine", number_input(policy.ttl_days, 1, 60)),
        field_input("cap", "Most tests in quarantine at once", number_input(policy.max_quarantined, 1, 500)),
    ]


def _channel(page: SettingsPage) -> list[Block]:
    chooser: Block = {
        "type": "conversations_select",
        "filter": {
            "include": ["public", "private"],
            "exclude_external_shared_channels": True,
            "exclude_bot_users": True,
        },
    }
    if page.channel:
        chooser["initial_conversation"] = page.channel
    choices = [option(text, value) for value, text in KINDS.items()]
    time = {"type": "timepicker", "initial_time": page.digest_time, "timezone": page.timezone}
    hint = "FlakeGuard must be a member: /invite @FlakeGuard"
    return [
        header("What this channel hears"),
        field_input("channel", "Channel", chooser, hint=hint, optional=True),
        field_input("what", "Messages", radio(choices, page.kinds)),
        field_input("time", "Digest at", time, hint=f"Time zone: {page.timezone}.{_quiet(page)}"),
    ]


def _quiet(page: SettingsPage) -> str:
    begin, _, end = page.policy.quiet_hours.partition("-")
    return f" Quiet from {line(begin, 5)} to {line(end, 5)}." if end else ""
