from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from fakes.shop import person
from fakes.statements import CrashError, written
from sqlalchemy import func, select

from core.audit import verify
from core.errors import ForbiddenError
from core.sample import REPO
from jobs.publish import publish_due
from jobs.sample import load_sample, remove_sample
from storage import audit
from storage.organization import find_organization
from storage.project import list_projects
from storage.quarantine import list_quarantines
from storage.sample import sample_of, samples
from storage.tables import metadata

VERA = person("vera")


def loads(shop, by=VERA):
    return load_sample(shop.desk, team="T1", by=by)


def rows(shop, project_id):
    """How many rows each table keeps of a project."""
    with shop.database.read() as tx:
        tables = [table for table in metadata().sorted_tables if "project_id" in table.columns]
        counts = {
            table.name: tx.execute(
                select(func.count()).select_from(table).where(table.c.project_id == project_id)
            ).scalar_one()
            for table in tables
        }
    return {name: count for name, count in counts.items() if count}


def test_a_sample_is_whole_once_it_is_there(shop):
    project = loads(shop)
    with shop.database.read() as tx:
        assert samples(tx) == {project.id}
        assert len(list_quarantines(tx, project.id)[0]) == 3
    assert loads(shop) == project


@pytest.mark.parametrize("part", [0.0, 0.002, 0.01, 0.3, 0.9, 0.99])
def test_a_crash_at_any_point_leaves_nothing_and_the_next_click_loads_it(small_shop, part):
    assert after_a_crash(small_shop, part) == ([small_shop.project], None, REPO, REPO)


def test_a_crash_leaves_nothing_on_either_database(shop):
    assert after_a_crash(shop, 0.5) == ([shop.project], None, REPO, REPO)


def after_a_crash(shop, part):
    """The projects and the organization that are left, and what is loaded before it and afterwards."""
    with written(shop.database) as seen:
        first = loads(shop)
    remove_sample(shop.desk, team="T1", by=VERA)
    other = person("wim")
    with written(shop.database, crash_at=1 + int(part * (len(seen) - 1))), pytest.raises(CrashError):
        loads(shop, by=other)
    with shop.database.read() as tx:
        left = list_projects(tx), find_organization(tx, "Sample of wim (T1)")
    return (*left, first.repo, loads(shop, by=other).repo)


def test_two_clicks_at_once_load_one(shop):
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(partial(loads, shop)) for _ in range(2)]
    assert both[0].result() == both[1].result()
    with shop.database.read() as tx:
        assert len(list_projects(tx)) == 2


def test_of_a_removed_sample_only_the_audit_log_stays(shop):
    project = loads(shop)
    assert rows(shop, project.id)["quarantine"] == 3
    assert remove_sample(shop.desk, team="T1", by=VERA)
    assert set(rows(shop, project.id)) == {"audit_event"}
    with shop.database.read() as tx:
        assert list_projects(tx) == [shop.project]
        assert sample_of(tx, team="T1", user="vera") is None
        assert verify(audit.chain(tx, project.organization_id)) is None
    assert not remove_sample(shop.desk, team="T1", by=VERA)


def test_one_loaded_anew_is_another_project(shop):
    first = loads(shop)
    remove_sample(shop.desk, team="T1", by=VERA)
    again = loads(shop)
    assert again.id != first.id
    with shop.database.read() as tx:
        assert len(list_quarantines(tx, again.id)[0]) == 3


def test_a_message_about_a_removed_sample_is_not_waited_for(shop):
    loads(shop)
    remove_sample(shop.desk, team="T1", by=VERA)
    assert publish_due(shop.desk) == 0


@pytest.mark.parametrize("who", [{"foreign": True}, {"guest": True}])
def test_guests_and_foreigners_load_none(small_shop, who):
    with pytest.raises(ForbiddenError):
        loads(small_shop, by=person("gus", **who))
