from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from fakes.tenant import NOW, a_project

from storage import publication as outbox

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def project(database):
    return a_project(database)


@pytest.fixture
def ask(database, project):
    def want(key="card", channel="C1", now=NOW, **changes):
        values = {"kind": "proposal", "subject": 1, "team": "T1", **changes}
        with database.begin() as tx:
            return outbox.want(tx, project_id=project.id, key=key, channel=channel, now=now, **values)

    return want


def claimed(database, now=NOW, channel="C1", lease=MINUTE):
    with database.begin() as tx:
        return outbox.claim_channel(tx, "T1", channel, now=now, lease_until=now + lease)


def released(database, claim, now=NOW, next_at=NOW, **changes):
    with database.begin() as tx:
        outbox.release_channel(tx, claim, now=now, next_at=next_at, **changes)


def upcoming(database, now=NOW, channel="C1"):
    with database.read() as tx:
        return outbox.next_publication(tx, "T1", channel, now)


def due(database, now=NOW):
    with database.read() as tx:
        return list(outbox.due_channels(tx, now))


def said(database, publication, ts="1.0"):
    with database.begin() as tx:
        outbox.said(tx, publication, ts=ts)


def test_a_message_is_wanted_once(database, ask):
    assert ask()
    assert not ask()
    assert upcoming(database).key == "card"


def test_what_was_said_is_not_due_until_it_changes(database, project, ask):
    ask()
    said(database, upcoming(database))
    assert upcoming(database) is None
    with database.begin() as tx:
        assert outbox.touch(tx, project_id=project.id, kind="proposal", subject=1, now=NOW) == 1
    again = upcoming(database)
    assert (again.wanted, again.said, again.ts) == (2, 1, "1.0")


def test_a_change_while_it_is_being_said_keeps_it_due(database, project, ask):
    ask()
    saying = upcoming(database)
    with database.begin() as tx:
        outbox.touch(tx, project_id=project.id, kind="proposal", subject=1, now=NOW)
    said(database, saying)
    assert upcoming(database).wanted == 2


def test_a_channel_has_one_writer(database, ask):
    ask()
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: claimed(database), range(8)))
    assert sum(one is not None for one in claims) == 1


def test_a_channel_keeps_its_pace(database, ask):
    ask()
    released(database, claimed(database), next_at=NOW + SECOND)
    assert claimed(database, now=NOW + SECOND / 2) is None
    assert claimed(database, now=NOW + SECOND) is not None


def test_the_channel_of_a_dead_writer_is_free_after_its_lease(database, ask):
    ask()
    assert claimed(database)
    assert claimed(database, now=NOW + MINUTE - SECOND) is None
    assert claimed(database, now=NOW + MINUTE) is not None


def test_whoever_was_overtaken_can_neither_hold_nor_release(database, ask):
    ask()
    slow = claimed(database)
    fast = claimed(database, now=NOW + MINUTE)
    with database.begin() as tx:
        assert outbox.renew_claim(tx, slow, lease_until=NOW + 9 * MINUTE) is None
        outbox.release_channel(tx, slow, now=NOW, next_at=NOW)
        assert outbox.renew_claim(tx, fast, lease_until=NOW + 3 * MINUTE) is not None
    assert claimed(database, now=NOW + 2 * MINUTE) is None


def test_a_paused_workspace_is_silent_everywhere_and_never_less_than_asked(database, ask):
    ask()
    with database.begin() as tx:
        outbox.pause_team(tx, "T1", until=NOW + 30 * SECOND)
        outbox.pause_team(tx, "T1", until=NOW + 5 * SECOND)
    assert claimed(database, now=NOW + 29 * SECOND) is None
    assert claimed(database, now=NOW + 29 * SECOND, channel="C2") is None
    assert claimed(database, now=NOW + 30 * SECOND) is not None


def test_the_longest_waiting_message_of_a_channel_comes_first(database, ask):
    ask("late", now=NOW + SECOND)
    ask("early")
    ask("elsewhere", channel="C2", now=NOW - SECOND)
    assert due(database, NOW + SECOND) == [("T1", "C2"), ("T1", "C1")]
    assert upcoming(database, NOW + SECOND).key == "early"


def test_nothing_is_due_before_its_time(database, ask):
    ask(due_at=NOW + MINUTE)
    assert due(database) == []
    assert due(database, NOW + MINUTE) == [("T1", "C1")]


def test_an_answer_waits_for_what_it_answers(database, ask):
    ask("note", parent="card", kind="note", now=NOW - MINUTE)
    assert due(database) == []
    ask("card")
    assert upcoming(database).key == "card"
    said(database, upcoming(database), ts="7.0")
    note = upcoming(database)
    with database.read() as tx:
        assert outbox.thread_of(tx, note) == "7.0"


def test_many_answers_without_a_parent_hold_nobody_up(database, ask):
    for number in range(60):
        ask(f"note{number}", parent="never", kind="note", now=NOW - MINUTE)
    ask("card")
    assert upcoming(database).key == "card"


def test_a_message_deleted_once_is_posted_again_and_deleted_twice_is_let_go(database, project, ask):
    ask()
    for dead in (False, True):
        said(database, upcoming(database), ts="1.0")
        with database.begin() as tx:
            outbox.touch(tx, project_id=project.id, kind="proposal", subject=1, now=NOW)
        with database.begin() as tx:
            outbox.forget_ts(tx, outbox.next_publication(tx, "T1", "C1", NOW))
        assert (upcoming(database) is None) is dead
    with database.begin() as tx:
        outbox.touch(tx, project_id=project.id, kind="proposal", subject=1, now=NOW)
    assert upcoming(database) is None


def test_an_attempt_is_uncertain_until_its_outcome_is_known(database, ask):
    ask()
    with database.begin() as tx:
        outbox.mark_attempt(tx, upcoming_in(tx), NOW)
        outbox.mark_attempt(tx, upcoming_in(tx), NOW + MINUTE)
    assert upcoming(database).uncertain_since == NOW
    said(database, upcoming(database))
    with database.read() as tx:
        [message] = outbox.messages_of(tx, project_id=upcoming_project(tx), kind="proposal", subject=1)
    assert message.uncertain_since is None


def upcoming_in(tx):
    return outbox.next_publication(tx, "T1", "C1", NOW)


def upcoming_project(tx):
    return outbox.find_publication(tx, 1).project_id


@pytest.mark.parametrize(("certain", "uncertain"), [(True, None), (False, NOW)])
def test_only_a_certain_failure_clears_the_doubt(database, ask, certain, uncertain):
    ask()
    before = upcoming(database)
    with database.begin() as tx:
        outbox.mark_attempt(tx, before, NOW)
        outbox.postpone(tx, before, due_at=NOW, error="x", certain=certain)
    after = upcoming(database)
    assert (after.uncertain_since, after.tries, after.error) == (uncertain, 1, "x")


def test_a_dead_message_comes_back_when_its_state_changes(database, project, ask):
    ask()
    with database.begin() as tx:
        outbox.postpone(tx, upcoming_in(tx), due_at=NOW, error="invalid_blocks", dead=True)
    assert upcoming(database) is None
    with database.begin() as tx:
        outbox.touch(tx, project_id=project.id, kind="proposal", subject=1, now=NOW)
    assert upcoming(database).tries == 0


def test_a_broken_route_is_reported_until_it_is_mended(database, ask):
    ask()
    released(database, claimed(database), next_at=NOW + 5 * MINUTE, broken="not_in_channel")
    with database.begin() as tx:
        assert outbox.broken_channels(tx) == [("T1", "C1", "not_in_channel")]
        outbox.mend_channel(tx, "T1", "C1", NOW)
        assert outbox.broken_channels(tx) == []
    assert claimed(database) is not None


def test_the_backlog_counts_what_waits(database, ask):
    with database.read() as tx:
        assert outbox.backlog(tx, NOW) == (0, None)
    ask("a", now=NOW - MINUTE)
    ask("b")
    with database.read() as tx:
        assert outbox.backlog(tx, NOW) == (2, NOW - MINUTE)


def test_old_messages_are_dropped_unless_they_still_wait(database, ask):
    ask("said")
    said(database, upcoming(database))
    ask("waits")
    with database.begin() as tx:
        assert outbox.drop_before(tx, NOW + SECOND) == 1
        assert upcoming_in(tx).key == "waits"
