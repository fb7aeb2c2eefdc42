"""Scoring after a run: incremental engine against recomputing in SQL. Both sides see the same runs.

`python -m benchmarks.score` prints CPU time per run early and late in history, and how much it grew: the median run,
the mean (which holds the daily look at every suspect too), the mean by failure and suspect in the run, and what is stored.
"""

import argparse
import sqlite3
import statistics
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

import numpy as np

from core.engine import ProjectState, apply_run
from core.execution import AttemptFact, FailedExecution, PastExecution, RunResults
from core.report import Outcome
from core.run import Run
from core.thresholds import Thresholds

SOME = 50
START = datetime(2026, 3, 2, tzinfo=UTC)
RECOMPUTE = """
SELECT test, COUNT(*) AS n, SUM(failed) AS k,
       SUM(CASE WHEN failed AND EXISTS (
           SELECT 1 FROM result AS r WHERE r.test = result.test AND r.commit_id = result.commit_id AND NOT r.failed
       ) THEN 1 ELSE 0 END) AS flips
FROM result GROUP BY test HAVING k > 0
"""


def runs(count: int, tests: int, flaky: int, seed: int):
    """Runs forty minutes apart; each flaky test fails in 4 % of them and mostly passes on retry."""
    rng = np.random.default_rng(seed)
    ids = np.arange(tests, dtype=np.int64)
    chosen = rng.choice(tests, flaky, replace=False)
    for number in range(count):
        bad = chosen[rng.random(flaky) < 0.04]
        failures = [
            FailedExecution(
                int(test),
                (
                    AttemptFact(Outcome.FAILED, int(test).to_bytes(8)),
                    *([AttemptFact(Outcome.PASSED)] if rng.random() < 0.8 else []),
                ),
            )
            for test in bad
        ]
        run = Run(str(number), f"c{number}", "main", START + timedelta(minutes=40 * number))
        yield run, RunResults(tests, np.setdiff1d(ids, bad), failures)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run: learn it, judge, and pack what changed."""

    seconds: float
    work: int
    """Failures and suspects in it."""
    stored: int
    """Bytes to write."""


def ours(count: int, tests: int, flaky: int) -> Iterator[Cost]:
    """What each run of a history costs."""
    state, past, t = ProjectState.empty(), [], Thresholds()

    def history(test: int):
        return [
            PastExecution(run, Outcome.PASSED, run_ref=i)
            for i, (run, bad) in enumerate(past)
            if test not in bad
        ]

    for number, (run, results) in enumerate(runs(count, tests, flaky, 1)):
        started = time.process_time()
        apply_run(state, run, results, run_ref=number, thresholds=t, history=history)
        dump = state.dirty()
        spent = time.process_time() - started
        stored = len(dump.context or b"") + sum(len(row or b"") for row in dump.suspects.values())
        yield Cost(spent, len(results.failures) + len(state.suspects), stored)
        past.append((run, {f.test_id for f in results.failures}))


def along(numbers: Sequence[int], tests: int, flaky: int) -> dict[int, list[Cost]]:
    """Costs of the hundred runs around each of these, taken in turn: the machine is as fast or slow for all of them."""
    histories = {number: ours(number + SOME, tests, flaky) for number in numbers}
    for number, history in histories.items():
        deque(islice(history, number - SOME), maxlen=0)
    costs: dict[int, list[Cost]] = {number: [] for number in numbers}
    for _ in range(2 * SOME):
        for number, history in histories.items():
            costs[number].append(next(history))
    return costs


def told(number: int, costs: Sequence[Cost]) -> tuple[float, float]:
    """One line about these runs; gives their median and mean."""
    median, mean = (1e3 * middle(c.seconds for c in costs) for middle in (statistics.median, statistics.mean))
    work, stored = statistics.mean(c.work for c in costs), statistics.mean(c.stored for c in costs)
    print(
        f"engine, run {number}: median {median:.2f} ms, mean {mean:.2f} ms,"
        f" {1e3 * mean / work:.1f} us by failure and suspect ({work:.0f} of them), {stored / 1e3:.0f} kB stored"
    )
    return median, mean


def in_sql(count: int, tests: int, flaky: int, measure_at: set[int]) -> dict[int, float]:
    """Seconds of one recomputation at some points of history."""
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE result (test INTEGER, commit_id INTEGER, failed INTEGER)")
    db.execute("CREATE INDEX by_test ON result (test, commit_id)")
    measured = {}
    for number, (_, results) in enumerate(runs(count, tests, flaky, 1), 1):
        db.executemany("INSERT INTO result VALUES (?, ?, 0)", ((int(t), number) for t in results.passed))
        db.executemany("INSERT INTO result VALUES (?, ?, 1)", ((f.test_id, number) for f in results.failures))
        if number in measure_at:
            started = time.process_time()
            db.execute(RECOMPUTE).fetchall()
            measured[number] = time.process_time() - started
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", type=int, default=50_000)
    parser.add_argument(
        "--sql-tests", type=int, default=5_000, help="SQL gets a tenth: rows at full size take too long"
    )
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--flaky", type=int, default=150)
    options = parser.parse_args()
    print(f"{options.tests} tests, {options.flaky} of them flaky")
    costs = along((100, 300, options.runs), options.tests, options.flaky)
    early, *_, late = [told(*one) for one in costs.items()]
    print(
        "from the first to the last: median {:+.0%}, mean {:+.0%}".format(
            *(b / a - 1 for a, b in zip(early, late, strict=True))
        )
    )
    sql = in_sql(
        min(options.runs, 600), options.sql_tests, max(1, options.flaky // 10), {100, min(options.runs, 600)}
    )
    for number, spent in sql.items():
        print(f"recomputing in SQL, {options.sql_tests} tests: {1e3 * spent:.1f} ms at run {number}")


if __name__ == "__main__":
    main()
