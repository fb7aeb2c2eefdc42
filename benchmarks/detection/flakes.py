"""How flaky tests of different kinds behave: a chance of failing for each execution and each retry."""

from dataclasses import dataclass

import numpy as np

KINDS = {
    "constant": 0.44,
    "onset": 0.10,
    "fixed": 0.10,
    "environment": 0.07,
    "order": 0.08,
    "burst": 0.09,
    "time-of-day": 0.05,
    "load": 0.07,
}


@dataclass(slots=True)
class Flake:
    """One flaky test; `sticky` is the chance that a retry within the run fails as well."""

    kind: str
    rate: float
    since: float
    until: float
    sticky: float
    messages: tuple[str, ...]
    hour: float = 0.0
    bursting_until: float = -1.0
    calm_until: float = 0.0

    def chance(self, hour: float, load: float, rng: np.random.Generator) -> float:
        """Of failing when executed at this simulated hour."""
        if not self.since <= hour < self.until:
            return 0.0
        match self.kind:
            case "burst":
                return self._burst(hour, rng)
            case "time-of-day":
                near = min(abs(hour % 24 - self.hour), 24 - abs(hour % 24 - self.hour)) < 1.0
                return min(0.8, self.rate * 12) if near else self.rate / 20
            case "load":
                return min(0.9, self.rate * (3.0 if load > 0.7 else 0.3))
            case _:
                return self.rate

    def _burst(self, hour: float, rng: np.random.Generator) -> float:
        if hour > max(self.bursting_until, self.calm_until):
            length = rng.exponential(2.0)
            self.bursting_until = hour + length if rng.random() < 0.5 else -1.0
            self.calm_until = hour + length + rng.exponential(length * 0.8 / max(self.rate, 0.005))
        return 0.8 if hour <= self.bursting_until else self.rate / 10


def draw(rng: np.random.Generator, hours: float, messages: tuple[str, ...]) -> Flake:
    """Rates: part as public re-run data show them (many tiny, a quarter above 10 %), part the range teams live with."""
    kind = str(rng.choice(list(KINDS), p=np.array(list(KINDS.values())) / sum(KINDS.values())))
    measured = rng.random() < 0.4
    rate = float(
        np.clip(rng.beta(0.24, 1.9), 5e-4, 0.7) if measured else np.exp(rng.uniform(*np.log((0.002, 0.35))))
    )
    since = rng.uniform(0.2, 0.7) * hours if kind == "onset" else 0.0
    until = rng.uniform(0.35, 0.8) * hours if kind == "fixed" else float("inf")
    sticky = {"order": 0.85, "burst": 0.8, "time-of-day": 0.7, "environment": 0.3}.get(kind)
    return Flake(
        kind=kind,
        rate=rate if kind not in {"order", "burst", "time-of-day"} else max(rate, 0.01),
        since=since,
        until=until,
        sticky=sticky if sticky is not None else max(rate, float(rng.choice([0.05, 0.3]))),
        messages=messages,
        hour=float(rng.uniform(8, 18)) if rng.random() < 0.6 else float(rng.uniform(0, 24)),
    )
