"""Respond: what changed verdicts lead to - proposals, proposals taken back, a word in a quarantine's thread."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from core.clusters import one_card_each
from core.engine import RunOutcome
from core.fingerprint import first_line
from core.quarantine import Quarantine
from core.run import Run
from core.tenancy import Project
from core.thresholds import Thresholds
from core.verdict import FailureVerdict, TestState
from jobs.announce import note_in_thread
from jobs.explain import explain_test
from jobs.propose import blocked_tests, propose_confirmed, withdraw_settled
from jobs.score import Scoring
from jobs.storm import shelter
from jobs.tell import tell_verdicts
from storage.database import Tx
from storage.failure import StoredFailure
from storage.quarantine import in_force, rested_tests
from storage.test_case import get_tests

WITHDRAWN_BY = {
    TestState.BROKEN: "It fails every time now: broken, not flaky.",
    TestState.RECOVERED: "It has stopped failing.",
    TestState.HEALTHY: "It has stopped failing.",
    TestState.RETIRED: "It has not been seen in recent runs.",
}


def respond(tx: Tx, scoring: Scoring, outcome: RunOutcome, *, now: datetime) -> list[Quarantine]:
    """Tell what changed; take back proposals whose reason is gone; ask about what is confirmed or flaked again.

    Asking again at each flake reaches tests that could not be proposed earlier: under a cap, a cooldown, a storm.
    """
    tell_verdicts(tx, scoring.project, outcome.transitions, now=now)
    newest = {one.test_id: one for one in outcome.transitions}  # the last word counts
    gone = {test_id: WITHDRAWN_BY[one.after] for test_id, one in newest.items() if one.after in WITHDRAWN_BY}
    withdraw_settled(tx, scoring.project, gone, now=now)
    confirmed = [test_id for test_id, one in newest.items() if one.after is TestState.FLAKY and one.confirmed]
    calm = shelter(tx, scoring, confirmed, now=now)
    again = _flaked_again(tx, scoring, outcome, now) - set(confirmed)
    return ask_about(tx, scoring, sorted({*calm, *again}), now=now)


def _flaked_again(tx: Tx, scoring: Scoring, outcome: RunOutcome, now: datetime) -> set[int]:
    """Known flaky tests that failed in this run; what somebody has just released is left to that person."""
    failed = {one for one, thought in outcome.failures.items() if thought is FailureVerdict.KNOWN_FLAKY}
    rest = timedelta(days=scoring.policy.deny_cooldown_days)
    return failed - rested_tests(tx, scoring.project.id, now - rest) if failed else failed


def ask_about(tx: Tx, scoring: Scoring, test_ids: Iterable[int], *, now: datetime) -> list[Quarantine]:
    """Propose those of the tests that are sure flaky at this moment, each with its evidence as it is now."""
    wanted = set(test_ids)
    if not wanted:
        return []
    tests = get_tests(tx, scoring.project.id, wanted - blocked_tests(tx, scoring.project.id, now))
    told = {test.id: explain_test(tx, scoring.project, test, now, scoring.state) for test in tests.values()}
    sure = {test_id: one for test_id, one in told.items() if _is_sure(one, scoring.thresholds)}
    if not sure:
        return []
    cards = one_card_each(scoring.state, sure)
    return propose_confirmed(tx, scoring.project, sure, cards=cards, now=now)


def _is_sure(told: Mapping[str, Any], thresholds: Thresholds) -> bool:
    """Flagged with same-commit proof, and the score is over the line now, not only when it last flaked."""
    over = bool(told["score"] >= thresholds.flag_at)
    return over and bool(told["confirmed"]) and told["state"] == TestState.FLAKY.value


def tell_quarantines(
    tx: Tx, project: Project, run: Run, failures: Iterable[StoredFailure], *, now: datetime
) -> None:
    """What the threads of quarantined tests hear of their failures: the first one, and each new way to fail."""
    failed = [one for one in failures if one.attempts[-1].outcome.bad]
    covered = in_force(tx, project.id, {one.test_id for one in failed}) if failed else {}
    for failure in failed:
        quarantine = covered.get(failure.test_id)
        if quarantine is not None:
            _tell_first(tx, quarantine, run, now)
            _tell_new_way(tx, quarantine, failure, now)


def _tell_first(tx: Tx, quarantine: Quarantine, run: Run, now: datetime) -> None:
    """The first failure since the decision, so that people see that it works."""
    if quarantine.decided_at is None or run.at < quarantine.decided_at:
        return
    payload = {"text": f"First failure that does not count, in run {run.run_id}.", "url": run.url}
    note_in_thread(tx, quarantine, fact="obeyed", payload=payload, now=now)


def _tell_new_way(tx: Tx, quarantine: Quarantine, failure: StoredFailure, now: datetime) -> None:
    mark = next((one.hex() for one in reversed(failure.fingerprints) if one), "")
    if not mark or not quarantine.fingerprints or mark in quarantine.fingerprints:
        return
    message = next((one.message for one in reversed(failure.attempts) if one.message), "")
    payload = {"text": "It now fails in another way than the one approved.", "quote": first_line(message)}
    note_in_thread(tx, quarantine, fact=f"other-{mark}", payload=payload, now=now)
