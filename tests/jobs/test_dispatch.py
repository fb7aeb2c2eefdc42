import threading

import pytest

from core.errors import DatabaseError
from jobs.dispatch import Loops

SOON = 10


@pytest.fixture
def loops():
    """Woken or not at all: sweeps lie a minute apart."""
    loops = Loops(tick=60, rest=0.01)
    yield loops
    loops.stop()


def test_who_is_woken_works_at_once(loops):
    worked = threading.Semaphore(0)
    loops.add("publish", lambda: worked.release() or 0)
    loops.start()
    assert worked.acquire(timeout=SOON)
    loops.wake("publish")
    assert worked.acquire(timeout=SOON)


def test_a_lost_wake_up_costs_only_the_time_until_the_sweep():
    loops, worked = Loops(tick=0.01), threading.Semaphore(0)
    loops.add("publish", lambda: worked.release() or 0)
    loops.start()
    assert all(worked.acquire(timeout=SOON) for _ in range(3))
    loops.stop()


def test_while_there_is_more_to_do_nobody_rests(loops):
    left, done = iter(range(50, -1, -1)), threading.Event()

    def work():
        more = next(left, 0)
        if not more:
            done.set()
        return more

    loops.add("inbox", work)
    loops.start()
    assert done.wait(SOON)


@pytest.mark.parametrize("fault", [DatabaseError(), ValueError("a bad row")])
def test_a_fault_does_not_end_the_sweeping(loops, fault):
    faults, worked = [fault], threading.Event()

    def work():
        if faults:
            raise faults.pop()
        worked.set()
        return 0

    loops.add("publish", work)
    loops.start()
    assert any(worked.wait(0.05) or loops.wake("publish") for _ in range(20 * SOON))


def test_one_slow_kind_of_work_holds_no_other_up(loops):
    hold, worked = threading.Event(), threading.Event()
    loops.add("slow", lambda: hold.wait(SOON) and 0)
    loops.add("fast", lambda: worked.set() or 0)
    loops.start()
    assert worked.wait(SOON)
    hold.set()


def test_waking_what_nobody_does_wakes_nobody(loops):
    worked = threading.Semaphore(0)
    loops.add("publish", lambda: worked.release() or 0)
    loops.start()
    assert worked.acquire(timeout=SOON)
    loops.wake("nothing")
    assert not worked.acquire(timeout=0.1)
