"""The timetable: what happens when. APScheduler ticks on every node; each period is claimed by one of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from core.errors import DatabaseError
from jobs.desk import Desk
from storage import job_run

log = structlog.get_logger(__name__)

AFTER_FAULT = timedelta(minutes=1)
"""A period whose work failed is tried again after this, by whoever ticks first."""


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the timetable: `work` runs once in every period of `every`, on one node."""

    name: str
    every: timedelta
    work: Callable[[Desk], object]
    lease: timedelta = timedelta(minutes=10)
    """After this a node that claimed the period and did not finish is taken for dead."""


def period_of(every: timedelta, now: datetime) -> str:
    """The period `now` lies in, by its start: the same text on every node."""
    seconds = int(every.total_seconds())
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, tz=now.tzinfo).isoformat()


def run_once(desk: Desk, task: Task) -> bool:
    """Run the task unless its present period is claimed; True when this node ran it."""
    now = desk.now()
    period = period_of(task.every, now)
    with desk.database.begin() as tx:
        if not job_run.claim(tx, task.name, period, now=now, lease_until=now + task.lease):
            return False
    try:
        task.work(desk)
    except Exception:
        # Not ours to answer; but the period must not wait for the whole lease of somebody who is alive.
        with desk.database.begin() as tx:
            job_run.give_back(tx, task.name, period, until=desk.now() + AFTER_FAULT)
        raise
    with desk.database.begin() as tx:
        job_run.finish(tx, task.name, period, now=desk.now())
    return True


def _tick(desk: Desk, task: Task) -> None:
    try:
        if run_once(desk, task):
            log.info("job.done", job=task.name)
    except DatabaseError as error:
        log.warning("job.database", job=task.name, error=error.message)
    except Exception:  # the outermost loop of the room: the next tick tries again
        log.exception("job.failed", job=task.name)


def start_timetable(desk: Desk, tasks: Sequence[Task]) -> BackgroundScheduler:
    """Tick every task several times a period, so that a dead node's claim is taken over in time."""
    scheduler = BackgroundScheduler(timezone="UTC")
    for task in tasks:
        seconds = min(60.0, max(1.0, task.every.total_seconds() / 4))
        scheduler.add_job(
            _tick,
            "interval",
            seconds=seconds,
            args=[desk, task],
            id=task.name,
            max_instances=1,
            coalesce=True,
            next_run_time=desk.now(),
        )
    scheduler.start()
    return scheduler
