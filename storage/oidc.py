"""Identity tokens of workflow runs that have been exchanged: each once, and what it bound its API token to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Index, delete, select, update
from sqlmodel import Field, SQLModel, col

from storage.columns import BigId, Json, Text, UtcTime, insert_ignore
from storage.database import Tx


class OidcGrantRow(SQLModel, table=True):
    """One exchanged identity token."""

    __tablename__ = "oidc_grant"
    __table_args__ = (Index("ix_oidc_grant_token", "token_id"), Index("ix_oidc_grant_expires", "expires_at"))

    jti: str = Field(primary_key=True, sa_type=Text)
    token_id: int | None = Field(default=None, sa_type=BigId)
    claims: dict[str, Any] = Field(sa_type=Json)
    expires_at: datetime = Field(sa_type=UtcTime)


def use_jti(tx: Tx, jti: str, *, claims: Mapping[str, Any], expires_at: datetime) -> bool:
    """True the first time; an identity token is good for one exchange."""
    return insert_ignore(tx, OidcGrantRow, {"jti": jti, "claims": dict(claims), "expires_at": expires_at})


def bind_token(tx: Tx, jti: str, token_id: int) -> None:
    """The API token that was given for it."""
    tx.execute(update(OidcGrantRow).where(col(OidcGrantRow.jti) == jti).values(token_id=token_id))


def fields_bound_to(tx: Tx, token_id: int) -> dict[str, str]:
    """Fields of every upload with this API token, whatever it says itself; none for a token that came another way."""
    query = select(col(OidcGrantRow.claims)).where(col(OidcGrantRow.token_id) == token_id)
    return tx.execute(query.limit(1)).scalar() or {}


def forget_grants(tx: Tx, before: datetime) -> int:
    """Drop what expired before; answers how many."""
    return int(tx.execute(delete(OidcGrantRow).where(col(OidcGrantRow.expires_at) < before)).rowcount)
