"""The Release and Renew dialogs: one reason, one number."""

import json

from bot.slack.blocks.pieces import View, context, field_input, modal, number_input, text_input


def release(handle: str, *, reason: str = "") -> View:
    """The test blocks merges again from now."""
    return modal(
        "Release",
        [
            field_input(
                "text",
                "Why now?",
                text_input(value=reason, placeholder="Fixed in #4182"),
                hint="Shown on the card.",
                optional=True,
            ),
            context("Its failures block merges again at once."),
        ],
        close="Cancel",
        submit="Release",
        callback_id="fg.quarantine.release",
        private_metadata=json.dumps({"q": handle}),
    )


def renew(handle: str, *, days: int = 14) -> View:
    """It goes on for a while; a renewal needs a reason."""
    return modal(
        "Renew",
        [
            field_input(
                "text",
                "Why does it still need time?",
                text_input(placeholder="The fix waits for the new browser image"),
                hint="Shown on the card. The policy limits how often.",
            ),
            field_input("days", "For how many more days?", number_input(days, 1, 60)),
        ],
        close="Cancel",
        submit="Renew",
        callback_id="fg.quarantine.renew",
        private_metadata=json.dumps({"q": handle}),
    )
