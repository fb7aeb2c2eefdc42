"""The stories people live through, told in both modes against the whole application."""

import json
import secrets
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from fakes.slack import Channel
from fakes.slack_office import SETUP, now
from fakes.slack_people import find_element, has_action, words_of
from results import case, run_of

from core.quarantine import State
from core.tenancy import Scope
from jobs.digest import post_digest
from jobs.enroll import issue_token
from jobs.ingest import ingest_report
from storage.quarantine import list_quarantines


def quarantines(office, *states):
    with office.desk.database.read() as tx:
        return list_quarantines(tx, office.project.id, states=states)[0]


def test_a_flaky_test_is_proposed_approved_and_the_card_shows_it(any_office):
    any_office.fails_now_and_then()
    card = any_office.card("Quarantine test_redirect?")

    ack = any_office.alice.clicks(card, "fg.proposal.approve")

    decided = any_office.card("Quarantined: test_redirect")
    assert ack.status == 200
    assert f"<@{any_office.alice.user}> approved" in words_of(decided)
    assert not has_action(decided, "fg.proposal.approve")
    assert not has_action(decided, "fg.proposal.deny")
    assert has_action(decided, "fg.quarantine.release")


def test_denying_asks_for_a_reason_and_shows_it(any_office):
    any_office.fails_now_and_then()
    card = any_office.card("Quarantine test_redirect?")

    any_office.bob.clicks(card, "fg.proposal.deny")
    view = any_office.bob.dialog("Why?")
    ack = any_office.bob.submits(
        view,
        why={"selected_option": {"value": "bug"}},
        text={"value": "Race in the session <!channel>"},
        days={"value": "30"},
    )

    denied = any_office.card("Not quarantined: test_redirect")
    assert ack.said["response_action"] == "update"
    assert "Race in the session <!channel>" in words_of(denied)
    assert "keeps blocking merges" in words_of(any_office.bob.dialog("keeps blocking"))
    assert not has_action(denied, "fg.quarantine.release")


def test_releasing_is_the_undo(any_office):
    any_office.fails_now_and_then()
    any_office.alice.clicks(any_office.card("Quarantine test"), "fg.proposal.approve")
    any_office.alice.clicks(any_office.card("Quarantined"), "fg.quarantine.release")

    any_office.alice.submits(any_office.alice.dialog("Why now?"), text={"value": "Fixed in #4182"})

    released = any_office.card("Released: test_redirect")
    assert "Fixed in #4182" in words_of(released)
    assert quarantines(any_office)[0].state is State.RELEASED


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("status", "acme/web is healthy"),
        ("top", "test_redirect"),
        ("show test_redirect", "Flaky: test_redirect"),
        ("show shop_test.py::Shop::test_redirect", "Flaky: test_redirect"),
        ("show steady_3", "Healthy: steady_3"),
        ("show steady", "30 tests match"),
        ("show nothing_like_it", "No test here has"),
        ("list", "1 proposal waits"),
        ("list quarantined", "No test is in quarantine"),
        ("history test_redirect", "proposed"),
        ("whoami", "You are <@U01ALICE>"),
        ("status nowhere/else", "There is no repository called nowhere/else"),
    ],
)
def test_every_reading_command_answers_privately(reading_office, typed, seen):
    ack = reading_office.alice.types(typed)

    answer = reading_office.alice.answer(seen)
    assert ack.status == 200
    assert answer["response_type"] == "ephemeral"


def test_help_is_in_the_ack_itself(reading_office):
    ack = reading_office.alice.types("help")

    assert "status [repo]" in words_of(ack.said)
    assert ack.said["response_type"] == "ephemeral"


def test_a_typing_error_is_answered_with_what_was_meant(reading_office):
    ack = reading_office.alice.types("staus")

    assert "Did you mean `/flakeguard status" in words_of(ack.said)


def test_the_home_tab_shows_what_waits_and_leads_to_the_decision(any_office):
    any_office.fails_now_and_then()
    any_office.card("Quarantine test")

    any_office.alice.opens_home()
    home = any_office.alice.home("1 decision waits for you")
    any_office.alice.clicks(home, "fg.home.review")
    view = any_office.alice.dialog("Almost certainly flaky")
    any_office.alice.clicks(view, "fg.proposal.approve")

    assert "It cannot block a merge" in words_of(any_office.alice.dialog("cannot block"))
    assert any_office.card("Quarantined: test_redirect")
    assert any_office.alice.home("Nothing waits for you")


def test_the_home_leads_into_the_web_pages_as_oneself(any_office):
    any_office.fails_now_and_then()
    any_office.bob.opens_home()
    any_office.bob.clicks(any_office.bob.home("Repositories"), "fg.web.open")

    view = any_office.bob.dialog("You come in as yourself")
    _, opened = find_element(view, "fg.open.web")
    page = httpx.get(
        opened["url"].replace("https://flakeguard.example.com", any_office.server.url), trust_env=False
    )

    assert page.status_code == 200
    assert any_office.bob.user in page.text


def test_everybodys_home_follows_a_decision(any_office):
    any_office.fails_now_and_then()
    card = any_office.card("Quarantine test")
    any_office.bob.opens_home()
    any_office.bob.home("1 decision waits for you")

    any_office.alice.clicks(card, "fg.proposal.approve")

    assert any_office.bob.home("Nothing waits for you")


def test_somebody_without_a_role_sees_no_proposals_on_their_home(reading_office):
    reading_office.vera.opens_home()

    assert "waits for you" not in words_of(reading_office.vera.home("Repositories"))


def test_the_first_home_is_three_steps(any_office):
    any_office.alice.opens_home()

    home = any_office.alice.home("Find your flaky tests in three steps")
    assert "https://flakeguard.example.com/api/v1/ingestion/junit" in words_of(home)


def test_a_quarantine_can_be_proposed_with_a_dialog(any_office):
    any_office.fails_now_and_then("test_other", every=0)

    any_office.vera.types("quarantine test_other")
    view = any_office.vera.dialog("Shown on the card")
    any_office.vera.submits(view, text={"value": "Times out on CI"}, days={"value": "7"})

    card = any_office.card("Quarantine test_other?")
    assert "Times out on CI" in words_of(card)
    assert "Quarantine 7 days" in words_of(card)


def test_a_quarantine_can_be_proposed_in_one_line(any_office):
    any_office.fails_now_and_then("test_other", every=0)

    any_office.vera.types('quarantine test_other --for 2w --reason "slow"')

    assert "Proposed as q-" in words_of(any_office.vera.answer("Proposed"))


def test_the_settings_dialog_stores_a_new_policy(any_office):
    any_office.alice.types("settings")
    view = any_office.alice.dialog("Who decides")

    any_office.alice.submits(
        view,
        approvers={"selected_users": ["U02BOB", "U01ALICE"]},
        quorum={"value": "2"},
        never={"value": "tests/security/**\n"},
        ttl={"value": "10"},
        cap={"value": "30"},
        channel={"selected_conversation": "C01CI"},
        what={"selected_option": {"value": "proposals"}},
        time={"selected_time": "08:30"},
    )

    assert any_office.alice.dialog("Saved.")
    any_office.alice.types("settings")
    again = any_office.slack.until(lambda: settings_of(any_office.slack, "30"))
    assert "tests/security/**" in str(again)


def settings_of(slack, cap):
    return next((view for view in slack.views.values() if f"'initial_value': '{cap}'" in str(view)), None)


def test_only_admins_change_settings(any_office):
    any_office.bob.types("settings")

    assert any_office.bob.dialog("Only admins")


def test_a_quorum_nobody_can_reach_is_a_field_error(any_office):
    any_office.alice.types("settings")
    view = any_office.alice.dialog("Who decides")

    ack = any_office.alice.submits(
        view, approvers={"selected_users": ["U02BOB"]}, quorum={"value": "3"}, ttl={"value": "0"}
    )

    assert ack.said["errors"] == {
        "quorum": "You have 2 approvers, so 3 approvals can never be reached.",
        "ttl": "1 to 60 days",
    }


def test_a_channel_without_the_bot_is_refused_and_nothing_is_lost(any_office):
    any_office.slack.channels["C02SHOP"] = Channel("C02SHOP", member=False)
    any_office.alice.types("settings")

    any_office.alice.submits(
        any_office.alice.dialog("Who decides"),
        approvers={"selected_users": ["U02BOB", "U01ALICE"]},
        cap={"value": "33"},
        channel={"selected_conversation": "C02SHOP"},
    )

    again = any_office.alice.dialog("Invite FlakeGuard to this channel first.")
    assert "'initial_value': '33'" in str(again)
    assert "'initial_conversation': 'C02SHOP'" in str(again)


def test_two_saves_at_once_show_the_second_what_changed(any_office):
    values = {
        "quorum": {"value": "1"},
        "cap": {"value": "30"},
        "approvers": {"selected_users": ["U02BOB", "U03CAROL"]},
    }
    any_office.alice.types("settings")
    first = any_office.alice.dialog("Who decides")
    any_office.alice.types("settings")
    second = any_office.slack.until(
        lambda: next(
            (
                v
                for v in any_office.slack.views.values()
                if v["id"] != first["id"] and "Who decides" in words_of(v)
            ),
            None,
        )
    )
    any_office.alice.submits(first, **values, ttl={"value": "9"})
    any_office.alice.dialog("Saved.")

    any_office.alice.submits(second, **values, ttl={"value": "8"})

    assert any_office.alice.dialog("Changed by @")


def test_snoozing_from_the_card_is_a_denial_for_a_week(any_office):
    any_office.fails_now_and_then()

    any_office.bob.clicks(any_office.card("Quarantine test"), "fg.proposal.more", option="snooze7")

    assert "Snoozed for 7 days" in words_of(any_office.card("Not quarantined"))


def test_a_real_bug_opens_the_deny_dialog_with_the_reason_chosen(reading_office):

    reading_office.bob.clicks(reading_office.card("Quarantine test"), "fg.proposal.more", option="bug")

    why = next(
        block for block in reading_office.bob.dialog("Why?")["blocks"] if block.get("block_id") == "why"
    )
    assert why["element"]["initial_option"]["value"] == "bug"


def test_the_explain_shortcut_finds_the_test_a_message_talks_about(reading_office):

    reading_office.vera.uses_shortcut(
        "fg.shortcut.explain", text="CI red again: shop_test.py::Shop::test_redirect FAILED"
    )

    assert reading_office.vera.answer("Flaky: test_redirect")


def test_a_menu_goes_on_with_the_test_that_was_chosen(reading_office):
    reading_office.vera.types("show steady")

    reading_office.vera.clicks(reading_office.vera.answer("tests match"), "fg.choose.show")

    assert reading_office.vera.answer("Healthy: steady_")


def test_proposing_one_of_several_matches_is_a_choice_in_the_dialog(any_office):
    any_office.fails_now_and_then("test_other", every=0)

    any_office.vera.types("quarantine teady_2")
    view = any_office.vera.dialog("Which one?")
    options = next(block for block in view["blocks"] if block.get("block_id") == "pick")["element"]["options"]
    any_office.vera.submits(
        view, pick={"selected_option": options[0]}, text={"value": "slow"}, days={"value": "7"}
    )

    assert any_office.card("Quarantine steady_2")


def test_releasing_a_test_that_is_not_in_quarantine_is_explained_in_the_dialog(any_office):
    any_office.fails_now_and_then("test_other", every=0)

    any_office.alice.types("release test_other")

    assert any_office.alice.dialog("No test of this name is in quarantine")


def test_sharing_posts_for_everybody_under_ones_name(reading_office):

    reading_office.vera.types("top --share")

    shared = reading_office.vera.answer("shared by <@U04VERA>")
    assert shared["response_type"] == "in_channel"


def test_a_channel_is_subscribed_by_an_admin_only(any_office):
    any_office.bob.types("subscribe acme/web --daily 9:00 --tz Europe/Paris")
    assert any_office.bob.answer("Only admins of acme/web")

    any_office.alice.types("subscribe acme/web --daily 9:00 --tz Europe/Paris --only digest --silent")
    heard = words_of(any_office.alice.answer("hears about"))
    assert "digest only; the digest comes at 09:00; nothing when nothing is new" in heard


def test_linking_a_login_shows_ones_tests(any_office):
    any_office.fails_now_and_then()
    any_office.alice.clicks({"type": "home", **link_home()}, "fg.home.link")

    any_office.alice.submits(any_office.alice.dialog("Your GitHub login"), login={"value": "alice"})

    assert any_office.alice.dialog("Linked to alice")
    any_office.alice.opens_home()
    assert any_office.alice.home("No test of yours needs attention")


def link_home():
    button = {"type": "button", "action_id": "fg.home.link", "value": "open"}
    return {"blocks": [{"type": "section", "accessory": button}]}


def test_a_sample_is_seen_by_whoever_loaded_it_alone_and_is_removed_with_one_click(any_office):
    vera, bob = any_office.vera, any_office.bob
    vera.opens_home()
    vera.clicks(vera.home("Load sample"), "fg.home.sample")

    sample = vera.home("This is a sample")
    assert "3 decisions wait for you" in words_of(sample)
    vera.types("top sample/web-shop")
    assert vera.answer("test_redirect_after_login")
    bob.types("status sample/web-shop")
    assert bob.answer("There is no repository called sample/web-shop")

    vera.clicks(sample, "fg.home.unsample")
    assert vera.home("Find your flaky tests in three steps")


def test_decisions_about_a_sample_are_nobody_elses(any_office):
    any_office.vera.opens_home()
    any_office.vera.clicks(any_office.vera.home("Load sample"), "fg.home.sample")
    home = any_office.vera.home("decisions wait")

    any_office.alice.clicks(home, "fg.home.review")
    assert any_office.alice.dialog("There is no quarantine q-")

    any_office.vera.clicks(home, "fg.home.review")
    any_office.vera.clicks(any_office.vera.dialog("Almost certainly flaky"), "fg.proposal.approve")
    assert any_office.vera.home("2 decisions wait for you")


def test_after_the_first_report_the_home_counts_down(office):
    run = run_of(1, run_id="first", at=now())
    ingest_report(office.desk, office.project.id, run, [case("test_one")])

    office.alice.opens_home()

    home = office.alice.home("1 report received, about 19 runs to go")
    assert ":white_check_mark: *2. Send results*" in words_of(home)


def test_the_whole_list_opens_from_the_digest(reading_office):
    until = now()
    post_digest(reading_office.desk, reading_office.project.id, until=until)
    digest = reading_office.slack.until(
        lambda: next(
            (one for one in reading_office.slack.messages() if "flaky failure" in words_of(one)), None
        )
    )

    reading_office.vera.clicks(digest, "fg.digest.report")

    assert "test_redirect" in words_of(reading_office.vera.answer("flaky test of acme/web"))


def test_the_line_on_the_first_home_really_sends_a_report(office, tmp_path):
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("there is no curl here")
    token = issue_token(
        office.desk, office.project.id, Scope.INGEST_TRUNK, by=SETUP, randomness=secrets.token_bytes(32)
    )
    (tmp_path / "junit.xml").write_text('<testsuite name="s"><testcase classname="c" name="t"/></testsuite>')
    office.alice.opens_home()
    line = office.alice.home("curl -H")["blocks"][4]["elements"][0]["elements"][0]["text"]

    command = line.replace("https://flakeguard.example.com", office.server.url)
    variables = {
        "FLAKEGUARD_TOKEN": token.raw,
        "SHA": "4f1c2ab",
        "PATH": str(Path(curl).parent),
        "no_proxy": "*",
    }
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=tmp_path, env=variables, capture_output=True, check=True
    )

    assert json.loads(done.stdout)["counts"]["passed"] == 1
