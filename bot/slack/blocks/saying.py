"""Everything FlakeGuard posts in a channel, from value to message, with simpler forms for older clients."""

from typing import assert_never

from bot.slack.blocks.decision import decision
from bot.slack.blocks.digest import daily_line, digest
from bot.slack.blocks.note import note
from bot.slack.blocks.pieces import Block, Message, bullets, rich, words
from bot.slack.blocks.proposal import proposal
from bot.slack.blocks.storm import storm
from core.quarantine import State
from core.saying import DigestCard, Note, ProposalCard, Saying, StormCard


def message(saying: Saying) -> Message:
    """How a saying looks in Slack."""
    match saying:
        case ProposalCard():
            return proposal(saying) if saying.quarantine.state is State.PROPOSED else decision(saying)
        case DigestCard():
            return digest(saying)
        case StormCard():
            return storm(saying)
        case Note():
            return note(saying)
        case _:
            assert_never(saying)


def simpler(shown: Message) -> Message | None:
    """The next simpler form: without charts, then without tables, then words only; None when it is those."""
    for kind, replace in (("data_visualization", daily_line), ("table", rows_as_list)):
        if any(block["type"] == kind for block in shown.blocks):
            blocks = (replace(block) if block["type"] == kind else block for block in shown.blocks)
            return Message(shown.text, tuple(blocks))
    return Message(shown.text) if shown.blocks else None


def rows_as_list(block: Block) -> Block:
    """A table as a numbered list: "name, 9 of 212, 0.97, web-platform"."""
    return rich(bullets((_cells(row) for row in block["rows"][1:]), style="ordered"))


def _cells(row: list[Block]) -> list[Block]:
    parts: list[Block] = []
    for item in row:
        parts += [words(", ")] if parts else []
        parts += item["elements"][0]["elements"] if item["type"] == "rich_text" else [words(item["text"])]
    return parts
