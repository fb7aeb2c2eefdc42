"""The dialog that links a person to their GitHub login."""

from bot.slack.blocks.pieces import View, context, field_input, modal, text_input


def link(login: str = "") -> View:
    """It only chooses whose tests the Home tab shows; it gives no rights."""
    return modal(
        "Link GitHub",
        [
            field_input(
                "login",
                "Your GitHub login",
                text_input(value=login, placeholder="octocat", limit=39, multiline=False),
                hint="As in CODEOWNERS, without the @. Leave it empty to unlink.",
                optional=True,
            ),
            context("It chooses which tests your Home shows. It gives no rights."),
        ],
        close="Cancel",
        submit="Link",
        callback_id="fg.login.link",
    )
