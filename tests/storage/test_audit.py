from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from fakes.tenant import NOW, a_project
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.audit import GENESIS, verify
from core.errors import DatabaseError
from storage import audit


@pytest.fixture
def project(database):
    return a_project(database)


@pytest.fixture
def happens(database, project):
    def append(subject="q-1", **changes):
        values = {
            "organization_id": project.organization_id,
            "project_id": project.id,
            "at": NOW,
            "actor": "alice",
            "via": "slack",
            "action": "quarantine.approved",
            "subject": subject,
            "details": {"n": 1},
        }
        with database.begin() as tx:
            return audit.append(tx, **{**values, **changes})

    return append


def whole(database, project):
    with database.read() as tx:
        return list(audit.chain(tx, project.organization_id, batch=3))


def test_events_form_a_chain_from_the_beginning(database, project, happens):
    events = [happens(f"q-{number}") for number in range(8)]
    assert whole(database, project) == events
    assert verify(events) is None
    with database.read() as tx:
        assert audit.head(tx, project.organization_id) == (8, events[-1].hash)


def test_before_the_first_event_the_head_is_the_beginning(database, project):
    with database.read() as tx:
        assert audit.head(tx, project.organization_id) == (0, GENESIS)


@pytest.mark.parametrize(
    "details",
    [
        {"score": 0.97, "whole": 1.0, "huge": 1e20, "tiny": 1.5e-7, "minus": -0.0, "none": None},
        {"nul": "a\0b", "lone": "\ud800", "bidi": "\u202e", "emoji": "\U0001f9ea"},
        {"deep": [{"a": (1, 2.5)}, []], 7: "key"},
        {"nan": float("nan"), "inf": float("inf")},
    ],
    ids=["numbers", "text", "depth", "no numbers"],
)
def test_whatever_the_details_the_chain_can_be_verified(database, project, happens, details):
    happens("q-\0\ud800", actor="m\0", details=details)
    happens()
    assert verify(whole(database, project)) is None


def test_many_writers_make_one_chain(database, project, happens):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: happens(f"q-{number}"), range(40)))
    events = whole(database, project)
    assert [one.seq for one in events] == list(range(1, 41))
    assert verify(events) is None


def test_every_organization_has_its_own_chain(database, happens):
    other = a_project(database, repo="beta/web", organization="beta")
    happens()
    event = happens(organization_id=other.organization_id, project_id=other.id)
    assert (event.seq, event.previous) == (1, GENESIS)


def test_what_is_rolled_back_was_never_written(database, project):
    with pytest.raises(RuntimeError), database.begin() as tx:  # noqa: PT012 - the failure comes after the write
        audit.append(
            tx,
            organization_id=project.organization_id,
            at=NOW,
            actor="a",
            via="cli",
            action="x.y",
            subject="s",
        )
        raise RuntimeError
    assert whole(database, project) == []


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET actor = 'mallory'", "DELETE FROM audit_event"])
def test_the_database_refuses_to_change_what_was_written(database, project, happens, statement):
    happens()
    with pytest.raises((DBAPIError, DatabaseError), match="append-only"), database.begin() as tx:
        tx.execute(text(statement))
    assert [one.actor for one in whole(database, project)] == ["alice"]


def test_tampering_behind_the_triggers_is_found(database, project, happens):
    for number in range(3):
        happens(f"q-{number}")
    disarm = {
        "sqlite": ["DROP TRIGGER audit_no_update"],
        "postgresql": ["ALTER TABLE audit_event DISABLE TRIGGER ALL"],
    }
    with database.begin() as tx:
        for statement in disarm[database.dialect]:
            tx.execute(text(statement))
        tx.execute(text("UPDATE audit_event SET actor = 'mallory' WHERE seq = 2"))
    assert (
        verify(whole(database, project)) == "Event 2 (quarantine.approved) was changed after it was written."
    )


def test_events_are_found_by_project_and_subject(database, project, happens):
    happens("q-1")
    newer = happens("q-2")
    happens("org", project_id=None)
    with database.read() as tx:
        assert audit.events(tx, project.organization_id, subject="q-2") == ([newer], 1)
        mine, total = audit.events(tx, project.organization_id, project_id=project.id, limit=1)
        foreign = audit.events(tx, project.organization_id + 1)
    assert (mine, total) == ([newer], 2)
    assert foreign == ([], 0)


def test_the_length_of_one_log_and_of_all(database, project, happens):
    other = a_project(database, "other/web", organization="other")
    with database.read() as tx:
        assert (audit.length(tx, None), audit.length(tx, project.organization_id)) == (0, 0)
    happens()
    happens()
    happens(organization_id=other.organization_id)
    with database.read() as tx:
        assert (audit.length(tx, None), audit.length(tx, project.organization_id)) == (3, 2)


def test_an_event_read_back_equals_the_one_written(database, project, happens):
    event = happens()
    assert whole(database, project) == [replace(event)]
