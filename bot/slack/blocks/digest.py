"""The digest: a verdict sentence, bars per day, the worst tests, and what is new, recovered and ending."""

from datetime import date, datetime

from bot.slack.blocks.pieces import (
    Block,
    Message,
    actions,
    bullets,
    button,
    cell,
    chart,
    code,
    context,
    header,
    link_cell,
    number_cell,
    rich,
    rich_line,
    section,
    table,
    words,
)
from bot.slack.blocks.pieces import date as date_token
from bot.slack.blocks.words import count, duration, listing, moment, number, percent, plain_day, short_name
from bot.slack.escape import NOTHING, escape, line
from bot.slack.values import project_value
from core.saying import DigestCard, DigestTest

MIN_FOR_PERCENT = 10
MAX_ROWS = 5
MIN_DAYS = 3


def digest(card: DigestCard) -> Message:
    """The regular message of a channel (SLACK_LAYOUTS §3); one line when nothing changed."""
    if card.quiet:
        return quiet(card)
    blocks = [
        header(f"{card.repo}: {verdict(card)}"),
        section(_summary(card)),
        _bars(card),
        _worst(card),
        _news(card),
        _buttons(card),
        context(*_small_print(card)),
    ]
    return Message(_text(card), tuple(block for block in blocks if block))


def quiet(card: DigestCard) -> Message:
    """Nothing changed: one line that still says the data is fresh."""
    last = f"last result {moment(card.last_result)}" if card.last_result else "no result yet"
    known = f"{count(card.tests_known, 'test')} watched" if card.tests_known else ""
    words_ = f"*{escape(card.repo)}: nothing new*"
    text = f"{escape(card.repo)}: nothing new in {count(card.days, 'day')}. No flaky failure, nothing waits."
    return Message(text, (context(words_, known, last),))


def verdict(card: DigestCard) -> str:
    """The header's finding; counts instead of percent while the numbers are small."""
    now, before = card.failures, card.failures_before
    if not now:
        return "no flaky failure"
    if min(now, before) < MIN_FOR_PERCENT:
        return f"{count(now, 'flaky failure')}, {before} before"
    change = (now - before) / before
    if change >= 2:  # noqa: PLR2004 - beyond this percent are hard to picture
        return f"{now / before:.0f} times as many flaky failures"
    if abs(change) < 0.01:  # noqa: PLR2004 - under one percent is no change
        return "as many flaky failures as before"
    return f"{percent(abs(change))} {'more' if change > 0 else 'fewer'} flaky failures"


def _summary(card: DigestCard) -> str:
    days = count(card.days, "day")
    if not card.failures:
        return f"*No flaky failure* in {days}{_trend(card)}."
    found = f"*{count(card.failures, 'failure')} from {count(card.tests, 'test')}* in {days}{_trend(card)}."
    return found + _cost(card) + concentration(card.worst, card.failures)


def _trend(card: DigestCard) -> str:
    before = number(card.failures_before)
    if card.failures == card.failures_before:
        return f", as many as the {before} before" if card.failures else ""
    return f", {'down' if card.failures < card.failures_before else 'up'} from {before}"


def _cost(card: DigestCard) -> str:
    if not card.pull_requests:
        return ""
    time = f" and cost *{duration(card.ci_seconds)}* of CI" if card.ci_seconds else ""
    return f" They hit *{count(card.pull_requests, 'pull request')}*{time}."


def concentration(worst: tuple[DigestTest, ...], failures: int) -> str:
    """Whether few tests cause most of it: the sentence that says where to begin."""
    if len(worst) < 3 or failures < MIN_FOR_PERCENT:  # noqa: PLR2004 - two of two would say nothing
        return ""
    share = (worst[0].failed + worst[1].failed) / failures
    if share >= 0.85:  # noqa: PLR2004 - the words' own bounds
        return " Two tests cause nearly all of it."
    if share >= 0.6:  # noqa: PLR2004
        return " Two tests cause two thirds of it."
    return " Two tests cause half of it." if share >= 0.45 else ""  # noqa: PLR2004


def _bars(card: DigestCard) -> Block | None:
    if len(card.daily) < MIN_DAYS or not any(value for _, value in card.daily):
        return None
    days = [date.fromisoformat(day) for day, _ in card.daily[-20:]]
    points = [(str(day.day), float(value)) for day, (_, value) in zip(days, card.daily[-20:], strict=True)]
    if len({name for name, _ in points}) < len(points):
        points = [(f"{day.day} {day:%b}", value) for day, (_, value) in zip(days, points, strict=True)]
    span = f"{_span(days[0], days[-1])}"
    return chart("bar", "Flaky failures per day", "Failures", points, x_label=span, y_label="Failures")


def _span(first: date, last: date) -> str:
    """Two dates as people say them: "9 to 22 November", "28 October to 10 November"."""
    begin = (
        f"{first.day}" if (first.month, first.year) == (last.month, last.year) else f"{first.day} {first:%B}"
    )
    return f"{begin} to {last.day} {last:%B}"


def _short_span(card: DigestCard) -> str:
    first, last = card.since, card.until
    begin = f"{first.day}" if (first.month, first.year) == (last.month, last.year) else plain_day(first)
    return f"{begin} to {plain_day(last)}"


def _worst(card: DigestCard) -> Block | None:
    if not card.worst:
        return None
    return worst_table(card.worst[:MAX_ROWS])


def worst_table(rows: tuple[DigestTest, ...]) -> Block:
    """Test, failed, score, owner: the table of digests and of `top`."""
    return table(("Test", "Failed", "Score", "Owner"), map(_row, rows), right=(1, 2))


def _row(row: DigestTest) -> tuple[Block, ...]:
    name = short_name(row.test)
    return (
        link_cell(name, row.test.url),
        cell(f"{number(row.failed)} of {number(row.runs)}"),
        number_cell(round(row.score, 2), f"{row.score:.2f}"),
        cell(row.test.owner or NOTHING),
    )


def _news(card: DigestCard) -> Block | None:
    lines = [
        _names(f"New ({len(card.new)}): ", card.new),
        _names(f"Recovered ({len(card.recovered)}): ", card.recovered),
        _ending(card.ending),
    ]
    shown = [parts for parts in lines if parts]
    return rich(bullets(shown)) if shown else None


def _names(title: str, names: tuple[str, ...]) -> list[Block]:
    if not names:
        return []
    shown, more = listing(names)
    parts = [words(title, bold=True)]
    for index, name in enumerate(shown):
        parts += [words(", ")] if index else []
        parts.append(code(name))
    return [*parts, words(more)] if more else parts


def _ending(ending: tuple[tuple[str, datetime], ...]) -> list[Block]:
    if not ending:
        return []
    parts = [words("Quarantine ends: ", bold=True)]
    for index, (name, at) in enumerate(ending[:2]):
        parts += [words(", ")] if index else []
        parts += [code(name), words(" on "), date_token(at)]
    rest = len(ending) - 2
    return [*parts, words(f" and {rest} more")] if rest > 0 else parts


def _buttons(card: DigestCard) -> Block | None:
    waiting = count(card.waiting, "proposal")
    review = (
        button(
            "fg.digest.review",
            f"Decide on {waiting}",
            says=f"Review the {waiting} waiting for a decision",
            value="waiting",
        )
        if card.waiting
        else None
    )
    value = project_value(card.project_id, str(card.days))
    report = button("fg.digest.report", "Full report", says="Show every flaky test", value=value)
    return actions(review, report) if card.waiting or card.worst else None


def _small_print(card: DigestCard) -> list[str]:
    head = f"audit `{escape(card.audit_head, 16)}`" if card.audit_head else ""
    return [
        f"{_short_span(card)}, branch {escape(card.branch, 60)}",
        f"last result {moment(card.last_result)}" if card.last_result else "no result yet",
        "by owner in the thread" if card.by_owner else "",
        f"next {moment(card.next_digest)}" if card.next_digest else "",
        head,
    ]


def _text(card: DigestCard) -> str:
    parts = [f"{escape(card.repo)}, {_short_span(card)}: {verdict(card)}."]
    if card.worst and card.failures:
        worst = card.worst[0]
        parts.append(f"Worst: {escape(short_name(worst.test))} ({worst.failed} of {worst.runs}).")
    counts = [
        f"{len(card.new)} new" if card.new else "",
        f"{len(card.recovered)} recovered" if card.recovered else "",
        f"{count(len(card.ending), 'quarantine ends', 'quarantines end')} soon" if card.ending else "",
        f"{count(card.waiting, 'decision waits', 'decisions wait')}" if card.waiting else "",
    ]
    if any(counts):
        parts.append(", ".join(item for item in counts if item) + ".")
    return " ".join(parts)


def daily_line(block: Block) -> Block:
    """What stands in for a chart that the workspace refuses: its numbers in a line."""
    data = block["chart"]["series"][0]["data"]
    values = " ".join(f"{point['value']:g}" for point in data)
    return rich(rich_line(words(f"{line(block['title'], 50)} "), words(values), words(", newest right")))
