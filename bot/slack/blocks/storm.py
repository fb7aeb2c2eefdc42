"""The storm: many tests failing together are one message about one likely cause, and no proposals."""

from bot.slack.blocks.pieces import (
    Block,
    Message,
    actions,
    button,
    context,
    fields,
    header,
    link_button,
    option,
    overflow,
    preformatted,
    rich,
    section,
    web,
)
from bot.slack.blocks.words import count, duration, moment, number
from bot.slack.escape import escape, line
from core.saying import StormCard


def storm(card: StormCard) -> Message:
    """SLACK_LAYOUTS §4; over: the header says so and the actions are gone."""
    blocks = [
        header(_title(card)),
        section(_sentence(card)),
        rich(preformatted(line(card.error, 300))) if card.error else None,
        fields(*_numbers(card)),
        None if card.over_at else _actions(card),
        context(_small_print(card), f"`s-{card.storm_id}`"),
    ]
    return Message(_text(card), tuple(block for block in blocks if block))


def _title(card: StormCard) -> str:
    tests = count(card.tests, "test")
    if card.over_at:
        return f"Over: {tests} failed together for {duration((card.over_at - card.since).total_seconds())}"
    return f"{tests} started failing together"


def shared(card: StormCard) -> bool:
    """One failure text covers at least half; only then a shared cause is called likely."""
    return card.same_error * 2 >= card.tests > 0


def _sentence(card: StormCard) -> str:
    cause = "*One shared cause is likely*, so" if shared(card) else "*No shared error found.* Still,"
    proposed = "was proposed" if card.over_at else "is proposed"
    return f"{cause} nothing {proposed} for quarantine. {_beginning(card)}"


def _beginning(card: StormCard) -> str:
    """With which commit, else between which runs."""
    if not card.commit:
        after = f"between {moment(card.last_green)} and" if card.last_green else "before"
        return f"It began {after} {moment(card.since)}."
    commit = escape(card.commit[:7], 7)
    shown = f"<{card.url}|{commit}>" if web(card.url) else f"`{commit}`"
    branch = f" on `{escape(card.branch, 60)}`" if card.branch else ""
    return f"It began with {shown}{branch}, {moment(card.since)}."


def _numbers(card: StormCard) -> list[tuple[str, str]]:
    known = f" of {number(card.tests_known)}" if card.tests_known else ""
    return [
        ("Same error", f"{number(card.same_error)} of {count(card.tests, 'test')}"),
        ("Tests hit", f"{number(card.tests)}{known} in {escape(card.repo)}"),
        ("Pull requests red", number(card.pull_requests)),
        ("Last green run", moment(card.last_green) if card.last_green else "not known"),
    ]


def _actions(card: StormCard) -> Block:
    tests, value = count(card.tests, "test"), f"s-{card.storm_id}"
    says = f"Open commit {escape(card.commit[:7], 7)} in the browser"
    return actions(
        button("fg.storm.list", f"See the {tests}", says=f"List the {tests}", value=value),
        link_button("fg.open.commit", "Open commit", says=says, url=card.url if card.commit else ""),
        overflow(
            "fg.storm.more",
            option(
                "It is infrastructure", f"infra:{value}", description="Leave these runs out of every score"
            ),
            option("Treat tests one by one", f"split:{value}"),
            option("Mute for 4 hours", f"mute4:{value}"),
        ),
    )


def _small_print(card: StormCard) -> str:
    if card.over_at:
        return f"Over since {moment(card.over_at)}; proposals for these tests go on"
    return "This message is updated until it is over; the proposals of these tests are paused"


def _text(card: StormCard) -> str:
    tests, repo = count(card.tests, "test"), escape(card.repo)
    if card.over_at:
        return f"{_title(card)} in {repo}."
    since = f" since commit {escape(card.commit[:7], 7)}" if card.commit else ""
    cause = "One shared cause is likely" if shared(card) else "No shared error was found"
    return f"{tests} in {repo} started failing together{since}. {cause}; nothing was proposed for quarantine."
