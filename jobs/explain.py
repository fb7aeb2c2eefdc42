"""Explain: a verdict recomputed from what is stored, with runs, links, messages and what the test has cost."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from core.clusters import fellows
from core.detection_state import ProjectState
from core.explain import Explanation, explain
from core.fingerprint import first_line
from core.judge import Case, case_of
from core.naming import full_name
from core.tenancy import Project
from jobs.score import load_state
from storage.clock import project_time
from storage.database import Tx
from storage.flake import Flake, flakes
from storage.project import get_policy
from storage.result import RunRecord, failures_of_run
from storage.test_case import TestCase, get_tests
from storage.test_run import runs_by_id

PROOFS = frozenset({"retry_pass", "rerun_pass"})
FELLOWS_SHOWN = 10
MESSAGES_READ = 20
"""Newest failures whose messages are compared; the most common of them is shown."""


def explain_test(
    tx: Tx, project: Project, test: TestCase, now: datetime, state: ProjectState | None = None
) -> dict[str, Any]:
    """Why the verdict on a test is what it is; the same object for the card, the API and the command line."""
    policy, now = get_policy(tx, project.id), project_time(tx, project.id, now)
    thresholds = policy.thresholds(project.default_branch)
    state = state or load_state(tx, project.id)
    q_table = policy.q_table()
    case = case_of(state, test.id, thresholds, q_table) if test.id in state.suspects else None
    since = now - timedelta(days=thresholds.window_days)
    found = flakes(tx, project.id, [test.id], since=since, until=now + timedelta(days=1))
    runs = runs_by_id(tx, project.id, {*_refs(case), *(one.run_pk for one in found[-1:])})
    named = {run_pk: record.run for run_pk, record in runs.items()}
    told = explain(state, test.id, now, thresholds, q_table=q_table, runs=named)
    return {
        **_flat(told),
        "test_id": test.id,
        "window_days": thresholds.window_days,
        "fingerprints": _fingerprints(case),
        "same_failure": _same_failure(tx, project, fellows(state, test.id, since=int(since.timestamp()))),
        **_cost(found),
        **_message(tx, project, test, found),
        "last_failed_url": _url_of_last(found, runs),
    }


def _refs(case: Case | None) -> set[int]:
    return (
        {ref for piece in case.pieces for ref in (piece.run, piece.answer_run) if ref > 0} if case else set()
    )


def _fingerprints(case: Case | None) -> list[str]:
    """How it has failed so far, as storage writes fingerprints."""
    prints = (
        {one.facts.fingerprint for one in case.ledger.failures if one.facts.fingerprint} if case else set()
    )
    return sorted(f"{one & (2**64 - 1):016x}" for one in prints)


def _same_failure(tx: Tx, project: Project, others: Sequence[int]) -> list[dict[str, Any]]:
    """Other tests that have failed with one of its messages lately."""
    tests = get_tests(tx, project.id, others[:FELLOWS_SHOWN])
    return [{"test_id": one.id, "name": full_name(one.key)} for one in tests.values()]


def _flat(told: Explanation) -> dict[str, Any]:
    """The verdict and its evidence on one level, beside the whole explanation's own words."""
    plain = told.to_dict()
    pieces = [
        {"class": line["kind"], "words": line["words"], **item}
        for line in plain["lines"]
        for item in line["items"]
    ]
    pieces.sort(key=lambda piece: str(piece["at"]), reverse=True)
    return {
        **plain["verdict"],
        "summary": plain["headline"],
        "headline": plain["headline"],
        "evidence": {line["kind"]: line["count"] for line in plain["lines"]},
        "lines": plain["lines"],
        "pieces": pieces,
        "proofs": _proofs(pieces),
        "changes": plain["what_would_change"],
        "window_from": plain["window_from"],
        "window_to": plain["window_to"],
        "policy_version": plain["version"],
    }


def _proofs(pieces: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Both results of one commit: the run that failed and, where it was another, the run that passed; newest first."""
    proofs = []
    for piece in pieces:
        if piece["class"] in PROOFS and piece["counts"]:
            told = {"commit": piece["commit"], "at": piece["at"]}
            proofs.append({**told, "passed": False, "run_id": piece["run_id"], "url": piece["url"]})
            answer = {
                "run_id": piece["answer_run_id"] or piece["run_id"],
                "url": piece["answer_url"] or piece["url"],
            }
            proofs.append({**told, "passed": True, **answer})
    return proofs


def _url_of_last(found: Sequence[Flake], runs: Mapping[int, RunRecord]) -> str:
    return runs[found[-1].run_pk].run.url if found and found[-1].run_pk in runs else ""


def _cost(found: Sequence[Flake]) -> dict[str, Any]:
    """Pull requests hit, and test time of the runs it made red (each run once), in the window."""
    return {
        "pull_requests": len({one.pr for one in found if one.pr}),
        "ci_seconds": round(sum({one.run_pk: one.run_seconds for one in found}.values()), 3),
        "runs_failed": len({one.run_pk for one in found}),
    }


def _message(tx: Tx, project: Project, test: TestCase, found: Sequence[Flake]) -> dict[str, Any]:
    lines = Counter(line for one in found[-MESSAGES_READ:] if (line := _line(tx, project, test, one)))
    if not lines:
        return {"message": "", "message_count": 0}
    line, count = lines.most_common(1)[0]
    return {"message": line, "message_count": count}


def _line(tx: Tx, project: Project, test: TestCase, flake: Flake) -> str:
    record = failures_of_run(tx, project.id, flake.run_pk, flake.at).get(test.id)
    messages = (one.message for one in record.attempts if one.message) if record else iter(())
    return first_line(next(messages, ""))
