from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from storage.database import Database
from storage.migrations.schema import ours
from storage.tables import metadata


def test_the_migrated_schema_is_the_one_the_code_knows(database):
    """When this fails, run `python -m storage.migrations.remake`."""
    with database.begin() as tx:
        context = MigrationContext.configure(tx, opts={"include_name": ours, "compare_type": True})
        differences = compare_metadata(context, metadata())
    assert differences == []


def test_migrating_again_changes_nothing(database):
    database.migrate()
    assert database.migrated()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/empty.db"
    return request.getfixturevalue("postgres_empty_url")


def test_an_empty_database_is_not_migrated(empty_url):
    database = Database.open(empty_url)
    assert not database.migrated()
    database.close()


def test_two_nodes_may_migrate_at_once(empty_url):
    nodes = [Database.open(empty_url) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(Database.migrate, nodes))
    assert all(node.migrated() for node in nodes)
    for node in nodes:
        node.close()


def test_the_audit_log_refuses_changes(database):
    with database.begin() as tx:
        names = tx.execute(text(TRIGGERS[database.dialect])).scalars().all()
    assert names


TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_event'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit_event'::regclass AND NOT tgisinternal",
}
