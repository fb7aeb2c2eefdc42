from datetime import UTC, datetime, timedelta

import pytest

from storage import check_run as outbox
from storage.organization import create_organization
from storage.project import create_project

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=2)


@pytest.fixture
def project(database):
    with database.begin() as tx:
        organization = create_organization(tx, "acme", NOW)
        return create_project(
            tx, organization_id=organization.id, repo="acme/web", default_branch="main", now=NOW
        )


def want(database, project):
    with database.begin() as tx:
        outbox.want_check(tx, project_id=project.id, head_sha="a" * 40, workflow="CI", now=NOW)
        (row_id,) = outbox.due_checks(tx, LATER) or (None,)
        return row_id


def claim(database, row_id, now=NOW):
    with database.begin() as tx:
        return outbox.claim_check(tx, row_id, now=now, lease_until=now + timedelta(minutes=1))


def after(database, change, *args, **how):
    with database.begin() as tx:
        return change(tx, *args, **how)


def test_a_check_is_wanted_once_however_often_it_is_asked_for(database, project):
    assert want(database, project) == want(database, project)


def test_one_writer_at_a_time(database, project):
    row_id = want(database, project)
    assert claim(database, row_id)
    assert claim(database, row_id) is None
    assert claim(database, row_id, LATER)


def test_a_late_writer_writes_nothing_even_after_the_check_was_said(database, project):
    row_id = want(database, project)
    late = claim(database, row_id)
    fresh = claim(database, row_id, LATER)
    assert after(database, outbox.said_check, fresh, content="x", now=LATER)
    want(database, project)
    claim(database, row_id, LATER)
    assert not after(database, outbox.found_check, late, 99)


def test_what_is_wanted_while_it_is_being_said_is_said_again(database, project):
    row_id = want(database, project)
    check = claim(database, row_id)
    want(database, project)
    after(database, outbox.said_check, check, content="x", now=NOW)
    assert claim(database, row_id)


def test_nobody_is_hurried_past_a_rate_limit(database, project):
    row_id = want(database, project)
    after(database, outbox.postpone_check, claim(database, row_id), due_at=LATER, error="wait", counted=False)
    want(database, project)
    assert claim(database, row_id) is None
    assert claim(database, row_id, LATER).tries == 1


def test_recent_checks_follow_a_decision_and_old_ones_do_not(database, project):
    row_id = want(database, project)
    after(database, outbox.said_check, claim(database, row_id), content="x", now=NOW)
    assert after(database, outbox.touch_checks, project_id=project.id, now=NOW + timedelta(days=6)) == 1
    assert after(database, outbox.touch_checks, project_id=project.id, now=NOW + timedelta(days=8)) == 0


def test_a_button_acts_once_unless_it_was_interrupted(database, project):
    key = {"project_id": project.id, "check_id": 1, "identifier": "rerun_failed", "reference": "5:1"}
    assert after(database, outbox.press, **key, login="x", now=NOW)
    assert after(database, outbox.press, **key, login="x", now=NOW)
    after(database, outbox.pressed, **key)
    assert not after(database, outbox.press, **key, login="x", now=NOW)
