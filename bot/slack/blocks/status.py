"""`status`: is the repository healthy, and if not, what is to be done."""

from bot.slack.blocks.pieces import Block, Message, actions, button, context, fields, section
from bot.slack.blocks.words import count, day, moment, number, percent
from bot.slack.escape import escape
from bot.slack.pages import RepoHealth
from bot.slack.values import project_value

REMEDIES = {
    "not_in_channel": "FlakeGuard is not in {}, so nothing can be posted. Type `/invite @FlakeGuard` there.",
    "channel_not_found": "The channel {} is gone or hidden from FlakeGuard. Subscribe another with "
    "`/flakeguard subscribe`.",
    "is_archived": "{} is archived. Subscribe another channel with `/flakeguard subscribe`.",
    "token_revoked": "Slack no longer accepts FlakeGuard's token for {}. An admin has to install the app again.",
    "missing_scope": "FlakeGuard lacks a permission to post in {}. An admin has to install the app again.",
    "restricted_action": "A rule of the workspace forbids posting in {}. Choose another channel.",
}
SILENT = "Webhook {0} was switched off because it did not answer well. Mend it, then `flakeguard webhooks enable {0}`."
_TOKEN = frozenset({"invalid_auth", "account_inactive", "token_expired", "not_authed"})


def status(page: RepoHealth, *, version: str, transport: str) -> Message:
    """SLACK_LAYOUTS §6: the sentence names the first thing that fails, then only what must be fixed."""
    blocks = [
        section(_sentence(page)),
        fields(*_numbers(page)) if page.runs else None,
        _fixes(page),
        _actions(page),
        context("Only you see this", f"FlakeGuard {version}, {transport}"),
    ]
    return Message(_text(page), tuple(block for block in blocks if block))


def _sentence(page: RepoHealth) -> str:
    last = f" Last result {moment(page.last_result)}{_arrived(page)}." if page.last_result else ""
    if not page.runs:
        return f":white_circle: *{escape(page.repo)} has sent nothing yet.* Send a report to begin."
    if page.problem:
        return f":warning: *{escape(page.repo)} {page.ill}:* {page.problem}.{last}"
    return f":large_green_circle: *{escape(page.repo)} is healthy.*{last}"


def _arrived(page: RepoHealth) -> str:
    """Only where CI tells FlakeGuard which runs there were."""
    arrived, expected = page.arrived
    return f"; {percent(arrived / expected)} of runs of the last day arrived" if expected else ""


def _numbers(page: RepoHealth) -> list[tuple[str, str]]:
    ends = f", next ends {day(page.next_end)}" if page.next_end else ""
    return [
        ("Tests", number(page.tests)),
        ("Flaky", f"{number(page.flaky)}{_before(page)}"),
        ("Quarantined", f"{number(page.quarantined)}{ends}"),
        ("Waiting", count(page.waiting, "decision")),
    ]


def _before(page: RepoHealth) -> str:
    changed = page.flaky_before is not None and page.flaky_before != page.flaky
    return f" ({number(page.flaky_before or 0)} last fortnight)" if changed else ""


def _fixes(page: RepoHealth) -> Block | None:
    lines = [remedy(channel, code) for channel, code in page.broken_routes[:5]]
    lines += [SILENT.format(number) for number in page.silent_webhooks[:5]]
    if not page.routes:
        lines.append("No channel hears about this repository. Type `/flakeguard subscribe` in one.")
    if not lines:
        return None
    return section(f"*{count(len(lines), 'thing')} to fix:* " + "\n".join(lines))


def remedy(channel: str, code: str) -> str:
    """What to do about a channel on which nothing can be posted."""
    key = "token_revoked" if code in _TOKEN else code
    text = REMEDIES.get(key, "Slack refuses messages in {} (" + escape(code, 60) + ").")
    return text.format(f"<#{channel}>" if channel.isalnum() else "a channel")


def _actions(page: RepoHealth) -> Block | None:
    if not page.runs:
        return None
    value = project_value(page.project_id)
    decisions = count(page.waiting, "waiting decision")
    waiting = (
        button("fg.status.pending", "Show waiting", says=f"Show the {decisions}", value=value)
        if page.waiting
        else None
    )
    return actions(waiting, button("fg.status.top", "Worst tests", says="Show the worst tests", value=value))


def _text(page: RepoHealth) -> str:
    state = page.problem or "healthy" if page.runs else "nothing received yet"
    counts = f"{page.flaky} flaky, {page.quarantined} quarantined, {page.waiting} waiting"
    broken = count(len(page.broken_routes), "broken route") if page.broken_routes else ""
    return f"{escape(page.repo)}: {state}. {counts}." + (f" {broken}." if broken else "")
