"""Checks: make each check run say what is stored; one writer at a time, and never a second check run.

A post whose outcome is unknown is looked for by name before it is tried again.
"""

import hashlib
import json
from dataclasses import asdict, replace
from datetime import timedelta

import structlog

from core.errors import FlakeGuardError, ForgeError
from core.github.check import CheckReport, render
from core.github.repository import RepositoryRef
from jobs.comments import say_comment
from jobs.desk import Desk
from jobs.forge import (
    CheckRef,
    DeniedError,
    Forge,
    MissingError,
    SuspendedError,
    UnknownOutcomeError,
    WaitError,
)
from jobs.view import view_of
from storage import check_run as outbox
from storage.check_run import CheckRun
from storage.github import repository_of
from storage.project import get_project

log = structlog.get_logger(__name__)

PER_REQUEST = 50
"""Annotations GitHub takes in one request."""
MAX_TRIES = 20
MAX_MISSING = 4
_FIRST_BACKOFF = timedelta(seconds=2)
_MAX_BACKOFF = timedelta(minutes=15)


def publish_checks(desk: Desk, limit: int = 50) -> int:
    """Say every check run that is due; answers how many were said."""
    if desk.forge is None:
        return 0
    with desk.database.read() as tx:
        due = outbox.due_checks(tx, desk.now(), limit)
    return sum(_publish(desk, desk.forge, row_id) for row_id in due)


def refresh_checks(desk: Desk, project_id: int) -> None:
    """What people decided about the project's tests has changed: its recent check runs are looked at again."""
    now = desk.now()
    with desk.database.begin() as tx:
        touched = outbox.touch_checks(tx, project_id=project_id, now=now)
    if touched:
        desk.dispatch.wake("checks")


def _publish(desk: Desk, forge: Forge, row_id: int) -> bool:
    now = desk.now()
    with desk.database.begin() as tx:
        check = outbox.claim_check(tx, row_id, now=now, lease_until=now + desk.lease)
    if check is None:
        return False
    try:
        _say(desk, forge, check)
    except WaitError as error:
        _postpone(desk, check, error, timedelta(seconds=error.retry_after), counted=False)
    except FlakeGuardError as error:
        _postpone(desk, check, error, _backoff(check), dead=_hopeless(check, error))
    except Exception:  # one bad row must not hold up the others
        log.exception("check.crashed", check=check.id)
        _postpone(desk, check, ForgeError("It could not be rendered."), _backoff(check))
    else:
        return True
    return False


def _say(desk: Desk, forge: Forge, check: CheckRun) -> None:
    with desk.database.read() as tx:
        project, known = get_project(tx, check.project_id), repository_of(tx, check.project_id)
        place = check.head_sha, check.workflow
        view = view_of(tx, project, known, *place, base_url=desk.base_url) if known else None
    if known is None or not known.active or view is None:
        _said(desk, check, "")
        return
    report = render(view)
    content = _hash(report)
    pending = report.annotations[_sent(check, report) :]
    if content != check.content or pending:
        _send(desk, forge, known.ref, check, report)
        log.info("check.said", project=project.repo, commit=check.head_sha, conclusion=report.conclusion)
    say_comment(desk, forge, project, known, check)
    _said(desk, check, content)


def _sent(check: CheckRun, report: CheckReport) -> int:
    """How many of this attempt's annotations GitHub has: it appends them and never takes one back."""
    return check.annotated if check.annotated_for == report.external_id else 0


def _send(desk: Desk, forge: Forge, ref: RepositoryRef, check: CheckRun, report: CheckReport) -> None:
    sent = _sent(check, report)
    check_id = check.check_id or _find(desk, forge, ref, check, report)
    while True:
        part = report.annotations[sent : sent + PER_REQUEST]
        piece = replace(report, annotations=part)
        if check_id is None:
            check_id = _create(desk, forge, ref, check, piece).id
        else:
            forge.update_check(ref, check_id, piece)
        sent += len(part)
        _note_sent(desk, check, sent, report)
        if sent >= len(report.annotations):
            return


def _find(desk: Desk, forge: Forge, ref: RepositoryRef, check: CheckRun, report: CheckReport) -> int | None:
    """A post was begun and nobody saw its end: it may be there."""
    if not check.uncertain:
        return None
    found = forge.find_check(ref, check.head_sha, report.name)
    if found is None:
        return None
    with desk.database.begin() as tx:
        outbox.found_check(tx, check, found.id)
    return found.id


def _create(desk: Desk, forge: Forge, ref: RepositoryRef, check: CheckRun, piece: CheckReport) -> CheckRef:
    with desk.database.begin() as tx:
        if not outbox.mark_post(tx, check):
            raise ForgeError("Another node has taken this check run over.")
    made = forge.create_check(ref, piece)
    with desk.database.begin() as tx:
        outbox.found_check(tx, check, made.id)
    return made


def _note_sent(desk: Desk, check: CheckRun, sent: int, report: CheckReport) -> None:
    if report.annotations:
        with desk.database.begin() as tx:
            outbox.annotated(tx, check, sent=sent, reference=report.external_id)


def _said(desk: Desk, check: CheckRun, content: str) -> None:
    with desk.database.begin() as tx:
        outbox.said_check(tx, check, content=content, now=desk.now())


def _postpone(
    desk: Desk,
    check: CheckRun,
    error: FlakeGuardError,
    wait: timedelta,
    *,
    dead: bool = False,
    counted: bool = True,
) -> None:
    log.warning(
        "check.not_said", check=check.id, reason=error.message, dead=dead, seconds=wait.total_seconds()
    )
    with desk.database.begin() as tx:
        outbox.postpone_check(
            tx, check, due_at=desk.now() + wait, error=error.message, dead=dead, counted=counted
        )


def _backoff(check: CheckRun) -> timedelta:
    return min(_FIRST_BACKOFF * 2.0 ** min(check.tries - 1, 12), _MAX_BACKOFF)


def _hopeless(check: CheckRun, error: FlakeGuardError) -> bool:
    """No use in trying again before something changes."""
    match error:
        case DeniedError() | SuspendedError():
            return True
        case UnknownOutcomeError():
            return False
        case MissingError():
            return check.tries >= MAX_MISSING
        case _:
            return check.tries >= MAX_TRIES or error.details.get("status") == _UNPROCESSABLE


_UNPROCESSABLE = 422


def _hash(report: CheckReport) -> str:
    """Of all that can be replaced; annotations only ever grow."""
    data = asdict(replace(report, annotations=()))
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode("utf-8", "replace")).hexdigest()
