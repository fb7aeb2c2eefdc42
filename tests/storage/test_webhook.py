from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from fakes.tenant import NOW, a_project

from core.errors import NotFoundError
from storage import endpoint as endpoints
from storage import webhook as outbox
from storage.erasure import erase_project
from storage.project import create_project
from storage.webhook import Draft

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def project(database):
    return a_project(database)


@pytest.fixture
def make(database, project):
    def make(project_id=project.id, organization_id=project.organization_id, **changes):
        values = {"url": "https://hooks.example.com", "description": "", "events": (), "secret": b"sealed"}
        with database.begin() as tx:
            return endpoints.add_endpoint(
                tx,
                organization_id=organization_id,
                project_id=project_id,
                now=NOW,
                **{**values, **changes},
            )

    return make


def written(database, endpoint, *keys, now=NOW):
    drafts = [Draft(key, endpoint.id, endpoint.project_id, "test.flagged", {"b": 1, "a": 2}) for key in keys]
    with database.begin() as tx:
        outbox.write_messages(tx, drafts, now)


def claimed(database, endpoint, now=NOW, lease=MINUTE):
    with database.begin() as tx:
        return endpoints.claim_endpoint(tx, endpoint.id, now=now, lease_until=now + lease)


def due(database, now=NOW):
    with database.read() as tx:
        return list(outbox.due_endpoints(tx, now))


def upcoming(database, endpoint, now=NOW):
    with database.read() as tx:
        return outbox.next_message(tx, endpoint.id, now)


def test_an_endpoint_comes_back_as_it_was_made(database, make):
    made = make(events=("test.flagged",), description="for the wall")
    with database.read() as tx:
        assert endpoints.get_endpoint(tx, made.id) == made
    assert (made.events, made.description, made.off) == (("test.flagged",), "for the wall", "")


def test_who_hears_of_a_project(database, project, make):
    with database.begin() as tx:
        organization = {"organization_id": project.organization_id}
        other = create_project(tx, repo="acme/other", default_branch="main", now=NOW, **organization)
    stranger = a_project(database, repo="evil/web", organization="evil")
    mine, whole = make(), make(project_id=None)
    make(project_id=other.id)
    make(project_id=None, organization_id=stranger.organization_id)
    off = make()
    with database.begin() as tx:
        endpoints.change_endpoint(tx, off.id, off="person")
    with database.read() as tx:
        heard = endpoints.hearing(tx, project.organization_id, project.id)
    assert [one.id for one in heard] == [mine.id, whole.id]


def test_a_project_sees_no_others_endpoint(database, project, make):
    whole = make(project_id=None)
    with database.read() as tx, pytest.raises(NotFoundError):
        endpoints.get_endpoint(tx, whole.id, project_id=project.id)


def test_one_sender_an_endpoint(database, make):
    endpoint = make()
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: claimed(database, endpoint), range(8)))
    assert sum(claim is not None for claim in claims) == 1


def test_a_dead_senders_endpoint_is_taken_over_and_its_late_words_are_not_heard(database, make):
    endpoint = make()
    dead = claimed(database, endpoint)
    assert claimed(database, endpoint, now=NOW + MINUTE - SECOND) is None
    heir = claimed(database, endpoint, now=NOW + MINUTE)
    with database.begin() as tx:
        endpoints.answered_badly(tx, dead, error="late", now=NOW)
        endpoints.release_endpoint(tx, dead, next_at=NOW)
        assert endpoints.hold_endpoint(tx, dead, lease_until=NOW + MINUTE) is None
        held = endpoints.hold_endpoint(tx, heir, lease_until=NOW + 3 * MINUTE)
    assert (held.off, held.error, held.failures) == ("", "", 0)


@pytest.mark.parametrize("off", ["person", "gone", "failing"])
def test_nothing_is_due_at_an_endpoint_that_is_switched_off(database, make, off):
    endpoint = make()
    written(database, endpoint, "m1")
    assert due(database) == [endpoint.id]
    with database.begin() as tx:
        endpoints.change_endpoint(tx, endpoint.id, off=off)
    assert due(database) == []
    assert claimed(database, endpoint) is None


def test_a_resting_endpoint_is_left_alone(database, make):
    endpoint = make()
    written(database, endpoint, "m1")
    claim = claimed(database, endpoint)
    with database.begin() as tx:
        endpoints.release_endpoint(tx, claim, next_at=NOW + MINUTE)
    assert (due(database), due(database, NOW + MINUTE)) == ([], [endpoint.id])


def test_who_was_served_longest_ago_comes_first(database, make):
    first, second = make(), make()
    written(database, first, "m1", "m2")
    written(database, second, "m3")
    claim = claimed(database, first)
    with database.begin() as tx:
        endpoints.release_endpoint(tx, claim, next_at=NOW + SECOND)
    assert due(database, NOW + MINUTE) == [second.id, first.id]


def test_messages_go_in_the_order_they_were_written(database, make):
    endpoint = make()
    written(database, endpoint, "m1", "m2")
    message = upcoming(database, endpoint)
    assert (message.key, list(message.data)) == ("m1", ["b", "a"])
    with database.begin() as tx:
        outbox.delivered(tx, message, status=204, now=NOW)
    assert upcoming(database, endpoint).key == "m2"


def test_what_arrived_stays_arrived_whatever_another_sender_saw(database, make):
    endpoint = make()
    written(database, endpoint, "m1")
    message = upcoming(database, endpoint)
    with database.begin() as tx:
        outbox.delivered(tx, message, status=200, now=NOW)
        outbox.not_delivered(tx, message, status=500, error="late", due_at=NOW, now=NOW)
        found = outbox.get_message(tx, endpoint.id, "m1")
    assert (found.state, found.status, found.tries) == ("delivered", 200, 1)


def test_what_was_given_up_is_sent_again_on_request(database, make):
    endpoint = make()
    written(database, endpoint, "m1", "m2", "m3")
    with database.begin() as tx:
        outbox.delivered(tx, outbox.next_message(tx, endpoint.id, NOW), status=200, now=NOW)
        failed = outbox.next_message(tx, endpoint.id, NOW)
        outbox.not_delivered(tx, failed, status=500, error="no", due_at=None, now=NOW)
        waiting = outbox.next_message(tx, endpoint.id, NOW)
        outbox.not_delivered(tx, waiting, status=500, error="no", due_at=NOW + 9 * MINUTE, now=NOW)
    assert upcoming(database, endpoint) is None
    with database.begin() as tx:
        assert outbox.rearm(tx, endpoint, NOW) == 2
    assert upcoming(database, endpoint).key == "m2"


def test_the_backlog_counts_what_should_be_on_its_way(database, make):
    endpoint, resting = make(), make()
    written(database, endpoint, "m1", "m2")
    written(database, resting, "m3")
    claim = claimed(database, resting)
    with database.begin() as tx:
        endpoints.release_endpoint(tx, claim, next_at=NOW + MINUTE)
    with database.read() as tx:
        assert outbox.message_backlog(tx, NOW + SECOND) == (2, NOW)


def test_what_waited_for_a_resting_endpoint_has_waited_for_us_since_its_rest_ended(database, make):
    endpoint = make()
    written(database, endpoint, "m1", "m2")
    claim = claimed(database, endpoint)
    with database.begin() as tx:
        endpoints.release_endpoint(tx, claim, next_at=NOW + 60 * MINUTE)
    with database.read() as tx:
        assert outbox.message_backlog(tx, NOW + 61 * MINUTE) == (2, NOW + 60 * MINUTE)


def test_old_messages_are_forgotten_and_removed_endpoints_with_theirs(database, make):
    endpoint, other = make(), make()
    written(database, endpoint, "old", now=NOW - MINUTE)
    written(database, endpoint, "new")
    written(database, other, "theirs")
    with database.begin() as tx:
        assert outbox.forget_messages(tx, NOW) == 1
        outbox.forget_messages_of(tx, other.id)
        assert endpoints.remove_endpoint(tx, other.id)
        kept = [outbox.list_messages(tx, one.id)[1] for one in (endpoint, other)]
    assert kept == [1, 0]


def test_an_erased_project_takes_its_endpoints_along(database, project, make):
    mine, whole = make(), make(project_id=None)
    written(database, mine, "m1")
    with database.begin() as tx:
        erase_project(tx, project.id)
        assert [one.id for one in endpoints.list_endpoints(tx)] == [whole.id]
        assert outbox.list_messages(tx, mine.id)[1] == 0


def test_the_old_secret_signs_for_as_long_as_it_was_given(make, database):
    endpoint = make()
    with database.begin() as tx:
        rotated = {"secret": b"new", "old_secret": b"old", "old_until": NOW + MINUTE}
        endpoints.change_endpoint(tx, endpoint.id, **rotated)
        found = endpoints.get_endpoint(tx, endpoint.id)
    assert found.secrets(NOW + MINUTE - SECOND) == (b"new", b"old")
    assert found.secrets(NOW + MINUTE) == (b"new",)
