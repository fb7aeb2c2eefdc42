"""The block that says which test a message is about."""

from bot.slack.blocks.pieces import Block, code, rich, rich_line, words
from bot.slack.blocks.words import full_id
from bot.slack.escape import line
from core.saying import TestView


def identity(test: TestView, repo: str, branch: str = "") -> Block:
    """The full id in code once, and where it lives."""
    place = f"{line(repo, 140)}, branch {line(branch, 100)}" if branch else line(repo, 140)
    owner = f". Owner: {line(test.owner, 80)}" if test.owner else ""
    return rich(rich_line(code(full_id(test))), rich_line(words(place + owner)))
