"""Who gets in: by a link from Slack or a token, and by nothing else."""

from datetime import timedelta

import pytest
from fakes.browser import OURS, Browser, opened
from http_server import ADMIN, REPO
from starlette.testclient import TestClient

from bot.web.session import SlackSession, TokenSession, sealed_session
from storage.slack import SlackInstallation, link_login, put_installation, revoke_installation
from storage.token import revoke_token

PAGES = ["/web/", f"/web/{REPO}", f"/web/{REPO}/tests", f"/web/{REPO}/quarantine", f"/web/{REPO}/audit"]


@pytest.mark.parametrize("path", [*PAGES, f"/web/{REPO}/tests/1", "/web/no/such/page/at/all"])
def test_strangers_are_sent_to_the_door(stranger, path):
    answer = stranger.opens(path)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/web/signin")


def test_the_door_says_how_to_get_in(stranger):
    page = stranger.opens("/web/signin").text
    assert "/flakeguard whoami" in page
    assert "API token" in page


def test_without_slack_the_door_speaks_of_tokens_only(sqlite_url):
    server = opened(sqlite_url, SLACK_BOT_TOKEN=None)
    page = Browser(server).opens("/web/signin").text
    server.desk.database.close()
    assert ("Slack, type" in page, "API token" in page) == (False, True)


class TestLink:
    def test_looking_at_it_neither_signs_in_nor_uses_it_up(self, stranger):
        link = stranger.link()
        answers = [stranger.opens(link.removeprefix(OURS)) for _ in range(2)]
        assert {answer.status_code for answer in answers} == {200}
        assert not [answer for answer in answers if "set-cookie" in answer.headers]
        assert stranger.enters(link).headers["location"] == "/web/"

    def test_the_button_lets_in(self, stranger):
        answer = stranger.enters(stranger.link(path=f"/web/{REPO}/audit"))
        assert (answer.status_code, answer.headers["location"]) == (303, f"/web/{REPO}/audit")
        assert stranger.opens(f"/web/{REPO}").status_code == 200

    def test_the_cookie_is_out_of_reach(self, stranger):
        cookie = stranger.enters(stranger.link()).headers["set-cookie"]
        assert cookie.startswith("__Host-flakeguard=")
        for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=43200"):
            assert word in cookie

    def test_it_works_once(self, server, stranger):
        link = stranger.link()
        first, again = stranger.enters(link), Browser(server).enters(link)
        assert (first.status_code, again.status_code) == (303, 403)
        assert "set-cookie" not in again.headers

    def test_it_works_for_ten_minutes(self, server, stranger):
        late, soon = stranger.link(), stranger.link()
        server.clock.pass_(minutes=9, seconds=59)
        assert stranger.enters(soon).status_code == 303
        server.clock.pass_(seconds=1)
        assert stranger.enters(late).status_code == 403
        assert stranger.opens(late.removeprefix(OURS)).status_code == 403

    @pytest.mark.parametrize("ticket", ["", "x", "e30.e30", "\u202e", "a" * 6000])
    def test_a_forged_one_is_refused(self, stranger, ticket):
        assert stranger.sends("/web/enter", t=ticket).status_code == 403
        assert stranger.opens(PAGES[0]).status_code == 303

    def test_one_of_another_server_is_refused(self, server, stranger, sqlite_url):
        other = opened(sqlite_url, FLAKEGUARD_ADMIN_TOKEN="another-admin-token-altogether")
        link = Browser(other).link()
        other.desk.database.close()
        assert stranger.enters(link).status_code == 403

    def test_a_session_is_no_link_and_a_link_is_no_session(self, server, stranger):
        link = stranger.link()
        stranger.http.cookies.set("__Host-flakeguard", link.partition("?t=")[2])
        assert stranger.opens("/web/").status_code == 303
        entered = Browser(server)
        entered.enters(entered.link())
        assert stranger.sends("/web/enter", t=entered.http.cookies["__Host-flakeguard"]).status_code == 403

    @pytest.mark.parametrize(
        "path", ["https://evil.example/", "//evil.example", "/web/\\evil", "/api/v1/", "x"]
    )
    def test_it_leads_to_our_pages_only(self, stranger, path):
        assert stranger.enters(stranger.link(path=path)).headers["location"] == "/web/"

    def test_it_is_empty_while_the_pages_are_switched_off(self, stranger, server):
        off = server.settings.model_copy(update={"web": False})
        assert stranger.link(settings=off) == ""

    def test_nodes_agree_without_being_told_a_secret(self, sqlite_url):
        nodes = [opened(sqlite_url, FLAKEGUARD_ADMIN_TOKEN=None) for _ in range(2)]
        one, other = map(Browser, nodes)
        answer = other.enters(one.link())
        for node in nodes:
            node.desk.database.close()
        assert answer.status_code == 303


class TestToken:
    @pytest.mark.parametrize(
        ("scope", "status"), [("read", 303), ("admin", 303), ("ingest:trunk", 403), ("ingest:pr", 403)]
    )
    def test_it_needs_to_read(self, server, stranger, scope, status):
        assert stranger.signs_in(server.tokens[scope]).status_code == status
        assert stranger.opens(f"/web/{REPO}").status_code == (200 if status == 303 else 303)

    @pytest.mark.parametrize(
        "token", ["", " ", "fg_read_" + "A" * 43 + "_00000000", "\u202e\x01", "x" * 9000]
    )
    def test_a_wrong_one_is_refused_in_words(self, stranger, token):
        answer = stranger.signs_in(token)
        assert (answer.status_code, "unknown, expired or revoked" in answer.text) == (401, True)
        assert "__Host-flakeguard=" not in answer.headers.get("set-cookie", "")

    def test_wrong_ones_are_counted(self, stranger):
        codes = {stranger.signs_in(f"wrong-{number}").status_code for number in range(602)}
        assert codes == {401, 429}

    def test_revoked_it_lets_nobody_stay(self, server, stranger):
        made = server.makes_token("read")
        stranger.signs_in(made["token"])
        before = stranger.opens("/web/").status_code
        with server.desk.database.begin() as tx:
            revoke_token(tx, made["token_id"], None, server.clock())
        assert (before, stranger.opens("/web/").status_code) == (200, 303)

    def test_expired_it_lets_nobody_stay(self, server, stranger):
        stranger.signs_in(server.makes_token("read", expires_days=1)["token"])
        server.clock.pass_(hours=11)
        before = stranger.opens("/web/").status_code
        stranger.signs_in(server.tokens["ingest:pr"])
        server.clock.pass_(hours=13)
        assert (before, stranger.opens("/web/").status_code) == (200, 303)

    def test_it_sees_its_own_project_only(self, server, stranger):
        server.makes_project("other/shop")
        stranger.signs_in(server.makes_token("read", repo="other/shop")["token"])
        codes = [stranger.opens(path).status_code for path in ("/web/other/shop", f"/web/{REPO}")]
        assert codes == [200, 404]

    def test_the_servers_own_sees_everything(self, server, stranger):
        server.makes_project("other/shop")
        stranger.signs_in(ADMIN)
        assert {stranger.opens(path).status_code for path in ("/web/other/shop", f"/web/{REPO}")} == {200}

    def test_a_new_admin_token_ends_the_old_ones_sessions(self, server):
        key = {"FLAKEGUARD_SECRET_KEY": "A" * 43 + "="}
        old, new = (
            opened(server.settings.database_url, **key, FLAKEGUARD_ADMIN_TOKEN=t) for t in (ADMIN, "b" * 20)
        )
        browser = Browser(old)
        browser.signs_in(ADMIN)
        kept = browser.http.cookies["__Host-flakeguard"]
        other = Browser(new)
        other.http.cookies.set("__Host-flakeguard", kept)
        codes = (browser.opens("/web/").status_code, other.opens("/web/").status_code)
        for one in (old, new):
            one.desk.database.close()
        assert codes == (200, 303)


class TestSession:
    def test_it_lasts_twelve_hours(self, server, reader):
        server.clock.pass_(hours=11, minutes=59)
        before = reader.opens("/web/").status_code
        server.clock.pass_(minutes=1)
        assert (before, reader.opens("/web/").status_code) == (200, 303)

    def test_signing_out_ends_it(self, reader):
        answer = reader.sends("/web/signout")
        assert (answer.status_code, reader.opens("/web/").status_code) == (303, 303)

    @pytest.mark.parametrize("session", [SlackSession("T1", "U1"), TokenSession(1), TokenSession(99)])
    def test_one_sealed_with_another_key_is_none(self, server, stranger, session):
        value = sealed_session(b"not the key", session, now=server.clock())
        stranger.http.cookies.set("__Host-flakeguard", value)
        assert stranger.opens("/web/").status_code == 303

    def test_it_is_named_after_the_linked_login(self, server, reader):
        before = reader.opens("/web/").text
        with server.desk.database.begin() as tx:
            link_login(tx, team="T1", user="U1", login="Alice")
        assert (">U1<" in before, ">alice<" in reader.opens("/web/").text) == (True, True)


class TestForms:
    FORMS = ("/web/signin", "/web/enter", "/web/signout")

    @pytest.mark.parametrize("path", FORMS)
    @pytest.mark.parametrize(
        ("origin", "headers"),
        [
            ("https://evil.example", {}),
            ("null", {}),
            (None, {}),
            ("https://flakeguard.example.evil.example", {}),
            (OURS, {"Sec-Fetch-Site": "cross-site"}),
            (OURS, {"Sec-Fetch-Site": "same-site"}),
        ],
    )
    def test_another_sites_form_has_no_effect(self, server, reader, path, origin, headers):
        fields = {"token": server.tokens["read"], "t": reader.link().partition("?t=")[2]}
        answer = reader.sends(path, origin=origin, headers=headers, **fields)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)

    def test_a_browser_that_tells_the_site_is_believed(self, server, stranger):
        fields = {"token": server.tokens["read"]}
        answer = stranger.sends(
            "/web/signin", origin=None, headers={"Sec-Fetch-Site": "same-origin"}, **fields
        )
        assert answer.status_code == 303

    def test_behind_a_proxy_the_public_address_counts(self, server):
        inside = TestClient(server.http.app, base_url="http://10.0.0.1:8000", follow_redirects=False)
        told = {"Origin": OURS}
        answer = inside.post("/web/signin", data={"token": server.tokens["read"]}, headers=told)
        assert answer.status_code == 303


class TestAfterwards:
    def test_the_page_wanted_in_the_first_place_is_opened(self, server, stranger):
        wanted = f"/web/{REPO}/tests?state=flaky"
        stranger.http.get(stranger.opens(wanted).headers["location"])
        answer = stranger.enters(stranger.link())
        assert answer.headers["location"] == wanted

    def test_a_token_leads_there_too(self, server, stranger):
        answer = stranger.sends("/web/signin", token=server.tokens["read"], next=f"/web/{REPO}/audit")
        assert answer.headers["location"] == f"/web/{REPO}/audit"

    @pytest.mark.parametrize(
        "path",
        [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/web",
            "/web/\r\nX: y",
            "javascript:1",
            "/web/é",
        ],
    )
    def test_only_our_own_pages_follow_a_sign_in(self, server, stranger, path):
        answer = stranger.sends("/web/signin", token=server.tokens["read"], next=path)
        assert answer.headers["location"] == "/web/"
        page = stranger.opens("/web/signin", next=path)
        assert "evil.example" not in page.text
        assert "set-cookie" not in page.headers


class TestWorkspaces:
    """Several workspaces: each sees its own organization, as in Slack."""

    @pytest.fixture
    def shared(self, server):
        many = opened(server.settings.database_url, server.tokens, SLACK_BOT_TOKEN=None)
        many.makes_project("other/shop", org="other")
        yield many
        many.desk.database.close()

    def installs(self, server, team, organization_id):
        fields = dict.fromkeys(("enterprise", "name", "bot_user", "bot_id", "scopes"), "")
        row = SlackInstallation(
            team=team, token=b"", organization_id=organization_id, installed_at=server.clock(), **fields
        )
        with server.desk.database.begin() as tx:
            put_installation(tx, row)

    def test_it_sees_its_own_organization_only(self, shared):
        self.installs(shared, "T1", 1)
        browser = Browser(shared)
        browser.enters(browser.link())
        codes = [browser.opens(path).status_code for path in (f"/web/{REPO}", "/web/other/shop")]
        assert codes == [200, 404]

    def test_where_the_app_is_not_installed_nobody_gets_in(self, shared):
        browser = Browser(shared)
        browser.enters(browser.link(team="T9"))
        assert browser.opens("/web/").status_code == 303

    def test_when_the_app_is_removed_nobody_stays(self, shared):
        self.installs(shared, "T1", 1)
        browser = Browser(shared)
        browser.enters(browser.link())
        before = browser.opens("/web/").status_code
        with shared.desk.database.begin() as tx:
            revoke_installation(tx, "T1", shared.clock() + timedelta(minutes=1))
        assert (before, browser.opens("/web/").status_code) == (200, 303)
