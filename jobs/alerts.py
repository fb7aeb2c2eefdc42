"""Alerts: what a quarantine's thread should hear - it always fails, it is never seen, it has been well for long."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.quarantine import Quarantine
from core.report import Outcome
from core.tenancy import Project
from core.verdict import TestState
from jobs.announce import note_in_thread, told_in_threads
from jobs.desk import Desk
from storage.clock import project_time
from storage.database import Tx
from storage.detection import find_detection, transitions
from storage.flake import failures_since
from storage.project import list_projects
from storage.quarantine import in_force
from storage.result import past
from storage.test_case import TestCase, get_tests

ALWAYS = 5
"""Runs since approval from which on "it fails every time" may be said."""
UNSEEN = timedelta(days=14)
WELL = timedelta(days=7)
WELL_STATES = frozenset({TestState.RECOVERED.value, TestState.HEALTHY.value})


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a quarantine's thread is told once."""

    quarantine: Quarantine
    name: str
    text: str


def alert(desk: Desk) -> int:
    """Tell every thread what it has not been told yet; answers how many facts that is."""
    with desk.database.read() as tx:
        facts = [fact for project in list_projects(tx) for fact in facts_of(tx, project, desk.now())]
    for fact in facts:
        with desk.database.begin() as tx:
            payload = {"text": fact.text, "tell_owner": True}
            note_in_thread(tx, fact.quarantine, fact=fact.name, payload=payload, now=desk.now())
    if facts:
        desk.dispatch.wake("publish")
    return len(facts)


def facts_of(tx: Tx, project: Project, now: datetime) -> Iterator[Fact]:
    """What the threads of a project's quarantines have not been told yet."""
    covered, at = in_force(tx, project.id), project_time(tx, project.id, now)
    tests = get_tests(tx, project.id, covered)
    for test_id, quarantine in covered.items():
        if test := tests.get(test_id):
            yield from _facts(tx, quarantine, test, at)


def _facts(tx: Tx, quarantine: Quarantine, test: TestCase, at: datetime) -> Iterator[Fact]:
    if test.last_seen < at - UNSEEN:
        days = (at - test.last_seen).days
        yield from _news(
            tx, quarantine, "unseen", f"No run has contained this test for {days} days: is it gone?"
        )
    elif _well_since(tx, quarantine, at):
        text = "It has been well for a week. Release it early, and it guards merges again."
        yield from _news(tx, quarantine, "well", text)
    elif runs := _always_fails(tx, quarantine):
        text = f"It failed in all {runs} runs since it was approved: broken rather than flaky."
        yield from _news(tx, quarantine, "always", text)


def _news(tx: Tx, quarantine: Quarantine, name: str, text: str) -> Iterator[Fact]:
    """The fact, unless it has been told since the last renewal."""
    fact = f"{name}-{quarantine.renewals}"
    if not told_in_threads(tx, quarantine, fact=fact):
        yield Fact(quarantine, fact, text)


def _always_fails(tx: Tx, quarantine: Quarantine) -> int:
    """Runs since approval when it failed in every one of them, and often enough to say so; else 0.

    The failures are counted first: unpacking a test's past is dear, and mostly they are too few.
    """
    if quarantine.decided_at is None:
        return 0
    since = quarantine.decided_at
    failed, _ = failures_since(tx, quarantine.project_id, quarantine.test_id, since)
    if failed < ALWAYS:
        return 0
    found = past(tx, quarantine.project_id, quarantine.test_id, since=since)
    outcomes = [one.outcome for one in found if one.outcome is not Outcome.SKIPPED]
    return len(outcomes) if len(outcomes) >= ALWAYS and all(one.bad for one in outcomes) else 0


def _well_since(tx: Tx, quarantine: Quarantine, at: datetime) -> bool:
    """True when its verdict has been a good one for long enough."""
    found = find_detection(tx, quarantine.project_id, quarantine.test_id)
    if found is None or found.state not in WELL_STATES:
        return False
    newest, _ = transitions(tx, quarantine.project_id, test_id=quarantine.test_id, limit=1)
    return bool(newest) and newest[0].at <= at - WELL
