from datetime import UTC, datetime, timedelta

import pytest

from core.quarantine import State
from jobs.decide import approve, extend, release
from jobs.expire import expire_due, warnings

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
UNTIL = datetime(2026, 11, 30, 12, tzinfo=UTC)


def days_go_by(shop, days, *, step=HOUR * 3):
    """The clock job ticks and the outbox runs all the while."""
    end = shop.clock() + days * DAY
    while shop.clock() < end:
        shop.clock.pass_(seconds=step.total_seconds())
        expire_due(shop.desk)
        shop.publishes()


@pytest.fixture
def approved(small_shop):
    proposal = small_shop.finds_flaky()
    small_shop.publishes()
    approve(small_shop.desk, proposal.id, by=small_shop.alice)
    return proposal


def test_a_quarantine_warns_at_three_days_and_one_day_and_ends_once(small_shop, approved):
    days_go_by(small_shop, 15)
    assert small_shop.chat.replies() == ["3 days left in quarantine.", "1 day left in quarantine."]
    assert small_shop.now(approved).state is State.EXPIRED
    assert small_shop.audited(approved.name)[1:] == [
        ("alice", "quarantine.approved"),
        ("flakeguard", "quarantine.expiring"),
        ("flakeguard", "quarantine.expired"),
    ]
    assert small_shop.chat.shows()[0].quarantine.state is State.EXPIRED
    assert not small_shop.uploads(test_login="failed").all_failures_quarantined


def test_a_renewal_silences_the_old_warning_and_warns_anew(small_shop, approved):
    days_go_by(small_shop, 11.5)
    extend(small_shop.desk, approved.id, by=small_shop.bob, reason="In review", days=14)
    days_go_by(small_shop, 3)
    assert small_shop.chat.replies() == ["3 days left in quarantine."]
    days_go_by(small_shop, 12)
    assert small_shop.chat.replies() == ["3 days left in quarantine."] * 2 + ["1 day left in quarantine."]
    assert small_shop.now(approved).state is State.EXPIRED


def test_a_release_silences_the_warning(small_shop, approved):
    days_go_by(small_shop, 11.5)
    release(small_shop.desk, approved.id, by=small_shop.bob)
    days_go_by(small_shop, 4)
    assert small_shop.chat.replies() == ["3 days left in quarantine."]


def test_a_server_that_was_down_tells_no_wrong_number_of_days(small_shop, approved):
    small_shop.clock.pass_(days=12)
    days_go_by(small_shop, 3)
    assert small_shop.chat.replies() == ["1 day left in quarantine."]


def test_a_server_that_was_down_too_long_ends_it_late_but_surely(small_shop, approved):
    small_shop.clock.pass_(days=40)
    assert expire_due(small_shop.desk) == 1
    assert small_shop.now(approved).state is State.EXPIRED


def test_a_proposal_nobody_decides_lapses_after_a_week(small_shop):
    proposal = small_shop.finds_flaky()
    days_go_by(small_shop, 6.5)
    assert small_shop.now(proposal).state is State.PROPOSED
    days_go_by(small_shop, 1)
    assert small_shop.now(proposal).state is State.LAPSED


def test_two_nodes_expire_it_once(shop):
    proposal = shop.finds_flaky()
    shop.clock.pass_(days=8)
    assert [expire_due(desk) for desk in (shop.desk, shop.other_desk())] == [1, 0]
    assert shop.audited(proposal.name)[-1] == ("flakeguard", "quarantine.lapsed")


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (3 * DAY, [(3, UNTIL - 3 * DAY), (1, UNTIL - DAY)]),
        (3 * DAY - 5 * HOUR, [(3, UNTIL - 3 * DAY), (1, UNTIL - DAY)]),
        (2 * DAY, [(1, UNTIL - DAY)]),
        (DAY / 2, [(0, UNTIL - DAY / 2)]),
    ],
)
def test_at_least_one_true_warning_is_given(left, said):
    assert [(days, due) for days, _, due in warnings(UNTIL, UNTIL - left)] == said
