"""Webhooks on the command line."""

import pytest
from cryptography.fernet import Fernet
from fakes.receiver import Receiver, Reply
from standardwebhooks import Webhook


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("FLAKEGUARD_SECRET_KEY", Fernet.generate_key().decode())


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def webhook(flakeguard, project, key, receiver):
    return flakeguard("webhooks", "create", receiver.url, "--project", project, "--json").json


def test_the_secret_alone_is_on_the_standard_output(flakeguard, project, key, receiver):
    done = flakeguard("webhooks", "create", receiver.url, "--project", project)
    assert done.out.startswith("whsec_")
    assert len(done.out.splitlines()) == 1
    assert "shown only now" in done.err


def test_a_test_event_is_delivered_at_once_and_its_answer_said(flakeguard, webhook, receiver):
    done = flakeguard("webhooks", "test", webhook["webhook_id"])
    assert (done.code, "delivered, answered 200" in done.out) == (0, True)
    [seen] = receiver.seen
    Webhook(webhook["secret"]).verify(seen.body, seen.headers)


def test_a_test_event_that_is_refused_says_why(flakeguard, webhook, receiver):
    receiver.replies = [Reply(400, body=b"who are you?")]
    done = flakeguard("webhooks", "test", webhook["webhook_id"])
    assert (done.code, done.err) == (1, "flakeguard: It answered 400: who are you?\n")
    told = flakeguard("webhooks", "test", webhook["webhook_id"], "--json")
    assert (told.code, told.json["state"], told.json["status"]) == (1, "pending", 400)


def test_what_is_known_of_webhooks(flakeguard, webhook, receiver):
    receiver.replies = [Reply(500)]
    number = webhook["webhook_id"]
    flakeguard("webhooks", "test", number)
    assert receiver.url in flakeguard("webhooks", "list").out
    shown = flakeguard("webhooks", "show", number).out
    assert "It answered 500." in shown
    assert "acme/shop" in shown
    [message] = flakeguard("webhooks", "messages", number, "--json").json["items"]
    assert (message["state"], message["attempts"], message["status"]) == ("pending", 1, 500)
    assert "webhook.test" in flakeguard("webhooks", "messages", number).out


def test_off_on_changed_rotated_and_deleted(flakeguard, webhook):
    number = webhook["webhook_id"]
    assert flakeguard("webhooks", "disable", number).out == f"Webhook {number} is disabled.\n"
    assert flakeguard("webhooks", "test", number).code == 1
    assert flakeguard("webhooks", "enable", number, "--json").json["state"] == "enabled"
    changed = flakeguard("webhooks", "change", number, "--event", "test.*", "--json").json
    assert changed["events"] == ["test.*"]
    assert flakeguard("webhooks", "change", number, "--all-events", "--json").json["events"] == []
    rotated = flakeguard("webhooks", "rotate", number, "--overlap", "2d", "--json").json
    assert rotated["secret"] != webhook["secret"]
    assert flakeguard("webhooks", "retry", number, "--json").json == {"messages": 0}
    assert flakeguard("webhooks", "delete", number).code == 0
    assert flakeguard("webhooks", "show", number).code == 1


def test_for_a_whole_organization(flakeguard, project, key, receiver):
    made = flakeguard("webhooks", "create", receiver.url, "--org", "default", "--json").json
    assert made["project_id"] is None
    assert "all of default" in flakeguard("webhooks", "list").out


@pytest.mark.usefixtures("project", "key")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["create", "http://hooks.example.com", "--project", "acme/shop"], 1, "Write https"),
        (["create", "https://10.0.0.1/", "--project", "acme/shop"], 1, "FLAKEGUARD_WEBHOOK_NETWORKS"),
        (["create", "https://x.example", "--project", "acme/shop", "--event", "nonsense"], 1, "no event"),
        (["create", "https://x.example", "--project", "nobody/here"], 1, "no project"),
        (["create", "https://x.example", "--org", "nobody"], 1, "no organization"),
        (["create", "https://x.example"], 2, "--project OWNER/NAME or --org NAME"),
        (["create", "https://x.example", "--project", "acme/shop", "--org", "acme"], 2, "or --org"),
        (["show", "99"], 1, "no webhook 99"),
        (["test", "99"], 1, "no webhook 99"),
        (["rotate", "99", "--overlap", "soon"], 2, "period"),
        (["messages", "99", "--state", "lost"], 2, "lost"),
        (["change", "1", "--event", "test.*", "--all-events"], 2, "--all-events"),
    ],
)
def test_what_cannot_be_is_refused_in_one_clear_line(flakeguard, words, code, said):
    done = flakeguard("webhooks", *words)
    assert (done.code, "Traceback" in done.err) == (code, False)
    assert said in done.err.replace("\n", " ")


def test_without_a_key_it_says_how_to_get_one(flakeguard, project):
    done = flakeguard("webhooks", "create", "https://x.example", "--project", project)
    assert (done.code, "FLAKEGUARD_SECRET_KEY" in done.err) == (1, True)


def test_the_events_there_are(flakeguard):
    assert "quarantine.approved" in flakeguard("webhooks", "events").out
    assert flakeguard("webhooks", "events", "--json").json["total"] == 12


class TestDoctor:
    def state(self, flakeguard):
        checks = flakeguard("doctor", "--json").json["checks"]
        return next((one["state"], one["detail"]) for one in checks if one["name"] == "webhooks")

    def test_off_without_any(self, flakeguard, project):
        assert self.state(flakeguard)[0] == "off"

    def test_well(self, flakeguard, webhook):
        assert self.state(flakeguard) == ("ok", "1 known")

    def test_failing(self, flakeguard, webhook, receiver):
        receiver.replies = [Reply(500)]
        flakeguard("webhooks", "test", webhook["webhook_id"])
        assert self.state(flakeguard) == (
            "warning",
            "number 1 does not answer well; `flakeguard webhooks show ID`",
        )

    def test_gone(self, flakeguard, webhook, receiver):
        receiver.replies = [Reply(410)]
        flakeguard("webhooks", "test", webhook["webhook_id"])
        assert "switched off" in self.state(flakeguard)[1]

    def test_without_the_key(self, flakeguard, webhook, monkeypatch):
        monkeypatch.delenv("FLAKEGUARD_SECRET_KEY")
        assert self.state(flakeguard)[0] == "wrong"

    def test_with_another_key(self, flakeguard, webhook, monkeypatch):
        monkeypatch.setenv("FLAKEGUARD_SECRET_KEY", Fernet.generate_key().decode())
        assert "another key" in self.state(flakeguard)[1]


def test_a_test_event_behind_others_tells_why_they_fail(flakeguard, webhook, receiver):
    receiver.replies = [Reply(500)]
    number = webhook["webhook_id"]
    flakeguard("webhooks", "test", number)
    assert flakeguard("webhooks", "retry", number).out == "Due now: 1.\n"
    done = flakeguard("webhooks", "test", number)
    assert (done.code, "It answered 500." in done.err) == (1, True)
    receiver.replies = [Reply(200)]
    assert "delivered" in flakeguard("webhooks", "test", number).out
