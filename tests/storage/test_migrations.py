import os
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from core.errors import DatabaseError
from storage.database import Database
from storage.migrations.schema import ours
from storage.tables import metadata

ROOT = Path(__file__).resolve().parents[2]


def test_the_migrated_schema_is_the_one_the_code_knows(database):
    """When this fails, run `python -m storage.migrations.remake`."""
    with database.begin() as tx:
        context = MigrationContext.configure(tx, opts={"include_name": ours, "compare_type": True})
        differences = compare_metadata(context, metadata())
    assert differences == []


def test_migrating_again_changes_nothing(database):
    database.migrate()
    assert database.migrated()


@pytest.mark.parametrize(
    ("statement", "lacking"),
    [
        ("DROP TABLE webhook_message", "the table webhook_message"),
        ("ALTER TABLE slack_user RENAME COLUMN home_mark TO old_mark", "slack_user.home_mark"),
    ],
)
def test_a_database_of_an_earlier_build_is_refused_by_name(empty_url, statement, lacking):
    database = Database.open(empty_url)
    database.migrate()
    with database.begin() as tx:
        tx.execute(text(statement))
    for look in (database.migrate, database.migrated):
        with pytest.raises(DatabaseError, match=f"An earlier build .* lacks {lacking}"):
            look()
    database.close()


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


@pytest.fixture
def processes():
    """Three nodes in processes of their own; each migrates the databases it is told."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "storage_migrator"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},  # noqa: TID251 - what a child process needs
        )
        for _ in range(3)
    ]
    assert all(node.stdout.readline().startswith("ready") for node in started)
    yield started
    for node in started:
        node.communicate()


def test_processes_that_start_at_once_on_a_new_file_all_find_it_migrated(processes, tmp_path):
    for number in range(4):
        file = tmp_path / f"{number}.db"
        with closing(sqlite3.connect(file, isolation_level=None)) as another:
            another.execute("BEGIN IMMEDIATE")
            for node in processes:
                print(f"sqlite:///{file}", file=node.stdin, flush=True)
            time.sleep(0.1)  # SQLite has told them by now that the file is locked
        assert [node.stdout.readline() for node in processes] == ["migrated\n"] * 3


def test_the_audit_log_refuses_changes(database):
    with database.begin() as tx:
        names = tx.execute(text(TRIGGERS[database.dialect])).scalars().all()
    assert names


TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_event'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit_event'::regclass AND NOT tgisinternal",
}
