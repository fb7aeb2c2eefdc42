"""Explain: a verdict recomputed from what is stored, with runs, links, messages and what the test has cost."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from core.detection_state import ProjectState
from core.explain import explain
from core.fingerprint import first_line
from core.tenancy import Project
from jobs.score import load_state
from storage.clock import project_time
from storage.database import Tx
from storage.flake import Flake, flakes
from storage.project import get_policy
from storage.result import RunRecord, failures_of_run
from storage.test_case import TestCase
from storage.test_run import runs_by_id

PROOFS = frozenset({"retry_pass", "rerun_pass"})
MESSAGES_READ = 20
"""Newest failures whose messages are compared; the most common of them is shown."""


def explain_test(
    tx: Tx, project: Project, test: TestCase, now: datetime, state: ProjectState | None = None
) -> dict[str, Any]:
    """Why the verdict on a test is what it is; the same object for the card, the API and the command line."""
    policy, now = get_policy(tx, project.id), project_time(tx, project.id, now)
    told = explain(
        state or load_state(tx, project.id),
        test.id,
        now,
        thresholds=policy.thresholds(project.default_branch),
    ).to_dict()
    since = now - timedelta(days=told["window_days"])
    found = flakes(tx, project.id, [test.id], since=since, until=now + timedelta(days=1))
    runs = runs_by_id(tx, project.id, {*_refs(told["pieces"]), *(one.run_pk for one in found[-1:])})
    pieces = [_linked(piece, runs) for piece in told["pieces"]]
    return {
        **told,
        "test_id": test.id,
        "pieces": pieces,
        "proofs": _proofs(pieces),
        **_cost(found),
        **_message(tx, project, test, found),
        "last_failed_url": runs[found[-1].run_pk].run.url if found and found[-1].run_pk in runs else "",
    }


def _refs(pieces: Iterable[dict[str, Any]]) -> set[int]:
    return {ref for piece in pieces for ref in (piece["run"], piece["answer_run"]) if ref}


def _linked(piece: dict[str, Any], runs: dict[int, RunRecord]) -> dict[str, Any]:
    """The piece with its runs named instead of numbered."""
    told = {name: value for name, value in piece.items() if name not in {"run", "answer_run"}}
    return told | _where(runs, piece["run"], "run") | _where(runs, piece["answer_run"], "answer")


def _where(runs: dict[int, RunRecord], ref: int | None, name: str) -> dict[str, Any]:
    """Which run that was, as people and programs know it."""
    if ref is None or ref not in runs:
        return {f"{name}_id": None, f"{name}_url": ""}
    run = runs[ref].run
    return {f"{name}_id": run.run_id, f"{name}_attempt": run.attempt, f"{name}_url": run.url}


def _proofs(pieces: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs of one commit with both results, newest first."""
    return [
        {"run_id": piece["run_id"], "url": piece["run_url"], "commit": piece["commit"], "at": piece["at"]}
        for piece in pieces
        if piece["class"] in PROOFS and piece["counted"]
    ]


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
