"""Lists, one test's past, ETags, health, metrics, documents."""

import pytest
from http_server import serving, settings_for
from reports import junit


def history(server):
    """Test b fails and passes on the very same commit, three times over."""
    for number in range(3):
        when = f"2026-02-2{number}T10:00:00Z"
        for attempt, report in ((1, junit("a", failed=["b"])), (2, junit("a", "b"))):
            query = {
                "run_id": str(number),
                "attempt": str(attempt),
                "commit": f"c{number}",
                "started_at": when,
            }
            assert server.uploads(report, **query).status_code == 201
    return next(item for item in server.get("/tests").json()["items"] if item["name"] == "b")["test_id"]


def test_runs_are_listed_newest_first_and_paged(server):
    history(server)
    page = server.get("/runs", limit=2, offset=1).json()
    assert (page["total"], [item["run_id"] for item in page["items"]]) == (6, ["2", "1"])


@pytest.mark.parametrize(
    "path", ["/runs", "/tests", "/flaky", "/proposals", "/audit", "/quarantine", "/detections"]
)
@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 501}, {"limit": "x"}, {"offset": -1}, {"offset": 10**9}]
)
def test_bounds_of_pages_are_validated(server, path, query):
    answer = server.get(path, **query)
    assert (answer.status_code, answer.json()["field"]) == (400, next(iter(query)))


def test_a_test_tells_state_score_and_rate(server):
    test_id = history(server)
    body = server.get(f"/tests/{test_id}").json()
    assert (body["name"], body["quarantine"]["state"], 0 < body["score"] <= 1) == ("b", "proposed", True)
    assert server.get("/tests", search="B").json()["total"] == 1
    assert server.get("/tests", state=body["state"]).json()["items"][0]["test_id"] == test_id


def test_a_history_is_newest_first(server):
    test_id = history(server)
    items = server.get(f"/tests/{test_id}/history", limit=3).json()["items"]
    assert [(item["run_id"], item["attempt"], item["outcome"]) for item in items] == [
        ("2", 2, "passed"),
        ("2", 1, "failed"),
        ("1", 2, "passed"),
    ]


def test_an_explanation_says_why(server):
    answer = server.get(f"/tests/{history(server)}/explain")
    assert (answer.status_code, bool(answer.json()["summary"])) == (200, True)


def test_changes_of_verdict_are_told(server):
    test_id = history(server)
    items = server.get("/detections", test_id=test_id).json()["items"]
    assert items
    assert {"suite", "class", "name", "at", "from", "to", "score"} <= set(items[0])


def test_an_unchanged_quarantine_list_is_not_sent_again(server):
    tag = server.get("/quarantine").headers["etag"]
    same = server.get("/quarantine", headers={"If-None-Match": f'"other", W/{tag}'})
    approves_the_proposal(server)
    changed = server.get("/quarantine", headers={"If-None-Match": tag})
    assert (same.status_code, same.content, changed.status_code) == (304, b"", 200)


def approves_the_proposal(server):
    history(server)
    server.post("/approvers", {"user": "U1"})
    assert server.post("/proposals/q-1/approve", {"by": "U1"}).status_code == 200


class TestHealth:
    def test_alive_and_ready(self, server):
        assert [
            server.http.get(path).status_code for path in ("/health", "/health/ready", "/health/deep")
        ] == [200] * 3

    def test_without_its_database_it_is_alive_but_not_ready(self, tmp_path):
        server = serving(settings_for(f"sqlite:///{tmp_path}/no/such/folder/x.db"))
        codes = [server.http.get(path).status_code for path in ("/health", "/health/ready", "/health/deep")]
        answer = server.get("/runs")
        assert codes == [200, 503, 503]
        assert (answer.status_code, answer.json()["type"], "retry-after" in answer.headers) == (
            503,
            "database_error",
            True,
        )
        assert "no/such/folder" not in answer.text

    def test_a_deep_check_tells_what_is_wrong(self, furnished_url):
        def broken():
            raise RuntimeError("secret")

        server = serving(
            settings_for(furnished_url), checks={"github": broken, "disk": lambda: "12 GiB free"}
        )
        answer = server.http.get("/health/deep")
        assert (answer.status_code, answer.json()["github"]) == (503, {"ok": False, "detail": "RuntimeError"})
        assert answer.json()["disk"] == {"ok": True, "detail": "12 GiB free"}


def test_metrics_count_requests_by_route_and_results(server):
    server.uploads(junit("a", failed=["b"]))
    server.http.get("/no/such/thing")
    text = server.http.get("/metrics").text
    assert 'flakeguard_ingestions_total{kind="junit",status="created"} 1.0' in text
    assert 'flakeguard_results_total{outcome="failed"} 1.0' in text
    assert 'route="/api/v1/ingestion/junit",status="201"' in text
    assert "no/such/thing" not in text
    assert 'flakeguard_backlog{kind="inbox"} 0.0' in text


def test_the_api_documents_itself(server):
    paths = server.http.get("/openapi.json").json()["paths"]
    assert {"/api/v1/ingestion/junit", "/api/v1/quarantine", "/health/ready"} <= set(paths)
    assert server.http.get("/docs").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nope", 404),
        ("GET", "/api/v1/nope", 404),
        ("DELETE", "/api/v1/runs", 405),
        ("GET", "/slack/x", 404),
    ],
)
def test_what_is_not_there_is_a_problem_too(server, method, path, status):
    answer = server.http.request(method, path)
    assert (answer.status_code, answer.json()["status"], answer.headers["content-type"]) == (
        status,
        status,
        "application/problem+json",
    )


def test_every_answer_carries_security_headers_and_an_id(server):
    headers = server.http.get("/health", headers={"X-Request-ID": "ci-42"}).headers
    assert headers["x-request-id"] == "ci-42"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert "default-src 'none'" in headers["content-security-policy"]


def test_a_strange_request_id_is_not_repeated(server):
    assert (
        server.http.get("/health", headers={"X-Request-ID": "a\tb<script>"}).headers["x-request-id"].isalnum()
    )


def test_no_other_origin_may_ask(server):
    answer = server.http.get("/api/v1/runs", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_slack_sees_its_requests_unchanged(furnished_url):
    async def slack(scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    server = serving(settings_for(furnished_url), slack=slack)
    assert server.http.post("/slack/events").text == "/slack/events"


def test_a_crash_says_nothing_to_a_stranger(furnished_url):
    async def slack(_scope, _receive, _send):
        raise RuntimeError("the password is hunter2")

    answer = serving(settings_for(furnished_url), slack=slack).http.post("/slack/events")
    assert (answer.status_code, answer.json()["type"]) == (500, "processing_error")
    assert "hunter2" not in answer.text
