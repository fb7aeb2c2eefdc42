"""A test's past, read from its stored executions into what people look at: strip, proofs, weeks, messages."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from bot.slack.blocks.findings import Findings, Proof
from core.report import Outcome
from storage.history import Execution

STRIP = 20
WEEKS = 12
MAX_PROOFS = 10


def completed(found: Findings, past: Sequence[Execution], *, branch: str) -> Findings:
    """Fill in what an explanation leaves out; `past` is newest first. What it does say is kept."""
    ran = [one for one in past if one.outcome is not Outcome.SKIPPED]
    trunk = [one for one in ran if one.run.branch == branch]
    bad = [one for one in ran if failed(one)]
    message, times = _common_message(bad)
    return replace(
        found,
        failed=found.failed or sum(map(failed, trunk)),
        runs=found.runs or len(trunk),
        failures=found.failures or len(bad),
        strip=found.strip or tuple(not failed(one) for one in reversed(trunk[:STRIP])),
        proofs=found.proofs or _proofs(ran),
        pull_requests=found.pull_requests or len({one.run.pr for one in bad if one.run.pr}),
        branches=found.branches or len({one.run.branch for one in bad}),
        message=found.message or message,
        message_count=found.message_count or times,
        first_failure=found.first_failure or (bad[-1].run.at if bad else None),
        last_failure=found.last_failure or (bad[0].run.at if bad else None),
        last_failed_url=found.last_failed_url or latest_failed_url(ran),
    )


def latest_failed_url(past: Sequence[Execution]) -> str:
    """Where CI shows its latest failed run; `past` is newest first."""
    return next((one.run.url for one in past if failed(one) and one.run.url), "")


def failed(one: Execution) -> bool:
    """It failed at least once in this run, whatever came after."""
    return one.outcome.bad or not one.clean


def figures(past: Sequence[Execution], *, branch: str) -> tuple[int, int]:
    """(failed, runs) on a branch."""
    ran = [one for one in past if one.run.branch == branch and one.outcome is not Outcome.SKIPPED]
    return sum(map(failed, ran)), len(ran)


def weekly(past: Sequence[Execution], *, branch: str) -> tuple[tuple[str, float], ...]:
    """The share of failed runs per week in percent, oldest first, at most twelve weeks."""
    ran = sorted(
        (one for one in past if one.run.branch == branch and one.outcome is not Outcome.SKIPPED),
        key=lambda one: one.run.at,
    )
    weeks = [(key, list(group)) for key, group in groupby(ran, key=lambda one: one.run.at.isocalendar()[:2])]
    return tuple(
        (str(week), round(100 * sum(map(failed, group)) / len(group), 1))
        for (_year, week), group in weeks[-WEEKS:]
    )


def _proofs(ran: Sequence[Execution]) -> tuple[Proof, ...]:
    """One failed and one passed run of each commit that had both, newest commit first."""
    commits: dict[str, list[Execution]] = {}
    for one in ran:
        commits.setdefault(one.run.commit, []).append(one)
    pairs: list[Proof] = []
    for runs in commits.values():
        bad = next((one for one in runs if failed(one)), None)
        good = next((one for one in runs if not one.outcome.bad), None)
        if bad and good:
            pairs += [_proof(bad, passed=False), _proof(good, passed=True)]
    return tuple(pairs[:MAX_PROOFS])


def _proof(one: Execution, *, passed: bool) -> Proof:
    return Proof(passed, one.run.run_id, one.run.url, one.run.commit, one.run.at)


def _common_message(bad: Sequence[Execution]) -> tuple[str, int]:
    """The failure text seen most often: by fingerprint where there is one."""
    texts = [(one.fingerprint or one.message, one.message) for one in bad if one.message]
    if not texts:
        return "", 0
    key, times = Counter(key for key, _ in texts).most_common(1)[0]
    return next(text for other, text in texts if other == key and text), times
