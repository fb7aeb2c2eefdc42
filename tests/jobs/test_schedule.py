from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from jobs.schedule import AFTER_FAULT, Task, period_of, run_once, start_timetable

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def effects():
    return []


@pytest.fixture
def task(effects):
    return Task("count", timedelta(minutes=5), effects.append)


def test_three_nodes_in_the_same_tick_have_one_effect(shop, task, effects):
    with ThreadPoolExecutor(3) as pool:
        ran = list(
            pool.map(lambda desk: run_once(desk, task), [shop.desk, shop.other_desk(), shop.other_desk()])
        )
    assert (sum(ran), len(effects)) == (1, 1)


def test_every_period_has_its_effect(shop, task, effects):
    for _ in range(6):
        run_once(shop.desk, task)
        shop.clock.pass_(minutes=2, seconds=30)
    assert len(effects) == 3


def test_a_dead_nodes_claim_is_taken_over_after_its_lease(shop, effects):
    class Killed(BaseException):
        """As kill -9: no handler runs."""

    def die(_):
        raise Killed

    day = timedelta(days=1)
    with pytest.raises(Killed):
        run_once(shop.desk, Task("daily", day, die))
    healthy = Task("daily", day, effects.append)
    shop.clock.pass_(minutes=9)
    assert not run_once(shop.other_desk(), healthy)
    shop.clock.pass_(minutes=2)
    assert run_once(shop.other_desk(), healthy)
    assert not run_once(shop.other_desk(), healthy)
    assert len(effects) == 1


def test_work_that_failed_is_tried_again_soon(shop, effects):
    def fail(_):
        raise ValueError("the work failed")

    day = timedelta(days=1)
    with pytest.raises(ValueError, match="the work failed"):
        run_once(shop.desk, Task("daily", day, fail))
    healthy = Task("daily", day, effects.append)
    assert not run_once(shop.desk, healthy)
    shop.clock.pass_(seconds=AFTER_FAULT.total_seconds() + 1)
    assert run_once(shop.desk, healthy)


@pytest.mark.parametrize(
    ("every", "now", "expected"),
    [
        (timedelta(minutes=5), NOON + timedelta(minutes=7), NOON + timedelta(minutes=5)),
        (timedelta(days=1), NOON, NOON - timedelta(hours=12)),
        (timedelta(minutes=1), NOON, NOON),
    ],
)
def test_a_period_is_named_by_its_beginning(every, now, expected):
    assert period_of(every, now) == expected.isoformat()


def test_the_timetable_ticks_at_once(small_shop, task, effects):
    scheduler = start_timetable(small_shop.desk, [task])
    scheduler.shutdown(wait=True)
    assert [job.id for job in scheduler.get_jobs()] in ([], ["count"])
