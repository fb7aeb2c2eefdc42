"""Calm: a storm is over - by itself after an hour, or because a person says what it was."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import structlog

from core.outage import declare_outage
from core.quarantine import Quarantine, RefusedError, SettledError, check_may_decide
from core.storm import TOGETHER, Storm, StormFailure, own_failures, shared_marks
from core.tenancy import CLOCK, Person, Project, Role
from jobs.announce import cards_of, reply
from jobs.desk import Desk
from jobs.respond import ask_about
from jobs.role import group_role
from jobs.score import Scoring, close_scoring, open_scoring
from jobs.settle import max_role, record_refusal
from jobs.storm_card import storm_failures
from jobs.tell import tell_verdicts
from storage import audit, publication, slack
from storage.approver import role_of
from storage.clock import project_time
from storage.database import Tx
from storage.failure import FailureRecord
from storage.project import get_project
from storage.quarantine import lock_decisions
from storage.result import failures_of_run
from storage.storm import calm_storms, end_storm, get_storm, tests_of_storm
from storage.test_run import mark_run

log = structlog.get_logger(__name__)

SENTENCES = {
    "calm": "No test has joined for an hour: it is over.",
    "split": "The tests are treated one by one from now on.",
    "infra": "It was the infrastructure: these runs count for nothing.",
}
MOST_HOURS = 48


def end_calm_storms(desk: Desk) -> int:
    """End the storms nobody has joined for an hour; answers how many."""
    with desk.database.read() as tx:
        calm = calm_storms(tx, desk.now() - TOGETHER)
    return sum(_ends(desk, storm) for storm in calm)


def _ends(desk: Desk, storm: Storm) -> bool:
    try:
        _over(desk, storm, "calm", by=CLOCK)
    except SettledError:
        return False  # somebody was faster, or another test has joined
    return True


def split_storm(desk: Desk, storm_id: int, *, by: Person, project_id: int | None = None) -> list[Quarantine]:
    """Treat the tests one by one: each still confirmed is proposed, and no new storm is declared for a day."""
    return _over(desk, _storm(desk, storm_id, project_id), "split", by=by)


def blame_infrastructure(
    desk: Desk, storm_id: int, *, by: Person, project_id: int | None = None
) -> list[Quarantine]:
    """Leave the failures of this storm out of every score; what is still confirmed without them is proposed."""
    return _over(desk, _storm(desk, storm_id, project_id), "infra", by=by)


def mute_storm(
    desk: Desk,
    storm_id: int,
    *,
    by: Person,
    team: str,
    channel: str,
    hours: int = 4,
    project_id: int | None = None,
) -> None:
    """Nothing new of this project is said in the channel for some hours."""
    storm = _storm(desk, storm_id, project_id)
    promoted, now = group_role(desk, storm.project_id, by), desk.now()
    until = now + timedelta(hours=min(max(hours, 1), MOST_HOURS))

    def work(tx: Tx) -> RefusedError | None:
        project = get_project(tx, storm.project_id)
        refusal = _refusal(tx, desk, project, storm, "muted", by=by, promoted=promoted)
        if refusal is None:
            slack.mute(tx, project.id, team=team, channel=channel, until=until)
            _record(tx, desk, project, storm, "muted", by=by)
        return refusal

    if (refusal := desk.database.run(work)) is not None:
        raise refusal


def _storm(desk: Desk, storm_id: int, project_id: int | None) -> Storm:
    with desk.database.begin() as tx:  # not `read`: a replica may not know it yet
        return get_storm(tx, project_id, storm_id)


def _over(desk: Desk, storm: Storm, ended: str, *, by: Person) -> list[Quarantine]:
    promoted = group_role(desk, storm.project_id, by)

    def work(tx: Tx) -> list[Quarantine] | RefusedError:
        project = get_project(tx, storm.project_id)
        scoring = open_scoring(tx, desk.scores, project)
        lock_decisions(tx, project.id)
        refusal = None if by is CLOCK else _refusal(tx, desk, project, storm, ended, by=by, promoted=promoted)
        if refusal is not None:
            return refusal
        present = get_storm(tx, project.id, storm.id)
        if by is CLOCK and present.joined_at > storm.joined_at:
            raise SettledError(f"{storm.name} goes on.")
        if ended == "infra":
            _leave_out(tx, scoring, present)
        if not end_storm(tx, present, ended=ended, now=desk.now()):
            raise SettledError(f"{storm.name} is already over.")
        _record(tx, desk, project, storm, ended, by=by)
        _tell(tx, desk, storm, ended)
        proposed = ask_about(tx, scoring, tests_of_storm(tx, storm), now=desk.now())
        close_scoring(tx, desk.scores, scoring, now=project_time(tx, project.id, desk.now()))
        tell_verdicts(tx, project, scoring.transitions, now=desk.now())
        return proposed

    outcome = desk.database.run(work)
    if isinstance(outcome, RefusedError):
        raise outcome
    desk.dispatch.wake("publish")
    log.info("storm.over", storm=storm.name, ended=ended, proposed=len(outcome))
    return outcome


def _leave_out(tx: Tx, scoring: Scoring, storm: Storm) -> None:
    """Mark the runs and make the engine forget what they seemed to prove."""
    members = tests_of_storm(tx, storm)
    failures = own_failures(storm, storm_failures(tx, storm, members))
    for run_pk in _broken_runs(tx, storm, failures):
        mark_run(tx, storm.project_id, run_pk, infra=True)
    scoring.learnt(
        declare_outage(
            scoring.state, storm.name, failures, thresholds=scoring.thresholds, q_table=scoring.q_table
        )
    )
    scoring.changed.update(members)


def _broken_runs(tx: Tx, storm: Storm, failures: Iterable[StormFailure]) -> list[int]:
    """Runs that the storm broke: at least half of what failed in them is its own, or says what its tests say."""
    said = shared_marks(failures)
    mine: defaultdict[tuple[int, datetime], set[int]] = defaultdict(set)
    for one in failures:
        mine[one.run_pk, one.run.at].add(one.test_id)
    return [
        run_pk
        for (run_pk, at), tests in mine.items()
        if _mostly(failures_of_run(tx, storm.project_id, run_pk, at), tests, said)
    ]


def _mostly(failed: Mapping[int, FailureRecord], tests: set[int], said: set[str]) -> bool:
    like = [
        test
        for test, one in failed.items()
        if test in tests or said & {mark.hex() for mark in one.fingerprints if mark}
    ]
    return 2 * len(like) >= len(failed)


def _tell(tx: Tx, desk: Desk, storm: Storm, ended: str) -> None:
    publication.touch(tx, project_id=storm.project_id, kind="storm", subject=storm.id, now=desk.now())
    for card in cards_of(tx, storm.project_id, "storm", storm.id):
        name, payload = f"{storm.name}:over", {"text": SENTENCES[ended]}
        reply(tx, card, name=name, subject=storm.id, payload=payload, now=desk.now())


def _refusal(
    tx: Tx, desk: Desk, project: Project, storm: Storm, wanted: str, *, by: Person, promoted: Role
) -> RefusedError | None:
    """None when the person may decide; else the refusal, audited."""
    try:
        check_may_decide(by, max_role(role_of(tx, project.id, by.user), promoted))
    except RefusedError as refusal:
        record_refusal(tx, project, storm.name, by=by, wanted=wanted, refusal=refusal, at=desk.now())
        return refusal
    return None


def _record(tx: Tx, desk: Desk, project: Project, storm: Storm, what: str, *, by: Person) -> None:
    audit.record(tx, project, by=by, action=f"storm.{what}", subject=storm.name, at=desk.now())
