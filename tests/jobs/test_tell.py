"""What endpoints are told, and that it is told exactly when the change it tells of is true."""

from datetime import timedelta

import pytest
from fakes.courier import FakeCourier
from fakes.shop import CALM, Shop, person

from core.quarantine import RefusedError
from core.reach import Reach
from core.run import Run
from core.tenancy import Via
from jobs.connect import Listener, add_endpoint, switch_off, switch_on
from jobs.decide import approve, deny, extend, release
from jobs.deliver import deliver_due
from jobs.expire import expire_due
from jobs.import_history import History, PastRun, import_history
from jobs.ingest import key_of
from jobs.propose import propose
from storage.project import create_project

OPERATOR = person("operator", via=Via.CLI)


class Wall:
    """A shop with an endpoint, and what has been hung up there."""

    def __init__(self, shop):
        self.shop, self.courier = shop, FakeCourier()
        object.__setattr__(shop.desk, "courier", self.courier)

    def listens(self, *events, project_id=None):
        listener = Listener(self.shop.project.organization_id, project_id)
        return add_endpoint(
            self.shop.desk,
            listener,
            "https://hooks.example.com/x",
            reach=Reach(),
            secret=b"sealed",
            by=OPERATOR,
            events=events,
        )

    def hears(self):
        deliver_due(self.shop.desk)
        return self.courier.events

    @property
    def last(self):
        return self.courier.messages[-1].data


@pytest.fixture
def wall(shop):
    return Wall(shop)


@pytest.fixture
def small_wall(small_shop):
    return Wall(small_shop)


def test_a_test_is_flagged_and_proposed(wall):
    wall.listens()
    proposal = wall.shop.finds_flaky()
    assert wall.hears() == ["test.flagged", "quarantine.proposed"]
    flagged, proposed = (one.data for one in wall.courier.messages)
    assert flagged["project"] == {"project_id": wall.shop.project.id, "repo": "acme/web"}
    assert (flagged["test"]["name"], flagged["verdict"]["state"]) == ("test_login", "flaky")
    assert (flagged["verdict"]["before"], flagged["verdict"]["score"] > 0.5) == ("suspect", True)
    assert proposed["quarantine"]["proposal_id"] == proposal.name
    assert proposed["by"] == {"user": "flakeguard", "via": "policy"}


def test_a_whole_story(wall):
    shop = wall.shop
    wall.listens("quarantine.*")
    proposal = shop.finds_flaky()
    approve(shop.desk, proposal.id, by=shop.alice)
    extend(shop.desk, proposal.id, by=shop.bob, reason="soon mended", days=20)
    release(shop.desk, proposal.id, by=shop.dana, reason="mended")
    assert wall.hears() == [f"quarantine.{step}" for step in ("proposed", "approved", "renewed", "released")]
    assert (wall.last["by"], wall.last["quarantine"]["decision_reason"]) == (
        {"user": "dana", "via": "slack"},
        "mended",
    )


def test_what_only_the_clock_does_is_told_too(wall):
    shop = wall.shop
    wall.listens("quarantine.*")
    approve(shop.desk, shop.finds_flaky().id, by=shop.alice)
    for _ in range(15):
        shop.clock.pass_(days=1)
        expire_due(shop.desk)
    assert wall.hears()[-2:] == ["quarantine.expiring", "quarantine.expired"]


def test_a_vote_that_is_not_the_last_is_nobodys_news(wall):
    shop = wall.shop
    shop.policy(approvals_required=2)
    wall.listens("quarantine.*")
    proposal = shop.finds_flaky()
    approve(shop.desk, proposal.id, by=shop.alice)
    assert wall.hears() == ["quarantine.proposed"]
    approve(shop.desk, proposal.id, by=shop.bob)
    assert wall.hears()[1:] == ["quarantine.approved"]


def test_what_is_refused_is_not_told(wall):
    shop = wall.shop
    proposal = shop.finds_flaky()
    wall.listens()
    with pytest.raises(RefusedError):
        approve(shop.desk, proposal.id, by=shop.carol)
    assert wall.hears() == []


def test_a_test_that_recovers_is_told(wall):
    shop = wall.shop
    wall.listens("test.*")
    shop.finds_flaky()
    shop.goes_on(30, test_login="passed")
    assert wall.hears()[:2] == ["test.flagged", "test.recovered"]


def test_a_test_that_breaks_is_told(wall):
    shop = wall.shop
    wall.listens("test.*", "quarantine.withdrawn")
    shop.finds_flaky()
    for _ in range(12):
        shop.clock.pass_(hours=2)
        shop.uploads(test_login="failed")
    assert {"test.broken", "quarantine.withdrawn"} <= set(wall.hears())


def test_what_does_not_commit_is_not_told(small_wall):
    shop = small_wall.shop
    small_wall.listens()
    proposal = shop.finds_flaky()
    small_wall.hears()

    def refuse(*_):
        raise RuntimeError("the lights go out before the commit")

    told = shop.database.run
    object.__setattr__(shop.database, "run", lambda work: told(lambda tx: (work(tx), refuse())))
    with pytest.raises(RuntimeError):
        approve(shop.desk, proposal.id, by=shop.alice)
    assert "quarantine.approved" not in small_wall.hears()


@pytest.mark.parametrize(
    ("events", "heard"),
    [
        ((), ["test.flagged", "quarantine.proposed", "quarantine.denied"]),
        (("quarantine.denied",), ["quarantine.denied"]),
        (("test.*",), ["test.flagged"]),
        (("test.broken",), []),
    ],
)
def test_each_hears_what_it_has_chosen(small_wall, events, heard):
    shop = small_wall.shop
    small_wall.listens(*events)
    deny(shop.desk, shop.finds_flaky().id, by=shop.alice, reason="a real bug")
    assert small_wall.hears() == heard


def test_an_endpoint_of_another_project_hears_nothing(small_wall):
    shop = small_wall.shop
    with shop.database.begin() as tx:
        other = create_project(
            tx,
            organization_id=shop.project.organization_id,
            repo="acme/other",
            default_branch="main",
            now=shop.clock(),
        )
    small_wall.listens(project_id=other.id)
    shop.finds_flaky()
    assert small_wall.hears() == []


def test_while_it_is_switched_off_nothing_is_written_and_what_waited_goes_later(small_wall):
    shop = small_wall.shop
    made = small_wall.listens("quarantine.*")
    proposal = shop.finds_flaky()
    switch_off(shop.desk, made.id, by=OPERATOR)
    approve(shop.desk, proposal.id, by=shop.alice)
    assert small_wall.hears() == []
    switch_on(shop.desk, made.id, by=OPERATOR)
    assert small_wall.hears() == ["quarantine.proposed"]


def test_an_imported_past_is_nobodys_news_but_what_it_leads_to_is(small_wall):
    """Years of verdicts are not told again; a question that is asked now is."""
    shop = small_wall.shop
    small_wall.listens()
    history, at = History(), shop.clock() - timedelta(days=3)
    for number in range(40):
        run = Run(f"past-{number}", f"p{number}", "main", at + timedelta(hours=number))
        past = PastRun(run)
        ending = "flaky" if number > 25 and number % 4 == 0 else "passed"
        calm = (shop.case(name, "passed", "") for name in CALM)
        for case in (shop.case("test_login", ending, "boom"), *calm):
            past.tests[case.key] = list(case.attempts)
        history.runs[key_of(run)] = past
    answer = import_history(shop.desk, shop.project.id, history)
    assert answer.proposals
    assert small_wall.hears() == ["quarantine.proposed"]


def test_a_long_reason_is_cut_and_the_message_stays_small(small_wall):
    shop = small_wall.shop
    shop.uploads(test_login="flaky")
    small_wall.listens()
    propose(
        shop.desk,
        project_id=shop.project.id,
        test_id=shop.test_id("test_login"),
        by=shop.alice,
        reason="why " * 5000,
    )
    small_wall.hears()
    assert len(small_wall.last["quarantine"]["reason"]) == 1000


def test_a_quiet_run_asks_for_no_endpoint_and_writes_nothing(small_wall):
    shop = small_wall.shop
    small_wall.listens()
    shop.uploads(test_login="passed")
    assert small_wall.hears() == []


def test_two_nodes_tell_once(shop):
    wall = Wall(shop)
    wall.listens()
    proposal = shop.finds_flaky()
    approve(shop.other_desk(), proposal.id, by=shop.alice)
    other = Shop.other_desk(shop)
    object.__setattr__(other, "courier", wall.courier)
    for _ in range(3):
        deliver_due(shop.desk)
        deliver_due(other)
    assert wall.courier.events == ["test.flagged", "quarantine.proposed", "quarantine.approved"]
