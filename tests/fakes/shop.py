"""A small shop with a CI, a Slack channel and four people: the stage on which the journeys play."""

from datetime import timedelta
from itertools import count

from fakes.chat import FakeChat
from fakes.clock import Clock
from fakes.tenant import a_project

from core.report import Attempt, CaseResult, Outcome, TestKey
from core.run import Run, Trust
from core.tenancy import Person, Role, Via
from jobs.desk import Desk
from jobs.ingest import ingest_report
from jobs.publish import publish_due
from storage import audit
from storage.approver import set_role
from storage.project import get_policy, put_policy
from storage.publication import backlog
from storage.quarantine import get_quarantine, list_quarantines
from storage.slack import Route, subscribe
from storage.test_case import search_tests

ENDINGS = {
    "passed": (Outcome.PASSED,),
    "failed": (Outcome.FAILED,),
    "flaky": (Outcome.FAILED, Outcome.PASSED),
    "skipped": (Outcome.SKIPPED,),
}
CALM = tuple(f"test_calm_{number}" for number in range(60))
"""Tests that always pass: a suite in which one failure is no outage."""

LONG = 25
"""Runs after which one flake alone confirms no test."""


def person(name, via=Via.SLACK, **changes):
    return Person(name, via, team="T1", **changes)


class Wakes:
    """A dispatch that only remembers who was woken."""

    def __init__(self):
        self.woken = []

    def wake(self, work):
        self.woken.append(work)


class Shop:
    def __init__(self, database, *, reads=True):
        self.clock = Clock()
        self.database = database
        self.chat = FakeChat(self.clock, reads=reads)
        self.desk = Desk(database, self.clock, chat=self.chat, dispatch=Wakes())
        self.project = a_project(database, now=self.clock())
        self.alice, self.bob, self.carol, self.dana = map(person, ("alice", "bob", "carol", "dana"))
        self._runs = count(1)
        with database.begin() as tx:
            for user, role in (("alice", Role.APPROVER), ("bob", Role.APPROVER), ("dana", Role.ADMIN)):
                set_role(tx, self.project.id, user, role)
        self.hears("C1")

    def other_desk(self):
        """Another node on the same database, with its own memory."""
        return Desk(self.database, self.clock, chat=self.chat, dispatch=Wakes())

    def hears(self, channel, **route):
        self.chat.channels.add(channel)
        with self.database.begin() as tx:
            subscribe(tx, Route(self.project.id, "T1", channel, **route), self.clock())

    def policy(self, **changes):
        with self.database.begin() as tx:
            put_policy(
                tx,
                self.project.id,
                get_policy(tx, self.project.id).next(**changes),
                by="dana",
                now=self.clock(),
            )

    # -- CI ------------------------------------------------------------------------------------------

    def uploads(
        self,
        *,
        run_id="",
        commit="",
        branch="main",
        pr="",
        message="",
        desk=None,
        at=None,
        calm=CALM,
        **tests,
    ):
        """One run of the suite: what is named ends as told, the calm rest passes."""
        number = next(self._runs)
        run = Run(
            run_id or f"run-{number}",
            commit or f"c{number}",
            branch,
            at or self.clock(),
            pr=pr,
            trust=Trust.PR if pr else Trust.TRUNK,
        )
        cases = [
            self.case(name, ending, message or f"AssertionError: {name} went wrong")
            for name, ending in tests.items()
        ]
        cases += [self.case(name, "passed", "") for name in calm]
        return ingest_report(desk or self.desk, self.project.id, run, cases)

    @staticmethod
    def case(name, ending, message):
        attempts = (Attempt(one, 0.1, message if one.bad else None) for one in ENDINGS[ending])
        return CaseResult(TestKey("web", "", name, f"tests/{name}.py"), tuple(attempts))

    def finds_flaky(self, name="test_login", **changes):
        """The CI sees the test pass on retry for the second time, so it is proposed; gives the proposal."""
        self.flaked_before(name)
        self.uploads(**{name: "flaky"}, **changes)
        return self.latest(name)

    def flaked_before(self, *names):
        """Each of them has passed on retry once, a day ago: one more such failure confirms it."""
        tomorrow = self.clock() + timedelta(days=1)
        for _ in range(LONG):
            self.uploads(**dict.fromkeys(names, "passed"))
        for name in names:
            self.clock.pass_(minutes=20)
            self.uploads(**{name: "flaky"})
        self.clock.now = tomorrow

    def goes_on(self, days, *, every=12, **tests):
        """Runs like this one for so many days."""
        for _ in range(days * 24 // every):
            self.clock.pass_(hours=every)
            self.uploads(**tests)

    # -- people --------------------------------------------------------------------------------------

    def test_id(self, name):
        with self.database.read() as tx:
            return search_tests(tx, self.project.id, name, limit=1)[0].id

    test_id.__test__ = False

    def latest(self, name):
        with self.database.read() as tx:
            found, _ = list_quarantines(tx, self.project.id, test_id=self.test_id(name), limit=1)
        return found[0] if found else None

    def now(self, quarantine):
        with self.database.read() as tx:
            return get_quarantine(tx, None, quarantine.id)

    def proposals(self):
        with self.database.read() as tx:
            return list_quarantines(tx, self.project.id, limit=1000)[0]

    # -- what can be seen ----------------------------------------------------------------------------

    def publishes(self, desk=None, turns=200):
        """The outbox runs until it has nothing to say within the next minute; a turn takes a second."""
        for _ in range(turns):
            publish_due(desk or self.desk)
            self.clock.pass_(seconds=1)
            with self.database.read() as tx:
                if not backlog(tx, self.clock() + timedelta(minutes=1))[0]:
                    return
        raise AssertionError("the outbox never comes to rest")

    def audited(self, subject=None):
        """(actor, action) of every event, oldest first."""
        with self.database.read() as tx:
            found, _ = audit.events(tx, self.project.organization_id, subject=subject, limit=1000)
        return [(one.actor, one.action) for one in reversed(found)]
