"""Figures of merit: what was found, who was wrongly accused, how soon, and how honest the scores are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.detection.peers import Climb
from benchmarks.detection.replay import Replay
from benchmarks.detection.simulator import START
from benchmarks.detection.world import History


@dataclass(slots=True)
class Score:
    """One rule on one history."""

    profile: str
    seed: int
    true: int = 0
    false_broken: int = 0
    false_outage: int = 0
    detectable: int = 0
    found: int = 0
    proposed: int = 0
    proposed_wrong: int = 0
    failures_to_flag: list[int] = field(default_factory=list)
    hours_to_flag: list[float] = field(default_factory=list)
    peaks: list[tuple[float, bool]] = field(default_factory=list)
    """Highest score and truth, of detectable flaky and of healthy tests."""
    probabilities: list[tuple[float, bool]] = field(default_factory=list)
    """Score at the end and whether the test still is flaky; detectable flaky and healthy tests."""
    all_probabilities: list[tuple[float, bool]] = field(default_factory=list)
    """The same of every test, hardly ever failing flaky ones included."""
    rates: list[tuple[float, float]] = field(default_factory=list)
    seconds: float = 0.0
    runs: int = 0


def score(history: History, flagged: Mapping[int, Climb], peaks: Mapping[int, float]) -> Score:
    """Count what a rule said against the truth."""
    result = Score(history.profile, history.seed, runs=len(history.runs))
    detectable = history.detectable()
    result.detectable, result.found = len(detectable), len(detectable & flagged.keys())
    for test, climb in flagged.items():
        truth = history.truths[test]
        if truth.flaky:
            result.true += 1
            _soon(result, history, test, climb)
        elif truth.outage_failures > truth.broken_failures:
            result.false_outage += 1
        else:
            result.false_broken += 1
    for test, truth in history.truths.items():
        if test in detectable or not truth.flaky:
            result.peaks.append((peaks.get(test, 0.0), truth.flaky))
    return result


def _soon(result: Score, history: History, test: int, climb: Climb) -> None:
    chance = sorted(history.truths[test].chance_failures)
    hour = (climb.at - START.timestamp()) / 3600
    before = sum(h <= hour + 0.2 for h in chance)
    if before:
        result.failures_to_flag.append(before)
        result.hours_to_flag.append(max(0.0, hour - chance[0]))


def score_replay(history: History, said: Replay) -> Score:
    """The same for the engine, which also gives probabilities and rates."""
    flagged = {t: Climb(1.0, at.timestamp(), 0) for t, at in said.flagged_at.items()}
    result = score(history, flagged, {**said.scores, **said.peaks})
    result.seconds = said.seconds
    result.proposed = len(said.confirmed_at)
    result.proposed_wrong = sum(not history.truths[t].flaky for t in said.confirmed_at)
    active, detectable = history.active_at_end(), history.detectable()
    for test, truth in history.truths.items():
        told = (said.scores.get(test, 0.0), test in active and truth.flaky)
        result.all_probabilities.append(told)
        if test in detectable or not truth.flaky:
            result.probabilities.append(told)
        if test in detectable and said.rates.get(test):
            result.rates.append((said.rates[test], len(truth.chance_failures) / max(1, truth.executions)))
    return result


@dataclass(frozen=True, slots=True)
class Summary:
    """One rule over many histories."""

    precision: float
    recall: float
    f1: float
    accused_broken: int
    accused_outage: int
    proposed: int
    proposed_wrong: int
    failures_p50: float
    failures_p90: float
    hours_p50: float
    pr_auc: float
    brier: float
    brier_all: float
    calibration_error: float
    rank_correlation: float
    ms_per_run: float
    detectable: int


def summary(scores: Sequence[Score]) -> Summary:
    """Pooled over all tests of all histories."""
    true = sum(s.true for s in scores)
    broken, outage = sum(s.false_broken for s in scores), sum(s.false_outage for s in scores)
    detectable, found = sum(s.detectable for s in scores), sum(s.found for s in scores)
    precision = true / (true + broken + outage) if true + broken + outage else 1.0
    recall = found / detectable if detectable else 1.0
    waits = [n for s in scores for n in s.failures_to_flag]
    hours = [n for s in scores for n in s.hours_to_flag]
    told = [p for s in scores for p in s.probabilities]
    everybody = [p for s in scores for p in s.all_probabilities]
    return Summary(
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / (precision + recall) if precision + recall else 0.0,
        accused_broken=broken,
        accused_outage=outage,
        proposed=sum(s.proposed for s in scores),
        proposed_wrong=sum(s.proposed_wrong for s in scores),
        failures_p50=float(np.percentile(waits, 50)) if waits else float("nan"),
        failures_p90=float(np.percentile(waits, 90)) if waits else float("nan"),
        hours_p50=float(np.percentile(hours, 50)) if hours else float("nan"),
        pr_auc=pr_auc([p for s in scores for p in s.peaks]),
        brier=brier(told),
        brier_all=brier(everybody),
        calibration_error=calibration_error(everybody),
        rank_correlation=rank_correlation([r for s in scores for r in s.rates]),
        ms_per_run=1e3 * sum(s.seconds for s in scores) / max(1, sum(s.runs for s in scores)),
        detectable=detectable,
    )


def pr_auc(peaks: Sequence[tuple[float, bool]]) -> float:
    """Average precision; ties share their place."""
    order = sorted(peaks, key=lambda p: -p[0])
    positives = sum(y for _, y in order)
    area, hits, seen, i = 0.0, 0, 0, 0
    while i < len(order) and positives:
        j = i
        while j < len(order) and order[j][0] == order[i][0]:
            j += 1
        gained = sum(y for _, y in order[i:j])
        hits, seen = hits + gained, seen + j - i
        area += gained / positives * (hits / seen)
        i = j
    return area


def brier(told: Sequence[tuple[float, bool]]) -> float:
    return float(np.mean([(p - y) ** 2 for p, y in told])) if told else float("nan")


def calibration_error(told: Sequence[tuple[float, bool]], bins: int = 10) -> float:
    """Mean distance between what was said and what was so, over tests that had any evidence."""
    spoken = [(p, y) for p, y in told if p > 0.001]
    if not spoken:
        return float("nan")
    total = 0.0
    for b in range(bins):
        inside = [(p, y) for p, y in spoken if min(int(p * bins), bins - 1) == b]
        if inside:
            total += abs(sum(p for p, _ in inside) - sum(y for _, y in inside))
    return total / len(spoken)


def rank_correlation(pairs: Sequence[tuple[float, float]]) -> float:
    """Spearman's."""
    if len(pairs) < 3:
        return float("nan")
    a, b = (np.argsort(np.argsort(column)) for column in np.array(pairs).T)
    return float(np.corrcoef(a, b)[0, 1])


def paired_bootstrap(
    ours: Sequence[Score], theirs: Sequence[Score], *, rounds: int = 2_000, seed: int = 7
) -> tuple[float, float]:
    """95 % interval of the difference in F1, resampling whole histories."""
    rng = np.random.default_rng(seed)
    ours, theirs = ([_parts(s) for s in scores] for scores in (ours, theirs))
    a, b = np.array(ours, float), np.array(theirs, float)
    differences = []
    for _ in range(rounds):
        picked = rng.integers(len(a), size=len(a))
        differences.append(_f1(a[picked].sum(0)) - _f1(b[picked].sum(0)))
    low, high = np.percentile(differences, [2.5, 97.5])
    return float(low), float(high)


def _parts(s: Score) -> tuple[int, int, int, int]:
    return s.true, s.false_broken + s.false_outage, s.found, s.detectable


def _f1(parts) -> float:
    true, false, found, detectable = parts
    precision = true / (true + false) if true + false else 1.0
    recall = found / detectable if detectable else 1.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
