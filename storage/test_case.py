"""Test cases: the names behind the ids that results are packed with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Index, Row, Select, UniqueConstraint, func, insert, select, update
from sqlmodel import Field, SQLModel, col

from core.errors import NotFoundError, ValidationError
from core.identity import digest
from core.report import TestKey
from storage.columns import BigId, Bytes, Text, UtcTime
from storage.database import Tx, lock_project
from storage.detection import DetectionRow
from storage.upsert import insert_ignore

CREATION = 1
"""The advisory lock for creating a project's cases: in different orders two writers would deadlock."""
BATCH = 500


class TestCaseRow(SQLModel, table=True):
    """One test of a project. Ids are never reused: an erased test's packed past must not pass to a new one."""

    __test__ = False
    __tablename__ = "test_case"
    __table_args__ = (UniqueConstraint("project_id", "digest"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    project_id: int = Field(sa_type=BigId)
    digest: bytes = Field(sa_type=Bytes)
    suite: str = Field(sa_type=Text)
    class_name: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    file: str = Field(sa_type=Text)
    variant: str = Field(sa_type=Text)
    owner: str = Field(default="", sa_type=Text)
    first_seen: datetime = Field(sa_type=UtcTime)
    last_seen: datetime = Field(sa_type=UtcTime)
    retired: bool = False


class TestAliasRow(SQLModel, table=True):
    """`from_test` is an older name of `to_test`; packed results keep the old id and are mapped when read."""

    __test__ = False
    __tablename__ = "test_alias"
    __table_args__ = (Index("ix_alias_to", "project_id", "to_test"),)

    project_id: int = Field(primary_key=True, sa_type=BigId)
    from_test: int = Field(primary_key=True, sa_type=BigId)
    to_test: int = Field(sa_type=BigId)


@dataclass(frozen=True, slots=True)
class TestCase:
    """One test as people know it."""

    __test__ = False

    id: int
    key: TestKey
    owner: str
    first_seen: datetime
    last_seen: datetime
    retired: bool


def get_test(tx: Tx, project_id: int, test_id: int) -> TestCase:
    """By id; an older name's id finds the test of today. NotFoundError when the project has none."""
    row = tx.execute(
        _nouns(project_id).where(col(TestCaseRow.id) == canonical(tx, project_id, test_id))
    ).first()
    if row is None:
        raise NotFoundError("There is no such test.", test_id=test_id)
    return _noun(row)


def get_tests(tx: Tx, project_id: int, test_ids: Iterable[int]) -> dict[int, TestCase]:
    """Those of the ids that exist."""
    wanted = sorted(set(test_ids))
    found: dict[int, TestCase] = {}
    for start in range(0, len(wanted), BATCH):
        some = col(TestCaseRow.id).in_(wanted[start : start + BATCH])
        found |= {row.id: _noun(row) for row in tx.execute(_nouns(project_id).where(some))}
    return found


def find_test(tx: Tx, project_id: int, key: TestKey) -> TestCase | None:
    """By its normalised key."""
    row = tx.execute(_nouns(project_id).where(col(TestCaseRow.digest) == digest(key))).first()
    return get_test(tx, project_id, row.id) if row else None


def search_tests(tx: Tx, project_id: int, text: str, *, limit: int = 20) -> list[TestCase]:
    """Tests whose name, class, file or suite holds the text, without case; exact names first."""
    found = _nouns(project_id).where(_matches(text)).order_by(*_nearest(text)).limit(limit)
    return [_noun(row) for row in tx.execute(found)]


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
    mine = _mine(project_id)
    if state is not None:
        of_state = select(col(DetectionRow.test_id)).where(
            col(DetectionRow.project_id) == project_id, col(DetectionRow.state) == state
        )
        mine &= col(TestCaseRow.id).in_(of_state)
    if text:
        mine &= _matches(text)
    total = tx.execute(select(func.count()).select_from(TestCaseRow).where(mine)).scalar_one()
    page = _nouns(project_id).where(mine).order_by(col(TestCaseRow.id)).limit(limit).offset(offset)
    return [_noun(row) for row in tx.execute(page)], total


def count_tests(tx: Tx, project_id: int) -> int:
    """Tests known, older names not counted."""
    return tx.execute(select(func.count()).select_from(TestCaseRow).where(_mine(project_id))).scalar_one()


def set_owner(tx: Tx, project_id: int, test_id: int, owner: str) -> None:
    """Whose test it is (CODEOWNERS' words)."""
    mine = (col(TestCaseRow.project_id) == project_id) & (col(TestCaseRow.id) == test_id)
    tx.execute(update(TestCaseRow).where(mine).values(owner=owner))


def add_alias(tx: Tx, project_id: int, from_test: int, to_test: int) -> None:
    """From now on results of `from_test` are results of `to_test`, those already stored too."""
    lock_project(tx, CREATION, project_id)
    target = canonical(tx, project_id, to_test)
    if target == canonical(tx, project_id, from_test):
        if target == from_test:
            raise ValidationError("A test cannot be an older name of itself.", field="to_test")
        return
    get_test(tx, project_id, target)
    older = col(TestAliasRow.project_id) == project_id, col(TestAliasRow.to_test) == from_test
    tx.execute(update(TestAliasRow).where(*older).values(to_test=target))
    insert_ignore(tx, TestAliasRow, {"project_id": project_id, "from_test": from_test, "to_test": target})


def canonical(tx: Tx, project_id: int, test_id: int) -> int:
    """Today's id of a test."""
    query = select(col(TestAliasRow.to_test)).where(
        col(TestAliasRow.project_id) == project_id, col(TestAliasRow.from_test) == test_id
    )
    return tx.execute(query).scalar() or test_id


def aliases(tx: Tx, project_id: int) -> dict[int, int]:
    """Older id -> today's id."""
    query = select(col(TestAliasRow.from_test), col(TestAliasRow.to_test))
    return dict(tx.execute(query.where(col(TestAliasRow.project_id) == project_id)).tuples().all())


def names_of(tx: Tx, project_id: int, test_id: int) -> list[int]:
    """The test's id and the ids of its older names."""
    query = select(col(TestAliasRow.from_test)).where(
        col(TestAliasRow.project_id) == project_id, col(TestAliasRow.to_test) == test_id
    )
    return [test_id, *tx.execute(query).scalars()]


def find_ids(tx: Tx, project_id: int, digests: Sequence[bytes]) -> dict[bytes, int]:
    """Ids of those digests that are known."""
    found: dict[bytes, int] = {}
    for start in range(0, len(digests), BATCH):
        query = select(col(TestCaseRow.digest), col(TestCaseRow.id)).where(
            col(TestCaseRow.project_id) == project_id,
            col(TestCaseRow.digest).in_(digests[start : start + BATCH]),
        )
        found.update((bytes(value), test_id) for value, test_id in tx.execute(query))
    return found


def create_cases(tx: Tx, project_id: int, keys: dict[bytes, TestKey], at: datetime) -> None:
    """New tests; the caller holds the creation lock and knows that none of the digests is taken."""
    rows = [
        {
            "project_id": project_id,
            "digest": value,
            "suite": key.suite,
            "class_name": key.class_name,
            "name": key.name,
            "file": key.file,
            "variant": key.variant,
            "owner": "",
            "first_seen": at,
            "last_seen": at,
            "retired": False,
        }
        for value, key in keys.items()
    ]
    tx.execute(insert(TestCaseRow), rows)


def _mine(project_id: int) -> ColumnElement[bool]:
    older = select(col(TestAliasRow.from_test)).where(col(TestAliasRow.project_id) == project_id)
    return (col(TestCaseRow.project_id) == project_id) & col(TestCaseRow.id).not_in(older)


def _matches(text: str) -> ColumnElement[bool]:
    columns = (TestCaseRow.name, TestCaseRow.class_name, TestCaseRow.file, TestCaseRow.suite)
    found: ColumnElement[bool] = col(columns[0]).icontains(text, autoescape=True)
    for column in columns[1:]:
        found |= col(column).icontains(text, autoescape=True)
    return found


def _nearest(text: str) -> tuple[ColumnElement[Any], ...]:
    exact = col(TestCaseRow.name) == text
    return exact.desc(), func.length(col(TestCaseRow.name)), col(TestCaseRow.id)


def _nouns(project_id: int) -> Select[Any]:
    return select(
        col(TestCaseRow.id),
        col(TestCaseRow.suite),
        col(TestCaseRow.class_name),
        col(TestCaseRow.name),
        col(TestCaseRow.file),
        col(TestCaseRow.variant),
        col(TestCaseRow.owner),
        col(TestCaseRow.first_seen),
        col(TestCaseRow.last_seen),
        col(TestCaseRow.retired),
    ).where(col(TestCaseRow.project_id) == project_id)


def _noun(row: Row[Any]) -> TestCase:
    test_id, suite, class_name, name, file, variant, owner, first_seen, last_seen, retired = row
    return TestCase(
        test_id, TestKey(suite, class_name, name, file, variant), owner, first_seen, last_seen, retired
    )
