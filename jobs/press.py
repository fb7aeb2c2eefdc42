"""Press: a button of a check run was clicked on GitHub; every click is checked, acts once, and is audited."""

from typing import Any

import structlog

from core.errors import ConflictError, ForbiddenError, ForgeError, ValidationError
from core.github import fields
from core.github.check import MAX_RERUNS, NOT_FLAKY, QUARANTINE, RERUN, Failure
from core.github.repository import RepositoryRef
from core.tenancy import Person, Project, Via
from jobs.decide import deny
from jobs.desk import Desk
from jobs.forge import DeniedError, Forge, MissingError
from jobs.hook import Hook, IgnoredError
from jobs.propose import propose
from jobs.view import failing_tests
from storage import audit, check_run
from storage import workflow_run as seen
from storage.check_run import CheckRun
from storage.github import KnownRepository, find_repository
from storage.project import get_project
from storage.quarantine import open_quarantine_of

log = structlog.get_logger(__name__)

MAX_PROPOSED = 20
"""Tests one click proposes; more failing together are an outage and no case for quarantine."""
_REASON = "Asked for on GitHub."
_NOT_FLAKY = "Not flaky: said on GitHub."


def on_check_run(desk: Desk, hook: Hook) -> None:
    """A button, or GitHub's own Re-run, of one of our check runs."""
    forge, known = _ours(desk, hook, "check_run")
    check_id = fields.need_number(hook.payload, "check_run", "id")
    if hook.action == "rerequested":
        _say_again(desk, known.project_id, check_id)
        return
    check = _check(desk, known, check_id)
    identifier = fields.text(hook.payload, "requested_action", "identifier", limit=20)
    _authorize(forge, known.ref, hook, check)
    _act(desk, forge, known, check, identifier=identifier, hook=hook)


def on_check_suite(desk: Desk, hook: Hook) -> None:
    """GitHub's Re-run all checks: GitHub does not reset ours, so it is sent once more."""
    _, known = _ours(desk, hook, "check_suite")
    sha = fields.need_text(hook.payload, "check_suite", "head_sha")
    with desk.database.read() as tx:
        checks = check_run.checks_of_commit(tx, known.project_id, sha)
    for check in checks:
        if check.check_id is not None:
            _say_again(desk, known.project_id, check.check_id)


def _ours(desk: Desk, hook: Hook, subject: str) -> tuple[Forge, KnownRepository]:
    """Only our own App's checks, of a repository we know."""
    if desk.forge is None:
        raise IgnoredError("GitHub is switched off: no App is configured.")
    app_id = fields.number(hook.payload, subject, "app", "id")
    if app_id is None or app_id != desk.forge.app_id:
        raise IgnoredError("It is another App's.")
    with desk.database.read() as tx:
        known = find_repository(tx, github_id=hook.repository.id)
    if known is None or not known.active:
        raise IgnoredError("The repository is not one of ours.")
    return desk.forge, known


def _say_again(desk: Desk, project_id: int, check_id: int) -> None:
    with desk.database.begin() as tx:
        check_run.touch_check(tx, project_id=project_id, check_id=check_id, now=desk.now(), afresh=True)
    desk.dispatch.wake("checks")


def _check(desk: Desk, known: KnownRepository, check_id: int) -> CheckRun:
    with desk.database.read() as tx:
        check = check_run.check_by_github_id(tx, known.project_id, check_id)
    if check is None:
        raise IgnoredError("This check run is not one we remember.")
    return check


def _authorize(forge: Forge, ref: RepositoryRef, hook: Hook, check: CheckRun) -> None:
    """GitHub shows the buttons to readers too; only who may push may press, and only on the present commit."""
    if fields.text(hook.payload, "sender", "type") == "Bot" or not hook.login:
        raise IgnoredError("Buttons are for people.")
    if not forge.may_write(ref, hook.login):
        raise IgnoredError("Only people with write access may press it.")
    if _stale(forge, ref, check.head_sha):
        raise IgnoredError("The pull request has moved on since.")


def _stale(forge: Forge, ref: RepositoryRef, sha: str) -> bool:
    try:
        pulls = [pull for pull in forge.pulls_of(ref, sha) if pull.open]
    except (MissingError, DeniedError):
        return False
    return bool(pulls) and all(pull.head_sha not in {"", sha} for pull in pulls)


def _act(
    desk: Desk, forge: Forge, known: KnownRepository, check: CheckRun, *, identifier: str, hook: Hook
) -> None:
    with desk.database.begin() as tx:
        project = get_project(tx, known.project_id)
        runs = seen.newest_attempts(tx, project.id, check.head_sha, check.workflow)
        reference = ",".join(f"{run.run_id}:{run.attempt}" for run in runs)[:80]
        key = {"project_id": project.id, "check_id": check.check_id or 0, "identifier": identifier}
        if not check_run.press(tx, **key, reference=reference, login=hook.login, now=desk.now()):  # type: ignore[arg-type]  # one key for two calls
            raise IgnoredError("It has been pressed before.")
        failures = failing_tests(tx, project, check.head_sha, check.workflow)
    person = Person(user=f"{hook.login}@github", via=Via.GITHUB, detail=hook.login)
    details: dict[str, Any] = {"commit": check.head_sha}
    if identifier == RERUN.identifier:
        details["runs"] = _rerun(forge, known.ref, [(run.run_id, run.attempt) for run in runs])
    elif identifier == QUARANTINE.identifier:
        details["proposals"] = _propose(desk, project, failures, person)
    elif identifier == NOT_FLAKY.identifier:
        details["denied"] = _deny(desk, project, failures, person)
    else:
        raise IgnoredError("We have no such button.")
    _conclude(
        desk, project, check, identifier=identifier, reference=reference, person=person, details=details
    )


def _rerun(forge: Forge, ref: RepositoryRef, runs: list[tuple[int, int]]) -> list[str]:
    """Re-run what has not been re-run meanwhile; what GitHub refuses is said in the audit log."""
    told: list[str] = []
    for run_id, attempt in runs:
        if attempt >= MAX_RERUNS:
            told.append(f"{run_id}: re-run {attempt} times, GitHub allows no more")
            continue
        newest = forge.run_attempt(ref, run_id)
        if newest.attempt > attempt:
            told.append(f"{run_id}: attempt {newest.attempt} has begun already")
        elif newest.conclusion not in {"success", "skipped"}:
            told.append(f"{run_id}: {_ask_rerun(forge, ref, run_id)}")
    return told


def _ask_rerun(forge: Forge, ref: RepositoryRef, run_id: int) -> str:
    try:
        forge.rerun_failed(ref, run_id)
    except (DeniedError, MissingError) as error:
        return error.message
    except ForgeError as error:
        if error.details.get("status") not in {403, 409, 422}:
            raise
        return error.message
    return "asked for"


def _propose(desk: Desk, project: Project, failures: tuple[Failure, ...], person: Person) -> list[str]:
    told: list[str] = []
    for failure in [one for one in failures if one.verdict in {"known_flaky", "new"}][:MAX_PROPOSED]:
        try:
            proposal = propose(
                desk, project_id=project.id, test_id=failure.test_id, by=person, reason=_REASON
            )
        except (ConflictError, ForbiddenError, ValidationError) as error:
            told.append(f"test {failure.test_id}: {error.message}")
        else:
            told.append(proposal.name)
    return told


def _deny(desk: Desk, project: Project, failures: tuple[Failure, ...], person: Person) -> list[str]:
    told: list[str] = []
    for failure in failures:
        with desk.database.read() as tx:
            waiting = open_quarantine_of(tx, project.id, failure.test_id)
        if waiting is None or waiting.state.in_force:
            continue
        try:
            deny(desk, waiting.id, by=person, reason=_NOT_FLAKY, project_id=project.id, real_bug=True)
        except (ConflictError, ForbiddenError) as error:
            told.append(f"{waiting.name}: {error.message}")
        else:
            told.append(waiting.name)
    return told


def _conclude(
    desk: Desk,
    project: Project,
    check: CheckRun,
    *,
    identifier: str,
    reference: str,
    person: Person,
    details: dict[str, Any],
) -> None:
    now = desk.now()
    with desk.database.begin() as tx:
        check_run.pressed(
            tx,
            project_id=project.id,
            check_id=check.check_id or 0,
            identifier=identifier,
            reference=reference,
        )
        audit.append(
            tx,
            organization_id=project.organization_id,
            project_id=project.id,
            at=now,
            actor=person.user,
            via=person.via.value,
            action=f"check.{identifier}",
            subject=f"check-{check.check_id}",
            details=details,
        )
        check_run.want_check(
            tx, project_id=project.id, head_sha=check.head_sha, workflow=check.workflow, now=now
        )
    log.info("check.pressed", project=project.repo, button=identifier, by=person.user)
    desk.dispatch.wake("checks")
