"""The dialog that lets one person into the web pages: the link in it works once, for ten minutes."""

from bot.slack.blocks.pieces import Block, View, actions, button, context, link_button, modal, section


def web_button() -> Block:
    """Asks for the link; it is made anew each time, because it does not live long."""
    return button("fg.web.open", "Web dashboard…", says="Open the web dashboard", value="open")


def web_door(url: str) -> View:
    """Only the person who asked sees it."""
    says = "Open the web pages in the browser, signed in"
    opened = link_button("fg.open.web", "Open in browser", says=says, url=url)
    return modal(
        "Web dashboard",
        [
            section("*Every repository, every test, the audit log.* You come in as yourself."),
            *([actions(opened)] if opened else []),
            context("The link works once, for ten minutes, and is yours alone"),
        ],
    )
