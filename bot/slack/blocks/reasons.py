"""Why a test is thought flaky, in one sentence, and what each class of evidence proves, in a few words."""

from bot.slack.blocks.findings import Findings
from bot.slack.blocks.pieces import Level
from bot.slack.blocks.words import count, number
from bot.slack.escape import line

PROOFS = {
    "retry_pass": ("{} failed, then passed on retry in the same run", "proof"),
    "rerun_pass": ("{} failed, then passed on the same commit", "proof"),
    "known_signature": ("{} failed with the text of a proven flake", "proof"),
    "cross_branch": ("{} with the same text on other green branches", "strong"),
    "merged_green": ("{} on pull requests merged unchanged", "weak"),
    "pass_then_fail": ("{} passed, then failed on the same commit", "weak"),
    "main_blip": ("{} failed on one commit only", "weak"),
    "next_push_pass": ("{} gone with the next push", "hardly any"),
    "main_short": ("{} failed on two commits in a row", "none"),
    "main_open": ("{} still failing", "none"),
    "pr_open": ("{} on an open pull request", "none"),
    "base_red": ("{} where the default branch already failed", "none"),
    "known_break": ("{} part of a known breakage", "none"),
}
"""Evidence class -> (what happened, how much it proves). The classes are those of core.evidence."""


def evidence_lines(findings: Findings) -> list[str]:
    """One line for each class with its count and proof, strongest first."""
    order = {kind: place for place, kind in enumerate(PROOFS)}
    known = sorted(
        (item for item in findings.evidence if item.kind in order), key=lambda item: order[item.kind]
    )
    lines = []
    for item in known:
        happened, proof = PROOFS[item.kind]
        lines.append(f"{happened.format(number(item.count))}: {proof}")
    return lines


def argument(findings: Findings) -> str:
    """The strongest reason in mrkdwn, never two; our own words only."""
    title, fact = _reason(findings)
    tail = ", and no change to the test or its file explains it" if findings.unchanged else ""
    return f"*{title}* {fact} in the last {findings.window_days} days{tail}."


def _reason(findings: Findings) -> tuple[str, str]:
    match findings.strongest:
        case "retry_pass":
            retried = count(findings.count_of("retry_pass"), "failure")
            return "Passes when tried again.", f"{retried} passed on retry in the same run"
        case "rerun_pass":
            return "Passes and fails on the same code.", _both_results(findings)
        case "known_signature":
            repeated = count(findings.count_of("known_signature"), "failure")
            return "One failure text comes and goes.", f"{repeated} repeated a proven flake"
        case "cross_branch" | "merged_green":
            hit = count(findings.branches, "branch", "branches")
            return "Fails on unrelated pull requests.", f"{hit} hit"
        case _:
            return "Fails now and then.", count(findings.failures, "failure")


def _both_results(findings: Findings) -> str:
    """Commits where their number is known; several failures may be of one commit."""
    if findings.flip_commits:
        return f"{count(findings.flip_commits, 'commit')} had both results"
    again = count(findings.count_of("rerun_pass"), "failure")
    return f"{again} passed when the same commit ran again"


def argument_plain(findings: Findings) -> str:
    """The strongest reason for notifications, without markup."""
    if flips := findings.same_commit:
        return (
            f"It passed and failed on the same commit {count(flips, 'time')} in {findings.window_days} days"
        )
    return f"It failed {count(findings.failures, 'time')} in {findings.window_days} days"


def verdict_line(findings: Findings) -> tuple[Level, str]:
    """(alert level, sentence) that a dialog about this test begins with."""
    if findings.state == "flaky":
        return "warning", _flaky(findings)
    if findings.state == "broken":
        since = f" since commit {line(findings.since_commit, 7)}" if findings.since_commit else ""
        return "error", f"Broken{since}: it fails every time, and quarantine would hide a real fault."
    if findings.state == "recovered":
        return "success", f"Recovered: no failure in the last {count(findings.clean_runs, 'run')}."
    return VERDICTS.get(findings.state, VERDICTS["insufficient_data"])


def _flaky(findings: Findings) -> str:
    if findings.flip_commits and findings.flip_commits == findings.same_commit:
        return (
            f"Almost certainly flaky: {count(findings.flip_commits, 'commit')} had both a pass and a failure."
        )
    if findings.same_commit:
        times = count(findings.same_commit, "time")
        return f"Almost certainly flaky: {times} the same code both failed and passed."
    return "Almost certainly flaky, though no commit had both results yet."


VERDICTS: dict[str, tuple[Level, str]] = {
    "suspect": ("info", "Suspected, not confirmed: it is watched and never proposed by itself."),
    "healthy": ("success", "Healthy: nothing speaks for flakiness."),
    "retired": ("info", "Retired: it is no longer part of the runs."),
    "insufficient_data": ("info", "Too little data for a verdict yet."),
}
