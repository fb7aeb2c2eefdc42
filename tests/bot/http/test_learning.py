"""What decisions have taught, over HTTP."""

import pytest


@pytest.fixture
def admin(server):
    server.post("/approvers", {"user": "U1", "role": "admin"})
    return server


def choose(server, scope="admin", **body):
    return server.http.put("/api/v1/settings/learning", json=body, headers=server.auth(scope))


def test_shipped_and_learnt_chances_are_shown_side_by_side(server):
    found = server.get("/settings/learning").json()
    assert (found["in_force"], found["decisions"]) == ("shipped", 0)
    assert {"shipped", "learnt"} <= set(found["chances"][0])


def test_choosing_is_a_version_of_the_policy_and_can_be_taken_back(admin):
    chosen = choose(admin, by="U1", use="learnt").json()
    back = choose(admin, by="U1", use="earlier").json()
    assert [(one["in_force"], one["policy_version"]) for one in (chosen, back)] == [
        ("learnt", 2),
        ("shipped", 3),
    ]
    actions = [event["action"] for event in admin.get("/audit").json()["items"]]
    assert actions.count("policy.changed") == 2


@pytest.mark.parametrize(
    ("scope", "body", "status"),
    [
        ("read", {"by": "U1", "use": "learnt"}, 403),
        ("admin", {"by": "U1", "use": "magic"}, 400),
        ("admin", {"use": "learnt"}, 400),
    ],
)
def test_only_an_admin_token_chooses_and_only_what_there_is(admin, scope, body, status):
    assert choose(admin, scope, **body).status_code == status
