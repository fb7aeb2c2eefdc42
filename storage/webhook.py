"""The outbox of webhooks: one message to one endpoint, kept until it has been delivered or given up.

Unlike a Slack message it never changes once it is written, and what it says is what was true when it was written.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Index, Row, and_, case, delete, exists, func, insert, select, update
from sqlmodel import Field, SQLModel, col

from core.errors import NotFoundError
from storage.columns import BigId, Text, UtcTime
from storage.database import Tx
from storage.endpoint import Endpoint, EndpointRow, ready

MessageState = Literal["pending", "delivered", "failed"]


class MessageRow(SQLModel, table=True):
    """One message. Its endpoint is a number only: who writes a message waits for nobody who changes the endpoint."""

    __tablename__ = "webhook_message"
    __table_args__ = (
        Index("ix_webhook_message_due", "endpoint_id", "state", "due_at"),
        Index("ix_webhook_message_at", "at"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    project_id: int | None = Field(sa_type=BigId)
    endpoint_id: int = Field(sa_type=BigId)
    key: str = Field(sa_type=Text, unique=True)
    """The webhook-id: the same in every attempt, unlike any other server's."""
    type: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcTime)
    data: str = Field(sa_type=Text)
    """JSON as text: jsonb would shuffle its fields, and every attempt has to send the same bytes."""
    state: str = Field(sa_type=Text)
    tries: int
    due_at: datetime = Field(sa_type=UtcTime)
    tried_at: datetime | None = Field(sa_type=UtcTime)
    status: int | None
    """Of the last attempt's answer."""
    error: str = Field(sa_type=Text)


@dataclass(frozen=True, slots=True)
class Message:
    """One message, as whoever sends it sees it."""

    id: int
    project_id: int | None
    endpoint_id: int
    key: str
    type: str
    at: datetime
    data: Mapping[str, Any]
    state: MessageState
    tries: int
    due_at: datetime
    tried_at: datetime | None
    status: int | None
    error: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that somebody is about to write."""

    key: str
    endpoint_id: int
    project_id: int | None
    type: str
    data: Mapping[str, Any]


def write_messages(tx: Tx, drafts: Sequence[Draft], now: datetime) -> None:
    """Put them into the outbox, due at once."""
    rows = [
        {
            "project_id": one.project_id,
            "endpoint_id": one.endpoint_id,
            "key": one.key,
            "type": one.type,
            "at": now,
            "data": json.dumps(one.data, ensure_ascii=False),
            "state": "pending",
            "tries": 0,
            "due_at": now,
            "tried_at": None,
            "status": None,
            "error": "",
        }
        for one in drafts
    ]
    if rows:
        tx.execute(insert(MessageRow), rows)


def get_message(tx: Tx, endpoint_id: int, key: str) -> Message:
    """One message of an endpoint."""
    mine = and_(col(MessageRow.endpoint_id) == endpoint_id, col(MessageRow.key) == key)
    row = tx.execute(select(MessageRow).where(mine)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no message {key[:60]}.")
    return _noun(row)


def list_messages(
    tx: Tx, endpoint_id: int, *, state: str | None = None, limit: int = 50, offset: int = 0
) -> tuple[list[Message], int]:
    """A page of an endpoint's messages, newest first, and how many there are."""
    mine = col(MessageRow.endpoint_id) == endpoint_id
    if state is not None:
        mine &= col(MessageRow.state) == state
    total = tx.execute(select(func.count()).select_from(MessageRow).where(mine)).scalar_one()
    page = select(MessageRow).where(mine).order_by(col(MessageRow.id).desc()).limit(limit).offset(offset)
    return [_noun(row) for row in tx.execute(page)], total


def due_endpoints(tx: Tx, now: datetime, limit: int = 100) -> Sequence[int]:
    """Endpoints with something to send that nobody sends to, who was served longest ago first."""
    waiting = exists().where(col(MessageRow.endpoint_id) == col(EndpointRow.id), _due(now))
    query = select(col(EndpointRow.id)).where(ready(now), waiting)
    rows = tx.execute(query.order_by(col(EndpointRow.next_at), col(EndpointRow.id)).limit(limit))
    return [row.id for row in rows]


def next_message(tx: Tx, endpoint_id: int, now: datetime) -> Message | None:
    """The endpoint's longest waiting message."""
    query = select(MessageRow).where(col(MessageRow.endpoint_id) == endpoint_id, _due(now))
    row = tx.execute(query.order_by(col(MessageRow.due_at), col(MessageRow.id)).limit(1)).one_or_none()
    return None if row is None else _noun(row)


def delivered(tx: Tx, message: Message, *, status: int, now: datetime) -> None:
    """It has arrived: a fact, whoever holds the endpoint by now."""
    _tried(tx, message, now, state="delivered", status=status, error="")


def not_delivered(
    tx: Tx, message: Message, *, status: int | None, error: str, due_at: datetime | None, now: datetime
) -> None:
    """It has not arrived; again at `due_at`, or (None) never unless somebody asks for it."""
    again = {"due_at": due_at} if due_at else {"state": "failed"}
    _tried(tx, message, now, status=status, error=error[:500], **again)


def rearm(tx: Tx, endpoint: Endpoint, now: datetime) -> int:
    """Whatever has not arrived is due again, with all its tries; answers how many."""
    mine = and_(col(MessageRow.endpoint_id) == endpoint.id, col(MessageRow.state) != "delivered")
    done = tx.execute(update(MessageRow).where(mine).values(state="pending", due_at=now, tries=0))
    return int(done.rowcount)


def hasten(tx: Tx, endpoint: Endpoint, now: datetime) -> None:
    """What waits for its next try need not wait: its receiver is there again."""
    waiting = and_(col(MessageRow.endpoint_id) == endpoint.id, col(MessageRow.state) == "pending")
    tx.execute(update(MessageRow).where(waiting, col(MessageRow.due_at) > now).values(due_at=now))


def forget_messages_of(tx: Tx, endpoint_id: int) -> None:
    """The endpoint is removed: nobody will ask for them."""
    tx.execute(delete(MessageRow).where(col(MessageRow.endpoint_id) == endpoint_id))


def forget_messages(tx: Tx, before: datetime) -> int:
    """Drop what happened before, delivered or not; answers how many."""
    return int(tx.execute(delete(MessageRow).where(col(MessageRow.at) < before)).rowcount)


def message_backlog(tx: Tx, now: datetime) -> tuple[int, datetime | None]:
    """How many messages wait for being sent, and since when the oldest could have been; of resting endpoints none."""
    due, rested = col(MessageRow.due_at), col(EndpointRow.next_at)
    query = (
        select(func.count(), func.min(case((due > rested, due), else_=rested)))
        .join(EndpointRow, col(EndpointRow.id) == col(MessageRow.endpoint_id))
        .where(_due(now), ready(now))
    )
    row = tx.execute(query).one()
    return row[0], row[1]


def pending_of(tx: Tx, endpoint_id: int) -> int:
    """How many messages have not arrived yet."""
    mine = and_(col(MessageRow.endpoint_id) == endpoint_id, col(MessageRow.state) == "pending")
    return tx.execute(select(func.count()).select_from(MessageRow).where(mine)).scalar_one()


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(col(MessageRow.state) == "pending", col(MessageRow.due_at) <= now)


def _tried(tx: Tx, message: Message, now: datetime, **values: Any) -> None:
    mine = and_(col(MessageRow.id) == message.id, col(MessageRow.state) != "delivered")
    tx.execute(update(MessageRow).where(mine).values(tries=message.tries + 1, tried_at=now, **values))


def _noun(row: Row[Any]) -> Message:
    data = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    values = {name: data[name] for name in Message.__slots__}
    return Message(**{**values, "data": json.loads(values["data"])})
