"""Settings: change a project's policy, version by version, audited; open proposals keep the policy they have."""

from collections.abc import Mapping
from typing import Any

from core.errors import ConflictError, ForbiddenError, ValidationError
from core.policy import Policy
from core.tenancy import Person, Project, Role, Via
from jobs.desk import Desk
from jobs.respond import respond
from jobs.score import close_scoring, open_scoring
from storage import audit
from storage.approver import list_roles, role_of
from storage.check_run import touch_checks
from storage.clock import project_time
from storage.database import Tx
from storage.project import get_policy, get_project, put_policy

TRUSTED = frozenset({Via.CLI, Via.API})
"""Doors that need the server's own credentials: the shell's owner and an admin token's holder."""


def change_policy(
    desk: Desk,
    project_id: int,
    changes: Mapping[str, Any],
    *,
    by: Person,
    expected_version: int | None = None,
) -> Policy:
    """Store the next version. ConflictError when somebody else has changed it since `expected_version`."""
    now = desk.now()
    with desk.database.begin() as tx:
        project = get_project(tx, project_id)
        if by.via not in TRUSTED and role_of(tx, project_id, by.user) is not Role.ADMIN:
            raise ForbiddenError("Only admins of this project may change its settings.")
        before = get_policy(tx, project_id)
        if expected_version is not None and expected_version != before.version:
            raise ConflictError("The settings were changed while this was open.", version=before.version)
        after = Policy.from_dict({**before.to_dict(), **changes, "version": before.version + 1})
        _check_quorum(after, deciders=sum(role.may_decide for _, role in list_roles(tx, project_id)))
        put_policy(tx, project_id, after, by=by.user, now=now)
        if (before.detection, before.learnt) != (after.detection, after.learnt):
            _judge_anew(tx, desk, project)
        touch_checks(tx, project_id=project_id, now=now)
        audit.record(
            tx,
            project,
            by=by,
            action="policy.changed",
            subject=f"policy-{after.version}",
            at=now,
            details={"changes": _difference(before, after)},
        )
    desk.dispatch.wake("publish")
    return after


def _judge_anew(tx: Tx, desk: Desk, project: Project) -> None:
    """What is told is told by the policy in force, at once: an explanation never contradicts the list."""
    scoring = open_scoring(tx, desk.scores, project)
    outcome = scoring.judge_anew()
    close_scoring(tx, desk.scores, scoring, now=project_time(tx, project.id, desk.now()))
    respond(tx, scoring, outcome, now=desk.now())


def _check_quorum(policy: Policy, deciders: int) -> None:
    if deciders and policy.approvals_required > deciders and not policy.approver_group:
        people = "1 approver" if deciders == 1 else f"{deciders} approvers"
        raise ValidationError(
            f"You have {people}, so {policy.approvals_required} approvals can never be reached.",
            field="approvals_required",
        )


def _difference(before: Policy, after: Policy) -> dict[str, Any]:
    old, new = before.to_dict(), after.to_dict()
    return {name: [old[name], new[name]] for name in new if old[name] != new[name] and name != "version"}
