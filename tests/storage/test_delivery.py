from datetime import UTC, datetime, timedelta

import pytest

from core.github.event import Envelope
from storage import delivery as inbox

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
ENVELOPE = Envelope("guid", "workflow_run", "completed", 7, 8)


def file(database, digest="d", envelope=ENVELOPE, now=NOW):
    with database.begin() as tx:
        return inbox.file_delivery(tx, envelope, digest=digest, body=b"{}", now=now)


def claim(database, row_id, now=NOW):
    with database.begin() as tx:
        return inbox.claim_delivery(tx, row_id, now=now, lease_until=now + timedelta(minutes=1))


def after(database, change, *args, **how):
    with database.begin() as tx:
        return change(tx, *args, **how)


def test_a_delivery_is_kept_whole_and_once(database):
    row_id, filed = file(database)
    assert filed == "accepted"
    assert file(database) == (row_id, "duplicate")
    assert claim(database, row_id).body == b"{}"


def test_only_one_may_work_on_it(database):
    row_id, _ = file(database)
    assert claim(database, row_id)
    assert claim(database, row_id) is None


def test_a_lease_that_ran_out_is_taken_over_and_the_late_one_writes_nothing(database):
    row_id, _ = file(database)
    late = claim(database, row_id)
    fresh = claim(database, row_id, LATER)
    assert not after(database, inbox.finish_delivery, late, "done", now=LATER)
    assert after(database, inbox.finish_delivery, fresh, "done", now=LATER)


def test_a_failed_one_is_due_again_and_then_kept_for_a_redelivery(database):
    row_id, _ = file(database)
    after(database, inbox.fail_delivery, claim(database, row_id), error="x", next_at=LATER)
    assert claim(database, row_id) is None
    second = claim(database, row_id, LATER)
    assert second.attempt == 2
    after(database, inbox.fail_delivery, second, error="x", next_at=None)
    assert claim(database, row_id, LATER + timedelta(days=9)) is None
    assert file(database) == (row_id, "rearmed")
    assert claim(database, row_id, LATER).attempt == 1


def test_waiting_for_github_counts_as_no_try(database):
    row_id, _ = file(database)
    after(database, inbox.put_off, claim(database, row_id), error="x", next_at=LATER)
    assert claim(database, row_id, LATER).attempt == 1


@pytest.mark.parametrize("state", ["done", "ignored"])
def test_what_is_settled_stays_settled(database, state):
    row_id, _ = file(database)
    after(database, inbox.finish_delivery, claim(database, row_id), state, now=NOW)
    assert file(database) == (row_id, "duplicate")
    assert claim(database, row_id, LATER) is None


def test_the_longest_waiting_comes_first(database):
    rows = [file(database, digest=str(n), now=NOW - timedelta(minutes=n))[0] for n in range(3)]
    with database.read() as tx:
        assert list(inbox.due(tx, NOW)) == rows[::-1]


def test_the_backlog_is_counted_with_its_age(database):
    file(database)
    with database.read() as tx:
        assert inbox.inbox_backlog(tx, LATER) == (1, NOW)


def test_only_settled_deliveries_are_forgotten(database):
    done, _ = file(database)
    file(database, digest="waiting")
    after(database, inbox.finish_delivery, claim(database, done), "done", now=NOW)
    assert after(database, inbox.forget_deliveries, LATER) == 1


def test_a_removed_installation_cancels_what_waits_but_not_its_own_end(database):
    work, _ = file(database)
    end, _ = file(database, "e", Envelope("g", "installation", "deleted", 7, None))
    assert after(database, inbox.cancel_deliveries, installation_id=7, now=NOW) == 1
    assert claim(database, work) is None
    assert claim(database, end)
