"""`top`: the worst tests of a repository in one table."""

from bot.slack.blocks.digest import concentration, worst_table
from bot.slack.blocks.pieces import (
    Block,
    Message,
    actions,
    button,
    context,
    option,
    section,
    select,
)
from bot.slack.blocks.proposal import person
from bot.slack.blocks.words import count, moment, short_name
from bot.slack.escape import escape
from bot.slack.pages import TopPage
from bot.slack.values import project_value, value_of_test

MAX_SHOWN = 50
"""Rows of the full list; more would not fit into one table's 10,000 characters."""


def top(page: TopPage) -> Message:
    """SLACK_LAYOUTS §6."""
    if not page.rows:
        return _nothing(page)
    blocks: list[Block | None] = [
        section(_finding(page)),
        worst_table(page.rows),
        _actions(page),
        context(*_small_print(page)),
    ]
    return Message(_text(page), tuple(block for block in blocks if block))


def _nothing(page: TopPage) -> Message:
    base = f"({count(page.tests, 'test')}, {count(page.runs, 'run')})"
    text = f"No flaky test in {escape(page.repo)} in {count(page.days, 'day')} {base}."
    return Message(text, (section(f"*{text}*"), context(*_small_print(page))))


def _finding(page: TopPage) -> str:
    shown = len(page.rows)
    if shown < page.total:
        which = f"The {shown} worst of {count(page.total, 'flaky test')}"
    else:
        which = "The one flaky test" if shown == 1 else f"The {shown} flaky tests"
    cause = concentration(page.rows, sum(row.failed for row in page.rows))
    order = ", worst first" if shown > 1 else ""
    return f"*{which} of {escape(page.repo)}*, last {count(page.days, 'day')}{order}.{cause}"


def _actions(page: TopPage) -> Block | None:
    if page.shared_by:
        return None
    options = [option(short_name(row.test), value_of_test(page.project_id, row.test.id)) for row in page.rows]
    value = project_value(page.project_id, f"{page.days}:{len(page.rows)}")
    return actions(
        select("fg.top.show", "Look at one test…", options),
        button("fg.top.share", "Share here", says="Post this list in the channel", value=value),
        _full(page),
    )


def _full(page: TopPage) -> Block | None:
    """Leads to all of them, where some are not shown."""
    value = project_value(page.project_id, str(page.days))
    says = f"Show all {page.total} flaky tests"
    more = page.total > len(page.rows) < MAX_SHOWN
    return button("fg.top.full", "Full list", says=says, value=value) if more else None


def _small_print(page: TopPage) -> list[str]:
    return [
        f"shared by {person(page.shared_by)}" if page.shared_by else "Only you see this",
        f"last result {moment(page.last_result)}" if page.last_result else "no result yet",
    ]


def _text(page: TopPage) -> str:
    rows = ", ".join(f"{escape(short_name(row.test))} {row.failed} of {row.runs}" for row in page.rows[:3])
    return f"Flaky tests of {escape(page.repo)}, {count(page.days, 'day')}, worst first: {rows}."
