"""The Deny dialog: why, what others should know, and for how long not to ask again."""

import json

from bot.slack.blocks.pieces import View, field_input, modal, number_input, option, radio, text_input

REASONS = {
    "bug": "A real bug",
    "block": "Needs to block merges",
    "thin": "Evidence too thin",
    "other": "Other",
}


def deny(handle: str, *, reason: str = "", days: int = 14) -> View:
    """Opened without the database, so that it is there at once."""
    choices = [option(text, value) for value, text in REASONS.items()]
    return modal(
        "Deny the quarantine",
        [
            field_input("why", "Why?", radio(choices, reason)),
            field_input(
                "text",
                "What should others know?",
                text_input(placeholder="Real race in session refresh, fix is on its way"),
                hint="Shown on the card. Needed for “Other”.",
                optional=True,
            ),
            field_input("days", "Do not ask again for (days)", number_input(days, 0, 365)),
        ],
        close="Cancel",
        submit="Deny",
        callback_id="fg.proposal.deny",
        private_metadata=json.dumps({"q": handle}),
    )
