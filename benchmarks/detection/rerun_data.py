"""Real re-run data: do the fitted rates and their intervals hold for tests the engine has never seen?

`python -m benchmarks.detection.rerun_data FILE.csv` reads `test,runs,failures` (public data sets of tests re-run
hundreds or thousands of times can be brought into this form), deals every test's executions into two halves by
chance, believes the first half and checks it against the second.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from benchmarks.detection.figures import rank_correlation
from core.belief import add_up, believe, rate, rate_interval
from core.thresholds import Thresholds


def read(path: Path) -> list[tuple[int, int]]:
    """Executions and failures of every test."""
    with path.open(newline="", encoding="utf-8") as file:
        return [(int(row["runs"]), int(row["failures"])) for row in csv.DictReader(file)]


def check(tests: list[tuple[int, int]], *, executions: int = 200, seed: int = 1) -> dict[str, float]:
    """`executions` of each test are shown; the rest are the truth."""
    rng, t = np.random.default_rng(seed), Thresholds()
    covered, pairs, flagged, flaky = 0, [], 0, 0
    for runs, failures in tests:
        shown = min(executions, runs // 2)
        seen = int(rng.hypergeometric(failures, runs - failures, shown)) if shown else 0
        truth = (failures - seen) / max(1, runs - shown)
        low, high = rate_interval(seen, shown, t)
        covered += low <= truth <= high
        pairs.append((rate(seen, shown, t), truth))
        if seen >= 2:
            flaky += 1
            flagged += (
                believe(add_up([0.97] * min(seen, 16)), runs=shown, clean_runs=0, thresholds=t).p_flaky
                >= t.flag_at
            )
    return {
        "tests": len(tests),
        "interval_holds": covered / max(1, len(tests)),
        "rank_correlation": rank_correlation(pairs),
        "failed_twice_or_more": flaky,
        "of_them_flagged": flagged,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--executions", type=int, default=200)
    options = parser.parse_args()
    for name, value in check(read(options.file), executions=options.executions).items():
        print(f"{name}: {value:.3f}" if isinstance(value, float) else f"{name}: {value}")


if __name__ == "__main__":
    main()
