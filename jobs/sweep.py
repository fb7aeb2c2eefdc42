"""Sweep: let time pass for every project's verdicts - evidence ages, tests recover or retire."""

import structlog

from core.engine import sweep
from jobs.desk import Desk
from jobs.ingest import act_on
from jobs.score import close_scoring, open_scoring
from storage.project import get_project, list_projects

log = structlog.get_logger(__name__)


def sweep_projects(desk: Desk) -> int:
    """One transaction a project; answers how many verdicts changed."""
    with desk.database.read() as tx:
        projects = list_projects(tx)
    return sum(sweep_project(desk, project.id) for project in projects)


def sweep_project(desk: Desk, project_id: int) -> int:
    """What time alone changes in one project."""
    now = desk.now()
    with desk.database.begin() as tx:
        project = get_project(tx, project_id)
        scoring = open_scoring(tx, desk.scores, project)
        outcome = sweep(scoring.state, now, thresholds=scoring.thresholds)
        scoring.learnt(outcome)
        close_scoring(tx, desk.scores, scoring, now=now)
        proposed = act_on(tx, scoring, outcome, now=now)
    if proposed:
        desk.dispatch.wake("publish")
    return len(outcome.transitions)
