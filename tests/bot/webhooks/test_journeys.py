"""Over real sockets and through faults: killed, hung up on, asked to wait - at least once, always under one id."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from fakes import webhook_office
from fakes.receiver import Reply
from fakes.webhook_office import OPERATOR, Office
from standardwebhooks import Webhook

from bot.app import build
from bot.settings import Settings
from bot.webhooks.trial import try_endpoint
from jobs.connect import send_test
from jobs.crew import Crew
from jobs.deliver import deliver_due
from storage.endpoint import change_endpoint

ROOT = Path(webhook_office.__file__).parents[2]


@pytest.fixture
def everywhere(database_url):
    """The office, on both databases."""
    office = Office(database_url)
    yield office
    office.desk.database.close()


@pytest.fixture
def process(everywhere):
    """A node in a process of its own, ended for sure when the test is."""
    started = []

    def start(work, number):
        key = everywhere.settings.secret_key.get_secret_value()
        running = subprocess.Popen(
            [sys.executable, "-m", "fakes.webhook_node", everywhere.settings.database_url, work, str(number)],
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "FLAKEGUARD_SECRET_KEY": key},
        )
        started.append(running)
        return running

    yield start
    for one in started:
        one.kill()
        one.wait()
        one.stdout.close()


def killed(running):
    running.kill()
    running.wait()


def hurry(office, number):
    """Time goes by: the endpoint has rested, its dead sender's lease has run out, the message's time has come."""
    with office.desk.database.begin() as tx:
        change_endpoint(tx, number, next_at=office.now(), lease_until=None)
        webhook_office.due_now(tx, number, office.now())


def test_killed_between_the_commit_and_the_delivery(everywhere, process, receivers):
    receiver = receivers()
    number, secret = everywhere.endpoint(receiver.url)
    running = process("write", number)
    assert running.stdout.readline() == "written\n"
    killed(running)
    assert receiver.seen == []
    deliver_due(everywhere.desk)
    [seen] = receiver.seen
    assert Webhook(secret).verify(seen.body, seen.headers)["type"] == "webhook.test"


def test_killed_in_the_middle_of_a_delivery(everywhere, process, receivers):
    """The receiver has it, the sender died before it knew: it is sent again, and the id says that it is the same."""
    receiver = receivers(Reply(hang=True), Reply())
    number, _ = everywhere.endpoint(receiver.url)
    running = process("deliver", number)
    assert receiver.arrived.acquire(timeout=60)
    killed(running)
    deliver_due(everywhere.desk)
    assert len(receiver.seen) == 1, "the dead node's lease has not run out yet"
    hurry(everywhere, number)
    deliver_due(everywhere.desk)
    assert len(receiver.seen) == 2
    assert len(set(receiver.ids)) == 1
    assert everywhere.last(number).state == "delivered"


@pytest.mark.parametrize(
    "trouble",
    [
        [Reply(500)],
        [Reply(500), Reply(503)],
        [Reply(drop=True)],
        [Reply(302, headers={"Location": "/"})],
        [Reply(429)],
    ],
    ids=["500", "500 and 503", "lost answer", "redirect", "429"],
)
def test_whatever_goes_wrong_first_it_arrives_under_one_id(office, receivers, trouble):
    receiver = receivers(*trouble, Reply())
    number, secret = office.endpoint(receiver.url)
    office.tries(number)
    for _ in trouble:
        assert office.last(number).state == "pending"
        hurry(office, number)
        deliver_due(office.desk)
    assert (office.last(number).state, office.found(number).failures) == ("delivered", 0)
    assert len(receiver.seen) == len(trouble) + 1
    assert len(set(receiver.ids)) == len({seen.body for seen in receiver.seen}) == 1
    for seen in receiver.seen:
        Webhook(secret).verify(seen.body, seen.headers)


def test_410_ends_it(office, receivers):
    receiver = receivers(Reply(410))
    number, _ = office.endpoint(receiver.url)
    office.tries(number)
    hurry(office, number)
    deliver_due(office.desk)
    assert (len(receiver.seen), office.found(number).off) == (1, "gone")


def test_a_receiver_that_hangs_holds_up_no_other(office, receivers):
    slow, quick = receivers(Reply(hang=True), Reply()), receivers()
    first, _ = office.endpoint(slow.url)
    second, _ = office.endpoint(quick.url)
    send_test(office.desk, first, by=OPERATOR)
    crew = Crew(office.desk)
    crew.work()
    assert slow.arrived.acquire(timeout=60)
    for _ in range(3):
        send_test(office.desk, second, by=OPERATOR)
        crew.work()
        assert quick.arrived.acquire(timeout=20)
    assert len(slow.seen) == 1
    slow.over.set()
    assert crew.rest(60)


def test_two_nodes_send_each_message_once(everywhere, receivers):
    receiver = receivers()
    number, _ = everywhere.endpoint(receiver.url)
    for _ in range(20):
        send_test(everywhere.desk, number, by=OPERATOR)
    nodes = [everywhere.desk, everywhere.node(everywhere.desk.database)]
    threads = [threading.Thread(target=deliver_due, args=[node]) for node in nodes for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    deliver_due(everywhere.desk)
    assert len(receiver.seen) == len(set(receiver.ids)) == 20


def test_the_whole_application_sends_and_counts(office, receivers):
    receiver = receivers()
    number, _ = office.endpoint(receiver.url)
    app = build(office.settings, now=office.now)
    app.start()
    try:
        send_test(office.desk, number, by=OPERATOR)
        assert receiver.arrived.acquire(timeout=30)
    finally:
        app.stop()
    [counter] = app.asgi.state.face.metrics.webhooks.collect()
    assert [(one.labels, one.value) for one in counter.samples if one.name.endswith("_total")] == [
        ({"outcome": "delivered"}, 1.0)
    ]
    assert office.last(number).state == "delivered"


def test_stopping_does_not_wait_for_a_receiver_that_hangs(office, receivers):
    receiver = receivers(Reply(hang=True))
    number, _ = office.endpoint(receiver.url)
    app = build(office.settings, now=office.now)
    app.start()
    send_test(office.desk, number, by=OPERATOR)
    assert receiver.arrived.acquire(timeout=30)
    stopping = threading.Thread(target=app.stop)
    stopping.start()
    stopping.join(14)
    assert not stopping.is_alive()


def test_a_trial_without_the_key_is_left_to_the_server_and_counts_as_no_failure(office, receivers):
    number, _ = office.endpoint(receivers().url)
    keyless = Settings(_env_file=None, FLAKEGUARD_SECRET_KEY="")
    _, trouble = try_endpoint(office.desk, keyless, number, by=OPERATOR, now=office.now, patience=0.2)
    assert "as soon as a server runs" in trouble
    assert (office.found(number).failures, office.last(number).state) == (0, "pending")


def test_a_trial_sees_what_a_running_server_has_sent(office, receivers):
    receiver = receivers()
    number, _ = office.endpoint(receiver.url)
    app = build(office.settings, now=office.now)
    app.start()
    keyless = Settings(_env_file=None, FLAKEGUARD_SECRET_KEY="")
    try:
        message, trouble = try_endpoint(office.desk, keyless, number, by=OPERATOR, now=office.now)
    finally:
        app.stop()
    assert (message.state, trouble, len(receiver.seen)) == ("delivered", "", 1)
