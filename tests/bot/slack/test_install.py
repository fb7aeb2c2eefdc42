"""Several workspaces on one server: each installs itself, and none sees another's tests."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.fernet import Fernet
from fakes.slack import TEAM
from fakes.slack_office import Office, Server, furnish, settings_for
from fakes.slack_people import HttpWire, Member, words_of

from storage.slack import find_installation, list_installations

OTHER = "T02OTHER"


@pytest.fixture
def several(slack, sqlite_url):
    settings = settings_for(
        slack,
        sqlite_url,
        slack_bot_token=None,
        slack_client_id="12.34",
        slack_client_secret="client-secret",
        secret_key=Fernet.generate_key().decode(),
    )
    slack.installs["code-0"] = ("xoxb-first", TEAM, "Acme")
    with Server(settings) as server:
        yield slack, server


def installs(server, code):
    """One browser's way through Slack's OAuth."""
    with httpx.Client(base_url=server.url, trust_env=False) as browser:
        begun = browser.get("/slack/install")
        query = parse_qs(urlsplit(begun.headers["location"]).query)
        cookie = begun.headers["set-cookie"].partition(";")[0]
        answer = browser.get(
            "/slack/oauth_redirect",
            params={"code": code, "state": query["state"][0]},
            headers={"cookie": cookie},
        )
    return begun, answer


def test_a_workspace_installs_itself_and_its_token_is_sealed(several):
    slack, server = several

    begun, answer = installs(server, "code-1")

    with server.desk.database.read() as tx:
        found = find_installation(tx, OTHER)
    assert begun.status_code == 302
    assert begun.headers["location"].startswith(f"{slack.origin}/oauth/v2/authorize?")
    assert (answer.status_code, found.name) == (200, "Other")
    assert b"xoxb" not in found.token


@pytest.mark.parametrize("spoil", ["state", "cookie", "late", "code"])
def test_a_state_that_is_not_ours_installs_nothing(several, spoil):
    _, server = several
    with httpx.Client(base_url=server.url, trust_env=False) as browser:
        begun = browser.get("/slack/install")
        state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
        cookie = begun.headers["set-cookie"].partition(";")[0]
        if spoil == "late":
            server.clock.ahead += server.clock.ahead.__class__(minutes=11)
        answer = browser.get(
            "/slack/oauth_redirect",
            params={
                "code": "wrong" if spoil == "code" else "code-1",
                "state": state[:-1] + "x" if spoil == "state" else state,
            },
            headers={"cookie": "flakeguard_install=other" if spoil == "cookie" else cookie},
        )

    with server.desk.database.read() as tx:
        assert list_installations(tx) == []
    assert answer.status_code in {400, 502}


def test_without_a_key_nothing_is_stored_in_clear(slack, sqlite_url):
    more = {"slack_bot_token": None, "slack_client_id": "12.34", "slack_client_secret": "s"}
    with Server(settings_for(slack, sqlite_url, **more)) as server:
        assert httpx.get(f"{server.url}/slack/install", trust_env=False).status_code == 404


@pytest.fixture
def two(several):
    """Two workspaces with a repository each; answers (slack, acme's office, other's office)."""
    slack, server = several
    installs(server, "code-0")
    installs(server, "code-1")
    slack.scopes.discard("users:read")
    acme = furnish(server, repo="acme/web", team=TEAM, organization=f"Acme ({TEAM})")
    other = furnish(server, repo="other/app", team=OTHER, organization=f"Other ({OTHER})")
    wire = HttpWire(server.url, clock=server.clock.stamp)
    return slack, Office(slack, server, acme, wire), Office(slack, server, other, wire)


def test_a_workspace_sees_its_own_repositories_only(two):
    slack, _, other = two
    mallory = Member(slack, other.wire, "U01ALICE", team=OTHER, home_team=OTHER)

    mallory.types("whoami")
    assert "other/app" in words_of(mallory.answer("You are"))
    mallory.types("status acme/web")

    assert "There is no repository called acme/web here" in words_of(mallory.answer("acme/web"))


def test_foreign_is_missing_for_every_click(two):
    slack, acme, other = two
    acme.fails_now_and_then()
    card = acme.card("Quarantine test_redirect?")
    mallory = Member(slack, other.wire, "U01ALICE", team=OTHER, home_team=OTHER)

    mallory.clicks(card, "fg.proposal.approve")

    assert "There is no quarantine q-1" in words_of(mallory.answer("no quarantine"))
    acme.alice.clicks(card, "fg.proposal.approve")
    assert acme.card("Quarantined: test_redirect")


def test_uninstalling_forgets_the_token_and_keeps_the_data(two):
    slack, acme, _ = two

    acme.wire.event(acme.alice.envelope({"type": "app_uninstalled"}))

    def forgotten():
        with acme.desk.database.read() as tx:
            return find_installation(tx, TEAM).token == b""

    assert slack.until(forgotten)


def test_revoked_tokens_count_as_uninstalled_only_for_the_bot(two):
    slack, acme, _ = two
    acme.wire.event(
        acme.alice.envelope({"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}}, "Ev1")
    )
    acme.wire.event(acme.alice.envelope({"type": "tokens_revoked", "tokens": {"bot": ["U0BOT"]}}, "Ev2"))

    def revoked():
        with acme.desk.database.read() as tx:
            return find_installation(tx, TEAM).revoked_at

    assert slack.until(revoked)


def test_installing_again_keeps_the_organization(two):
    slack, acme, _ = two
    with acme.desk.database.read() as tx:
        before = find_installation(tx, TEAM)
    slack.installs["code-9"] = ("xoxb-third", TEAM, "Acme Renamed")

    installs(acme.server, "code-9")

    with acme.desk.database.read() as tx:
        after = find_installation(tx, TEAM)
    assert (after.organization_id, after.name) == (before.organization_id, "Acme Renamed")
