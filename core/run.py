"""One execution of a CI job at one commit: the context in which a report was made."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Trust(StrEnum):
    """How far results may act: `trunk` and `pr` score; `fork` results inform their own pull request only."""

    TRUNK = "trunk"
    PR = "pr"
    FORK = "fork"


@dataclass(frozen=True, slots=True)
class Run:
    """Identity is (project, run_id, attempt, job, variant); `at` is when it ran (UTC, aware)."""

    run_id: str
    commit: str
    branch: str
    at: datetime
    attempt: int = 1
    job: str = ""
    variant: str = ""
    base: str = ""
    """The default-branch commit this run's change started from; empty when unknown."""
    event: str = ""
    """push, pull_request, merge_group, schedule ...: as the CI names it."""
    pr: str = ""
    """Number of the pull request, as text; empty on branches."""
    trust: Trust = Trust.TRUNK
    url: str = ""
    """Where a person can look at the run."""
    partial: bool = False
