"""What signing in to the web pages writes."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from fakes.clock import Clock

from jobs.admit import signing_secret, use_ticket
from jobs.desk import Desk


@pytest.fixture
def desk(database):
    return Desk(database=database, now=Clock())


def test_nodes_that_start_together_sign_with_the_same_secret(desk):
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda number: signing_secret(desk, bytes([number]) * 32), range(4)))
    assert len(set(made)) == 1
    assert signing_secret(desk, b"later" * 7) == made[0]


def test_a_ticket_is_good_once(desk):
    with ThreadPoolExecutor(4) as pool:
        used = list(pool.map(lambda _: use_ticket(desk, "ticket"), range(4)))
    assert sorted(used) == [False, False, False, True]
    assert use_ticket(desk, "another")
