"""Webhooks over REST: what an admin may do with them, and what others may not."""

import pytest
from cryptography.fernet import Fernet
from http_server import serving, settings_for

from storage.webhook import list_messages

URL = "https://hooks.example.com/flakeguard?key=1"


@pytest.fixture
def server(furnished, furnished_url):
    """A server that can keep secrets."""
    key = Fernet.generate_key().decode()
    server = serving(settings_for(furnished_url, FLAKEGUARD_SECRET_KEY=key), furnished[1])
    yield server
    server.desk.database.close()


@pytest.fixture
def webhook(server):
    answer = server.post("/webhooks", {"url": URL})
    assert answer.status_code == 201, answer.text
    return answer.json()


def asks(server, method, path, scope="admin", json=None, **query):
    return server.http.request(method, f"/api/v1{path}", json=json, params=query, headers=server.auth(scope))


def test_the_secret_is_shown_once(server, webhook):
    assert webhook["secret"].startswith("whsec_")
    number = webhook["webhook_id"]
    shown = [server.get(f"/webhooks/{number}", scope="admin"), server.get("/webhooks", scope="admin")]
    assert all(answer.status_code == 200 and webhook["secret"] not in answer.text for answer in shown)
    assert "secret" not in shown[0].json()


def test_a_webhook_as_it_is_shown(server, webhook):
    found = server.get(f"/webhooks/{webhook['webhook_id']}", scope="admin").json()
    assert (found["url"], found["events"], found["state"], found["disabled_by"]) == (URL, [], "enabled", None)
    assert (found["pending"], found["last_error"]) == (0, "")


def test_lists_come_in_pages(server):
    made = [server.post("/webhooks", {"url": URL}).json()["webhook_id"] for _ in range(3)]
    page = server.get("/webhooks", scope="admin", limit=1, offset=1).json()
    assert ([one["webhook_id"] for one in page["items"]], page["total"]) == ([made[1]], 3)


def test_a_change_keeps_what_it_does_not_name(server, webhook):
    path = f"/webhooks/{webhook['webhook_id']}"
    answer = asks(server, "PATCH", path, json={"events": ["test.*"], "description": "wall"})
    assert (answer.json()["events"], answer.json()["url"]) == (["test.*"], URL)
    again = asks(server, "PATCH", path, json={"events": []}).json()
    assert (again["events"], again["description"]) == ([], "wall")


def test_off_and_on(server, webhook):
    path = f"/webhooks/{webhook['webhook_id']}"
    assert server.post(f"{path}/disable").json()["disabled_by"] == "person"
    refused = server.post(f"{path}/test")
    assert (refused.status_code, refused.json()["type"]) == (409, "conflict")
    assert server.post(f"{path}/enable").json()["state"] == "enabled"


def test_a_test_event_is_on_its_way(server, webhook):
    path = f"/webhooks/{webhook['webhook_id']}"
    answer = server.post(f"{path}/test")
    assert answer.status_code == 202
    [message] = server.get(f"{path}/messages", scope="admin", state="pending").json()["items"]
    assert message["message_id"] == answer.json()["message_id"]
    assert (message["type"], message["state"], message["attempts"]) == ("webhook.test", "pending", 0)
    assert server.post(f"{path}/retry").json() == {"messages": 1}


def test_a_new_secret_while_the_old_one_still_signs(server, webhook):
    answer = server.post(f"/webhooks/{webhook['webhook_id']}/rotate", {"overlap_hours": 48}).json()
    assert answer["secret"] != webhook["secret"]
    assert answer["old_secret_until"].startswith("2026-03-04T12:00")


def test_a_new_secret_by_itself_gives_the_receiver_a_day(server, webhook):
    answer = server.post(f"/webhooks/{webhook['webhook_id']}/rotate").json()
    assert answer["old_secret_until"].startswith("2026-03-03T12:00")


def test_what_is_deleted_is_gone(server, webhook):
    path = f"/webhooks/{webhook['webhook_id']}"
    server.post(f"{path}/test")
    assert asks(server, "DELETE", path).status_code == 204
    assert asks(server, "DELETE", path).status_code == 404
    with server.desk.database.read() as tx:
        assert list_messages(tx, webhook["webhook_id"])[1] == 0


def test_what_is_done_is_in_the_audit_log(server, webhook):
    server.post(f"/webhooks/{webhook['webhook_id']}/rotate", {})
    events = server.get("/audit", subject=f"webhook-{webhook['webhook_id']}").json()["items"]
    assert [one["action"] for one in events] == ["webhook.rotated", "webhook.created"]
    assert "key=1" not in str(events)
    assert webhook["secret"] not in str(events)


@pytest.mark.parametrize("scope", ["read", "ingest:trunk", "ingest:pr"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/webhooks"),
        ("POST", "/webhooks"),
        ("GET", "/webhooks/1"),
        ("PATCH", "/webhooks/1"),
        ("DELETE", "/webhooks/1"),
        ("POST", "/webhooks/1/rotate"),
        ("POST", "/webhooks/1/test"),
        ("GET", "/webhooks/1/messages"),
    ],
)
def test_only_admins(server, webhook, scope, method, path):
    body = {"url": URL} if (method, path) == ("POST", "/webhooks") else {}
    answer = asks(server, method, path, scope, json=body if method in {"POST", "PATCH"} else None)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/disable"),
        ("POST", "/enable"),
        ("POST", "/rotate"),
        ("POST", "/test"),
        ("POST", "/retry"),
        ("GET", "/messages"),
    ],
)
def test_another_projects_webhook_is_missing(server, webhook, method, rest):
    server.makes_project("evil/shop", org="evil")
    stranger = server.makes_token("admin", repo="evil/shop")["token"]
    path = f"/webhooks/{webhook['webhook_id']}{rest}"
    answer = asks(server, method, path, stranger, json={} if method in {"POST", "PATCH"} else None)
    assert (answer.status_code, answer.json()["type"]) == (404, "not_found")
    assert asks(server, "GET", "/webhooks", stranger).json()["total"] == 0


def test_whoever_runs_the_server_makes_one_for_a_whole_organization(server):
    made = server.post("/webhooks", {"url": URL, "org": "acme"}, scope="server").json()
    assert made["project_id"] is None
    assert server.get("/webhooks", scope="admin").json()["total"] == 0
    assert server.get(f"/webhooks/{made['webhook_id']}", scope="admin").status_code == 404
    assert server.get("/webhooks", scope="server").json()["total"] == 1
    assert server.get("/webhooks", scope="server", project="acme/shop").json()["total"] == 0


@pytest.mark.parametrize(
    ("scope", "body", "status", "field"),
    [
        ("admin", {"url": "http://hooks.example.com"}, 400, "url"),
        ("admin", {"url": "https://10.0.0.1"}, 403, "url"),
        ("admin", {"url": "http://169.254.169.254/latest/meta-data"}, 403, "url"),
        ("admin", {"url": "http://127.0.0.1:8000/"}, 403, "url"),
        ("admin", {"url": URL, "events": ["nonsense"]}, 400, "events"),
        ("admin", {"url": URL, "description": "x" * 201}, 400, None),
        ("admin", {"url": URL, "unknown": 1}, 400, None),
        ("admin", {}, 400, None),
        ("admin", {"url": URL, "org": "acme"}, 400, "org"),
        ("server", {"url": URL}, 400, "project"),
        ("server", {"url": URL, "org": "nobody"}, 404, None),
    ],
)
def test_what_cannot_be_is_refused_in_words(server, scope, body, status, field):
    answer = server.post("/webhooks", body, scope=scope)
    assert answer.status_code == status, answer.text
    assert field is None or answer.json()["field"] == field
    assert server.get("/webhooks", scope="server").json()["total"] == 0


def test_without_a_key_no_secret_is_made(furnished, furnished_url):
    server = serving(settings_for(furnished_url), furnished[1])
    answer = server.post("/webhooks", {"url": URL})
    assert answer.status_code == 409
    assert "FLAKEGUARD_SECRET_KEY" in answer.json()["detail"]
    server.desk.database.close()


def test_the_document_tells_the_events(server):
    document = server.http.get("/openapi.json").text
    assert "quarantine.approved" in document
    assert "/api/v1/webhooks/{endpoint_id}/rotate" in document


def test_messages_that_wait_too_long_show_in_the_deep_health(server, webhook):
    from fakes.courier import FakeCourier  # noqa: PLC0415 - beside its only use

    object.__setattr__(server.desk, "courier", FakeCourier())
    server.post(f"/webhooks/{webhook['webhook_id']}/test")
    assert 'flakeguard_backlog{kind="webhooks"} 1.0' in server.http.get("/metrics").text
    server.clock.pass_(minutes=20)
    assert "1 webhooks wait" in server.http.get("/health/deep").json()["backlog"]["detail"]
