"""The arithmetic of belief: from independent pieces of evidence to how sure and how often (docs/detection.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, lgamma, log

import numpy as np

from core.thresholds import Thresholds

NEGLIGIBLE = 0.002
"""Pieces less likely than this to be flakes change no verdict and are left out of the sum."""
ENOUGH = 16
"""The best pieces decide whether it is flaky; more of them would only say it again."""
TINY = 1e-9
FEWEST_RUNS = 15
"""A young history is weighed as if it were this long: one flake flags a test only while little was seen of it."""
REPAIR_TAKES = 10
"""Right after a flake nobody can have repaired it; half the chance of a repair has passed after so many runs."""
_GRID = 2_000


@dataclass(frozen=True, slots=True)
class Belief:
    """P(flaky), P(not fixed since), the expected number of flakes, and the executions they were seen in."""

    p_flaky: float
    p_active: float
    flakes: float
    runs: int

    @property
    def score(self) -> float:
        return self.p_flaky * self.p_active


@dataclass(frozen=True, slots=True)
class Sum:
    """The number of flakes among independent pieces: its expectation and distribution."""

    flakes: float
    pieces: int
    chances: tuple[float, ...]


def add_up(qs: Sequence[float]) -> Sum:
    """`qs`: chances of the independent pieces."""
    counted = sorted((q for q in qs if q > NEGLIGIBLE), reverse=True)
    return Sum(sum(counted), len(counted), _distribution(tuple(counted[:ENOUGH])))


@lru_cache(maxsize=4_096)
def _distribution(qs: tuple[float, ...]) -> tuple[float, ...]:
    """Of tests that fail alike the best pieces are the same."""
    return tuple(poisson_binomial(qs))


def believe(total: Sum, *, runs: int, clean_runs: int, thresholds: Thresholds) -> Belief:
    """`runs` in the window; `clean_runs` since the last flake."""
    t, runs = thresholds, max(runs, total.pieces)
    weighed = max(runs, FEWEST_RUNS)
    numbers = (t.prior, t.alpha, t.beta, t.noise)
    p_flaky = sum(
        weight * _posterior(k, weighed, numbers)
        for k, weight in enumerate(total.chances)
        if k and weight > TINY
    )
    clean = min(clean_runs, runs - total.pieces)
    return Belief(p_flaky, _p_active(total.flakes, runs, clean, t), total.flakes, runs)


def poisson_binomial(qs: Sequence[float]) -> list[float]:
    """Distribution of the number of successes among independent trials of unequal chances."""
    chances = [1.0]
    for q in qs:
        chances.append(0.0)
        for k in range(len(chances) - 1, 0, -1):
            chances[k] += (chances[k - 1] - chances[k]) * q
        chances[0] *= 1 - q
    return chances


def log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


@lru_cache(maxsize=65_536)
def _posterior(k: int, n: int, numbers: tuple[float, float, float, float]) -> float:
    """P(flaky | k flakes in n executions) against a healthy test that fails of nobody's fault."""
    prior, alpha, beta, noise = numbers
    log_odds = (
        log(prior / (1 - prior))
        + log_beta(alpha + k, beta + n - k)
        - log_beta(alpha, beta)
        - k * log(noise)
        - (n - k) * log(1 - noise)
    )
    return 1 / (1 + exp(-max(-50.0, min(50.0, log_odds))))


def _p_active(flakes: float, runs: int, clean: int, thresholds: Thresholds) -> float:
    """A fixed number of clean passes cannot mean "fixed": how telling silence is depends on the rate."""
    if flakes <= 0 or clean <= 0:
        return 1.0
    a, b = thresholds.alpha + flakes, thresholds.beta + max(runs - clean - flakes, 0.0)
    silence = exp(log_beta(a, b + clean) - log_beta(a, b))
    h = thresholds.fixed_prior * clean / (clean + REPAIR_TAKES)
    return (1 - h) * silence / ((1 - h) * silence + h)


def rate(flakes: float, runs: int, thresholds: Thresholds) -> float:
    """Expected share of executions that flake."""
    return (thresholds.alpha + flakes) / (thresholds.alpha + thresholds.beta + runs)


def rate_interval(
    flakes: float, runs: int, thresholds: Thresholds, mass: float = 0.95
) -> tuple[float, float]:
    """Central credible interval of the rate."""
    a, b = thresholds.alpha + flakes, thresholds.beta + max(runs - flakes, 0.0)
    return _beta_quantile(a, b, (1 - mass) / 2), _beta_quantile(a, b, (1 + mass) / 2)


def _beta_quantile(a: float, b: float, p: float) -> float:
    """On a logit grid, where rates of 1e-6 and of .5 are equally well resolved."""
    x = np.linspace(-30, 30, _GRID)
    log_density = -a * np.logaddexp(0, -x) - b * np.logaddexp(0, x)
    density = np.exp(log_density - log_density.max())
    cumulative = np.cumsum(density) - density / 2
    position = float(np.interp(p, cumulative / density.sum(), x))
    return 1 / (1 + exp(-position))
