"""A note: one short fact, usually in a card's thread."""

from bot.slack.blocks.pieces import Block, Message, code, link, quote, rich, rich_line, user, words
from bot.slack.blocks.proposal import is_user_id
from bot.slack.escape import escape, paragraph
from core.saying import Note


def note(card: Note) -> Message:
    """Our words, the test in code, the link, and somebody's quote; all of it literal text."""
    parts: list[Block] = []
    if is_user_id(card.mention):
        parts += [user(card.mention), words(" ")]
    parts.append(words(paragraph(card.text, 1000)))
    if card.test_name:
        parts += [words(" "), code(card.test_name)]
    if card.url:
        parts += [words(" "), link("Open", card.url)]
    block = rich(rich_line(*parts), quote(card.quote)) if card.quote else rich(rich_line(*parts))
    return Message(_text(card), (block,))


def _text(card: Note) -> str:
    name = f" {escape(card.test_name)}" if card.test_name else ""
    return f"{escape(card.text, 1000)}{name}" + (f" “{escape(card.quote, 300)}”" if card.quote else "")
