"""Every page, with and without data, for whoever may see it; whatever a name holds stays text."""

import re
from html.parser import HTMLParser

import pytest
from fakes.browser import HOSTILE, OURS, Browser, lives, opened
from fakes.clock import Clock
from http_server import REPO, START, settings_for
from reports import junit
from starlette.testclient import TestClient

from bot.app import build
from bot.web.key import web_key
from bot.web.links import (
    dashboard_page,
    flaky_tests_page,
    page_of_test,
    quarantine_page,
    repository_page,
)
from bot.web.session import SlackSession, sealed_session
from core.tenancy import Person, Via
from jobs.sample import load_sample
from storage.quarantine import list_quarantines

PAGES = ["/web/", f"/web/{REPO}", f"/web/{REPO}/tests", f"/web/{REPO}/quarantine", f"/web/{REPO}/audit"]
VOID = {"meta", "link", "br", "input", "img", "rect", "path", "use", "wbr"}


class Markup(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.open, self.faults, self.text = [], [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.faults.append(tag)

    def handle_data(self, data):
        self.text += data


def hidden_characters(text):
    return re.findall("[\u200b\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f]", text)


def every_page(server):
    return [*PAGES, *(f"/web/{REPO}/tests/{test_id}" for test_id in server.tests.values())]


def test_every_page_is_whole_safe_and_reachable_by_ear(server, reader):
    for path in every_page(server):
        answer = reader.opens(path)
        page = Markup(answer.text)
        assert (answer.status_code, page.faults, page.open) == (200, [], []), path
        assert not {"script", "style", "img", "iframe"} & set(page.tags)
        assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
        assert not hidden_characters(answer.text)
        assert {"main", "header", "footer", "h1", "title"} <= set(page.tags)
        assert page.tags.count("h1") == 1
        assert page.tags.count("table") <= page.tags.count("thead")


def test_every_page_carries_its_headers(server, reader):
    for path in [*every_page(server), "/web/signin", "/web/no/such"]:
        headers = reader.opens(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert (headers["cache-control"], headers["x-frame-options"]) == ("no-store", "DENY")
        assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/web/", *PAGES[1:]])
def test_pages_with_nothing_to_show_say_so(empty_server, newcomer, path):
    before = newcomer.opens("/web/")
    empty_server.makes_project(REPO)
    page = newcomer.opens(path)
    assert (page.status_code, Markup(page.text).faults) == (200, [])
    assert "no repository you may see" in before.text


def test_the_style_sheet_is_served_and_cached(stranger):
    answer = stranger.opens("/web/style.css")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "prefers-color-scheme: dark" in answer.text
    assert "max-age" in answer.headers["cache-control"]


@pytest.mark.parametrize("path", ["/", "/web"])
def test_short_addresses_lead_to_the_first_page(stranger, path):
    assert stranger.opens(path).headers["location"] == "/web/"


class TestNames:
    def test_a_hostile_name_is_text_and_what_it_hides_is_spelled_out(self, server, reader):
        page = Markup(reader.opens(f"/web/{REPO}/tests/{server.tests[HOSTILE[:6]]}").text)
        assert (
            "test_<script>alert(1)</script>\u27e8U+202E\u27e9gnp.\u27e8U+200B\u27e9\u27e8U+007F\u27e9xxx"
            in page.text
        )
        assert "x" * 500 in page.text

    def test_in_lists_it_is_cut_in_the_middle(self, reader):
        for path in (f"/web/{REPO}", f"/web/{REPO}/tests"):
            text = reader.opens(path).text
            assert ("\u27e8U+202E\u27e9" in text, "x" * 500 in text) == (True, False)

    def test_a_failures_message_is_text(self, server, reader):
        page = Markup(reader.opens(f"/web/{REPO}/tests/{server.tests[HOSTILE[:6]]}").text)
        assert "<img src=x onerror=alert(2)>\u27e8U+202E\u27e9" in page.text

    def test_a_link_to_a_run_leads_to_the_web_or_nowhere(self, server, reader):
        for number, url in enumerate(["javascript:alert(1)", "data:text/html,x", "https://ci.example/ok"]):
            query = {"run_id": f"u{number}", "commit": f"u{number}", "url": url}
            server.uploads(junit(failed=["b"]), **query)
        page = Markup(reader.opens(f"/web/{REPO}/tests/{server.tests['b']}").text)
        links = {value for name, value in page.attributes if name == "href"}
        assert not [
            link for link in links if not link.startswith(("/web/", "https://", "#", "data:image/svg"))
        ]

    def test_what_somebody_searches_for_is_text(self, reader):
        page = reader.opens(f"/web/{REPO}/tests", search='"><script>alert(3)</script>\u202e\x00')
        assert (page.status_code, "<script>" in page.text) == (200, False)


class TestMissing:
    @pytest.mark.parametrize("path", ["", "/tests", "/tests/1", "/quarantine", "/audit"])
    def test_what_is_foreign_looks_like_what_is_missing(self, server, stranger, path):
        server.makes_project("other/shop", org="other")
        stranger.signs_in(server.makes_token("read", repo="other/shop")["token"])
        foreign, missing = (stranger.opens(f"/web/{repo}{path}") for repo in (REPO, "no/such"))
        assert (foreign.status_code, missing.status_code) == (404, 404)
        assert foreign.text == missing.text

    @pytest.mark.parametrize("test", ["99999", "0", "-1", "x", "9" * 30, "1/evidence"])
    def test_a_test_that_is_not_there(self, reader, test):
        answer = reader.opens(f"/web/{REPO}/tests/{test}")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")

    def test_a_test_of_another_project_is_missing_here(self, server, reader):
        server.makes_project("acme/web")
        assert reader.opens(f"/web/acme/web/tests/{server.tests['b']}").status_code == 404

    @pytest.mark.parametrize("page", ["0", "-1", "x", "99999999"])
    def test_a_page_number_that_is_none(self, reader, page):
        assert reader.opens(f"/web/{REPO}/tests", page=page).status_code == 404

    @pytest.mark.parametrize("path", [*PAGES, f"/web/{REPO}/tests/1"])
    def test_a_page_behind_the_last_one_is_empty(self, server, reader, path):
        assert reader.opens(path, page=900).status_code == 200

    def test_the_pages_can_be_switched_off(self, sqlite_url):
        app = build(settings_for(sqlite_url, FLAKEGUARD_WEB=False), now=Clock())
        http = TestClient(app.asgi)
        codes = [http.get(path).status_code for path in ("/", "/web/", "/web/signin")]
        app.stop()
        assert codes == [404, 404, 404]


class TestRepository:
    def test_without_a_result_it_does_not_speak_of_health(self, empty_server, newcomer):
        empty_server.makes_project(REPO)
        page = Markup(newcomer.opens(f"/web/{REPO}").text)
        assert ("No result yet" in page.text, "No flaky failure" in page.text) == (True, False)

    def test_it_begins_with_the_digests_verdict(self, reader):
        page = Markup(reader.opens(f"/web/{REPO}").text)
        assert re.search(r"14 flaky failures?|flaky failures", page.text)
        assert "14 days" in page.text

    def test_what_waits_for_a_decision_is_named(self, server, reader):
        assert "Needs a decision" in reader.opens(f"/web/{REPO}").text
        assert f"/web/{REPO}/tests/{server.tests['b']}" in reader.opens(f"/web/{REPO}").text

    def test_the_chart_is_told_in_words(self, reader):
        words = dict(Markup(reader.opens(f"/web/{REPO}").text).attributes)
        labels = [
            value
            for name, value in Markup(reader.opens(f"/web/{REPO}").text).attributes
            if name == "aria-label"
        ]
        assert words
        assert [one for one in labels if one and one.startswith("Flaky failures per day. 17 Feb: ")]

    def test_a_name_is_found_whatever_its_case(self, reader):
        assert reader.opens(f"/web/{REPO.upper()}").status_code == 200


class TestTests:
    def test_those_of_a_state_or_a_name_are_shown(self, reader):
        counts = {
            query: Markup(reader.opens(f"/web/{REPO}/tests", **dict([query])).text).tags.count("tr") - 1
            for query in (("state", ""), ("state", "flaky"), ("search", "script"), ("state", "broken"))
        }
        assert counts == {
            ("state", ""): 3,
            ("state", "flaky"): 2,
            ("search", "script"): 1,
            ("state", "broken"): -1,
        }

    def test_an_unknown_state_shows_all(self, reader):
        assert "3 tests" in reader.opens(f"/web/{REPO}/tests", state="<b>").text

    def test_many_are_turned_page_by_page(self, server, reader):
        server.uploads(junit(*(f"many_{number}" for number in range(60))), run_id="many")
        first = reader.opens(f"/web/{REPO}/tests", search="many_")
        second = reader.opens(f"/web/{REPO}/tests", search="many_", page=2)
        assert "search=many_&amp;page=2" in first.text
        assert ("51 to 60 of 60" in second.text, second.text.count('<th scope="row">')) == (True, 10)


class TestTest:
    def test_the_strip_is_told_in_words(self, server, reader):
        page = Markup(reader.opens(f"/web/{REPO}/tests/{server.tests['b']}").text)
        labels = [value for name, value in page.attributes if name == "aria-label"]
        assert "The last 18 executions, oldest first: 9 passed, 9 failed." in labels

    def test_evidence_comes_in_words_with_links_to_the_runs(self, server, reader):
        text = reader.opens(f"/web/{REPO}/tests/{server.tests['b']}").text
        assert "failed, then passed when the same commit was run again" in text
        assert 'href="https://ci.example/8"' in text
        assert "What would change it" in text

    def test_what_was_read_before_does_not_hide_a_new_run(self, server, reader):
        path = f"/web/{REPO}/tests/{server.tests['b']}"
        before, again = reader.opens(path).text, reader.opens(path).text
        server.uploads(junit("a", failed=["b"]), run_id="new", commit="new")
        after = Markup(reader.opens(path).text).text
        assert before == again
        assert ("9 failures in the 28 days" in before, "10 failures in the 28 days" in after) == (True, True)

    def test_one_that_never_failed_says_so(self, server, reader):
        text = Markup(reader.opens(f"/web/{REPO}/tests/{server.tests['a']}").text).text
        assert ("It has not failed" in text, "Never proposed" in text) == (True, True)

    def test_executions_are_turned_page_by_page(self, server, reader):
        for number in range(20):
            server.uploads(junit("a"), run_id=f"more{number}")
        path = f"/web/{REPO}/tests/{server.tests['a']}"
        assert "page=2" in reader.opens(path).text
        assert "26 to 38" in reader.opens(path, page=2).text


class TestDecisions:
    def decided(self, server):
        with server.desk.database.read() as tx:
            found, _ = list_quarantines(tx, 1)
        one, other = (item.name for item in found[:2])
        assert server.post(f"/proposals/{one}/approve", {"by": "U2"}).status_code == 200
        denial = {"by": "U2", "reason": "a <b>real</b> bug"}
        assert server.post(f"/proposals/{other}/deny", denial).status_code == 200

    def test_quarantines_are_told_by_who_and_until_when(self, server, reader):
        self.decided(server)
        text = Markup(reader.opens(f"/web/{REPO}/quarantine").text).text
        assert ("16 Mar, 12:00" in text, "U2" in text, "a <b>real</b> bug" in text) == (True, True, True)

    def test_a_tests_own_story_is_told(self, server, reader):
        self.decided(server)
        texts = [
            Markup(reader.opens(f"/web/{REPO}/tests/{server.tests[one]}").text).text
            for one in ("b", HOSTILE[:6])
        ]
        assert [one for one in texts if "In force since a decision by" in one]
        assert [one for one in texts if "Denied by" in one]

    def test_oneself_is_called_you(self, server):
        self.decided(server)
        browser = Browser(server)
        browser.enters(browser.link(user="U2"))
        assert '<td class="wide">you</td>' in re.sub(
            r">\s+|\s+<", lambda one: one[0].strip(), browser.opens(f"/web/{REPO}/quarantine").text
        )

    def test_the_audit_log_is_listed_and_walked(self, server, reader):
        self.decided(server)
        text = Markup(reader.opens(f"/web/{REPO}/audit").text).text
        assert ("quarantine.approved" in text, "The chain is whole" in text) == (True, True)

    def test_a_changed_event_shows(self, server, reader):
        with server.desk.database.begin() as tx:
            tx.exec_driver_sql("DROP TRIGGER audit_no_update")
            tx.exec_driver_sql("UPDATE audit_event SET actor = 'nobody' WHERE seq = 2")
        text = Markup(reader.opens(f"/web/{REPO}/audit").text).text
        assert "The chain is broken. Event 2" in text

    def test_what_was_added_since_is_walked_too(self, server, reader):
        before = Markup(reader.opens(f"/web/{REPO}/audit").text).text
        self.decided(server)
        after = Markup(reader.opens(f"/web/{REPO}/audit").text).text
        counts = [int(re.search(r"all (\d+) events", text)[1]) for text in (before, after)]
        assert counts[1] - counts[0] == 2


class TestSamples:
    def test_a_sample_is_seen_by_its_owner_only(self, empty_server, newcomer):
        load_sample(empty_server.desk, team="T1", by=Person(user="U1", via=Via.SLACK, team=""))
        other = Browser(empty_server)
        other.enters(other.link(user="U2"))
        codes = [one.opens("/web/sample/web-shop").status_code for one in (newcomer, other)]
        assert codes == [200, 404]


class TestLinks:
    @pytest.mark.parametrize("address", [repository_page, flaky_tests_page, quarantine_page])
    def test_they_lead_to_pages_that_are_there(self, server, reader, address):
        link = address(server.settings, REPO)
        assert link.startswith(OURS)
        assert reader.opens(link.removeprefix(OURS)).status_code == 200

    def test_a_tests_and_the_dashboards(self, server, reader):
        links = (page_of_test(server.settings, REPO, server.tests["b"]), dashboard_page(server.settings))
        assert {reader.opens(link.removeprefix(OURS)).status_code for link in links} == {200}

    def test_they_are_empty_while_the_pages_are_switched_off(self, server):
        off = server.settings.model_copy(update={"web": False})
        assert {repository_page(off, REPO), dashboard_page(off), page_of_test(off, REPO, 1)} == {""}


def test_a_database_that_does_not_answer_is_told_in_a_sentence(tmp_path, lived_in):
    server = opened(f"sqlite:///{tmp_path}/empty.db", lived_in[1])
    browser = Browser(server)
    key = web_key(server.settings, server.desk)
    session = sealed_session(key, SlackSession("T1", "U1"), now=server.clock())
    browser.http.cookies.set("__Host-flakeguard", session)
    answer = browser.opens("/web/")
    server.desk.database.close()
    assert (answer.status_code, "Not available right now" in answer.text) == (503, True)


def test_behind_a_proxys_path_every_address_begins_with_it(server):
    proxied = opened(server.settings.database_url, server.tokens, FLAKEGUARD_BASE_URL=f"{OURS}/flakes")
    browser = Browser(proxied)
    answer = browser.enters(browser.link())
    page = Markup(browser.opens(f"/web/{REPO}").text)
    proxied.desk.database.close()
    inside = [
        value for name, value in page.attributes if name in {"href", "action"} and value.startswith("/")
    ]
    assert answer.headers["location"] == "/flakes/web/"
    assert len(inside) > 8
    assert not [path for path in inside if not path.startswith("/flakes/web/")]


def test_the_time_of_the_page_is_told(reader):
    assert f"{START.day} Mar 2026, 12:00 UTC" in reader.opens("/web/").text


def test_postgresql_tells_the_same(postgres_url):
    other = opened(postgres_url)
    other.makes_project(REPO, org="acme")
    other.tokens = {scope: other.makes_token(scope)["token"] for scope in ("read", "admin", "ingest:trunk")}
    other.tests = lives(other)
    browser = Browser(other)
    browser.signs_in(other.tokens["read"])
    told = {path: browser.opens(path) for path in every_page(other)}
    other.desk.database.close()
    assert {answer.status_code for answer in told.values()} == {200}
    assert (
        "failed, then passed when the same commit was run again"
        in told[f"/web/{REPO}/tests/{other.tests['b']}"].text
    )
