import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from fakes.github import SECRET, workflow_run_payload
from fakes.github_world import junit
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bot.github.config import GitHubConfig
from bot.github.signature import sign, verified
from bot.github.webhook import MAX_BODY, webhook_router
from core.errors import DatabaseError
from jobs.desk import Desk
from storage.delivery import inbox_backlog

BODY = b'{"zen": "Keep it logically awesome."}'
GOOD = sign(BODY, b"new")


@pytest.mark.parametrize(
    ("header", "good"),
    [
        (GOOD, True),
        (sign(BODY, b"old"), True),
        (sign(BODY, b"stolen"), False),
        (GOOD.upper(), False),
        (b"sha256=" + GOOD[7:].upper(), False),
        (GOOD[7:], False),
        (GOOD + b" ", False),
        (GOOD[:-1], False),
        (b"", False),
        ("sha256=é".encode(), False),
        (b"sha1=" + hmac.new(b"new", BODY, hashlib.sha1).hexdigest().encode(), False),
        (b"sha256=" + hmac.new(b"new", BODY, hashlib.sha1).hexdigest().encode(), False),
    ],
)
def test_only_the_exact_signature_of_a_current_secret_is_accepted(header, good):
    assert verified(BODY, header, [b"old", b"new"]) is good


def test_without_secrets_nothing_is_verified():
    assert not verified(BODY, GOOD, [])


def payload(world):
    repo = world.github.repo("acme/web")
    return workflow_run_payload(world.github, world.github.run(repo))


def send(world, body, event="workflow_run", **headers):
    return world.github.send(event, body, guid="guid-1", **headers)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Hub-Signature-256": ""}, 401),
        ({"X-Hub-Signature-256": "sha256=" + "0" * 64}, 401),
        ({"X-Hub-Signature-256": "sha256=é".encode()}, 401),
        ({"X-Hub-Signature-256": "", "X-Hub-Signature": "sha1=" + "0" * 40}, 401),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": ""}, 415),
        ({"X-GitHub-Event": ""}, 400),
        ({"X-GitHub-Delivery": ""}, 400),
        ({"Content-Type": "application/json; charset=utf-8"}, 202),
    ],
)
def test_what_is_wrong_with_a_delivery_is_said_and_leaves_nothing_behind(world, headers, status):
    reply = send(world, json.dumps(payload(world)).encode(), **headers)
    assert reply.status_code == status
    assert world.read(inbox_backlog, world.now())[0] == (1 if status == 202 else 0)
    if status >= 400:
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.json()["type"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b"\xff\xfe", b"[" * 100_000, b'"x"'])
def test_signed_nonsense_is_400_and_never_500(world, body):
    assert send(world, body).status_code == 400


def test_a_flipped_byte_is_refused(world):
    body = json.dumps(payload(world)).encode()
    forged = body.replace(b"completed", b"complfted", 1)
    signature = sign(body, SECRET.encode()).decode()
    assert send(world, forged, **{"X-Hub-Signature-256": signature}).status_code == 401


@pytest.mark.parametrize("event", ["ping", "push", "check_suite", "star", "something_new"])
def test_an_event_without_effect_is_thanked_for_and_forgotten(world, event):
    reply = send(world, b'{"action": "requested", "check_suite": {}}', event=event)
    assert (reply.status_code, reply.json()["status"]) == (202, "ignored")
    assert world.read(inbox_backlog, world.now())[0] == 0


def test_an_unsigned_event_header_cannot_turn_a_body_into_another_event(world):
    body = json.dumps(payload(world)).encode()
    assert send(world, body, event="installation").json()["status"] == "ignored"


def test_a_body_larger_than_githubs_limit_is_refused_unread(world):
    reply = send(world, b" " * (MAX_BODY + 1))
    assert reply.status_code == 413


def test_without_a_secret_nothing_is_taken(world):
    app = FastAPI()
    app.include_router(webhook_router(world.desk, GitHubConfig(api_url=world.github.url)))
    reply = TestClient(app).post("/github/webhooks", content=b"{}", headers={"X-Hub-Signature-256": "x"})
    assert reply.status_code == 503


def test_a_database_that_is_away_is_503_so_that_the_delivery_is_healed_later(world):
    class Away:
        def begin(self):
            raise DatabaseError

    desk = Desk(database=Away(), now=world.now)
    app = FastAPI()
    app.include_router(webhook_router(desk, GitHubConfig(api_url="http://x", secrets=(b"s",))))
    body = json.dumps(payload(world)).encode()
    headers = {
        "X-Hub-Signature-256": sign(body, b"s").decode(),
        "Content-Type": "application/json",
        "X-GitHub-Event": "workflow_run",
        "X-GitHub-Delivery": "g",
    }
    reply = TestClient(app).post("/github/webhooks", content=body, headers=headers)
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "5")


def test_both_secrets_are_good_while_they_are_rotated(world_with):
    world = world_with(GITHUB_WEBHOOK_SECRET=f"new-secret,{SECRET}")
    body = json.dumps(payload(world)).encode()
    assert send(world, body, secret="new-secret").status_code == 202
    assert send(world, body, secret=SECRET).json()["status"] == "duplicate"
    assert send(world, body, secret="older").status_code == 401


def test_the_same_delivery_eight_times_at_once_is_one(world):
    body = json.dumps(payload(world)).encode()
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: send(world, body), range(8)))
    assert {reply.status_code for reply in replies} == {202}
    assert sorted(reply.json()["status"] for reply in replies) == ["accepted"] + ["duplicate"] * 7


def test_the_same_signed_content_under_new_ids_has_one_effect(world):
    repo = world.github.repo("acme/web")
    run = world.github.run(repo)
    world.github.upload(run, "junit", {"r.xml": junit(["a"], ["b"])})
    body = json.dumps(workflow_run_payload(world.github, run)).encode()
    for guid in ("one", "two", "three"):
        assert world.github.send("workflow_run", body, guid=guid).status_code == 202
    world.works_now()
    assert len(world.github.asked("GET .*/zip")) == 1
    assert len(world.github.checks) == 1


def test_every_acknowledged_delivery_is_on_disk(world):
    repo = world.github.repo("acme/web")
    for _ in range(20):
        assert world.github.completed(world.github.run(repo)) == 202
    assert world.read(inbox_backlog, world.now())[0] == 20


def test_no_other_method_is_answered(world):
    assert httpx.get(f"{world.served.url}/github/webhooks").status_code == 405
