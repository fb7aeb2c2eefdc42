"""What a flaky test cost: runs failed, pull requests hit, CI minutes lost."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Hit:
    """One failing execution as the storage room remembers it."""

    run_id: str
    attempt: int
    at: datetime
    pr: str
    run_seconds: float
    """Duration of the whole run: what a re-run costs."""
    blocked: bool
    """The test's final outcome was bad: the run was red."""
    alone: bool = True
    """No other test of the run failed for good: the run was red because of this test alone."""
    flake: bool = True
    """The evidence says chance, not breakage."""


@dataclass(frozen=True, slots=True)
class Impact:
    """The bill, every number with its base."""

    failures: int = 0
    runs_failed: int = 0
    runs_failed_alone: int = 0
    pull_requests: int = 0
    ci_seconds_lost: float = 0.0
    first_at: datetime | None = None
    last_at: datetime | None = None

    @property
    def ci_minutes_lost(self) -> int:
        return round(self.ci_seconds_lost / 60)


def impact(hits: Iterable[Hit]) -> Impact:
    """Runs lost to chance: a run that this test alone made red has to be paid for again."""
    chance = [hit for hit in hits if hit.flake]
    if not chance:
        return Impact()
    blocked = {(hit.run_id, hit.attempt): hit for hit in chance if hit.blocked}
    alone = [hit for hit in blocked.values() if hit.alone]
    return Impact(
        failures=len(chance),
        runs_failed=len(blocked),
        runs_failed_alone=len(alone),
        pull_requests=len({hit.pr for hit in blocked.values() if hit.pr}),
        ci_seconds_lost=sum(hit.run_seconds for hit in alone),
        first_at=min(hit.at for hit in chance),
        last_at=max(hit.at for hit in chance),
    )
