"""The dialogs' common frames: loading, saving, and how it ended."""

from bot.slack.blocks.pieces import Block, Level, View, alert, modal, plain, rich, rich_line, words
from bot.slack.escape import paragraph


def loading(title: str) -> View:
    """Opened at once, while the trigger is fresh; filled when the data is there."""
    return modal(title, [_line("Loading…")])


def saving(title: str) -> View:
    """Shown while the decision is made; nothing was changed yet."""
    return modal(title, [_line("Saving…")])


def outcome(title: str, level: Level, text: str) -> View:
    """How it ended, whichever way."""
    return modal(title, [alert(level, paragraph(text, 200)), *_rest(text)])


def _rest(text: str) -> list[Block]:
    """A verdict line holds 200 characters; a longer sentence is repeated whole below it."""
    return [_line(text)] if len(text) > 200 else []  # noqa: PLR2004 - the alert's limit


def _line(text: str) -> Block:
    return rich(rich_line(words(paragraph(text, 1000))))


def short_title(verb: str, name: str) -> str:
    """Verb and name, "Settings: acme/web", where it fits in a dialog's title, else the verb."""
    title = f"{verb}: {name}"
    return title if len(plain(title)["text"]) <= 24 else verb  # noqa: PLR2004 - Slack's limit
