"""Test cases: the names behind the ids that results are packed with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Row, UniqueConstraint, bindparam, func, select, text, update
from sqlmodel import Field, SQLModel, col

from core.errors import NotFoundError
from core.identity import digest
from core.report import TestKey
from storage.bulk import insert_columns, select_among
from storage.columns import BigId, Bytes, Text, UtcTime
from storage.database import Query, Tx
from storage.detection import DetectionRow
from storage.test_alias import TestAliasRow, canonical
from storage.test_alias import add_alias as add_alias  # noqa: PLC0414 - part of this module's interface
from storage.test_alias import aliases as aliases  # noqa: PLC0414
from storage.test_run import newest_at
from storage.test_seen import last_seen

BATCH = 500
RETIRED_AFTER = timedelta(days=30)
"""A test that has not run for so long, while others have, is retired."""


class TestCaseRow(SQLModel, table=True):
    """One test of a project. Ids are never reused: an erased test's packed past must not pass to a new one."""

    __test__ = False
    __tablename__ = "test_case"
    __table_args__ = (UniqueConstraint("project_id", "digest"), {"sqlite_autoincrement": True})

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    project_id: int = Field(sa_type=BigId)
    digest: bytes = Field(sa_type=Bytes)
    suite: str = Field(sa_type=Text)
    class_name: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    file: str = Field(sa_type=Text)
    variant: str = Field(sa_type=Text)
    owner: str = Field(default="", sa_type=Text)
    first_seen: datetime = Field(sa_type=UtcTime)


@dataclass(frozen=True, slots=True)
class TestCase:
    """One test as people know it."""

    __test__ = False

    id: int
    key: TestKey
    owner: str
    first_seen: datetime
    last_seen: datetime
    """To the hour."""
    retired: bool


def get_test(tx: Tx, project_id: int, test_id: int) -> TestCase:
    """By id; an older name's id finds the test of today. NotFoundError when the project has none."""
    today = canonical(tx, project_id, test_id)
    found = get_tests(tx, project_id, [today])
    if today not in found:
        raise NotFoundError("There is no such test.", test_id=test_id)
    return found[today]


def get_tests(tx: Tx, project_id: int, test_ids: Iterable[int]) -> dict[int, TestCase]:
    """Those of the ids that exist."""
    wanted = sorted(set(test_ids))
    found: list[TestCase] = []
    for start in range(0, len(wanted), BATCH):
        some = col(TestCaseRow.id).in_(wanted[start : start + BATCH])
        found += _nouns(tx, project_id, tx.execute(_rows(project_id).where(some)))
    return {test.id: test for test in found}


def find_test(tx: Tx, project_id: int, key: TestKey) -> TestCase | None:
    """By its normalised key."""
    ids = find_ids(tx, project_id, [digest(key)])
    return get_test(tx, project_id, next(iter(ids.values()))) if ids else None


def search_tests(tx: Tx, project_id: int, text: str, *, limit: int = 20) -> list[TestCase]:
    """Tests whose name, class, file or suite holds the text, without case; exact and short names first."""
    nearest = (_is_exactly(text).desc(), func.length(col(TestCaseRow.name)), col(TestCaseRow.id))
    found = _rows(project_id).where(_mine(project_id), _matches(text)).order_by(*nearest).limit(limit)
    return _nouns(tx, project_id, tx.execute(found))


def list_tests(
    tx: Tx,
    project_id: int,
    *,
    limit: int = 50,
    offset: int = 0,
    state: str | None = None,
    text: str = "",
) -> tuple[list[TestCase], int]:
    """A page of tests by id, of one state when given, and how many there are."""
    wanted = _mine(project_id)
    if state is not None:
        wanted &= col(TestCaseRow.id).in_(_in_state(project_id, state))
    if text:
        wanted &= _matches(text)
    total = tx.execute(select(func.count()).select_from(TestCaseRow).where(wanted)).scalar_one()
    page = _rows(project_id).where(wanted).order_by(col(TestCaseRow.id)).limit(limit).offset(offset)
    return _nouns(tx, project_id, tx.execute(page)), total


def count_tests(tx: Tx, project_id: int) -> int:
    """Tests known, older names not counted."""
    return tx.execute(select(func.count()).select_from(TestCaseRow).where(_mine(project_id))).scalar_one()


def set_owner(tx: Tx, project_id: int, test_id: int, owner: str) -> None:
    """Whose test it is (CODEOWNERS' words)."""
    mine = (col(TestCaseRow.project_id) == project_id) & (col(TestCaseRow.id) == test_id)
    tx.execute(update(TestCaseRow).where(mine).values(owner=owner))


def ownerless_since(tx: Tx, project_id: int, since: datetime) -> bool:
    """True when a test first seen since then has no owner yet."""
    new = (col(TestCaseRow.first_seen) >= since) & (col(TestCaseRow.owner) == "")
    query = select(col(TestCaseRow.id)).where(col(TestCaseRow.project_id) == project_id, new)
    return tx.execute(query.limit(1)).first() is not None


def has_cases(tx: Tx, project_id: int) -> bool:
    """False until the first results of a project."""
    return tx.execute(_any_case(), {"project": project_id}).first() is not None


@cache
def _any_case() -> Query:
    return select(col(TestCaseRow.id)).where(col(TestCaseRow.project_id) == bindparam("project")).limit(1)


def find_ids(tx: Tx, project_id: int, digests: Sequence[bytes]) -> dict[bytes, int]:
    """Ids of those digests that are known."""
    return dict(select_among(tx, TestCaseRow, ("digest", "id"), project_id, digests)) if digests else {}


def create_cases(tx: Tx, project_id: int, keys: Mapping[bytes, TestKey], at: datetime) -> dict[bytes, int]:
    """New tests; the caller holds the identity lock and knows that none of the digests is taken."""
    if not keys:
        return {}
    count, names = len(keys), list(keys.values())
    ids = _next_ids(tx, count)
    insert_columns(
        tx,
        TestCaseRow,
        {
            "id": ids,
            "project_id": [project_id] * count,
            "digest": list(keys),
            "suite": [key.suite for key in names],
            "class_name": [key.class_name for key in names],
            "name": [key.name for key in names],
            "file": [key.file for key in names],
            "variant": [key.variant for key in names],
            "owner": [""] * count,
            "first_seen": [at] * count,
        },
    )
    return dict(zip(keys, ids, strict=True))


def _next_ids(tx: Tx, count: int) -> list[int]:
    """Ids in a row, so that the tests of a report are neighbours and pack well."""
    if tx.dialect.name == "postgresql":
        numbers = "SELECT nextval(pg_get_serial_sequence('test_case', 'id')) FROM generate_series(1, :count)"
        return list(tx.execute(text(numbers), {"count": count}).scalars())
    last = tx.execute(text("SELECT seq FROM sqlite_sequence WHERE name = 'test_case'")).scalar() or 0
    return list(range(last + 1, last + count + 1))


def _mine(project_id: int) -> ColumnElement[bool]:
    older = select(col(TestAliasRow.from_test)).where(col(TestAliasRow.project_id) == project_id)
    return (col(TestCaseRow.project_id) == project_id) & col(TestCaseRow.id).not_in(older)


def _in_state(project_id: int, state: str) -> Query:
    return select(col(DetectionRow.test_id)).where(
        col(DetectionRow.project_id) == project_id, col(DetectionRow.state) == state
    )


def _matches(text: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = col(TestCaseRow.name).icontains(text, autoescape=True)
    for column in (TestCaseRow.class_name, TestCaseRow.file, TestCaseRow.suite):
        found |= col(column).icontains(text, autoescape=True)
    return found


def _is_exactly(text: str) -> ColumnElement[bool]:
    return col(TestCaseRow.name) == text


def _rows(project_id: int) -> Query:
    return select(
        col(TestCaseRow.id),
        col(TestCaseRow.suite),
        col(TestCaseRow.class_name),
        col(TestCaseRow.name),
        col(TestCaseRow.file),
        col(TestCaseRow.variant),
        col(TestCaseRow.owner),
        col(TestCaseRow.first_seen),
    ).where(col(TestCaseRow.project_id) == project_id)


def _nouns(tx: Tx, project_id: int, rows: Iterable[Row[*tuple[Any, ...]]]) -> list[TestCase]:
    tests = list(rows)
    seen = last_seen(tx, project_id, [row[0] for row in tests])
    newest = newest_at(tx, project_id) if tests else None
    return [_noun(row, seen.get(row[0]), newest) for row in tests]


def _noun(row: Row[*tuple[Any, ...]], seen: datetime | None, newest: datetime | None) -> TestCase:
    test_id, suite, class_name, name, file, variant, owner, first_seen = row
    seen = max(seen or first_seen, first_seen)
    retired = newest is not None and seen < newest - RETIRED_AFTER
    key = TestKey(suite, class_name, name, file, variant)
    return TestCase(test_id, key, owner, first_seen, seen, retired)
