"""The detection part of a project's policy: where the lines are drawn and what counts."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from fnmatch import fnmatchcase
from typing import Any, Self

from core.errors import ValidationError


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Every number a verdict depends on; `version` names this set of numbers in detections and explanations."""

    version: int = 1
    default_branch: str = "main"
    ignored_branches: tuple[str, ...] = ()
    """Glob patterns; runs on these branches are shown but score nothing."""
    window_days: int = 28
    flag_at: float = 0.90
    suspect_at: float = 0.60
    clear_at: float = 0.15
    prior: float = 0.03
    """Share of tests believed flaky before anything was seen."""
    alpha: float = 0.24
    beta: float = 1.9
    """Beta distribution of flaky rates, fitted to public re-run data (docs/detection.md)."""
    noise: float = 2e-5
    """Rate at which a healthy test fails of nobody's fault."""
    fixed_prior: float = 0.05
    """Chance that somebody has fixed a flaky test, before its silence is counted."""
    mass_failures: int = 4
    mass_share: float = 0.02
    broken_after: int = 2
    """Default-branch commits in a row that make a failing test broken."""
    broken_rate: float = 0.75
    retire_after_days: int = 14
    minimum_runs: int = 5
    """Below this many executions a test without evidence has insufficient data."""

    def __post_init__(self) -> None:
        """Refuse numbers that contradict each other."""
        if not 0 < self.clear_at < self.suspect_at <= self.flag_at < 1:
            raise ValidationError(
                "Detection thresholds must satisfy 0 < clear_at < suspect_at <= flag_at < 1."
            )
        if not 1 <= self.window_days <= MAX_WINDOW_DAYS:
            raise ValidationError(f"window_days must be between 1 and {MAX_WINDOW_DAYS}.")
        if not (0 < self.prior < 1 and 0 < self.noise < 1 and 0 < self.fixed_prior < 1):
            raise ValidationError("prior, noise and fixed_prior must be between 0 and 1.")
        if self.alpha <= 0 or self.beta <= 0 or self.broken_after < 1 or self.mass_failures < 1:
            raise ValidationError("alpha, beta, broken_after and mass_failures must be positive.")

    def counts_branch(self, branch: str) -> bool:
        return not any(fnmatchcase(branch, pattern) for pattern in self.ignored_branches)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Read a policy's table; an unknown name is an error, because a silent typo would change nothing."""
        known = {f.name: f for f in fields(cls)}
        if unknown := sorted(set(values) - set(known)):
            raise ValidationError(f"Unknown detection setting: {', '.join(unknown)}.")
        fitting = {name: _fitting(name, value, known[name].default) for name, value in values.items()}
        return replace(cls(), **fitting)


MAX_WINDOW_DAYS = 60


def _fitting(name: str, value: object, default: object) -> Any:
    if isinstance(default, tuple) and isinstance(value, (list, tuple)):
        return tuple(str(item) for item in value)
    if isinstance(default, float) and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if type(value) is type(default):
        return value
    raise ValidationError(f"{name} must be a {type(default).__name__}.")
