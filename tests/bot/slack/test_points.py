"""The reviewer's checklist (SLACK.md §7), point by point, against the whole application."""

import ast
import itertools
import json
import re
import secrets
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from fakes.slack_office import MODES, SETUP, Office, Server, furnish, now, settings_for
from fakes.slack_people import HttpWire, has_action, words_of
from results import case, run_of
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from bot.slack.blocks.pieces import button
from core.quarantine import State
from core.tenancy import Person, Scope, Via
from jobs import decide
from jobs.digest import post_digest, post_due_digests
from jobs.enroll import issue_token
from jobs.expire import expire_due
from jobs.ingest import ingest_report
from jobs.settings import change_policy
from jobs.subscribe import subscribe
from storage import audit
from storage.publication import broken_channels
from storage.quarantine import list_quarantines
from storage.slack import Route

ROOT = Path(__file__).parents[3]
API = Person(user="U02BOB", via=Via.API, detail="ci-admin")


def state_of(office):
    with office.desk.database.read() as tx:
        return list_quarantines(tx, office.project.id)[0][0]


def audited(office, action):
    with office.desk.database.read() as tx:
        found, _ = audit.events(tx, office.project.organization_id, limit=500)
    return [one for one in found if one.action == action]


@pytest.fixture
def proposed(office):
    """An office in which one decision waits; answers (office, card)."""
    office.fails_now_and_then()
    return office, office.card("Quarantine test_redirect?")


# -- 1: the door ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"x-slack-signature": "v0=" + "0" * 64},
        {"x-slack-signature": "v0=é".encode("latin-1")},
        {"x-slack-signature": ""},
        {"x-slack-request-timestamp": "nan"},
        {"x-slack-request-timestamp": "1"},
        {"x-slack-request-timestamp": ""},
    ],
)
def test_point_01_a_bad_old_or_missing_signature_is_401_without_effect(proposed, headers):
    office, card = proposed
    body = urlencode({"payload": json.dumps(office.alice.click(card, "fg.proposal.approve"))}).encode()

    ack = office.wire.post(body, headers=headers)

    time.sleep(0.2)
    assert ack.status == 401
    assert state_of(office).state is State.PROPOSED


ODD = [
    (b"payload=[]", None), (b"payload={", None), (b"payload=%ff", None), (b"\xff\xfe\x00", None), (b"", None),
    (b"payload=null", None), (b"a=b", None), (b"{", "application/json"), (b"[]", "application/json"),
    (b"\xff", "application/json"), (b"command=%2Fflakeguard", "text/plain"), (b"x" * 1_100_000, None),
    (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"), (b'{"type":"event_callback"}', "application/json"),
    (b"payload=" + b"%5B" * 5000, None), (b'{"a":' * 5000 + b"1" + b"}" * 5000, "application/json"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "media"), ODD)
def test_point_01_signed_but_odd_bodies_are_refused_and_never_500(office, body, media):
    ack = office.wire.post(body, content_type=media or "application/x-www-form-urlencoded")

    assert 400 <= ack.status < 500


def test_point_01_odd_clicks_are_refused_or_ignored_and_never_500(proposed):
    office, card = proposed
    whole = office.alice.click(card, "fg.proposal.approve")
    for name in whole:
        for value in (None, [], {}, "x", 7, [None], {"id": 5}):
            if name != "trigger_id":
                ack = office.wire.interaction({**whole, name: value, "trigger_id": office.slack.trigger()})
                assert ack.status < 500


def test_point_01_slacks_handshake_is_answered(office):
    ack = office.wire.event({"type": "url_verification", "challenge": "c0ffee", "token": "x"})

    assert ack.said == {"challenge": "c0ffee"}


# -- 2 and 3: once -------------------------------------------------------------------------------------


def test_point_02_the_same_payload_twice_is_one_decision_and_one_audit_row(proposed):
    office, card = proposed
    body = urlencode({"payload": json.dumps(office.alice.click(card, "fg.proposal.approve"))}).encode()

    for number in range(4):
        assert office.wire.post(body, headers={"x-slack-retry-num": str(number)}).status == 200

    office.card("Quarantined")
    assert len(audited(office, "quarantine.approved")) == 1


def test_point_02_a_replayed_event_is_acknowledged_and_has_no_effect(office):
    envelope = office.alice.envelope({"type": "app_home_opened", "user": "U01ALICE", "tab": "home"}, "Ev1")

    for _ in range(3):
        assert office.wire.event(envelope).status == 200

    office.alice.home()
    time.sleep(0.3)
    assert len(office.slack.called("views.publish")) == 1


def test_point_03_eight_clicks_of_two_approvers_on_two_nodes_are_one_decision(slack, postgres_url):
    settings = settings_for(slack, postgres_url)
    with Server(settings) as one, Server(settings) as two:
        office = Office(slack, one, furnish(one), HttpWire(one.url))
        office.fails_now_and_then()
        card = office.card("Quarantine test_redirect?")
        other = Office(slack, two, office.project, HttpWire(two.url))
        people = [
            node.member(user) for node in (office, other) for user in ("U01ALICE", "U02BOB") for _ in range(2)
        ]

        with ThreadPoolExecutor(8) as pool:
            acks = list(pool.map(lambda person: person.clicks(card, "fg.proposal.approve"), people))

        office.card("Quarantined")
        slack.until(lambda: len(slack.answers) >= 7)
        assert {ack.status for ack in acks} == {200}
        assert len(audited(office, "quarantine.approved")) == 1
        assert len(slack.messages()) == 1
        assert all("was already approved" in words_of(one) for one in slack.answers)


# -- 4 and 5: the ack waits for nobody -------------------------------------------------------------------


def slow_database(desk, seconds):
    """Every round trip to the database takes this long."""

    def wait(*_):
        time.sleep(seconds)

    for engine in (desk.database._write, desk.database._read):
        event.listen(engine, "before_cursor_execute", wait)


def test_point_04_and_05_the_ack_is_quick_while_database_and_slack_are_slow(proposed):
    office, card = proposed
    slow_database(office.desk, 0.4)
    office.slack.fails("*", "hang", times=10_000, seconds=30)
    office.alice.types("help")

    def act(number):
        person = office.alice if number % 2 else office.bob
        match number % 5:
            case 0:
                return person.types("status")
            case 1:
                return person.clicks(card, "fg.proposal.details")
            case 2:
                return person.clicks(card, "fg.proposal.deny")
            case 3:
                return person.opens_home()
            case _:
                return person.types("show test_redirect")

    with ThreadPoolExecutor(2) as pool:
        acks = list(pool.map(act, range(200)))

    times = sorted(ack.milliseconds for ack in acks)
    assert {ack.status for ack in acks} == {200}
    assert times[197] < 500, f"p50 {statistics.median(times):.0f} ms, p99 {times[197]:.0f} ms"


def test_point_05_nothing_is_lost_while_slack_hangs(proposed):
    office, card = proposed
    office.slack.fails("chat.update", "hang", times=1, seconds=2)
    office.slack.fails("users.info", "hang", times=1, seconds=30)

    ack = office.alice.clicks(card, "fg.proposal.approve")

    assert ack.milliseconds < 1000
    assert office.slack.until(lambda: state_of(office).state is State.ACTIVE)
    assert office.slack.until(lambda: "Quarantined" in words_of(office.slack.messages()[0]), 30)


# -- 6 and 7: the outbox over this chat ----------------------------------------------------------------------


def test_point_06_retry_after_is_honoured(office):
    office.slack.fails("chat.postMessage", "429", retry_after=2)
    begin = time.monotonic()

    office.fails_now_and_then()
    office.card("Quarantine test_redirect?")

    first, second = (one for one in office.slack.calls if one[0] == "chat.postMessage")
    assert time.monotonic() - begin >= 2
    assert len(office.slack.messages()) == 1
    assert first[1]["metadata"] == second[1]["metadata"]


def test_point_06_at_most_one_message_a_second_in_a_channel(office):
    for name in ("test_one", "test_two", "test_three"):
        office.fails_now_and_then(name, message=f"{name} has a reason of its own")

    cards = office.slack.until(lambda: len(office.slack.messages()) == 3 and office.slack.messages())

    times = [card["at"] for card in cards]
    assert min(after - before for before, after in itertools.pairwise(times)) >= 0.9


@pytest.mark.parametrize("fault", ["reset_after", "truncated", "reset_before", "500"])
def test_point_07_a_post_of_unknown_outcome_appears_exactly_once(office, fault):
    office.slack.fails("chat.postMessage", fault)

    office.fails_now_and_then()
    office.card("Quarantine test_redirect?")

    time.sleep(2.5)
    assert len(office.slack.messages()) == 1


# -- 8: the card follows every path -----------------------------------------------------------------------------


def through_the_api(office, name):
    raw = secrets.token_bytes(32)
    token = issue_token(office.desk, office.project.id, Scope.ADMIN, by=SETUP, randomness=raw).raw
    answer = httpx.post(
        f"{office.server.url}/api/v1/proposals/{name}/approve",
        headers={"authorization": f"Bearer {token}"},
        json={"by": "U02BOB"},
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text


def by_denial(office, name):
    decide.deny(office.desk, int(name[2:]), by=API, reason="Real bug")


def on_the_command_line(office, name):
    bob = Person(user="U02BOB", via=Via.CLI, detail="command line")
    decide.approve(office.desk, int(name[2:]), by=bob)


def on_github(office, name):
    bob = Person(user="U02BOB", via=Via.GITHUB, detail="bob")
    decide.deny(office.desk, int(name[2:]), by=bob, reason="Not flaky: said on GitHub.")


def by_the_clock(office, _name):
    office.server.clock.ahead = timedelta(days=8)
    expire_due(office.desk)


PATHS = [through_the_api, on_the_command_line, by_denial, on_github, by_the_clock]


@pytest.mark.parametrize("path", PATHS)
def test_point_08_every_path_removes_approve_and_deny(proposed, path):
    office, _card = proposed

    path(office, state_of(office).name)

    office.slack.until(lambda: not has_action(office.slack.messages()[0], "fg.proposal.approve"))
    message = office.slack.messages()[0]
    assert not has_action(message, "fg.proposal.deny")
    assert has_action(message, "fg.quarantine.release") == (path in PATHS[:2])


def test_point_08_a_deleted_card_is_posted_anew_with_the_present_state(proposed):
    office, card = proposed
    card["deleted"] = True

    office.alice.clicks(card, "fg.proposal.approve")

    assert office.card("Quarantined: test_redirect")["ts"] != card["ts"]


# -- 9: who may not ------------------------------------------------------------------------------------------------


def refused(office, card, person, why):
    before = words_of(card)
    person.clicks(card, "fg.proposal.approve")
    answer = words_of(person.answer(why))
    assert "Nothing was changed" in answer
    assert state_of(office).state is State.PROPOSED
    assert words_of(office.slack.messages()[0]) == before


def refusals(office):
    return [(one.actor, one.details["wanted"]) for one in audited(office, "quarantine.refused")]


def test_point_09_somebody_without_a_role_is_refused_and_it_is_audited(proposed):
    office, card = proposed

    refused(office, card, office.vera, "you are a viewer")

    assert refusals(office) == [("U04VERA", "approved")]


def test_point_09_the_proposer_does_not_approve(office):
    office.fails_now_and_then("test_other", every=0)
    office.alice.types('quarantine test_other --reason "slow"')
    card = office.card("Quarantine test_other?")

    refused(office, card, office.alice, "You proposed this yourself")

    assert refusals(office) == [("U01ALICE", "approved")]


def test_point_09_a_guest_is_refused_even_when_listed(proposed):
    office, card = proposed
    office.slack.users["U02BOB"] = {"is_restricted": True}

    refused(office, card, office.bob, "Guests may look")

    assert refusals(office) == [("U02BOB", "approved")]


def test_point_09_somebody_from_another_workspace_is_refused_even_when_listed(proposed):
    office, card = proposed

    refused(office, card, office.member("U02BOB", home_team="T99FOREIGN"), "another workspace")

    assert refusals(office) == [("U02BOB", "approved")]


def test_point_09_another_workspaces_payload_has_no_effect(proposed):
    office, card = proposed

    refused(office, card, office.member("U02BOB", team="T99FOREIGN", home_team="T99FOREIGN"), "not installed")

    assert refusals(office) == []


def test_point_09_a_member_of_the_approver_group_may_decide(proposed):
    office, card = proposed
    office.slack.groups["S0APPROV"] = ["U04VERA"]
    change_policy(office.desk, office.project.id, {"approver_group": "S0APPROV"}, by=API)

    office.vera.clicks(card, "fg.proposal.approve")

    assert office.card("Quarantined: test_redirect")


# -- 10 to 18 ----------------------------------------------------------------------------------------------------------


def test_point_10_a_hostile_test_name_is_inert_all_the_way(office):
    name = "test_<!channel>_*x*_`y`_<@U01ALICE>"
    office.fails_now_and_then(name)

    card = office.card("Quarantine test_<!channel>")

    assert "<!channel>" not in card["text"]
    assert "&lt;!channel&gt;" in card["text"]


def test_point_13_every_time_is_a_date_token_with_a_fallback_in_utc(proposed):
    _, card = proposed

    tokens = re.findall(r"<!date\^(\d+)\^[^|>]+\|([^>]+)>", words_of(card))
    assert len(tokens) >= 2
    assert not re.search(r"\d{4}-\d{2}-\d{2}", words_of(card))


def test_point_13_the_digest_comes_at_nine_by_the_channels_clocks_across_summer_time(office):
    route = Route(office.project.id, "", "C01CI", digest_time="09:00", timezone="Europe/Paris")
    subscribe(office.desk, route, by=SETUP)
    hours = []
    for day in (datetime(2027, 3, 27, tzinfo=UTC), datetime(2027, 3, 28, tzinfo=UTC)):
        for minute in range(0, 24 * 60, 30):
            office.server.clock.ahead = day + timedelta(minutes=minute) - now()
            hours += [f"{day.day}: {minute // 60}"] * post_due_digests(office.desk)

    assert hours == ["27: 8", "28: 7"]


def test_point_15_no_secret_in_logs_or_dialogs(proposed, caplog, capfd):
    office, card = proposed
    office.slack.fails("views.open", "error", code="invalid_auth")

    office.alice.clicks(card, "fg.proposal.details")
    office.alice.answer("could not open")
    office.alice.clicks(card, "fg.proposal.deny")
    view = office.alice.dialog("Why?")

    told = caplog.text + "".join(capfd.readouterr()) + json.dumps(view)
    assert office.slack.bot_token not in told
    assert office.wire.secret not in told


def test_point_15_buttons_and_dialogs_carry_ids_only(proposed):
    office, card = proposed
    office.alice.clicks(card, "fg.proposal.deny")

    assert json.loads(office.alice.dialog("Why?")["private_metadata"]) == {"q": "q-1:1"}
    values = [element.get("value") for block in card["blocks"] for element in block.get("elements", [])]
    assert {value for value in values if value} == {"q-1:1"}


def test_point_17_the_journeys_are_told_in_both_modes():
    journeys = ast.parse(Path(__file__).with_name("test_journeys.py").read_text()).body
    stories = [one for one in journeys if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")]
    rooms = [{argument.arg for argument in story.args.args} for story in stories]

    assert MODES == ("http", "socket")
    assert sum(bool(room & {"any_office", "reading_office"}) for room in rooms) > 0.9 * len(rooms)


@pytest.mark.parametrize(
    "text", ["", "   ", "help", "hlep", "\u202e", "--", '"', "show", "top --days nan", "<@U1|x>"]
)
def test_point_16_odd_commands_help(office, text):
    assert len(words_of(office.alice.types(text).said)) > 20


def test_point_18_slacks_address_is_configured_never_written_down():
    allowed = {"web.py"}
    for path in (ROOT / "bot" / "slack").rglob("*.py"):
        if path.name not in allowed:
            assert "slack.com" not in path.read_text(), path


def test_point_19_a_fresh_install_speaks_after_its_first_fortnight_of_reports(slack, sqlite_url):
    with Server(settings_for(slack, sqlite_url)) as server:
        office = Office(slack, server, furnish(server), HttpWire(server.url, clock=server.clock.stamp))
        begin = time.monotonic()
        office.alice.opens_home()
        assert office.alice.home("Find your flaky tests in three steps")
        office.fails_now_and_then()
        assert office.card("Quarantine test_redirect?")
        assert time.monotonic() - begin < 600


def test_point_20_quiet_hours_are_respected(office):
    hour = now().hour
    quiet = f"{hour:02d}:00-{(hour + 2) % 24:02d}:00"
    change_policy(office.desk, office.project.id, {"quiet_hours": quiet}, by=API)
    office.fails_now_and_then()
    time.sleep(2)
    assert office.slack.messages() == []

    office.server.clock.ahead = timedelta(hours=2)

    assert office.card("Quarantine test_redirect?")


def test_point_20_a_day_without_news_has_at_most_one_line(office):
    office.fails_now_and_then("test_calm", every=0)
    begin = (now() + timedelta(days=1)).replace(hour=0, minute=0)
    for half_hour in range(48):
        office.server.clock.ahead = begin + timedelta(minutes=30 * half_hour) - now()
        post_due_digests(office.desk)

    office.slack.until(office.slack.messages)
    time.sleep(2)
    assert len(office.slack.messages()) == 1


def test_point_21_an_uninstalled_app_keeps_its_data_and_says_the_route_is_broken(proposed):
    office, card = proposed
    office.slack.tokens.clear()

    office.alice.clicks(card, "fg.proposal.approve")

    def broken():
        with office.desk.database.read() as tx:
            return broken_channels(tx)

    assert office.slack.until(broken)[0][2] == "token_revoked"
    assert state_of(office).state is State.ACTIVE


def test_choosing_a_channel_before_there_is_a_repository_says_what_is_missing(slack, sqlite_url):
    with Server(settings_for(slack, sqlite_url)) as server:
        office = Office(slack, server, None, HttpWire(server.url, clock=server.clock.stamp))
        office.alice.opens_home()

        office.alice.clicks(office.alice.home("Nothing received yet"), "fg.home.channel")

        assert office.alice.dialog("flakeguard project create OWNER/NAME")


def test_a_response_url_elsewhere_is_never_called(office):
    office.alice.types("status", response_url="http://127.0.0.1:9/steal")

    answer = office.slack.until(lambda: office.slack.ephemerals)[0]
    assert "acme/web" in words_of(answer)


def test_a_button_of_another_version_is_acknowledged_and_explained(proposed):
    office, card = proposed
    card["blocks"].append(
        {"type": "actions", "elements": [button("fg.future.verb", "?", says="?", value="x")]}
    )

    assert office.alice.clicks(card, "fg.future.verb").status == 200
    assert office.alice.answer("another version")


def test_the_database_being_away_is_said_with_a_reference(proposed):
    office, card = proposed

    def broken(*_):
        raise OperationalError("SELECT", {}, Exception("disk I/O error"))

    event.listen(office.desk.database._write, "before_cursor_execute", broken)
    office.alice.clicks(card, "fg.proposal.approve")

    assert "ref" in words_of(office.alice.answer("database did not answer"))


def test_a_slow_dialog_is_said_and_not_lost_silently(proposed):
    office, card = proposed
    office.slack.fails("views.open", "error", code="expired_trigger_id")

    office.alice.clicks(card, "fg.proposal.deny")

    assert office.alice.answer("Click once more")


def test_point_22_a_broken_test_is_never_proposed_by_itself_and_refused_when_asked_for(office):
    for number in range(14):
        at = now() - timedelta(hours=20 * (14 - number))
        outcome = "passed" if number < 7 else "failed"
        cases = [case("test_broken", outcome), *(case(f"steady_{index}") for index in range(30))]
        run = run_of(number, run_id=f"b-{number}", commit=f"{number:07x}", at=at)
        ingest_report(office.desk, office.project.id, run, cases)

    office.vera.types('quarantine test_broken --reason "always red"')

    assert office.vera.answer("broken, not flaky")
    assert office.slack.messages() == []


def test_point_20_no_news_is_one_line(office):
    office.fails_now_and_then("test_calm", every=0)

    post_digest(office.desk, office.project.id, until=now())

    message = office.slack.until(lambda: office.slack.messages() and office.slack.messages()[0])
    assert [block["type"] for block in message["blocks"]] == ["context"]
    assert "nothing new" in words_of(message)
