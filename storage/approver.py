"""Who may do what in a project: roles by Slack user id."""

from sqlalchemy import delete, select
from sqlmodel import Field, SQLModel, col

from core.tenancy import Role
from storage.columns import BigId, Text
from storage.database import Tx
from storage.upsert import put


class ApproverRow(SQLModel, table=True):
    """One person's role in one project."""

    __tablename__ = "approver"

    project_id: int = Field(primary_key=True, foreign_key="project.id", sa_type=BigId)
    user: str = Field(primary_key=True, sa_type=Text)
    role: str = Field(sa_type=Text)


def set_role(tx: Tx, project_id: int, user: str, role: Role) -> None:
    """Give the person this role instead of any earlier one."""
    values = {"project_id": project_id, "user": user, "role": role.value}
    put(tx, ApproverRow, values, on=["project_id", "user"])


def remove_role(tx: Tx, project_id: int, user: str) -> bool:
    """Back to viewer; False when the person had no role."""
    found = delete(ApproverRow).where(
        col(ApproverRow.project_id) == project_id, col(ApproverRow.user) == user
    )
    return tx.execute(found).rowcount > 0


def role_of(tx: Tx, project_id: int, user: str) -> Role:
    """Everybody is a viewer unless told otherwise."""
    query = select(col(ApproverRow.role)).where(
        col(ApproverRow.project_id) == project_id, col(ApproverRow.user) == user
    )
    role = tx.execute(query).scalar()
    return Role(role) if role else Role.VIEWER


def list_roles(tx: Tx, project_id: int) -> list[tuple[str, Role]]:
    """(user, role) of everybody with a role, by user."""
    query = select(col(ApproverRow.user), col(ApproverRow.role)).where(
        col(ApproverRow.project_id) == project_id
    )
    return [(user, Role(role)) for user, role in tx.execute(query.order_by(col(ApproverRow.user)))]
