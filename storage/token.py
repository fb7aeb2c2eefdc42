"""API tokens at rest: their SHA-256 and nothing that could be used."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Row, bindparam, or_, select, update
from sqlmodel import Field, SQLModel, col

from core.errors import NotFoundError
from core.tenancy import ApiToken, Scope
from storage.columns import BigId, Bytes, Text, UtcTime
from storage.database import Query, Tx
from storage.upsert import insert_into

TOUCH_EVERY = timedelta(minutes=1)
"""How exact last-used is; a write for every request would cost more than it tells."""


class ApiTokenRow(SQLModel, table=True):
    """One token; `hash` is all that is known of it."""

    __tablename__ = "api_token"

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    organization_id: int = Field(foreign_key="organization.id", sa_type=BigId)
    project_id: int = Field(foreign_key="project.id", index=True, sa_type=BigId)
    scope: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    hash: bytes = Field(sa_type=Bytes, unique=True)
    created_at: datetime = Field(sa_type=UtcTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcTime)


def save_token(
    tx: Tx,
    *,
    organization_id: int,
    project_id: int,
    scope: Scope,
    name: str,
    hash: bytes,  # noqa: A002 - the column's name
    now: datetime,
    expires_at: datetime | None = None,
) -> ApiToken:
    """Remember a token just made."""
    values = {
        "organization_id": organization_id,
        "project_id": project_id,
        "scope": scope.value,
        "name": name,
        "hash": hash,
        "created_at": now,
        "expires_at": expires_at,
    }
    tx.execute(insert_into(tx, ApiTokenRow), values)
    token = find_token(tx, hash)
    assert token is not None
    return token


def find_token(tx: Tx, hash: bytes) -> ApiToken | None:  # noqa: A002 - the column's name
    """One indexed read; whether the token is live is the caller's question."""
    row = tx.execute(_by_hash(), {"wanted": hash}).first()
    return _noun(row) if row else None


@cache
def _by_hash() -> Query:
    return _nouns().where(col(ApiTokenRow.hash) == bindparam("wanted"))


def get_token(tx: Tx, token_id: int) -> ApiToken:
    """By id; NotFoundError when there is none."""
    row = tx.execute(_nouns().where(col(ApiTokenRow.id) == token_id)).first()
    if row is None:
        raise NotFoundError("There is no such token.", token_id=token_id)
    return _noun(row)


def revoke_token(tx: Tx, token_id: int, organization_id: int | None, now: datetime) -> ApiToken:
    """From now on useless; NotFoundError when the organization has no such token. Again changes nothing."""
    mine = col(ApiTokenRow.id) == token_id
    if organization_id is not None:
        mine &= col(ApiTokenRow.organization_id) == organization_id
    live = mine & col(ApiTokenRow.revoked_at).is_(None)
    tx.execute(update(ApiTokenRow).where(live).values(revoked_at=now))
    row = tx.execute(_nouns().where(mine)).first()
    if row is None:
        raise NotFoundError("There is no such token.", token_id=token_id)
    return _noun(row)


def list_tokens(tx: Tx, project_id: int) -> list[ApiToken]:
    """All of a project's tokens, revoked ones too, oldest first."""
    query = _nouns().where(col(ApiTokenRow.project_id) == project_id).order_by(col(ApiTokenRow.id))
    return [_noun(row) for row in tx.execute(query)]


def touch_token(tx: Tx, token_id: int, now: datetime) -> None:
    """Note that it was used, at most once a minute."""
    used = col(ApiTokenRow.last_used_at)
    stale = or_(used.is_(None), used <= now - TOUCH_EVERY)
    tx.execute(update(ApiTokenRow).where(col(ApiTokenRow.id) == token_id, stale).values(last_used_at=now))


def _nouns() -> Query:
    return select(
        col(ApiTokenRow.id),
        col(ApiTokenRow.organization_id),
        col(ApiTokenRow.project_id),
        col(ApiTokenRow.scope),
        col(ApiTokenRow.name),
        col(ApiTokenRow.created_at),
        col(ApiTokenRow.expires_at),
        col(ApiTokenRow.revoked_at),
        col(ApiTokenRow.last_used_at),
    )


def _noun(row: Row[*tuple[Any, ...]]) -> ApiToken:
    token_id, organization_id, project_id, scope, name, *times = row
    return ApiToken(token_id, organization_id, project_id, Scope(scope), name, *times)
