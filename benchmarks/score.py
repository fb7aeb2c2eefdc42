"""Scoring after a run: incremental engine against recomputing in SQL. Both sides see the same runs.

`python -m benchmarks.score` prints the median time per run early and late in history, and how much it grew.
"""

import argparse
import sqlite3
import statistics
import time
from datetime import UTC, datetime, timedelta

import numpy as np

from core.engine import ProjectState, apply_run
from core.execution import AttemptFact, FailedExecution, PastExecution, RunResults
from core.report import Outcome
from core.run import Run
from core.thresholds import Thresholds

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


def ours(count: int, tests: int, flaky: int) -> list[float]:
    """Seconds per run: learn it, judge, and pack what changed."""
    state, past, t, seconds = ProjectState.empty(), [], Thresholds(), []

    def history(test: int):
        return [
            PastExecution(run, Outcome.PASSED, run_ref=i)
            for i, (run, bad) in enumerate(past)
            if test not in bad
        ]

    for number, (run, results) in enumerate(runs(count, tests, flaky, 1)):
        started = time.process_time()
        apply_run(state, run, results, run_ref=number, thresholds=t, history=history)
        state.dirty()
        seconds.append(time.process_time() - started)
        past.append((run, {f.test_id for f in results.failures}))
    return seconds


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
    seconds = ours(options.runs, options.tests, options.flaky)
    early, late = statistics.median(seconds[75:175]), statistics.median(seconds[-100:])
    print(
        f"engine, {options.tests} tests: {1e3 * early:.2f} ms at run 100, {1e3 * late:.2f} ms at run {options.runs} ({late / early - 1:+.0%})"
    )
    sql = in_sql(
        min(options.runs, 600), options.sql_tests, max(1, options.flaky // 10), {100, min(options.runs, 600)}
    )
    for number, spent in sql.items():
        print(f"recomputing in SQL, {options.sql_tests} tests: {1e3 * spent:.1f} ms at run {number}")


if __name__ == "__main__":
    main()
