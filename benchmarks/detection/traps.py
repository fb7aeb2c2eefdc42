"""Failures that look flaky and are not: what a rule must not fall for, planned before the history begins."""

import numpy as np

from benchmarks.detection import simulator as sim

LAST_DAY = 30
"""Every so many days is the last of a month."""


def plan_traps(s: sim.Simulator) -> None:
    """Lay out what the profile asks for."""
    healthy = [test for test in range(s.base_tests) if test not in s.flakes]
    s.rng.shuffle(healthy)
    s.fragile = [(test, sim.Fault(_snapshot(test))) for test in healthy[: s.profile.fragile]]
    _plan_neighbours(s, healthy)
    _plan_releases(s, healthy)
    _plan_calendar(s, healthy[-s.profile.calendar :] if s.profile.calendar else [])
    for hour in _moments(s, s.profile.bumps):
        _plan_bumps(s, hour)


def _snapshot(test: int) -> str:
    return f"AssertionError: snapshot schema_{chr(97 + test % 26)} does not match, run update-snapshots"


def _moments(s: sim.Simulator, per_day: float) -> list[float]:
    days = s.profile.days
    return [
        float(s.rng.integers(days)) * 24 + s.rng.uniform(7, 17) for _ in range(s.rng.poisson(per_day * days))
    ]


def _some(rng: np.random.Generator, tests: list[int], most: int) -> frozenset[int]:
    return frozenset(rng.choice(tests, int(rng.integers(1, most + 1)), replace=False).tolist())


def _plan_neighbours(s: sim.Simulator, tests: list[int]) -> None:
    """A small service behind two or three tests: some of their executions fail until it is back."""
    rng = s.rng
    for start in _moments(s, s.profile.neighbours):
        words = rng.choice(("mailbox", "search", "payments", "geocoder"))
        s.outages.append(
            sim.Outage(
                start=start,
                end=start + 1 + rng.exponential(5.0),
                share=rng.uniform(0.3, 0.9),
                tests=_some(rng, tests, 3),
                hit=rng.uniform(0.4, 1.0),
                messages=(f"ConnectionError: sandbox-{words} answered 503",),
                passing=rng.uniform(0.05, 0.5),
            )
        )


def _plan_releases(s: sim.Simulator, tests: list[int]) -> None:
    """Everything that runs the test fails, on every branch, until the release is taken back."""
    rng = s.rng
    for start in _moments(s, s.profile.releases):
        text = f"ImportError: cannot import name 'Client{int(rng.integers(9))}' from 'vendor'"
        end = start + rng.uniform(5, 40)
        s.outages.append(sim.Outage(start, end, 1.0, _some(rng, tests, 3), 1.0, (text,), 0.0))


def _plan_calendar(s: sim.Simulator, tests: list[int]) -> None:
    for test in tests:
        day = int(s.rng.integers(10, 26))
        while day < s.profile.days:
            text = f"ValueError: day is out of range for month in period_{chr(97 + test % 26)}"
            s.outages.append(
                sim.Outage(day * 24.0, day * 24.0 + 24, 1.0, frozenset((test,)), 1.0, (text,), 0.0)
            )
            day += LAST_DAY if s.rng.random() < 0.5 else 7


def _plan_bumps(s: sim.Simulator, hour: float) -> None:
    """The same broken dependency on several branches, none of them ever merged."""
    rng = s.rng
    start = int(rng.integers(s.base_tests))
    text = f"TypeError: unexpected keyword argument 'timeout{chr(97 + start % 26)}'"
    faults = {(start + k) % s.base_tests: sim.Fault(text) for k in range(int(rng.integers(1, 4)))}
    for number in range(int(rng.integers(2, 6))):
        s.later(hour + number * rng.uniform(6, 40), lambda h: _bump(s, faults, h))


def _bump(s: sim.Simulator, faults: dict[int, sim.Fault], hour: float) -> None:
    number = next(s.numbers)
    pr = sim.PullRequest(number, f"robot/vendor-{number}", fork=False, base=s.main, throwaway=True)
    pr.breakages = [sim.Breakage(faults)]
    pr.head = sim.Commit(s.sha(), pr.base.broken | faults)
    pr.run_id = f"r{next(s.order)}"
    s.check(pr, hour)
