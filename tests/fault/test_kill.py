"""kill -9 wherever it hurts: between the decision's commit and its message, and in the middle of a post."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import loopback
from fakes.loopback import LoopbackChat, Stub
from fakes.shop import Shop

from jobs.publish import LEASE

TIMES = 10


@pytest.fixture
def stub(tmp_path):
    stub = Stub(tmp_path / "posts.jsonl")
    yield stub
    stub.close()


@pytest.fixture
def process(database_url, stub):
    """A bot in a process of its own; ended for sure when the test is."""
    started = []

    def start(shop, work):
        told = (database_url, stub.url, str(shop.clock().timestamp()), str(work))
        root = Path(loopback.__file__).parents[2]
        running = subprocess.Popen(
            [sys.executable, "-m", "fakes.loopback", *told],
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": f"{root}:{root / 'tests'}"},
        )
        started.append(running)
        return running

    yield start
    for one in started:
        one.kill()
        one.wait()
        one.stdout.close()


@pytest.fixture
def shop(database, stub):
    shop = Shop(database)
    object.__setattr__(shop.desk, "chat", LoopbackChat(stub.url))
    return shop


def until(running, word):
    for line in running.stdout:
        if line.strip() == word:
            return
    raise AssertionError(f"the process ended before it was {word}")


def test_killed_between_the_decision_and_its_message(shop, stub, process):
    proposal = shop.finds_flaky()
    running = process(shop, proposal.id)
    until(running, "decided")
    running.kill()
    running.wait()
    shop.publishes()
    assert [one["state"] for one in stub.posts()] == ["active"]
    assert shop.audited(proposal.name)[1:] == [("alice", "quarantine.approved")]


@pytest.mark.slow
def test_killed_in_the_middle_of_a_post_ten_times(shop, stub, process):
    for number in range(1, TIMES + 1):
        shop.finds_flaky(f"test_{number}")
        stub.delay = 30
        stub.received.clear()
        running = process(shop, "publish")
        assert stub.received.wait(30)
        running.kill()
        running.wait()
        stub.delay = 0
        assert len(stub.posts()) == number
        shop.clock.pass_(seconds=LEASE.total_seconds() + 1)
        shop.publishes()
        keys = [one["key"] for one in stub.posts()]
        assert len(keys) == len(set(keys)) == number


def test_killed_before_the_post_leaves_it_to_another_node_within_the_lease(shop, stub, process):
    shop.finds_flaky()
    running = process(shop, "publish")
    until(running, "publishing")
    running.kill()
    running.wait()
    begun = shop.clock()
    shop.publishes()
    assert len(stub.posts()) == 1
    assert shop.clock() - begun <= LEASE + timedelta(seconds=5)
