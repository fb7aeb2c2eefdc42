"""The proposal card: a question with its argument, its numbers, its consequence and its buttons."""

from bot.slack.blocks.findings import Findings
from bot.slack.blocks.identity import identity
from bot.slack.blocks.pieces import (
    Block,
    Message,
    actions,
    bullets,
    button,
    code,
    confirm,
    context,
    fields,
    header,
    option,
    overflow,
    quote,
    rich,
    rich_line,
    section,
    web,
    words,
)
from bot.slack.blocks.reasons import argument, argument_plain
from bot.slack.blocks.words import (
    count,
    day,
    duration,
    label,
    moment,
    of_runs,
    percent,
    score_words,
    short_name,
    strip,
)
from bot.slack.escape import escape
from core.quarantine import Quarantine
from core.saying import ProposalCard


def name_of(card: ProposalCard) -> str:
    """The short name, told apart from live twins by whoever composed the card."""
    return card.short_name or short_name(card.test)


def proposal(card: ProposalCard) -> Message:
    """The card of a quarantine that waits for a decision (SLACK_LAYOUTS §1)."""
    findings, name = Findings.read(card.explanation), name_of(card)
    blocks = [
        header(f"Quarantine {name}{_and_more(card)}?"),
        identity(card.test, card.repo, card.branch),
        _one_cause(card),
        section(argument(findings)),
        rich(quote(card.quarantine.reason)) if _by_person(card) and card.quarantine.reason else None,
        fields(*numbers(card, findings)),
        run_strip(findings),
        section(_consequence(card.quarantine)),
        actions(
            *decision_buttons(card.quarantine, name),
            evidence_button(card.quarantine, name),
            _more(card, name),
        ),
        context(
            _approvals(card),
            _proposer(card),
            f"lapses {day(card.quarantine.lapses_at)}",
            f"`{card.quarantine.name}`",
        ),
    ]
    return Message(_text(card, findings, name), tuple(block for block in blocks if block))


def _and_more(card: ProposalCard) -> str:
    return f" and {len(card.also)} more" if card.also else ""


def _one_cause(card: ProposalCard) -> Block | None:
    """Tests that fail together are decided together."""
    if not card.also:
        return None
    shown = [[code(name)] for name in card.also[:LISTED]]
    if len(card.also) > LISTED:
        shown.append([words(f"and {len(card.also) - LISTED} more")])
    told = "These fail together with it, with the same message; your decision counts for all:"
    return rich(rich_line(words(told)), bullets(shown))


LISTED = 10


def numbers(card: ProposalCard, findings: Findings) -> list[tuple[str, str]]:
    """The four figures of a decision, each with its base."""
    rate = f" ({percent(findings.failed / findings.runs)})" if findings.runs else ""
    last = card.last_failure or findings.last_failure
    return [
        ("Flake score", f"{findings.score:.2f}, {score_words(findings.score)}"),
        (f"Failed on {escape(card.branch, 60)}", of_runs(findings.failed, findings.runs) + rate),
        ("Cost", cost(findings)),
        ("Last failure", moment(last) if last else "not known"),
    ]


def cost(findings: Findings) -> str:
    """What the failures cost: pull requests hit and CI time, as far as it is known."""
    hit = count(findings.pull_requests, "pull request") if findings.pull_requests else "no pull request"
    return f"{hit}, {duration(findings.ci_seconds)} of CI" if findings.ci_seconds >= 1 else hit


def run_strip(findings: Findings) -> Block | None:
    """The last runs in two shapes."""
    if not findings.strip:
        return None
    runs = count(len(findings.strip), "run")
    return rich(rich_line(words(f"Last {runs}, newest right  "), words(strip(findings.strip))))


def decision_buttons(quarantine: Quarantine, name: str) -> list[Block]:
    """Approve and Deny…: one primary verb that says what happens, one plain one."""
    days = count(quarantine.ttl_days, "day")
    return [
        button(
            "fg.proposal.approve",
            f"Quarantine {days}",
            says=label("Approve: quarantine ", name, f" for {days}"),
            value=quarantine.handle,
            style="primary",
            confirm=confirm(
                f"Quarantine for {days}?",
                f"CI will not fail because of {name} for {days}. You can release it at any time.",
                "Quarantine",
                "Go back",
            ),
        ),
        button(
            "fg.proposal.deny",
            "Deny…",
            says=label("Deny the quarantine of ", name, " and give a reason"),
            value=quarantine.handle,
        ),
    ]


def evidence_button(quarantine: Quarantine, name: str) -> Block:
    says = label("Show the evidence for ", name)
    return button("fg.proposal.details", "Evidence", says=says, value=quarantine.handle)


def _more(card: ProposalCard, name: str) -> Block:
    handle = card.quarantine.handle
    known = "GitHub" if "//github.com/" in card.url else "the browser"
    opens = option(
        f"Open in {known}" if known != "GitHub" else "Open on GitHub", f"open:{handle}", url=card.url
    )
    return overflow(
        "fg.proposal.more",
        option("It is a real bug", f"bug:{handle}", description="Deny and stop proposing until it is fixed"),
        option("Snooze 7 days", f"snooze7:{handle}", description=f"Ask about {name} later"),
        opens if web(card.url) else None,
    )


def _consequence(quarantine: Quarantine) -> str:
    days = count(quarantine.ttl_days, "day")
    return f"*If you approve:* it keeps running and stays in reports, but cannot block a merge for {days}."


def _approvals(card: ProposalCard) -> str:
    quarantine = card.quarantine
    asked = f" from <!subteam^{card.approvers}>" if card.approvers.isalnum() else ""
    if not quarantine.votes:
        return f"Needs {count(quarantine.needed, 'approval')}{asked}"
    voters = ", ".join(person(vote.user) for vote in quarantine.votes)
    return f"{len(quarantine.votes)} of {count(quarantine.needed, 'approval')}: {voters}"


def person(user: str) -> str:
    """Somebody who acted: a mention for a Slack id, else the name as text."""
    return f"<@{user}>" if is_user_id(user) else escape(user, 80)


def is_user_id(user: str) -> bool:
    """Slack's ids of people begin with U or W; everything else is a name from elsewhere."""
    return user[:1] in {"U", "W"} and user.isalnum() and user.isascii() and user.isupper() and len(user) > 4  # noqa: PLR2004


def _by_person(card: ProposalCard) -> bool:
    return card.quarantine.proposed_by != "flakeguard"


def _proposer(card: ProposalCard) -> str:
    by = person(card.quarantine.proposed_by) if _by_person(card) else "FlakeGuard"
    return f"proposed by {by}"


def _text(card: ProposalCard, findings: Findings, name: str) -> str:
    missing = max(card.quarantine.needed - len(card.quarantine.votes), 0)
    return (
        f"Decision needed: quarantine {escape(name)} in {escape(card.repo)}? {argument_plain(findings)} "
        f"({of_runs(findings.failed, findings.runs)} failed). {count(missing, 'approval')} needed."
    )
