"""Sample: a repository with ninety days of history that only the person who loaded it sees, until they remove it."""

import structlog

from core.errors import ForbiddenError
from core.sample import REPO, sample_runs
from core.tenancy import Person, Project, Role
from jobs.desk import Desk
from jobs.enroll import enroll_project, give_role
from jobs.import_history import History, PastRun, import_history
from jobs.ingest import key_of
from storage.project import get_project, rename_project
from storage.retention import drop_before
from storage.sample import give_up_sample, keep_sample, sample_of

log = structlog.get_logger(__name__)


def load_sample(desk: Desk, *, team: str, by: Person) -> Project:
    """Make it and let the person decide in it; a person has one sample at a time."""
    if by.foreign or by.guest:
        raise ForbiddenError("Guests and people from other workspaces cannot load a sample.")
    with desk.database.read() as tx:
        there = sample_of(tx, team=team, user=by.user)
        if there is not None:
            return get_project(tx, there)
    project = enroll_project(desk, REPO, by=by, organization=f"Sample of {by.user} ({team})")
    give_role(desk, project.id, by.user, Role.ADMIN, by=by)
    with desk.database.begin() as tx:
        keep_sample(tx, team=team, user=by.user, project_id=project.id)
    runs = [PastRun(run, dict(results)) for run, results in sample_runs(desk.now())]
    answer = import_history(desk, project.id, History({key_of(one.run): one for one in runs}))
    log.info("sample.loaded", project=project.id, runs=answer.runs, proposals=len(answer.proposals))
    return project


def remove_sample(desk: Desk, *, team: str, by: Person) -> bool:
    """Drop its results and let it go; False when there was none.

    What was decided in it stays in the audit log, under a name that nobody sees in Slack any more.
    """
    with desk.database.begin() as tx:
        project_id = sample_of(tx, team=team, user=by.user)
        if project_id is None:
            return False
        rename_project(tx, project_id, repo=f"sample/removed-{project_id}")
        drop_before(tx, project_id, desk.now())
        give_up_sample(tx, team=team, user=by.user, now=desk.now())
    log.info("sample.removed", project=project_id)
    return True
