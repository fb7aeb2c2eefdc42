"""What becomes of a message and its endpoint, answer by answer, over seconds and over days."""

import threading
from datetime import timedelta

import pytest
from fakes.clock import Clock
from fakes.courier import FakeCourier
from fakes.shop import Wakes, person
from fakes.tenant import a_project

from core.errors import ConflictError, NotFoundError, ValidationError
from core.patience import FAILING_FOR, RETRIES, Answer
from core.reach import Reach, UnreachableError
from core.tenancy import Via
from jobs import connect
from jobs.crew import Crew
from jobs.deliver import TURN, deliver_due, take_turn
from jobs.desk import Desk
from storage import audit
from storage.database import Database
from storage.endpoint import change_endpoint, get_endpoint, list_endpoints
from storage.webhook import list_messages

OPERATOR = person("operator", via=Via.CLI)
OK, BROKEN, GONE = Answer(200), Answer(500, "It answered 500."), Answer(410, "It answered 410.")
HOUR = timedelta(hours=1)


class Post:
    """One organization, its endpoints, and a courier that does what the test says."""

    def __init__(self, database, clock):
        self.clock, self.courier = clock, FakeCourier()
        self.desk = Desk(database, clock, courier=self.courier, dispatch=Wakes())
        self.project = a_project(database, now=clock())

    def endpoint(self, url="https://hooks.example.com/x", **more):
        listener = connect.Listener(self.project.organization_id, self.project.id)
        values = {"reach": Reach(), "secret": b"sealed", "by": OPERATOR, **more}
        return connect.add_endpoint(self.desk, listener, url, **values).id

    def sends(self, number, messages=1):
        return [connect.send_test(self.desk, number, by=OPERATOR) for _ in range(messages)]

    def passes(self, **period):
        """Time goes by in minutes, and the sweep with it."""
        until = self.clock() + timedelta(**period)
        while self.clock() < until:
            self.clock.pass_(minutes=10)
            deliver_due(self.desk)

    def now(self, number):
        with self.desk.database.read() as tx:
            return get_endpoint(tx, number)

    def messages(self, number):
        with self.desk.database.read() as tx:
            return list_messages(tx, number, limit=500)[0]

    def states(self, number):
        return [one.state for one in reversed(self.messages(number))]

    def audited(self):
        with self.desk.database.read() as tx:
            found, _ = audit.events(tx, self.project.organization_id, limit=500)
        return [(one.via, one.action) for one in reversed(found)]


@pytest.fixture
def post(database):
    return Post(database, Clock())


@pytest.fixture
def small_post(sqlite_url):
    """On SQLite alone: for what does not depend on the database."""
    database = Database.open(sqlite_url)
    yield Post(database, Clock())
    database.close()


def test_what_is_due_is_delivered_once(post):
    number = post.endpoint()
    keys = post.sends(number, messages=3)
    assert deliver_due(post.desk) == 3
    assert deliver_due(post.desk) == 0
    assert [one.key for one in post.courier.messages] == keys
    assert post.states(number) == ["delivered"] * 3
    assert post.now(number).last_ok_at == post.clock()


def test_a_failure_is_tried_again_under_the_same_id(post):
    post.courier.answers = [BROKEN, BROKEN, OK]
    number = post.endpoint()
    post.sends(number)
    post.passes(hours=1)
    assert len({one.key for one in post.courier.messages}) == 1
    assert (post.states(number), post.now(number).failures) == (["delivered"], 0)
    [message] = post.messages(number)
    assert (message.tries, message.status, message.error) == (3, 200, "")


def test_tries_come_no_sooner_than_the_schedule_says_and_end(small_post):
    post = small_post
    post.courier.answers = [BROKEN]
    number = post.endpoint()
    post.sends(number)
    begun, at = post.clock(), []
    for _ in range(5 * 24 * 6):
        at += [post.clock() - begun] * (len(post.courier.carried) - len(at))
        deliver_due(post.desk)
        at += [post.clock() - begun] * (len(post.courier.carried) - len(at))
        post.clock.pass_(minutes=10)
    assert len(at) == len(RETRIES) + 1
    assert all(later - earlier >= wait for earlier, later, wait in zip(at, at[1:], RETRIES, strict=False))
    assert at[-1] < timedelta(days=4)
    assert post.states(number) == ["failed"]
    assert post.now(number).off == ""


def test_gone_is_gone(post):
    post.courier.answers = [GONE]
    number = post.endpoint()
    post.sends(number, messages=2)
    deliver_due(post.desk)
    post.passes(hours=2)
    assert len(post.courier.carried) == 1
    assert (post.now(number).off, post.states(number)) == ("gone", ["failed", "pending"])
    assert post.audited()[-1] == ("clock", "webhook.disabled")


def test_days_of_failures_switch_it_off_and_say_so(small_post):
    post = small_post
    post.courier.answers = [BROKEN]
    number = post.endpoint()
    for _ in range(6):
        if not post.now(number).off:
            post.sends(number)
        post.passes(days=1)
    assert post.now(number).off == "failing"
    assert post.audited().count(("clock", "webhook.disabled")) == 1
    tried = len(post.courier.carried)
    post.passes(days=1)
    assert len(post.courier.carried) == tried


def test_one_good_answer_makes_up_for_all_bad_ones(small_post):
    post = small_post
    number = post.endpoint()
    for day in range(2 * FAILING_FOR.days):
        post.courier.answers = [OK] if day == FAILING_FOR.days - 1 else [BROKEN]
        post.sends(number)
        post.passes(hours=24)
    assert post.now(number).off == ""


@pytest.mark.parametrize("answer", [Answer(429, "later", HOUR), Answer(503, "later", HOUR)])
def test_everything_for_a_receiver_waits_as_long_as_it_asks(small_post, answer):
    post = small_post
    post.courier.answers = [answer, OK]
    number = post.endpoint()
    post.sends(number, messages=2)
    deliver_due(post.desk)
    post.passes(minutes=50)
    assert len(post.courier.carried) == 1
    post.passes(minutes=20)
    assert post.states(number) == ["delivered", "delivered"]


def test_one_message_that_is_refused_holds_up_no_other(small_post):
    post = small_post
    number = post.endpoint()
    bad, *good = post.sends(number, messages=4)
    post.courier.carry = lambda _, message: BROKEN if message.key == bad else OK
    post.passes(hours=1)
    assert {one.key for one in post.messages(number) if one.state == "delivered"} == set(good)


def test_a_dead_receiver_is_asked_seldom(small_post):
    """A thousand messages that wait are not a thousand timeouts in a row."""
    post = small_post
    post.courier.answers = [Answer(error="It did not answer within 15 seconds.")]
    number = post.endpoint()
    post.sends(number, messages=100)
    for _ in range(60 * 60):
        deliver_due(post.desk)
        post.clock.pass_(seconds=1)
    assert len(post.courier.carried) < 30


def test_a_turn_ends_so_that_others_have_theirs(small_post):
    post = small_post
    busy, calm = post.endpoint(), post.endpoint()
    post.sends(busy, messages=TURN + 5)
    post.sends(calm)
    deliver_due(post.desk)
    assert [number for number, _ in post.courier.carried] == [busy] * TURN + [calm]
    deliver_due(post.desk)
    assert post.states(busy) == ["delivered"] * (TURN + 5)


def test_a_bug_in_the_courier_is_a_failure_of_that_message_alone(small_post):
    post = small_post
    post.courier.answers = [ZeroDivisionError("oops"), OK]
    number = post.endpoint()
    post.sends(number)
    deliver_due(post.desk)
    assert post.now(number).error == "It could not be sent (ZeroDivisionError)."
    post.passes(hours=1)
    assert post.states(number) == ["delivered"]


@pytest.mark.parametrize("late", [OK, BROKEN, GONE])
def test_a_sender_that_lost_its_endpoint_changes_nothing_but_what_arrived(post, late):
    """It slept over its lease; another has sent the message meanwhile."""
    number = post.endpoint()
    post.sends(number)

    class Sleeper(FakeCourier):
        def carry(self, endpoint, message):
            if not self.carried:
                self.carried.append((endpoint.id, message))
                post.clock.pass_(minutes=5)
                assert take_turn(post.desk, post.courier, number) == 1
                return late
            return super().carry(endpoint, message)

    take_turn(post.desk, Sleeper(), number)
    found = post.now(number)
    assert (post.states(number), found.off, found.failures, found.error) == (["delivered"], "", 0, "")


def test_removed_while_something_is_on_its_way(post):
    number = post.endpoint()
    post.sends(number, messages=2)
    real = post.courier.carry

    def carry(endpoint, message):
        connect.remove_endpoint(post.desk, number, by=OPERATOR)
        return real(endpoint, message)

    post.courier.carry = carry
    assert deliver_due(post.desk) == 1
    assert deliver_due(post.desk) == 0
    assert len(post.courier.carried) == 1


def test_switched_off_while_something_is_on_its_way_ends_the_turn(small_post):
    post = small_post
    number = post.endpoint()
    post.sends(number, messages=2)
    real = post.courier.carry

    def carry(endpoint, message):
        connect.switch_off(post.desk, number, by=OPERATOR)
        return real(endpoint, message)

    post.courier.carry = carry
    deliver_due(post.desk)
    assert post.states(number) == ["delivered", "pending"]


def test_without_a_courier_nothing_is_claimed(small_post):
    number = small_post.endpoint()
    small_post.sends(number)
    bare = Desk(small_post.desk.database, small_post.clock)
    assert deliver_due(bare) == Crew(bare).work() == 0
    assert small_post.states(number) == ["pending"]


class Gate(FakeCourier):
    """Whoever goes to a slow endpoint stands there until the test lets it go."""

    def __init__(self, slow):
        super().__init__()
        self.slow, self.open, self.waiting = slow, threading.Event(), threading.Semaphore(0)

    def carry(self, endpoint, message):
        if endpoint.id in self.slow:
            self.waiting.release()
            assert self.open.wait(60)
        return super().carry(endpoint, message)


def until(condition):
    for _ in range(600):
        if condition():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it never came to that")


def test_an_endpoint_that_hangs_holds_up_no_other(post):
    slow, quick = post.endpoint(), post.endpoint()
    gate = Gate({slow})
    object.__setattr__(post.desk, "courier", gate)
    crew = Crew(post.desk)
    post.sends(slow)
    post.sends(quick)
    crew.work()
    assert gate.waiting.acquire(timeout=30)
    until(lambda: post.states(quick) == ["delivered"])
    post.sends(quick)
    crew.work()
    until(lambda: post.states(quick) == ["delivered", "delivered"])
    assert not crew.rest(0.01)
    gate.open.set()
    assert crew.rest(30)
    assert post.states(slow) == ["delivered"]
    assert "webhooks" in post.desk.dispatch.woken


@pytest.mark.parametrize(("answer", "woken"), [(OK, ["webhooks"]), (BROKEN, [])])
def test_only_a_turn_that_brought_something_asks_for_the_next_at_once(post, answer, woken):
    """A replica that lags behind shows what is due no more: a turn in vain must not lead to the next."""
    post.courier.answers = [answer]
    number = post.endpoint()
    post.sends(number)
    post.desk.dispatch.woken.clear()
    crew = Crew(post.desk)
    crew.work()
    until(lambda: post.courier.carried)
    assert crew.rest(30)
    assert post.desk.dispatch.woken == woken


def test_whoever_is_told_to_stop_brings_the_present_message_home_and_no_other(post):
    number = post.endpoint()
    gate = Gate({number})
    object.__setattr__(post.desk, "courier", gate)
    crew = Crew(post.desk)
    post.sends(number, messages=3)
    crew.work()
    assert gate.waiting.acquire(timeout=30)
    assert not crew.rest(0)
    gate.open.set()
    assert crew.rest(30)
    crew.work()
    assert post.states(number) == ["delivered", "pending", "pending"]
    assert deliver_due(post.desk) == 2


def test_no_more_hands_than_there_are(post):
    slow = [post.endpoint() for _ in range(4)]
    gate = Gate(set(slow))
    object.__setattr__(post.desk, "courier", gate)
    crew = Crew(post.desk, hands=2)
    for number in slow:
        post.sends(number)
    for _ in range(3):
        crew.work()
    assert gate.waiting.acquire(timeout=30)
    assert gate.waiting.acquire(timeout=30)
    assert not gate.waiting.acquire(timeout=0.3)
    gate.open.set()
    until(lambda: crew.work() or all(post.states(number) == ["delivered"] for number in slow))
    assert crew.rest(30)


# -- what people do about endpoints


def test_every_change_is_audited(post):
    number = post.endpoint()
    connect.change_endpoint(post.desk, number, reach=Reach(), by=OPERATOR, events=["test.*"])
    connect.rotate_secret(post.desk, number, b"new", by=OPERATOR, overlap=HOUR)
    for job in (connect.switch_off, connect.switch_off, connect.switch_on, connect.switch_on):
        job(post.desk, number, by=OPERATOR)
    post.sends(number)
    connect.send_again(post.desk, number, by=OPERATOR)
    connect.remove_endpoint(post.desk, number, by=OPERATOR)
    done = ("created", "changed", "rotated", "disabled", "enabled", "tested", "retried", "deleted")
    assert post.audited() == [("cli", f"webhook.{one}") for one in done]


@pytest.mark.parametrize("secret", ["s3cret/x", "x?key=s3cret", "?s3cret"])
def test_the_audit_log_keeps_no_secret_of_an_address(small_post, secret):
    number = small_post.endpoint(f"https://hooks.example.com/{secret}")
    url = f"https://other.example.com:8443/{secret}"
    connect.change_endpoint(small_post.desk, number, reach=Reach(), by=OPERATOR, url=url)
    connect.remove_endpoint(small_post.desk, number, by=OPERATOR)
    with small_post.desk.database.read() as tx:
        found, _ = audit.events(tx, small_post.project.organization_id, limit=50)
    assert "s3cret" not in str(found)
    assert [one.details["url"] for one in found][:2] == ["https://other.example.com:8443"] * 2


def test_two_rotations_at_the_heels_of_one_another(post):
    number = post.endpoint()
    connect.rotate_secret(post.desk, number, b"second", by=OPERATOR, overlap=HOUR)
    connect.rotate_secret(post.desk, number, b"third", by=OPERATOR, overlap=HOUR)
    assert post.now(number).secrets(post.clock()) == (b"third", b"second")
    connect.rotate_secret(post.desk, number, b"fourth", by=OPERATOR, overlap=timedelta())
    assert post.now(number).secrets(post.clock()) == (b"fourth",)


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=31)])
def test_an_old_secret_does_not_last_for_ever(small_post, overlap):
    number = small_post.endpoint()
    with pytest.raises(ValidationError, match="30 days"):
        connect.rotate_secret(small_post.desk, number, b"new", by=OPERATOR, overlap=overlap)


@pytest.mark.parametrize(
    ("url", "more", "error"),
    [
        ("https://10.0.0.1/", {}, UnreachableError),
        ("nonsense", {}, ValidationError),
        ("https://hooks.example.com", {"events": ["nonsense"]}, ValidationError),
        ("https://hooks.example.com", {"description": "two\nlines"}, ValidationError),
        ("https://hooks.example.com", {"description": "x" * 201}, ValidationError),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(small_post, url, more, error):
    with pytest.raises(error):
        small_post.endpoint(url, **more)
    with small_post.desk.database.read() as tx:
        assert list_endpoints(tx) == []


def test_an_organization_has_so_many_and_no_more(small_post):
    for _ in range(connect.MOST):
        small_post.endpoint()
    with pytest.raises(ConflictError, match="at most"):
        small_post.endpoint()


@pytest.mark.parametrize("job", [connect.send_test, connect.send_again])
def test_nothing_is_sent_to_an_endpoint_that_is_switched_off(small_post, job):
    number = small_post.endpoint()
    connect.switch_off(small_post.desk, number, by=OPERATOR)
    with pytest.raises(ConflictError, match="enable it first"):
        job(small_post.desk, number, by=OPERATOR)


@pytest.mark.parametrize(
    "job",
    [connect.switch_on, connect.switch_off, connect.remove_endpoint, connect.send_test, connect.send_again],
)
def test_another_projects_endpoint_is_not_there(small_post, job):
    number = small_post.endpoint()
    with pytest.raises(NotFoundError):
        job(small_post.desk, number, by=OPERATOR, project_id=small_post.project.id + 1)


def test_after_an_outage_everything_is_sent_again_on_request(small_post):
    post = small_post
    post.courier.answers = [BROKEN]
    number = post.endpoint()
    keys = post.sends(number, messages=3)
    post.passes(days=4)
    assert post.states(number) == ["failed"] * 3
    post.courier.answers = [OK]
    assert connect.send_again(post.desk, number, by=OPERATOR) == 3
    deliver_due(post.desk)
    assert post.states(number) == ["delivered"] * 3
    assert {one.key for one in post.courier.messages} == set(keys)


def test_what_waited_is_sent_as_soon_as_it_is_switched_on_again(small_post):
    post = small_post
    post.courier.answers = [BROKEN, OK]
    number = post.endpoint()
    post.sends(number)
    deliver_due(post.desk)
    connect.switch_off(post.desk, number, by=OPERATOR)
    connect.switch_on(post.desk, number, by=OPERATOR)
    deliver_due(post.desk)
    assert post.states(number) == ["delivered"]


def test_whoever_comes_back_finds_the_patience_of_a_new_one(small_post):
    post = small_post
    post.courier.answers = [BROKEN]
    number = post.endpoint()
    long_ago = post.clock() - 2 * FAILING_FOR
    with post.desk.database.begin() as tx:
        change_endpoint(tx, number, off="failing", failing_since=long_ago, failures=99)
    connect.switch_on(post.desk, number, by=OPERATOR)
    post.sends(number)
    deliver_due(post.desk)
    assert (post.now(number).off, post.now(number).failures) == ("", 1)


@pytest.mark.parametrize("answer", [BROKEN, GONE])
def test_what_a_person_switched_off_stays_so_whatever_comes_back_late(post, answer):
    number = post.endpoint()
    post.sends(number)

    def carry(*_):
        connect.switch_off(post.desk, number, by=OPERATOR)
        return answer

    post.courier.carry = carry
    deliver_due(post.desk)
    assert (post.now(number).off, post.now(number).failures) == ("person", 1)
    connect.switch_on(post.desk, number, by=OPERATOR)
    post.courier.carry = FakeCourier().carry
    connect.send_again(post.desk, number, by=OPERATOR)
    assert deliver_due(post.desk) == 1


@pytest.mark.parametrize("answer", [BROKEN, GONE, Answer(429, "It answered 429.", HOUR)])
def test_what_the_old_address_answers_late_is_not_held_against_the_new_one(post, answer):
    number = post.endpoint()
    post.sends(number)

    def carry(*_):
        url = "https://new.example.com/"
        connect.change_endpoint(post.desk, number, reach=Reach(), by=OPERATOR, url=url)
        return answer

    post.courier.carry = carry
    deliver_due(post.desk)
    assert (post.now(number).off, post.now(number).failures) == ("", 0)
    post.courier.carry = FakeCourier().carry
    assert deliver_due(post.desk) == 1


def test_senders_and_people_never_wait_for_one_another_in_a_circle(post):
    """On PostgreSQL a deadlock would be an error for one of them."""
    number = post.endpoint()
    post.sends(number, messages=5 * TURN)
    failed = []

    def again():
        try:
            for _ in range(20):
                connect.send_again(post.desk, number, by=OPERATOR)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test tells
            failed.append(error)

    person = threading.Thread(target=again)
    person.start()
    while person.is_alive():
        deliver_due(post.desk)
    while deliver_due(post.desk):
        pass
    assert failed == []
    assert set(post.states(number)) == {"delivered"}
