"""The door to the database: transactions that commit or leave no trace, and errors people can act on."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, cast

import sqlalchemy
from sqlalchemy import Connection, Engine, Select, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from core.errors import DatabaseError
from storage import write_ahead
from storage.memory import Memory

Tx = Connection
"""One transaction. Other rooms pass it on and never look inside."""

Query = Select[*tuple[Any, ...]]
"""A SELECT of any columns."""

T = TypeVar("T")
Dialect = Literal["sqlite", "postgresql"]

BUSY_SECONDS = 15
"""How long a writer waits for its turn before it gives up."""
UNIT = "flakeguard_unit"
RETRYABLE = frozenset({"40001", "40P01"})
"""PostgreSQL: serialization failure, deadlock; the transaction was rolled back whole."""


@dataclass(slots=True)
class Unit:
    """What one transaction knows beside its connection: the process's memory, and what to do after commit."""

    memory: Memory
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    notes: dict[object, object] = field(default_factory=dict)
    """Facts found earlier in this very transaction, by the module that owns the key."""

    def committed(self) -> None:
        """What waited for the end of the transaction happens now."""
        for effect in self.after_commit:
            effect()


class RetryableError(DatabaseError):
    """Two writers stood in each other's way; nothing was changed. Try again."""


def unit_of(tx: Tx) -> Unit:
    """The unit behind a transaction opened by `Database`."""
    return cast("Unit", tx.get_execution_options()[UNIT])


def after_commit(tx: Tx, effect: Callable[[], None]) -> None:
    """Do this once the transaction is durable; never when it rolls back."""
    unit_of(tx).after_commit.append(effect)


class Database:
    """One database, SQLite or PostgreSQL, with an engine that writes and one that reads."""

    def __init__(self, write: Engine, read: Engine) -> None:
        """Use `Database.open`."""
        self._write = write
        self._read = read
        self._turn = threading.Lock()
        self._memory = Memory()
        self.dialect: Dialect = "sqlite" if write.dialect.name == "sqlite" else "postgresql"

    @classmethod
    def open(cls, url: str, *, read_url: str = "", pool_size: int = 10) -> "Database":
        """Connect lazily; `read_url` may name a replica."""
        writer, reader = _parse(url), _parse(read_url or url)
        return cls(_engine(writer, pool_size, reads=False), _engine(reader, pool_size, reads=True))

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """A write transaction: committed at the end of the block, rolled back whole on any exception."""
        unit = Unit(self._memory)
        with self._queue(), _translated(), self._write.connect() as tx:
            tx.execution_options(**{UNIT: unit})
            with tx.begin():
                yield tx
        unit.committed()

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A read-only snapshot, possibly of a replica."""
        unit = Unit(self._memory)
        with _translated(), self._read.connect() as tx:
            tx.execution_options(**{UNIT: unit})
            with tx.begin():
                yield tx
        unit.committed()

    def run(self, work: Callable[[Tx], T]) -> T:
        """`work` in a write transaction; once more when two writers stood in each other's way.

        Only for work without effects outside the transaction.
        """
        try:
            with self.begin() as tx:
                return work(tx)
        except RetryableError:
            with self.begin() as tx:
                return work(tx)

    def ping(self) -> None:
        """Raise DatabaseError unless the writing database answers."""
        with _translated(), self._write.connect() as tx:
            tx.exec_driver_sql("SELECT 1")

    def migrate(self) -> None:
        """Bring the schema up to date; safe to run from several nodes at once."""
        from storage.migrations import schema  # noqa: PLC0415 - alembic is only needed here

        with _translated():
            schema.upgrade(self._write)

    def migrated(self) -> bool:
        """True when the schema is the one this program knows."""
        from storage.migrations import schema  # noqa: PLC0415 - alembic is only needed here

        with _translated():
            return schema.current(self._write)

    def close(self) -> None:
        """Give back every connection."""
        self._write.dispose()
        self._read.dispose()

    def _queue(self) -> AbstractContextManager[None]:
        return _taking_turns(self._turn) if self.dialect == "sqlite" else _nothing()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _taking_turns(turn: threading.Lock) -> Iterator[None]:
    """SQLite has one writer; threads queue here in order instead of polling its busy handler."""
    if not turn.acquire(timeout=BUSY_SECONDS):
        raise DatabaseError("The database is busy with another write; nothing was changed. Try again.")
    try:
        yield
    finally:
        turn.release()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise _explained(error) from error
    except PoolTimeoutError as error:
        raise DatabaseError("All database connections are in use; nothing was changed. Try again.") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseError from error
        raise


def _explained(error: DBAPIError) -> DatabaseError:
    reason = str(error.orig)
    if getattr(error.orig, "sqlstate", None) in RETRYABLE:
        return RetryableError(reason=reason)
    if "no such table" in reason:
        return DatabaseError("The database has no schema yet; run `flakeguard migrate`.", reason=reason)
    if "disk is full" in reason or "No space left" in reason:
        return DatabaseError("The database's disk is full; nothing was changed.", reason=reason)
    return DatabaseError(reason=reason)


def could_be_opened(url: str) -> bool:
    """Whether this is an address at all; SQLite knows no hosts, so two slashes are one too few."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return False
    return parsed.get_backend_name() != "sqlite" or not parsed.host


def _parse(url: str) -> URL:
    parsed = make_url(url)
    if parsed.drivername in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


def _engine(url: URL, pool_size: int, *, reads: bool) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, pool_size, reads=reads)
    return _postgresql(url, pool_size, reads=reads)


def _sqlite(url: URL, pool_size: int, *, reads: bool) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=BUSY_SECONDS,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: sqlalchemy.engine.interfaces.DBAPIConnection, _record: object) -> None:
        # The driver's own BEGIN comes too late for writers that read first; we send ours below.
        connection.isolation_level = None
        cursor = connection.cursor()
        write_ahead.switch_on(cursor, patience=BUSY_SECONDS)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
            cursor.execute(f"PRAGMA {pragma}")
        if reads:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _postgresql(url: URL, pool_size: int, *, reads: bool) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=BUSY_SECONDS,
        pool_pre_ping=True,  # a restarted server is noticed before work begins, so the pool heals by itself
        connect_args={"connect_timeout": 3, "application_name": "flakeguard"},
    )
    if reads:
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlalchemy.engine.interfaces.DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
        cursor.close()
        connection.commit()

    return engine


def lock_project(tx: Tx, kind: int, project_id: int) -> None:
    """Hold one of a project's named locks until the transaction ends; SQLite's single writer needs none."""
    if tx.dialect.name == "postgresql":
        tx.execute(
            text("SELECT pg_advisory_xact_lock(:kind, :key)"), {"kind": kind, "key": project_id % 2**31}
        )
