"""`show`: one test with its verdict, figures, weekly rate and most common failure."""

from bot.slack.blocks.findings import Findings
from bot.slack.blocks.identity import identity
from bot.slack.blocks.pieces import (
    Block,
    Message,
    actions,
    button,
    chart,
    context,
    fields,
    header,
    link_button,
    preformatted,
    rich,
    rich_line,
    section,
    words,
)
from bot.slack.blocks.proposal import person
from bot.slack.blocks.reasons import argument, verdict_line
from bot.slack.blocks.words import day, label, moment, of_runs, short_name
from bot.slack.escape import escape, line
from bot.slack.pages import TestPage
from bot.slack.values import value_of_test
from core.quarantine import State

FIRST_WORDS = {
    "broken": "Broken",
    "flaky": "Flaky",
    "suspect": "Suspected",
    "recovered": "Recovered",
    "healthy": "Healthy",
    "retired": "Retired",
}
MIN_WEEKS = 2


def show(page: TestPage) -> Message:
    """SLACK_LAYOUTS §6; a healthy test has no chart and no failure block."""
    name = short_name(page.test)
    first = FIRST_WORDS.get(page.findings.state, "Too little data")
    blocks = [
        header(f"{first}: {name}"),
        identity(page.test, page.repo, page.branch),
        section(_sentence(page)),
        fields(*_numbers(page)),
        *_trouble(page),
        _actions(page, name),
        context(*_small_print(page)),
    ]
    return Message(_text(page, first, name), tuple(block for block in blocks if block))


def _sentence(page: TestPage) -> str:
    if page.findings.state in {"flaky", "suspect"}:
        return argument(page.findings) + _trend(page)
    return f"*{verdict_line(page.findings)[1]}*"


def _trend(page: TestPage) -> str:
    """Better or worse, and since which week, when the weeks leave no doubt."""
    for split in range(MIN_WEEKS, len(page.weekly)):
        earlier = [share for _, share in page.weekly[:split]]
        later = [share for _, share in page.weekly[split:]]
        before, week = sum(earlier) / len(earlier), page.weekly[split][0]
        if min(later) >= 2 * before and min(later) - before >= 1:
            return f" Getting worse since week {week}."
        if before >= 2 * max(later) and before - max(later) >= 1:
            return f" Getting better since week {week}."
    return ""


def _numbers(page: TestPage) -> list[tuple[str, str]]:
    found = page.findings
    return [
        ("Flake score", f"{found.score:.2f}"),
        (f"Failed on {escape(page.branch, 60)}", of_runs(found.failed, found.runs) + likely_rate(found)),
        ("First seen", day(page.first_seen) if page.first_seen else "not known"),
        ("State", state_words(page)),
    ]


def likely_rate(found: Findings) -> str:
    """The interval the true failure rate lies in, as small as the runs allow."""
    return f" ({100 * found.rate_low:.1f} to {100 * found.rate_high:.1f} % likely)" if found.runs else ""


def state_words(page: TestPage) -> str:
    """Where its quarantine stands, with the id people talk about."""
    quarantine = page.quarantine
    if quarantine is None:
        return "Not in quarantine"
    name = f"`{quarantine.name}`"
    match quarantine.state:
        case State.PROPOSED:
            return f"Waiting for a decision, {name}"
        case State.ACTIVE | State.EXPIRING:
            return f"Quarantined until {day(quarantine.until)}, {name}" if quarantine.until else name
        case _:
            return f"Not in quarantine ({quarantine.state}, {name})"


def _trouble(page: TestPage) -> list[Block]:
    blocks: list[Block] = []
    if page.findings.state in {"healthy", "insufficient_data"}:
        return blocks
    if len(page.weekly) >= MIN_WEEKS and any(share for _, share in page.weekly):
        axes = {"x_label": "Calendar week", "y_label": "% of runs"}
        blocks.append(chart("line", "Failure rate per week", "Failed %", page.weekly, **axes))
    if common := common_failure(page.findings):
        blocks.append(common)
    return blocks


def common_failure(findings: Findings) -> Block | None:
    """The most common failure's first lines, with how many it covers."""
    if not findings.message:
        return None
    covers = f" ({findings.message_count} of {findings.failures})" if findings.message_count else ""
    title = rich_line(words(f"Most common failure{covers}", bold=True))
    return rich(title, preformatted("\n".join(findings.message.splitlines()[:6]), 600))


def _actions(page: TestPage, name: str) -> Block | None:
    waits = page.quarantine and page.quarantine.state.open
    handle = page.quarantine.handle if page.quarantine else ""
    value = value_of_test(page.project_id, page.test.id)
    if page.shared_by:
        return None
    return actions(
        button("fg.show.proposal", "Go to the decision", says=label("Decide on ", name), value=handle)
        if waits
        else _propose(page, name),
        button("fg.show.evidence", "Evidence", says=label("Show the evidence for ", name), value=value),
        button("fg.show.share", "Share here", says=label("Post ", name, " in the channel"), value=value),
        _open(page, name),
    )


def _open(page: TestPage, name: str) -> Block | None:
    """The test's page; without web pages its latest failed run."""
    if page.web_url:
        return link_button(
            "fg.open.test", "Open", says=label("Open ", name, " in the browser"), url=page.web_url
        )
    return link_button("fg.open.run", "Open", says=label("Open the failed run of ", name), url=page.test.url)


def _propose(page: TestPage, name: str) -> Block | None:
    if page.findings.state in {"broken", "retired"}:
        return None
    says = label("Propose a quarantine of ", name)
    return button(
        "fg.show.propose",
        "Propose quarantine…",
        says=says,
        value=value_of_test(page.project_id, page.test.id),
    )


def _small_print(page: TestPage) -> list[str]:
    return [
        f"shared by {person(page.shared_by)}" if page.shared_by else "Only you see this",
        f"{escape(page.repo)}, {escape(page.branch, 60)}",
        f"last result {moment(page.last_result)}" if page.last_result else "no result yet",
    ]


def _text(page: TestPage, first: str, name: str) -> str:
    found = page.findings
    waits = page.quarantine and page.quarantine.state is State.PROPOSED
    state = f", waiting for a decision ({page.quarantine.name})" if waits and page.quarantine else ""
    return (
        f"{first}: {escape(name)} in {escape(line(page.repo, 140))}, score {found.score:.2f}, "
        f"{of_runs(found.failed, found.runs)} failed{state}."
    )
