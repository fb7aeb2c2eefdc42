"""Older names of tests: packed results keep the id they were stored with and are mapped when read."""

from sqlalchemy import Index, select, update
from sqlmodel import Field, SQLModel, col

from core.errors import ValidationError
from core.ids import Ids
from storage.columns import BigId, insert_ignore
from storage.database import Tx
from storage.knowledge import knowledge, lock_identities, move_epoch


class TestAliasRow(SQLModel, table=True):
    """`from_test` is an older name of `to_test`, which is never an older name itself."""

    __test__ = False
    __tablename__ = "test_alias"
    __table_args__ = (Index("ix_alias_to", "project_id", "to_test"),)

    project_id: int = Field(primary_key=True, sa_type=BigId)
    from_test: int = Field(primary_key=True, sa_type=BigId)
    to_test: int = Field(sa_type=BigId)


def add_alias(tx: Tx, project_id: int, from_test: int, to_test: int) -> None:
    """From now on results of `from_test` are results of `to_test`, those already stored too."""
    lock_identities(tx, project_id)
    source, target = canonical(tx, project_id, from_test), canonical(tx, project_id, to_test)
    if source == target and from_test != source:
        return
    if source == target:
        raise ValidationError("A test cannot be an older name of itself.", field="to_test")
    older = (col(TestAliasRow.project_id) == project_id) & (col(TestAliasRow.to_test) == source)
    tx.execute(update(TestAliasRow).where(older).values(to_test=target))
    insert_ignore(tx, TestAliasRow, {"project_id": project_id, "from_test": source, "to_test": target})
    move_epoch(tx, project_id)


def canonical(tx: Tx, project_id: int, test_id: int) -> int:
    """Today's id of a test."""
    return aliases(tx, project_id).get(test_id, test_id)


def aliases(tx: Tx, project_id: int) -> dict[int, int]:
    """Older id -> today's id."""
    known = knowledge(tx, project_id)
    found = known.aliases()
    if found is None:
        query = select(col(TestAliasRow.from_test), col(TestAliasRow.to_test))
        rows = tx.execute(query.where(col(TestAliasRow.project_id) == project_id)).all()
        found = known.found.aliases = {older: today for older, today in rows}  # noqa: C416 - rows are no pairs to mypy
    return found


def names_of(tx: Tx, project_id: int, test_id: int) -> list[int]:
    """The test's id and the ids of its older names."""
    return [test_id, *(older for older, today in aliases(tx, project_id).items() if today == test_id)]


def todays(ids: Ids, today: dict[int, int]) -> Ids:
    """The ids with older ones replaced."""
    if not today:
        return ids
    mapped = ids.copy()
    for older, new in today.items():
        mapped[ids == older] = new
    return mapped
