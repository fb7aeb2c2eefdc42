"""Every job that runs by the clock, and how often."""

from datetime import timedelta

from jobs.alerts import alert
from jobs.calm import end_calm_storms
from jobs.digest import post_due_digests
from jobs.expire import expire_due
from jobs.owners import own_new_tests, refresh_owners
from jobs.reconcile import heal_deliveries, reconcile_runs
from jobs.retain import retain
from jobs.schedule import Task
from jobs.sweep import sweep_projects

TASKS = (
    Task("expire", timedelta(minutes=1), expire_due),
    Task("calm", timedelta(minutes=1), end_calm_storms),
    Task("digest", timedelta(minutes=1), post_due_digests),
    Task("sweep", timedelta(hours=1), sweep_projects),
    Task("alerts", timedelta(hours=1), alert),
    Task("owners", timedelta(days=1), refresh_owners, lease=timedelta(hours=1)),
    Task("new-owners", timedelta(minutes=10), own_new_tests),
    Task("retain", timedelta(days=1), retain, lease=timedelta(hours=2)),
    Task("heal-deliveries", timedelta(minutes=15), heal_deliveries),
    Task("reconcile-runs", timedelta(hours=1), reconcile_runs, lease=timedelta(minutes=30)),
)
