"""The dialog that lists what waits for a decision, or the tests of a storm."""

from bot.slack.blocks.listing import listing_page
from bot.slack.blocks.pieces import View, bullets, code, context, modal, rich, words
from bot.slack.blocks.words import count
from bot.slack.pages import ListPage

MAX_EXAMPLES = 100


def waiting(page: ListPage) -> View:
    """The list as a dialog; its small print about visibility is not needed there."""
    blocks = [block for block in listing_page(page).blocks if block["type"] != "context"]
    return modal("Waiting decisions", blocks)


def storm_tests(names: tuple[str, ...], total: int) -> View:
    """The tests that fail together."""
    if not names:
        return modal("Failing together", [rich(bullets([[words("They are no longer known one by one.")]]))])
    rest = total - len(names[:MAX_EXAMPLES])
    small = f"and {count(rest, 'more test')}" if rest > 0 else count(total, "test")
    rows = ([code(name)] for name in names[:MAX_EXAMPLES])
    return modal("Failing together", [rich(bullets(rows)), context(small)])
