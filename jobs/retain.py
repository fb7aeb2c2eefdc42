"""Retain: drop what is older than its class of data is kept, and prepare the months to come."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from jobs.desk import Desk
from storage import job_run, publication
from storage.check_run import forget_checks
from storage.database import Tx
from storage.delivery import forget_deliveries
from storage.oidc import forget_grants
from storage.partition import ensure_partitions
from storage.pull_comment import forget_comments
from storage.retention import drop_results
from storage.slack import forget_seen
from storage.snooze import forget_snoozes
from storage.storm import forget_storms
from storage.webhook import forget_messages
from storage.workflow_run import forget_workflow_runs

log = structlog.get_logger(__name__)

DELIVERIES = timedelta(days=30)
CLAIMS = timedelta(days=90)
MESSAGES = timedelta(days=400)
REPLAYS = timedelta(days=7)
"""Slack signs nothing older than minutes; this is ample."""
ENDED = timedelta()
"""What ends by itself goes when its end is past."""

KEPT: tuple[tuple[Callable[[Tx, datetime], object], timedelta], ...] = (
    (forget_deliveries, DELIVERIES),
    (forget_checks, CLAIMS),
    (forget_comments, MESSAGES),
    (forget_workflow_runs, CLAIMS),
    (forget_grants, ENDED),
    (job_run.forget, CLAIMS),
    (publication.drop_before, MESSAGES),
    (forget_storms, MESSAGES),
    (forget_snoozes, ENDED),
    (forget_seen, REPLAYS),
    (forget_messages, DELIVERIES),
)


def retain(desk: Desk) -> None:
    """Each class in its own transaction, so that a large one does not hold up the others."""
    now = desk.now()
    with desk.database.begin() as tx:
        ensure_partitions(tx, now)
    with desk.database.begin() as tx:
        dropped = drop_results(tx, before=now - desk.keep_results)
    for forget, kept in KEPT:
        with desk.database.begin() as tx:
            forget(tx, now - kept)
    log.info("retention.done", results=dropped)
