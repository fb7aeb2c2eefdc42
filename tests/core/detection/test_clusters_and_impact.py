"""One cause, one card; and what flakiness costs."""

from datetime import UTC, datetime, timedelta

from histories.ci import BAD, OK, Ci, failed

from core.clusters import fellows, one_card_each
from core.impact import Hit, impact

AT = datetime(2026, 5, 4, tzinfo=UTC)


def hit(run="r", **kwargs):
    values = {"attempt": 1, "at": AT, "pr": "", "run_seconds": 600.0, "blocked": True}
    return Hit(run, **(values | kwargs))


def test_tests_that_keep_failing_together_with_one_message_are_one_card():
    ci = Ci()
    for _ in range(3):
        ci.run(f"c{ci.hour}", *(failed(test, BAD, OK, message="db gone") for test in (3, 5)), hours=30)
        ci.run(f"d{ci.hour}", failed(9, BAD, OK, message="db gone"))
    assert one_card_each(ci.state, [3, 5, 9]) == [(3, 5), (9,)]
    assert fellows(ci.state, 9, since=0) == [3, 5]


def test_nothing_costs_nothing():
    assert impact([]).ci_minutes_lost == 0


def test_a_run_is_lost_once_and_only_when_this_test_alone_made_it_red():
    told = impact([hit(pr="1"), hit(), hit("s", alone=False), hit("t", blocked=False), hit("u", flake=False)])
    assert (told.failures, told.runs_failed, told.runs_failed_alone) == (4, 2, 1)
    assert told.ci_minutes_lost == 10


def test_pull_requests_are_counted_once():
    hits = [hit(f"r{i}", pr=str(i % 2), at=AT + timedelta(hours=i)) for i in range(4)]
    told = impact(hits)
    assert (told.pull_requests, told.first_at, told.last_at) == (2, AT, AT + timedelta(hours=3))
