from datetime import timedelta

import pytest

from core.errors import NotFoundError
from jobs.digest import post_due_digests
from jobs.retain import CLAIMS, MESSAGES, retain
from storage import job_run
from storage.publication import messages_of
from storage.result import get_runs
from storage.snooze import put_snooze, snoozed_tests
from storage.storm import end_storm, get_storm, open_storm


def test_each_class_of_data_is_kept_for_its_own_time(shop):
    shop.clock.now = shop.clock.now.replace(hour=9)
    shop.uploads(test_a="flaky")
    begun = shop.clock()
    post_due_digests(shop.desk)
    shop.publishes()
    with shop.database.begin() as tx:
        put_snooze(tx, shop.project.id, 1, until=shop.clock() + timedelta(days=1))
    shop.clock.pass_(days=CLAIMS.days + 1)
    retain(shop.desk)
    with shop.database.read() as tx:
        assert snoozed_tests(tx, shop.project.id, begun) == set()
        assert get_runs(tx, shop.project.id)[1] == 1
        assert len(messages_of(tx, project_id=shop.project.id, kind="digest", subject=shop.project.id)) == 1
    shop.clock.pass_(days=MESSAGES.days)
    retain(shop.desk)
    with shop.database.read() as tx:
        assert get_runs(tx, shop.project.id)[1] == 0
        assert not messages_of(tx, project_id=shop.project.id, kind="digest", subject=shop.project.id)


def test_a_storm_is_kept_as_long_as_its_message(shop):
    with shop.database.begin() as tx:
        storm = open_storm(tx, shop.project.id, since=shop.clock(), now=shop.clock())
        end_storm(tx, storm, ended="calm", now=shop.clock())
    shop.clock.pass_(days=MESSAGES.days)
    retain(shop.desk)
    with shop.database.read() as tx:
        assert get_storm(tx, shop.project.id, storm.id).ended == "calm"
    shop.clock.pass_(days=1)
    retain(shop.desk)
    with shop.database.read() as tx, pytest.raises(NotFoundError):
        get_storm(tx, shop.project.id, storm.id)


def test_what_is_recent_stays(shop):
    shop.uploads(test_a="flaky")
    with shop.database.begin() as tx:
        job_run.claim(tx, "x", "y", now=shop.clock(), lease_until=shop.clock())
    retain(shop.desk)
    with shop.database.begin() as tx:
        assert get_runs(tx, shop.project.id)[1] == 1
        assert not job_run.claim(tx, "x", "y", now=shop.clock(), lease_until=shop.clock())
