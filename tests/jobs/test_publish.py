from datetime import timedelta
from itertools import pairwise

import pytest

from core.quarantine import State
from core.saying import ProposalCard
from jobs.announce import note_in_thread
from jobs.chat import BrokenRouteError
from jobs.decide import approve, deny
from jobs.publish import backoff, publish_due
from storage import publication as outbox

SECOND = timedelta(seconds=1)


def state_shown(shop, channel="C1"):
    [card] = shop.chat.shows(channel)
    return card.quarantine.state


def test_a_proposal_is_posted_once_and_then_always_shows_the_present(shop):
    proposal = shop.finds_flaky()
    shop.publishes()
    assert state_shown(shop) is State.PROPOSED
    approve(shop.desk, proposal.id, by=shop.alice)
    shop.publishes()
    assert state_shown(shop) is State.ACTIVE
    assert len(shop.chat.messages) == 1


def test_every_subscribed_channel_has_its_card(small_shop):
    shop = small_shop
    shop.hears("C2", kinds="proposals")
    shop.hears("C3", kinds="digest")
    shop.finds_flaky()
    shop.publishes()
    assert [len(shop.chat.shows(channel)) for channel in ("C1", "C2", "C3")] == [1, 1, 0]


def test_changes_before_it_was_said_become_one_message(small_shop):
    shop = small_shop
    proposal = shop.finds_flaky()
    approve(shop.desk, proposal.id, by=shop.alice)
    shop.publishes()
    assert len(shop.chat.calls) == 1
    assert state_shown(shop) is State.ACTIVE


def test_a_channel_hears_one_message_a_second(small_shop):
    shop = small_shop
    for name in ("test_a", "test_b", "test_c", "test_d"):
        shop.finds_flaky(name)
    for _ in range(100):
        publish_due(shop.desk)
        shop.clock.pass_(seconds=0.1)
    times = [at for *_, at in shop.chat.calls]
    assert len(times) == 4
    assert all(later - earlier >= SECOND for earlier, later in pairwise(times))


@pytest.mark.parametrize("where", ["lose_answer", "lose_request"])
def test_a_post_whose_answer_is_lost_appears_exactly_once(shop, where):
    shop.finds_flaky()
    getattr(shop.chat, where)()
    getattr(shop.chat, where)()
    shop.publishes()
    assert len(shop.chat.shows()) == 1


def test_where_the_channel_cannot_be_read_it_appears_at_least_once(small_shop):
    shop = small_shop
    shop.chat.reads = False
    shop.finds_flaky()
    shop.chat.lose_answer()
    shop.publishes()
    assert 1 <= len(shop.chat.shows()) <= 2


def test_a_lost_update_is_made_again(small_shop):
    shop = small_shop
    proposal = shop.finds_flaky()
    shop.publishes()
    approve(shop.desk, proposal.id, by=shop.alice)
    shop.chat.lose_request()
    shop.publishes()
    assert state_shown(shop) is State.ACTIVE
    assert len(shop.chat.messages) == 1


def test_retry_after_is_never_undercut_in_the_whole_workspace(small_shop):
    shop = small_shop
    shop.hears("C2")
    shop.finds_flaky()
    shop.chat.slow_down(30)
    told = shop.clock()
    for _ in range(40):
        publish_due(shop.desk)
        shop.clock.pass_(seconds=1)
    _, *later = shop.chat.calls
    assert {channel for channel, *_ in later} == {"C1", "C2"}
    assert all(at >= told + 30 * SECOND for *_, at in later)
    assert shop.chat.finds == 0  # what was refused was surely not posted


def test_a_channel_without_the_bot_waits_and_is_reported_until_it_is_mended(small_shop):
    shop = small_shop
    shop.chat.channels.clear()
    shop.finds_flaky()
    publish_due(shop.desk)
    with shop.database.read() as tx:
        assert outbox.broken_channels(tx) == [("T1", "C1", "not_in_channel")]
    shop.chat.channels.add("C1")
    shop.clock.pass_(minutes=5)
    shop.publishes()
    assert state_shown(shop) is State.PROPOSED
    with shop.database.read() as tx:
        assert outbox.broken_channels(tx) == []


def test_one_broken_channel_does_not_silence_the_other(small_shop):
    shop = small_shop
    shop.hears("C2")
    shop.finds_flaky()
    shop.chat.channels.discard("C1")
    publish_due(shop.desk)
    assert state_shown(shop, "C2") is State.PROPOSED


def test_a_deleted_card_comes_back_once(small_shop):
    shop = small_shop
    proposal = shop.finds_flaky()
    shop.publishes()
    shop.chat.delete()
    approve(shop.desk, proposal.id, by=shop.alice)
    shop.publishes()
    assert state_shown(shop) is State.ACTIVE
    shop.chat.delete()
    shop.clock.pass_(days=20)
    with shop.database.begin() as tx:
        outbox.touch(tx, project_id=shop.project.id, kind="proposal", subject=proposal.id, now=shop.clock())
    shop.publishes()
    assert shop.chat.shows() == []


def test_a_reply_under_a_deleted_card_is_let_go(small_shop):
    shop = small_shop
    proposal = shop.finds_flaky()
    shop.publishes()
    shop.chat.delete()
    with shop.database.begin() as tx:
        note_in_thread(tx, proposal, fact="x", payload={"text": "news"}, now=shop.clock())
    shop.publishes()
    assert len(shop.chat.calls) == 2


def test_a_fact_is_replied_once_under_its_card(small_shop):
    shop = small_shop
    proposal = shop.finds_flaky()
    for _ in range(3):
        with shop.database.begin() as tx:
            note_in_thread(tx, proposal, fact="first", payload={"text": "It obeyed."}, now=shop.clock())
    shop.publishes()
    assert shop.chat.replies() == ["It obeyed."]


def test_a_message_that_cannot_be_made_does_not_stop_the_others(small_shop):
    shop = small_shop
    shop.hears("C2")
    shop.finds_flaky("test_a")
    shop.finds_flaky("test_b")
    shop.chat.faults.extend([ValueError("a bug in the drawing")] * 2)
    shop.publishes()
    assert [len(shop.chat.shows(channel)) for channel in ("C1", "C2")] == [2, 2]


def test_a_message_refused_thirty_times_is_given_up_until_its_state_changes(small_shop):
    shop = small_shop
    proposal = shop.finds_flaky()
    shop.chat.faults.extend([ValueError("no")] * 30)
    for _ in range(60):
        publish_due(shop.desk)
        shop.clock.pass_(minutes=16)
    assert len(shop.chat.calls) == 30
    deny(shop.desk, proposal.id, by=shop.alice, reason="No")
    shop.publishes()
    assert state_shown(shop) is State.DENIED


def test_two_nodes_do_not_say_it_twice(shop):
    shop.finds_flaky()
    for desk in (shop.desk, shop.other_desk()):
        publish_due(desk)
    assert len(shop.chat.calls) == 1


def test_whoever_was_overtaken_keeps_silent(small_shop):
    shop = small_shop
    shop.finds_flaky()
    shop.chat.lose_answer()
    publish_due(shop.desk)
    shop.clock.pass_(seconds=5)
    slow_find = shop.chat.find

    def find(*args, **options):
        shop.chat.find = slow_find
        shop.clock.pass_(seconds=60)
        publish_due(shop.other_desk())

    shop.chat.find = find
    assert publish_due(shop.desk) == 0
    assert len(shop.chat.shows()) == 1


def test_quiet_hours_hold_proposals_back_but_not_decisions(small_shop):
    shop = small_shop
    shop.policy(quiet_hours="12:00-18:00")
    shop.flaked_before("test_a", "test_b")
    for name in ("test_a", "test_b"):
        shop.clock.pass_(minutes=30)
        shop.uploads(**{name: "flaky"})
    first, second = shop.latest("test_a"), shop.latest("test_b")
    shop.publishes()
    assert shop.chat.shows() == []
    approve(shop.desk, first.id, by=shop.alice)
    shop.publishes()
    assert [card.quarantine.id for card in shop.chat.shows()] == [first.id]
    shop.clock.now = shop.clock.now.replace(hour=18)
    shop.publishes()
    assert [card.quarantine.id for card in shop.chat.shows()] == [first.id, second.id]


def test_a_muted_channel_hears_of_proposals_afterwards(small_shop):
    shop = small_shop
    shop.flaked_before("test_login")
    shop.hears("C1", muted_until=shop.clock() + timedelta(hours=4))
    shop.uploads(test_login="flaky")
    shop.publishes()
    assert shop.chat.shows() == []
    shop.clock.pass_(hours=4)
    shop.publishes()
    assert isinstance(shop.chat.shows()[0], ProposalCard)


def test_without_a_chat_nothing_is_lost(small_shop):
    shop = small_shop
    shop.finds_flaky()
    chat, shop.desk = shop.chat, shop.other_desk()
    object.__setattr__(shop.desk, "chat", None)
    assert publish_due(shop.desk) == 0
    object.__setattr__(shop.desk, "chat", chat)
    shop.publishes()
    assert len(chat.shows()) == 1


def test_two_open_cards_with_the_same_short_name_are_told_apart(small_shop):
    shop = small_shop
    shop.finds_flaky("test_login[a]")
    shop.finds_flaky("test_login[b]")
    shop.publishes()
    assert shop.chat.shows()[-1].short_name == "test_login[b].py.test_login"


@pytest.mark.parametrize("tries", [0, 1, 5, 30, 10_000])
def test_the_wait_grows_but_never_beyond_a_quarter_of_an_hour(tries):
    assert SECOND <= backoff(tries) <= timedelta(minutes=15)


def test_a_revoked_token_is_a_broken_route(small_shop):
    shop = small_shop
    shop.finds_flaky()
    shop.chat.faults.append(BrokenRouteError(code="token_revoked"))
    publish_due(shop.desk)
    with shop.database.read() as tx:
        assert outbox.broken_channels(tx) == [("T1", "C1", "token_revoked")]
