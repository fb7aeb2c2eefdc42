"""Retain: drop what is older than its class of data is kept, and prepare the months to come."""

from datetime import timedelta

import structlog

from jobs.desk import Desk
from storage import job_run, publication
from storage.check_run import forget_checks
from storage.delivery import forget_deliveries
from storage.oidc import forget_grants
from storage.partition import ensure_partitions
from storage.pull_comment import forget_comments
from storage.retention import drop_results
from storage.slack import forget_seen
from storage.snooze import forget_snoozes
from storage.workflow_run import forget_workflow_runs

log = structlog.get_logger(__name__)

DELIVERIES = timedelta(days=30)
CLAIMS = timedelta(days=90)
MESSAGES = timedelta(days=400)
REPLAYS = timedelta(days=7)
"""Slack signs nothing older than minutes; this is ample."""


def retain(desk: Desk) -> None:
    """Each class in its own transaction, so that a large one does not hold up the others."""
    now = desk.now()
    with desk.database.begin() as tx:
        ensure_partitions(tx, now)
    with desk.database.begin() as tx:
        dropped = drop_results(tx, before=now - desk.keep_results)
    with desk.database.begin() as tx:
        forget_deliveries(tx, now - DELIVERIES)
        forget_checks(tx, now - CLAIMS)
        forget_comments(tx, now - MESSAGES)
        forget_workflow_runs(tx, now - CLAIMS)
        forget_grants(tx, now)
        job_run.forget(tx, now - CLAIMS)
        publication.drop_before(tx, now - MESSAGES)
        forget_snoozes(tx, now)
        forget_seen(tx, now - REPLAYS)
    log.info("retention.done", results=dropped)
