"""Write a simulated history as results.jsonl, so that the import path can be checked against the pure engine."""

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.detection.world import History, RunEvent
from core.execution import Merge


def lines(history: History, project: str) -> Iterator[str]:
    """One test execution a line, attempts in order; merges between them."""
    for event in history.events:
        if isinstance(event, Merge):
            merged = {"branch": event.branch, "commit": event.commit, "into_commit": event.into_commit}
            yield json.dumps({"project": project, "merged": merged, "at": event.at.isoformat()})
        else:
            yield from _run_lines(history, event, project)


def _run_lines(history: History, event: RunEvent, project: str) -> Iterator[str]:
    run = event.run
    context = {
        "project": project, "run_id": run.run_id, "attempt": run.attempt, "job": run.job, "variant": run.variant,
        "commit": run.commit, "branch": run.branch, "base": run.base, "event": run.event, "pr": run.pr,
        "at": run.at.isoformat(),
    }  # fmt: skip
    for test in event.ids.tolist():
        key = history.keys[test]
        named = {
            "suite": key.suite,
            "class": key.class_name,
            "name": key.name,
            "file": key.file,
            "duration": 0.01,
        }
        for message in event.failures.get(test, (None,)):
            status = {"status": "passed"} if message is None else {"status": "failed", "message": message}
            yield json.dumps(context | named | status)


def write(history: History, project: str, path: Path) -> int:
    """How many lines were written."""
    with path.open("w", encoding="utf-8") as file:
        return sum(file.write(line + "\n") > 0 for line in lines(history, project))
