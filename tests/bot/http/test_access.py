"""Who gets in, and what strangers learn: nothing."""

import pytest
from http_server import ADMIN, REPO
from reports import junit

from bot.http.auth import SERVER

ENDPOINTS = [
    ("GET", "/runs", "read"),
    ("GET", "/tests", "read"),
    ("GET", "/flaky", "read"),
    ("GET", "/tests/1", "read"),
    ("GET", "/tests/1/history", "read"),
    ("GET", "/tests/1/explain", "read"),
    ("GET", "/detections", "read"),
    ("GET", "/proposals", "read"),
    ("GET", "/audit", "read"),
    ("GET", "/approvers", "read"),
    ("GET", "/settings/policy", "read"),
    ("GET", "/tokens", "admin"),
    ("POST", "/tokens", "admin"),
    ("DELETE", "/tokens/1", "admin"),
    ("POST", "/proposals", "admin"),
    ("POST", "/proposals/q-1/approve", "admin"),
    ("POST", "/proposals/q-1/deny", "admin"),
    ("POST", "/quarantine/q-1/release", "admin"),
    ("POST", "/quarantine/q-1/extend", "admin"),
    ("POST", "/approvers", "admin"),
    ("DELETE", "/approvers/U1", "admin"),
    ("PUT", "/settings/policy", "admin"),
    ("POST", "/ingestion/runs", "ingest"),
    ("POST", "/orgs", "server"),
    ("POST", "/projects", "server"),
    ("GET", "/projects", "server"),
]
BODIES = {
    "/tokens": {"scope": "read"},
    "/proposals": {"test_id": 1, "by": "U1"},
    "/approvers": {"user": "U1"},
    "/settings/policy": {"by": "U1", "version": 1, "changes": {"ttl_days": 7}},
    "/ingestion/runs": {"run_id": "1", "status": "passed"},
    "/orgs": {"name": "x"},
    "/projects": {"repo": "a/b"},
}


def asks(server, method, path, headers):
    body = BODIES.get(path, {"by": "U1", "reason": "because"} if method == "POST" else None)
    return server.http.request(method, f"/api/v1{path}", json=body, headers=headers)


@pytest.mark.parametrize(("method", "path", "_scope"), ENDPOINTS)
def test_without_a_live_token_every_endpoint_answers_401(server, method, path, _scope):
    headers = [
        {},
        {"Authorization": ""},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer fg_read_" + "A" * 43 + "_00000000"},
        {"Authorization": b"Bearer \xff\xfe"},
    ]
    answers = [asks(server, method, path, one) for one in headers]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.json()["type"] for answer in answers} == {"authentication_error"}
    assert {answer.headers["www-authenticate"] for answer in answers} == {'Bearer realm="flakeguard"'}


@pytest.mark.parametrize(("method", "path", "scope"), ENDPOINTS)
def test_a_token_of_another_scope_is_not_enough(server, method, path, scope):
    wrong = {"read": "ingest:trunk", "admin": "read", "ingest": "read", "server": "admin"}[scope]
    answer = asks(server, method, path, server.auth(wrong))
    assert answer.status_code == (401 if scope == "server" else 403)


def test_any_token_of_the_project_reads_the_quarantine_list(server):
    codes = {server.get("/quarantine", scope=scope).status_code for scope in server.tokens}
    assert codes == {200}


def test_an_expired_token_is_refused(server):
    token = server.makes_token("read", expires_days=1)["token"]
    before = server.get("/runs", scope=token).status_code
    server.clock.pass_(days=1)
    assert (before, server.get("/runs", scope=token).status_code) == (200, 401)


def test_a_revoked_token_is_refused_at_once(server):
    made = server.makes_token("read")
    before = server.get("/runs", scope=made["token"]).status_code
    answer = server.http.delete(f"/api/v1/tokens/{made['token_id']}", headers=server.auth("server"))
    assert (before, answer.status_code, server.get("/runs", scope=made["token"]).status_code) == (
        200,
        204,
        401,
    )


def test_last_use_is_noted(server):
    server.uploads(junit("a"))
    tokens = {
        item["scope"]: item["last_used_at"] for item in server.get("/tokens", scope="admin").json()["items"]
    }
    assert (tokens["ingest:trunk"], tokens["ingest:pr"]) == ("2026-03-02T12:00:00+00:00", None)


def test_the_raw_token_is_shown_once(server):
    raw = server.makes_token("read")["token"]
    assert raw not in server.get("/tokens", scope="admin").text


def test_a_projects_admin_makes_and_revokes_its_own_tokens_only(server):
    server.makes_project("other/shop")
    foreign = server.makes_token("read", repo="other/shop")
    assert server.post("/tokens", {"scope": "read"}).status_code == 201
    assert server.post("/tokens", {"scope": "read", "project": "other/shop"}).status_code == 404
    answer = server.http.delete(f"/api/v1/tokens/{foreign['token_id']}", headers=server.auth("admin"))
    assert (answer.status_code, server.get("/runs", scope=foreign["token"]).status_code) == (404, 200)


class TestForeign:
    @pytest.fixture
    def stranger(self, server):
        """A token of another project, while ours holds a failing test and a proposal."""
        test_id = server.uploads(junit("a", failed=["b"])).json()["failures"][0]["test_id"]
        proposal = server.post("/proposals", {"test_id": test_id, "by": "U1"}).json()["proposal_id"]
        server.makes_project("other/shop", org="other")
        return server.makes_token("admin", repo="other/shop")["token"], test_id, proposal

    def test_lists_are_empty(self, server, stranger):
        token, *_ = stranger
        paths = ("/runs", "/tests", "/flaky", "/detections", "/proposals", "/quarantine")
        assert {server.get(path, scope=token).json()["total"] for path in paths} == {0}

    def test_what_is_foreign_answers_as_if_it_were_missing(self, server, stranger):
        token, test_id, _ = stranger
        pairs = [
            (f"/tests/{test_id}", "/tests/99999"),
            (f"/tests/{test_id}/history", "/tests/99999/history"),
            (f"/tests/{test_id}/explain", "/tests/99999/explain"),
        ]
        for foreign, missing in pairs:
            one, other = (server.get(path, scope=token) for path in (foreign, missing))
            assert (one.status_code, one.json()["detail"]) == (404, other.json()["detail"])

    @pytest.mark.parametrize(
        "path",
        ["/proposals/{}/approve", "/proposals/{}/deny", "/quarantine/{}/release", "/quarantine/{}/extend"],
    )
    def test_decisions_about_foreign_proposals_find_nothing(self, server, stranger, path):
        token, _, proposal = stranger
        answer = server.post(path.format(proposal), {"by": "U2", "reason": "because"}, scope=token)
        assert (answer.status_code, answer.json()["type"]) == (404, "not_found")

    def test_naming_another_project_than_the_tokens_is_naming_nothing(self, server, stranger):
        token, *_ = stranger
        assert server.uploads(junit("a"), scope=token, project=REPO).status_code == 404
        assert server.get("/runs", scope=token, project=REPO).status_code == 404
        assert server.get("/runs", scope=token, project="no/such").status_code == 404


class TestServersAdmin:
    def test_it_makes_organizations_projects_and_tokens(self, empty_server):
        made = empty_server.post("/orgs", {"name": "Acme"}, scope="server")
        again = empty_server.post("/orgs", {"name": "acme"}, scope="server")
        assert (made.status_code, again.json()) == (201, made.json())
        project = empty_server.makes_project("acme/shop", org="Acme", default_branch="trunk")
        assert project["default_branch"] == "trunk"
        assert empty_server.makes_token("read", repo="acme/shop")["token"].startswith("fg_read_")

    def test_a_project_is_made_once(self, server):
        answer = server.post("/projects", {"repo": "ACME/shop", "org": "acme"}, scope="server")
        assert (answer.status_code, answer.json()["type"]) == (409, "conflict")

    @pytest.mark.parametrize("repo", ["shop", "a/b/c", "a b/c", "../x", "a/\u202eb"])
    def test_a_project_is_called_owner_name(self, server, repo):
        answer = server.post("/projects", {"repo": repo}, scope="server")
        assert (answer.status_code, answer.json()["field"]) == (400, "repo")

    def test_it_names_the_project_it_asks_about(self, server):
        server.uploads(junit("a"))
        assert server.get("/runs", scope=ADMIN, project=REPO).json()["total"] == 1
        assert server.get("/runs", scope=ADMIN).json()["field"] == "project"

    def test_every_change_is_in_the_audit_log_with_its_door(self, server):
        server.makes_token("read")
        event = server.get("/audit").json()["items"][0]
        assert (event["action"], event["via"], event["actor"]) == ("token.created", "api", SERVER)


@pytest.mark.parametrize(
    ("body", "kind"), [(b"hello", "text/plain"), (b"", "text/xml"), (b"<x>", "text/xml")]
)
def test_a_stranger_does_not_learn_what_is_wrong_with_a_body(server, body, kind):
    answer = server.uploads(body, scope="nobody", headers={"Content-Type": kind})

    assert answer.status_code == 401
