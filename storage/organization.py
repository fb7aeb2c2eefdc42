"""Organizations: the tenants of one server."""

from datetime import datetime

from sqlalchemy import UniqueConstraint, select
from sqlmodel import Field, SQLModel, col

from core.tenancy import Organization
from storage.columns import BigId, Text, UtcTime
from storage.database import Tx
from storage.upsert import insert_ignore


class OrganizationRow(SQLModel, table=True):
    """A tenant."""

    __tablename__ = "organization"
    __table_args__ = (UniqueConstraint("name_key"),)

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=Text)
    """The name folded, so that Acme and acme are one tenant."""
    created_at: datetime = Field(sa_type=UtcTime)


_NOUN = select(col(OrganizationRow.id), col(OrganizationRow.name))


def create_organization(tx: Tx, name: str, now: datetime) -> Organization:
    """The organization of this name, made when missing."""
    values = {"name": name, "name_key": name.lower(), "created_at": now}
    insert_ignore(tx, OrganizationRow, values)
    organization = find_organization(tx, name)
    assert organization is not None
    return organization


def find_organization(tx: Tx, name: str) -> Organization | None:
    """Case-insensitive."""
    row = tx.execute(_NOUN.where(col(OrganizationRow.name_key) == name.lower())).first()
    return Organization(*row) if row else None


def list_organizations(tx: Tx) -> list[Organization]:
    """All tenants by name."""
    return [Organization(*row) for row in tx.execute(_NOUN.order_by(col(OrganizationRow.name_key)))]
