"""Sample: a repository with ninety days of history that only the person who loaded it sees, until they remove it."""

from functools import partial

import structlog

from core.errors import ConflictError, ForbiddenError
from core.sample import REPO, sample_runs
from core.tenancy import Person, Project, Role
from jobs.desk import Desk
from jobs.enroll import add_organization, add_project, add_role
from jobs.import_history import History, PastRun, import_at_once
from jobs.ingest import key_of
from storage.database import Tx
from storage.erasure import erase_project
from storage.project import get_project
from storage.sample import keep_sample, sample_of

log = structlog.get_logger(__name__)


def load_sample(desk: Desk, *, team: str, by: Person) -> Project:
    """Make it and let the person decide in it; a person has one sample at a time."""
    if by.foreign or by.guest:
        raise ForbiddenError("Guests and people from other workspaces cannot load a sample.")
    try:
        project = desk.database.run(partial(_load, desk=desk, team=team, by=by))
    except ConflictError:
        return _loaded_meanwhile(desk, team=team, by=by)
    desk.dispatch.wake("publish")
    return project


def _load(tx: Tx, *, desk: Desk, team: str, by: Person) -> Project:
    """All of it or nothing: half a sample would be a repository that everybody sees."""
    there = sample_of(tx, team=team, user=by.user)
    if there is not None:
        return get_project(tx, there)
    now = desk.now()
    tenant = add_organization(tx, f"Sample of {by.user} ({team})", by=by, now=now)
    project = add_project(tx, tenant, repo=REPO, by=by, now=now)
    add_role(tx, project, by.user, Role.ADMIN, by=by, now=now)
    keep_sample(tx, team=team, user=by.user, project_id=project.id)
    runs = [PastRun(run, dict(results)) for run, results in sample_runs(now)]
    answer = import_at_once(tx, desk, project.id, History({key_of(one.run): one for one in runs}))
    log.info("sample.loaded", project=project.id, runs=answer.runs, proposals=len(answer.proposals))
    return project


def _loaded_meanwhile(desk: Desk, *, team: str, by: Person) -> Project:
    """The same click, twice at once: both get the sample that is there."""
    with desk.database.read() as tx:
        there = sample_of(tx, team=team, user=by.user)
        if there is None:
            raise ConflictError(f"There is already a project {REPO}.", repo=REPO)
        return get_project(tx, there)


def remove_sample(desk: Desk, *, team: str, by: Person) -> bool:
    """Erase it; False when there was none. What was decided in it stays in the audit log."""
    with desk.database.begin() as tx:
        project_id = sample_of(tx, team=team, user=by.user)
        if project_id is None:
            return False
        erase_project(tx, project_id)
    log.info("sample.removed", project=project_id)
    return True
