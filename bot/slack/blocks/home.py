"""The Home tab: what waits for this person, their tests, and the repositories; or the first three steps."""

from typing import Literal

from bot.slack.blocks.pieces import (
    Block,
    View,
    actions,
    button,
    cell,
    context,
    date_cell,
    divider,
    foreign_section,
    header,
    link_button,
    link_cell,
    preformatted,
    rich,
    section,
    table,
)
from bot.slack.blocks.saying import rows_as_list
from bot.slack.blocks.web import web_button
from bot.slack.blocks.words import clock, count, label, number, of_runs, plain_day, short_name
from bot.slack.escape import NOTHING, escape, line
from bot.slack.pages import FIRST_FINDINGS, HomePage, MyTest, QuarantineLine, RepoHealth

MAX_WAITING = 3
MAX_TESTS = 8
MAX_REPOS = 10


def home(page: HomePage) -> View:
    """SLACK_LAYOUTS §5."""
    blocks = _filled(page) if page.begun else _empty(page)
    return {"type": "home", "blocks": blocks}


def plainer(view: View) -> View:
    """The same tab with lists for tables, for clients that refuse tables there."""
    blocks = [rows_as_list(block) if block["type"] == "table" else block for block in view["blocks"]]
    return {**view, "blocks": blocks}


def _filled(page: HomePage) -> list[Block]:
    return [
        *_waiting(page),
        *_your_tests(page),
        *_ending(page),
        divider(),
        header("Repositories"),
        section("\n".join(_repo(repo) for repo in page.repos[:MAX_REPOS]) + _more_repos(page)),
        *([_sample()] if page.sample else []),
        _buttons(page),
        context(page.role, f"refreshed {clock(page.refreshed)}"),
    ]


def _waiting(page: HomePage) -> list[Block]:
    if not page.may_decide:
        return []
    if not page.waiting:
        return [header("Nothing waits for you")]
    waits = "1 decision waits" if len(page.waiting) == 1 else f"{len(page.waiting)} decisions wait"
    rows = [_proposal(item, index) for index, item in enumerate(page.waiting[:MAX_WAITING], 1)]
    rest = len(page.waiting) - MAX_WAITING
    return [header(f"{waits} for you"), *rows, *([_rest(rest)] if rest > 0 else []), divider()]


def _proposal(item: QuarantineLine, index: int) -> Block:
    name = short_name(item.test)
    review = button(
        f"fg.home.review.{index}",
        "Review",
        says=label("Review the proposal for ", name),
        value=item.quarantine.handle,
        style="primary" if index == 1 else "",
    )
    figures = f"score {item.score:.2f} · {of_runs(item.failed, item.runs)} failed"
    return foreign_section(f"{name}\n{line(item.repo, 140)} · {figures}", review)


def _rest(rest: int) -> Block:
    show = button("fg.home.waiting", "Show all", says=f"Show the other {rest} waiting decisions", value="all")
    return section(f"*{number(rest)} more*", show)


def _your_tests(page: HomePage) -> list[Block]:
    if not page.linked:
        link = button("fg.home.link", "Link…", says="Link your GitHub login", value="open")
        return [header("Your tests"), section("Link your GitHub login to see your tests.", link)]
    if not page.tests:
        return [header("Your tests"), section("No test of yours needs attention.")]
    rows = (_my_test(item) for item in page.tests[:MAX_TESTS])
    return [header("Your tests"), table(("Test", "State", "Failed", "Until"), rows, right=(2, 3))]


def _my_test(item: MyTest) -> tuple[Block, ...]:
    return (
        link_cell(short_name(item.test), item.test.url),
        cell(STATE_WORDS.get(item.state, item.state)),
        cell(f"{number(item.failed)} of {number(item.runs)}" if item.runs else NOTHING),
        date_cell(item.until),
    )


STATE_WORDS = {
    "proposed": "Waiting",
    "active": "Quarantined",
    "expiring": "Quarantined",
    "broken": "Broken",
    "flaky": "Flaky",
    "suspect": "Suspected",
    "recovered": "Recovered",
    "healthy": "Healthy",
    "retired": "Retired",
    "insufficient_data": "Too little data",
}


def _ending(page: HomePage) -> list[Block]:
    if page.suggestion and page.may_decide:
        item, days = page.suggestion
        name = short_name(item.test)
        return [
            foreign_section(
                f"{name} has not failed for {count(days, 'day')}.\n"
                f"It is probably fixed; its quarantine ends {_end(item)}.",
                button(
                    "fg.quarantine.release",
                    "Release now…",
                    says=label("Release ", name, " from quarantine now"),
                    value=item.quarantine.handle,
                ),
            )
        ]
    if not page.ending:
        return []
    names = ", ".join(f"{short_name(item.test)} ({_end(item)})" for item in page.ending[:3])
    more = len(page.ending) - 3
    return [foreign_section(f"Quarantine ends soon: {names}" + (f" and {more} more" if more > 0 else ""))]


def _end(item: QuarantineLine) -> str:
    return plain_day(item.quarantine.until) if item.quarantine.until else "soon"


def _repo(repo: RepoHealth) -> str:
    """One line, its problem at the end."""
    if repo.problem:
        state = f":warning: {repo.problem}"
    else:
        state = f"fresh ({clock(repo.last_result)})" if repo.last_result else "no result yet"
    parts = (
        count(repo.tests, "test"),
        f"{number(repo.flaky)} flaky",
        f"{number(repo.quarantined)} quarantined",
    )
    return " · ".join((f"*{escape(repo.repo, 140)}*", *parts, state))


def _sample() -> Block:
    remove = button("fg.home.unsample", "Remove sample", says="Remove the sample repository", value="remove")
    return section(
        "*This is a sample.* Only you see it; try every button. Your own repositories stay apart.", remove
    )


def _more_repos(page: HomePage) -> str:
    rest = len(page.repos) - MAX_REPOS
    return f"\nand {number(rest)} more" if rest > 0 else ""


def _buttons(page: HomePage) -> Block:
    settings = button("fg.home.settings", "Settings…", says="Open the settings", value="open")
    return actions(
        settings if page.admin else None,
        button("fg.home.propose", "Propose a quarantine…", says="Propose a quarantine", value="open"),
        web_button() if page.web else None,
    )


DONE, OPEN = ":white_check_mark:", ":black_square_button:"


def _empty(page: HomePage) -> list[Block]:
    """Three steps; only the first open one has the primary button."""
    sent, heard = bool(page.received), any(repo.routes for repo in page.repos)
    return [
        header("Find your flaky tests in three steps"),
        section(
            "FlakeGuard learns from test results you already have. The first findings come after about "
            f"{FIRST_FINDINGS} runs; old reports count at once."
        ),
        section(f"{DONE} *1. Slack is connected*\n{page.role}."),
        section(
            f"{DONE if sent else OPEN} *2. Send results*\nInstall the GitHub App, or post a JUnit file:",
            None if sent else _install(page),
        ),
        rich(preformatted(_curl(page))),
        section(
            f"{DONE if heard else OPEN} *3. Choose a channel*\nProposals and the digest go there. "
            "Invite the bot first: `/invite @FlakeGuard`",
            None if heard else _choose(first=sent),
        ),
        divider(),
        section(
            "*Just looking?* Load a sample repository with 90 days of history. Only you see it; remove it "
            "with one click.",
            button("fg.home.sample", "Load sample", says="Load a sample repository", value="load"),
        ),
        context(_received(page.received), "`/flakeguard help` answers in any channel"),
    ]


def _received(reports: int) -> str:
    if not reports:
        return "Nothing received yet"
    return (
        f"{count(reports, 'report')} received, about {count(max(FIRST_FINDINGS - reports, 1), 'run')} to go"
    )


def _install(page: HomePage) -> Block | None:
    says = "Install the GitHub App in the browser"
    opened = link_button("fg.open.install", "Install GitHub App", says=says, url=page.install_url)
    return {**opened, "style": "primary"} if opened else None


def _choose(*, first: bool) -> Block:
    says = "Choose the channel for proposals and digests"
    style: Literal["", "primary"] = "primary" if first else ""
    return button("fg.home.channel", "Choose channel…", says=says, value="open", style=style)


def _curl(page: HomePage) -> str:
    address = f"{page.ingest_url}?run_id=1&branch=main&commit=$SHA"
    return f'curl -H "Authorization: Bearer $FLAKEGUARD_TOKEN" -F report=@junit.xml \\\n"{address}"'
