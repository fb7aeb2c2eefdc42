"""`python -m benchmarks.detection --report docs/detection.md` makes the figures anew; `--quick` takes a minute."""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.detection.evaluate import OURS, Results, evaluate, tune
from benchmarks.detection.figures import summary
from benchmarks.detection.plots import draw
from benchmarks.detection.profiles import BY_NAME, PROFILES
from benchmarks.detection.report import page, write
from benchmarks.detection.results_jsonl import write as write_jsonl
from benchmarks.detection.simulate import simulate

QUICK = ("small-slow", "retries", "plain")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, help="page to write the figures into")
    parser.add_argument("--quick", action="store_true", help="few short histories")
    parser.add_argument("--profiles", default="")
    parser.add_argument("--tune-seeds", default="101:103", help="first:after-last")
    parser.add_argument("--report-seeds", default="1:4")
    parser.add_argument("--days", type=float, default=1.0, help="scale of every history's length")
    parser.add_argument(
        "--jsonl", type=Path, help="only write one history (first profile, first seed) as results.jsonl"
    )
    parser.add_argument("--project", default="acme/web")
    options = parser.parse_args()
    names = (
        options.profiles.split(",")
        if options.profiles
        else (QUICK if options.quick else [p.name for p in PROFILES])
    )
    profiles = [BY_NAME[name] for name in names]
    seeds = range(*map(int, options.report_seeds.split(":")))
    if options.jsonl:
        print(write_jsonl(simulate(profiles[0], seeds[0]), options.project, options.jsonl), "lines")
        return
    _benchmark(options, profiles, seeds)


def _benchmark(options: argparse.Namespace, profiles, seeds) -> None:
    training = range(*map(int, options.tune_seeds.split(":")))
    days = 0.4 if options.quick else options.days
    if options.quick:
        training, seeds = training[:1], seeds[:1]
    started = time.perf_counter()
    tuned = tune(profiles, training, days=days)
    print("tuned:", tuned, flush=True)
    results = Results(thresholds=tuned)
    for number, seed in enumerate(seeds, 1):
        for profile in profiles:
            evaluate(results, [profile], [seed], days=days, say=lambda line: print(line, flush=True))
            if options.report:
                _write(options, results, training, seeds[:number])
    print(json.dumps({k: round(v, 4) for k, v in asdict(summary(results.scores[OURS])).items()}))
    print(f"{time.perf_counter() - started:.0f} s")


def _write(options: argparse.Namespace, results: Results, training: range, seeds: range) -> None:
    plots = draw(results, options.report.parent / "images" / "detection")
    scale = f" --days {options.days:g}" if options.days != 1.0 else ""
    command = f"python -m benchmarks.detection --report {options.report}{scale}"
    generated = page(
        results, tuned_on=_span(training), reported_on=_span(seeds), plots=plots, command=command
    )
    write(options.report, generated)


def _span(seeds: range) -> str:
    return ", ".join(map(str, seeds))


if __name__ == "__main__":
    main()
