"""Where a run stands among others: names become numbers, a run becomes the pattern of its tests' executions."""

from datetime import datetime
from functools import lru_cache
from hashlib import blake2b

from core.ledger import Execution, FailureFacts
from core.run import Run, Trust
from core.thresholds import Thresholds


def seconds(at: datetime) -> int:
    return int(at.timestamp())


@lru_cache(maxsize=65_536)
def digest(text: str) -> int:
    """A name as a signed 64-bit number, 0 for an empty one."""
    return (
        int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)
        if text
        else 0
    )


def counts(run: Run, t: Thresholds) -> bool:
    """Forks inform their own pull request only; ignored branches nobody."""
    return run.trust is not Trust.FORK and t.counts_branch(run.branch)


def on_trunk(run: Run, t: Thresholds) -> bool:
    return run.trust is Trust.TRUNK and run.branch == t.default_branch


def placed(run: Run, run_ref: int, t: Thresholds) -> Execution:
    """The run as a passing execution: the pattern all executions of its tests are cut from."""
    trunk = on_trunk(run, t)
    return Execution(
        at=seconds(run.at),
        key=_key(run),
        run=run_ref,
        commit=digest(run.commit),
        lane=digest(f"{run.job}\0{run.variant}"),
        branch=0 if trunk else digest(run.branch) or digest(f"pr\0{run.pr}"),
        base=0 if trunk else digest(run.base),
        passed=True,
    )


def _key(run: Run) -> int:
    """What names the run among others of its second, in the order of their time where that is told so exactly."""
    name = digest(f"{run.run_id}\0{run.attempt}\0{run.job}\0{run.variant}")
    moment = run.at.microsecond
    return (moment << NAME_BITS) | (name & ((1 << NAME_BITS) - 1)) if moment else name


NAME_BITS = 43
"""With twenty for the millionths of a second, a signed 64-bit number."""


def with_result(place: Execution, *, passed: bool, failure: FailureFacts | None) -> Execution:
    p = place
    return Execution(p.at, p.key, p.run, p.commit, p.lane, p.branch, p.base, passed, failure)
