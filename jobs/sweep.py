"""Sweep: let time pass for every project's verdicts - evidence ages, tests recover or retire, questions come back."""

from datetime import datetime, timedelta

import structlog

from core.errors import NotFoundError
from core.quarantine import Quarantine, State
from core.verdict import TestState
from jobs.announce import announce_proposal
from jobs.desk import Desk
from jobs.respond import ask_about, respond
from jobs.score import Scoring, close_scoring, open_scoring
from storage.clock import project_time
from storage.database import Tx
from storage.detection import detections
from storage.project import get_project, list_projects
from storage.quarantine import latest_quarantine_of, list_quarantines, rested_tests

log = structlog.get_logger(__name__)

MOST = 1000
"""Tests asked about in one sweep; the policy's cap is far below."""


def sweep_projects(desk: Desk) -> int:
    """One transaction a project; answers how many verdicts changed."""
    with desk.database.read() as tx:
        projects = list_projects(tx)
    return sum(sweep_project(desk, project.id) for project in projects)


def sweep_project(desk: Desk, project_id: int) -> int:
    """What time alone changes in one project."""

    def work(tx: Tx) -> int:
        now = desk.now()
        scoring = open_scoring(tx, desk.scores, get_project(tx, project_id))
        at = project_time(tx, project_id, now)
        outcome = scoring.pass_time(at)
        close_scoring(tx, desk.scores, scoring, now=at)
        respond(tx, scoring, outcome, now=now)
        ask_about(tx, scoring, unanswered(tx, scoring, now), now=now)
        _tell_new_channels(tx, scoring, now)
        return len(outcome.transitions)

    try:
        changed = desk.database.run(work)
    except NotFoundError:  # erased since the list was read
        return 0
    desk.dispatch.wake("publish")
    return changed


def unanswered(tx: Tx, scoring: Scoring, now: datetime) -> list[int]:
    """Tests still confirmed flaky that nobody is asked about, and that nobody wants to be left alone with."""
    rest = timedelta(days=scoring.policy.deny_cooldown_days)
    resting = rested_tests(tx, scoring.project.id, now - rest)
    flaky, _ = detections(tx, scoring.project.id, states=[TestState.FLAKY.value], limit=MOST)
    return [
        one.test_id
        for one in flaky
        if one.confirmed and one.test_id not in resting and _again(tx, scoring, one.test_id, one.last_failure)
    ]


def _again(tx: Tx, scoring: Scoring, test_id: int, last_failure: datetime | None) -> bool:
    """A question once answered is asked again only when the test has failed since."""
    story = latest_quarantine_of(tx, scoring.project.id, test_id)
    if story is None:
        return True
    return not story.state.open and _failed_since(story, last_failure)


def _failed_since(story: Quarantine, last_failure: datetime | None) -> bool:
    return story.ended_at is None or (last_failure is not None and last_failure > story.ended_at)


def _tell_new_channels(tx: Tx, scoring: Scoring, now: datetime) -> None:
    """A channel that joined later gets the cards that still wait; the others have theirs already."""
    waiting, _ = list_quarantines(tx, scoring.project.id, states=[State.PROPOSED], limit=MOST)
    for proposal in waiting:
        announce_proposal(tx, scoring.project, scoring.policy, proposal, now=now)
