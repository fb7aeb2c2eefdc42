"""Proposals and quarantine over HTTP: the same policy as in Slack, the person and the token both on record."""

import pytest
from reports import junit


@pytest.fixture
def flaky(server):
    """A failing test, and two people who may decide."""
    for user in ("U1", "U2"):
        server.post("/approvers", {"user": user})
    return server.uploads(junit("a", failed=["b"])).json()["failures"][0]["test_id"]


@pytest.fixture
def proposal(server, flaky):
    return server.post("/proposals", {"test_id": flaky, "by": "U1", "reason": "it flakes"}).json()[
        "proposal_id"
    ]


def test_a_proposal_waits_for_somebody_else(server, flaky):
    answer = server.post("/proposals", {"test_id": flaky, "by": "U1", "reason": "it flakes"})
    body = answer.json()
    assert (answer.status_code, body["state"], body["name"], body["proposed_by"]) == (
        201,
        "proposed",
        "b",
        "U1",
    )


def test_nobody_approves_their_own_proposal(server, proposal):
    answer = server.post(f"/proposals/{proposal}/approve", {"by": "U1"})
    assert (answer.status_code, answer.json()["type"]) == (403, "permission_error")


def test_a_viewer_does_not_decide(server, proposal):
    answer = server.post(f"/proposals/{proposal}/approve", {"by": "U9"})
    assert (answer.status_code, "viewer" in answer.json()["detail"]) == (403, True)


def test_approved_by_another_it_is_on_the_list_that_ci_reads(server, proposal):
    answer = server.post(f"/proposals/{proposal}/approve", {"by": "U2"})
    listed = server.get("/quarantine").json()["items"]
    assert (answer.status_code, answer.json()["state"]) == (200, "active")
    assert [(item["name"], item["approved_by"]) for item in listed] == [("b", "U2")]


def test_a_second_decision_changes_nothing(server, proposal):
    server.post(f"/proposals/{proposal}/approve", {"by": "U2"})
    answer = server.post(f"/proposals/{proposal}/deny", {"by": "U2", "reason": "late"})
    assert (answer.status_code, server.get("/proposals").json()["items"][0]["state"]) == (409, "active")


def test_denying_needs_a_reason(server, proposal):
    answers = [
        server.post(f"/proposals/{proposal}/deny", {"by": "U2", "reason": reason}).status_code
        for reason in ("", "a real bug")
    ]
    assert (answers, server.get("/proposals").json()["items"][0]["state"]) == ([400, 200], "denied")


def test_release_takes_it_off_the_list_at_once(server, flaky):
    proposal = server.quarantines(flaky)
    answer = server.post(f"/quarantine/{proposal}/release", {"by": "U1", "reason": "fixed"})
    assert (answer.json()["state"], server.get("/quarantine").json()["total"]) == ("released", 0)


def test_extending_needs_a_reason_and_moves_the_end(server, flaky):
    proposal = server.quarantines(flaky)
    refused = server.post(f"/quarantine/{proposal}/extend", {"by": "U1", "days": 30})
    answer = server.post(f"/quarantine/{proposal}/extend", {"by": "U1", "days": 30, "reason": "not yet"})
    assert (refused.status_code, answer.json()["until"]) == (400, "2026-04-01T12:00:00+00:00")


@pytest.mark.parametrize("name", ["q-1", "1", "q-1:1"])
def test_a_proposal_is_named_as_people_and_buttons_name_it(server, proposal, name):
    assert server.post(f"/proposals/{name}/approve", {"by": "U2"}).status_code == 200


@pytest.mark.parametrize("name", ["q-x", "-1", "q-" + "9" * 40, "q-1%00", "17'--"])
def test_what_is_no_proposal_is_refused(server, name):
    assert server.post(f"/proposals/{name}/approve", {"by": "U2"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "by"),
        ({"by": ""}, "by"),
        ({"by": "U 1"}, "by"),
        ({"by": 7}, "by"),
        ({"by": "U2", "reason": "x" * 1001}, "reason"),
        ({"by": "U2", "version": 1}, "version"),
    ],
)
def test_a_wrong_field_of_a_decision_is_named(server, proposal, body, field):
    answer = server.post(f"/proposals/{proposal}/approve", body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_the_audit_names_person_and_token(server, proposal):
    server.post(f"/proposals/{proposal}/approve", {"by": "U2"})
    event = server.get("/audit", subject=proposal).json()["items"][0]
    assert (event["action"], event["actor"], event["via"]) == ("quarantine.approved", "U2", "api")
    assert event["details"]["through"] == "token admin"


def test_a_role_may_be_given_and_taken(server):
    server.post("/approvers", {"user": "U5", "role": "admin"})
    listed = server.get("/approvers").json()["items"]
    gone = server.http.delete("/api/v1/approvers/U5", headers=server.auth("admin"))
    again = server.http.delete("/api/v1/approvers/U5", headers=server.auth("admin"))
    assert (listed, gone.status_code, again.status_code) == ([{"user": "U5", "role": "admin"}], 204, 404)


class TestPolicy:
    def change(self, server, version=1, **changes):
        return server.http.put(
            "/api/v1/settings/policy",
            json={"by": "U1", "version": version, "changes": changes},
            headers=server.auth("admin"),
        )

    def test_a_change_is_the_next_version(self, server):
        answer = self.change(server, ttl_days=7)
        assert (answer.status_code, answer.json()["version"]) == (200, 2)
        assert server.get("/settings/policy").json()["ttl_days"] == 7

    def test_a_change_of_an_older_version_is_a_conflict(self, server):
        self.change(server, ttl_days=7)
        assert self.change(server, ttl_days=8).status_code == 409

    @pytest.mark.parametrize(
        "changes", [{"ttl_days": 0}, {"ttl_days": "soon"}, {"tll_days": 7}, {"timezone": "Mars"}]
    )
    def test_a_wrong_value_is_refused(self, server, changes):
        assert self.change(server, **changes).status_code == 400
