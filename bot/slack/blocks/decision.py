"""The card after a decision: one state sentence replaces the argument, Approve and Deny are gone."""

from bot.slack.blocks.findings import Findings
from bot.slack.blocks.identity import identity
from bot.slack.blocks.pieces import Block, Message, actions, button, context, header, quote, rich, section
from bot.slack.blocks.proposal import evidence_button, name_of, person
from bot.slack.blocks.words import count, day, full_day, label, moment
from bot.slack.escape import escape
from core.quarantine import State
from core.saying import ProposalCard
from core.tenancy import Via

FIRST_WORDS = {
    State.ACTIVE: "Quarantined",
    State.EXPIRING: "Quarantined",
    State.RELEASED: "Released",
    State.EXPIRED: "Released",
    State.DENIED: "Not quarantined",
    State.LAPSED: "Not quarantined",
    State.WITHDRAWN: "Not quarantined",
}


def decision(card: ProposalCard) -> Message:
    """The card of a quarantine that was decided (SLACK_LAYOUTS §2)."""
    name, state = name_of(card), card.quarantine.state
    title = f"{FIRST_WORDS[state]}: {name}"
    blocks = [
        header(title),
        identity(card.test, card.repo, card.branch),
        section(_sentence(card)),
        _reason(card),
        _actions(card, name),
        context(_evidence_then(card), f"`{card.quarantine.name}`"),
    ]
    return Message(_text(card, title), tuple(block for block in blocks if block))


def _sentence(card: ProposalCard) -> str:
    match card.quarantine.state:
        case State.EXPIRING:
            return _ending(card)
        case State.RELEASED | State.EXPIRED:
            return _over(card)
        case State.DENIED:
            return _denied(card)
        case State.LAPSED:
            asked = (card.quarantine.lapses_at - card.quarantine.proposed_at).days
            return f"*Nobody decided* within {count(asked, 'day')}. It keeps blocking merges."
        case State.WITHDRAWN:
            return f"*{_gone(card)}*, so the proposal was taken back. It keeps blocking merges."
        case _:
            return _approved(card)


def _gone(card: ProposalCard) -> str:
    """Why FlakeGuard itself took the proposal back: its own words, without their full stop."""
    return escape(card.quarantine.decision_reason, 200).rstrip(".") or "Its reason is gone"


def _approved(card: ProposalCard) -> str:
    quarantine = card.quarantine
    at = moment(quarantine.decided_at) if quarantine.decided_at else ""
    end = f" Its failures cannot block a merge until *{day(quarantine.until)}*." if quarantine.until else ""
    renewed = f" Renewed {count(quarantine.renewals, 'time')}." if quarantine.renewals else ""
    if quarantine.decided_via is Via.POLICY:
        score = Findings.read(card.explanation).score
        return (
            f":white_check_mark: *Approved by policy* (score {score:.2f}, not protected), {at}.{end}{renewed}"
        )
    return f":white_check_mark: *{_decider(card)} approved* {at}{_elsewhere(card)}.{end}{renewed}"


def _ending(card: ProposalCard) -> str:
    end = f"*Ends {day(card.quarantine.until)}.* " if card.quarantine.until else ""
    if card.failures_since:
        failed = count(card.failures_since, "failure")
        return f":hourglass_flowing_sand: {end}{failed} since approval: still flaky."
    since = f" since {day(card.last_failure)}" if card.last_failure else " since approval"
    return f":hourglass_flowing_sand: {end}No failure{since}: probably fixed."


def _over(card: ProposalCard) -> str:
    quarantine = card.quarantine
    since = f"*It blocks merges again* since {moment(quarantine.ended_at)}. " if quarantine.ended_at else ""
    if quarantine.state is State.EXPIRED:
        return f"{since}The {count(quarantine.ttl_days, 'day')} are over."
    if quarantine.decided_via in {Via.CLOCK, Via.POLICY}:
        return f"{since}FlakeGuard released it."
    reason = ":" if quarantine.decision_reason else "."
    return f"{since}Released by {_decider(card)}{_elsewhere(card)}{reason}"


def _denied(card: ProposalCard) -> str:
    quarantine = card.quarantine
    at = moment(quarantine.decided_at) if quarantine.decided_at else ""
    until = f"; FlakeGuard will not ask again before *{day(quarantine.until)}*" if quarantine.until else ""
    return (
        f":no_entry_sign: *{_decider(card)} denied* {at}{_elsewhere(card)}. It keeps blocking merges{until}."
    )


def _decider(card: ProposalCard) -> str:
    return person(card.quarantine.decided_by)


def _elsewhere(card: ProposalCard) -> str:
    """Which other door it came through; nothing for Slack itself."""
    detail = escape(card.quarantine.decided_detail, 60) if card.quarantine.decided_detail else ""
    match card.quarantine.decided_via:
        case Via.API:
            return f", through the API (token {detail})" if detail else ", through the API"
        case Via.CLI:
            return ", on the command line"
        case Via.GITHUB:
            return f", on GitHub ({detail})" if detail else ", on GitHub"
        case _:
            return ""


def _reason(card: ProposalCard) -> Block | None:
    """Somebody's own words; FlakeGuard's are part of its sentence."""
    told = card.quarantine.decision_reason if card.quarantine.state is not State.WITHDRAWN else ""
    return rich(quote(told)) if told else None


def _actions(card: ProposalCard, name: str) -> Block | None:
    quarantine = card.quarantine
    if not quarantine.state.in_force:
        return None
    release = button(
        "fg.quarantine.release",
        "Release now…" if quarantine.state is State.EXPIRING else "Release early…",
        says=label("Release ", name, " from quarantine now"),
        value=quarantine.handle,
    )
    if quarantine.state is State.EXPIRING:
        says = label("Renew the quarantine of ", name)
        return actions(button("fg.quarantine.renew", "Renew…", says=says, value=quarantine.handle), release)
    return actions(release, evidence_button(quarantine, name))


def _evidence_then(card: ProposalCard) -> str:
    findings = Findings.read(card.explanation)
    flips = findings.same_commit
    proof = f", {count(flips, 'same-commit flip')}" if flips else ""
    return f"Evidence then: score {findings.score:.2f}, {findings.failed} of {findings.runs} failed{proof}"


def _text(card: ProposalCard, title: str) -> str:
    quarantine = card.quarantine
    where = f"{escape(title)} in {escape(card.repo)}"
    who = "policy" if quarantine.decided_via is Via.POLICY else escape(quarantine.decided_by, 80)
    reason = f" Reason: {escape(quarantine.decision_reason, 200)}" if quarantine.decision_reason else ""
    match quarantine.state:
        case State.ACTIVE | State.EXPIRING:
            end = f", until {full_day(quarantine.until)}" if quarantine.until else ""
            return f"{where}, approved by {who}{end}."
        case State.DENIED:
            return f"{where}: denied by {who}, it keeps blocking merges.{reason}"
        case State.RELEASED | State.EXPIRED:
            return f"{where}: it blocks merges again.{reason}"
        case State.LAPSED:
            return f"{where}: nobody decided in time, it keeps blocking merges."
        case _:
            return f"{where}: the proposal was taken back.{reason}"
