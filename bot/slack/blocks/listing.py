"""`list`: one page of waiting proposals or of tests in quarantine."""

from bot.slack.blocks.pieces import Block, Message, actions, button, context, foreign_section, section
from bot.slack.blocks.words import count, label, of_runs, plain_day, short_name
from bot.slack.escape import escape
from bot.slack.pages import ListPage, QuarantineLine
from bot.slack.values import project_value

EMPTY = {"pending": "No proposal waits for a decision", "quarantined": "No test is in quarantine"}


def listing_page(page: ListPage) -> Message:
    """Ten a page, each with the one thing one can do about it."""
    if not page.total:
        text = f"{EMPTY[page.kind]} in {escape(page.repo)}."
        return Message(text, (section(f"*{text}*"), context("Only you see this")))
    rows = [_row(item, page.kind, index) for index, item in enumerate(page.items, 1)]
    title = f"{_title(page)} in {escape(page.repo)}"
    turn = _turn(page)
    where = f"page {page.page} of {page.pages}" if page.pages > 1 else ""
    blocks = [section(f"*{title}*"), *rows, *([turn] if turn else []), context("Only you see this", where)]
    return Message(f"{title}.", tuple(blocks))


def _title(page: ListPage) -> str:
    if page.kind == "pending":
        return count(page.total, "proposal waits", "proposals wait")
    return f"{count(page.total, 'test')} in quarantine"


def _row(item: QuarantineLine, kind: str, index: int) -> Block:
    name = short_name(item.test)
    figures = f"score {item.score:.2f} · {of_runs(item.failed, item.runs)} failed"
    if kind == "pending":
        review = button(
            f"fg.list.review.{index}", "Review", says=label("Review ", name), value=item.quarantine.handle
        )
        return foreign_section(f"{name}\n{figures} · lapses {plain_day(item.quarantine.lapses_at)}", review)
    release = button(
        f"fg.quarantine.release.{index}",
        "Release…",
        says=label("Release ", name, " from quarantine"),
        value=item.quarantine.handle,
    )
    until = f"until {plain_day(item.quarantine.until)}" if item.quarantine.until else "in quarantine"
    return foreign_section(f"{name}\n{until} · {item.quarantine.name}", release)


def _turn(page: ListPage) -> Block | None:
    """Newer and older pages; the value says which page of what, nothing that is trusted."""
    if page.pages == 1:
        return None
    newer = project_value(page.project_id, f"{page.kind}:{page.page - 1}")
    older = project_value(page.project_id, f"{page.kind}:{page.page + 1}")
    before = button("fg.list.newer", "Previous", says="Previous page", value=newer)
    after = button("fg.list.older", "Next", says="Next page", value=older)
    return actions(before if page.page > 1 else None, after if page.page < page.pages else None)
