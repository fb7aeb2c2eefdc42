"""The inbox: webhook deliveries as a state machine, unique by the SHA-256 of the signed raw body.

received -> processing (leased) -> done | failed (n, next_at) | ignored. GitHub signs the body only, so
neither the delivery id nor the event's name can be the key. A redelivery of a failed one arms it again.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Index, Row, and_, delete, func, or_, select, update
from sqlmodel import Field, SQLModel, col

from core.github.event import Envelope
from storage.columns import BigId, Bytes, Text, UtcTime, insert_ignore
from storage.database import Tx

DeliveryState = Literal["received", "processing", "done", "failed", "ignored"]
Filed = Literal["accepted", "duplicate", "rearmed"]


class DeliveryRow(SQLModel, table=True):
    """One signed body. `tries` is the fence: only the claim that made it n may finish try n."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index("ix_delivery_state", "state", "next_at"),
        Index("ix_delivery_guid", "guid"),
        Index("ix_delivery_received", "received_at"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    digest: str = Field(sa_type=Text, unique=True)
    guid: str = Field(sa_type=Text)
    event: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    installation_id: int | None = Field(sa_type=BigId)
    repository_id: int | None = Field(sa_type=BigId)
    received_at: datetime = Field(sa_type=UtcTime)
    body: bytes = Field(sa_type=Bytes)
    state: str = Field(sa_type=Text)
    tries: int
    armed: int
    """Tries that do not count any more: those before the last arming, and those GitHub made wait."""
    next_at: datetime | None = Field(sa_type=UtcTime)
    """When it is due (received, failed) or when its lease ends (processing); None: nobody will try it."""
    done_at: datetime | None = Field(sa_type=UtcTime)
    error: str = Field(sa_type=Text)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery somebody has claimed."""

    id: int
    guid: str
    event: str
    action: str
    installation_id: int | None
    repository_id: int | None
    received_at: datetime
    body: bytes
    tries: int
    armed: int

    @property
    def attempt(self) -> int:
        """1 for the first try since it came in or was armed again."""
        return self.tries - self.armed


def file_delivery(
    tx: Tx, envelope: Envelope, *, digest: str, body: bytes, now: datetime
) -> tuple[int, Filed]:
    """Keep a delivery durably; answers its id and whether it is new, known, or armed once more."""
    values = {
        "digest": digest,
        "guid": envelope.guid,
        "event": envelope.event,
        "action": envelope.action,
        "installation_id": envelope.installation_id,
        "repository_id": envelope.repository_id,
        "received_at": now,
        "body": zlib.compress(body, 1),
        "state": "received",
        "tries": 0,
        "armed": 0,
        "next_at": now,
        "done_at": None,
        "error": "",
    }
    fresh = insert_ignore(tx, DeliveryRow, values)
    row_id: int = tx.execute(select(col(DeliveryRow.id)).where(col(DeliveryRow.digest) == digest)).one().id
    if fresh:
        return row_id, "accepted"
    return row_id, "rearmed" if rearm(tx, row_id, now) else "duplicate"


def rearm(tx: Tx, delivery_id: int, now: datetime) -> bool:
    """A failed delivery is due again, with all its tries; False for any other state."""
    done = tx.execute(
        update(DeliveryRow)
        .where(col(DeliveryRow.id) == delivery_id, col(DeliveryRow.state) == "failed")
        .values(state="received", next_at=now, armed=col(DeliveryRow.tries), error="")
    )
    return bool(done.rowcount == 1)


def due(tx: Tx, now: datetime, limit: int = 100) -> Sequence[int]:
    """Ids of deliveries to work on, the longest waiting first: new, due again, or left by a dead node."""
    query = (
        select(col(DeliveryRow.id)).where(_due(now)).order_by(col(DeliveryRow.next_at), col(DeliveryRow.id))
    )
    return [row.id for row in tx.execute(query.limit(limit))]


def claim_delivery(tx: Tx, delivery_id: int, *, now: datetime, lease_until: datetime) -> Delivery | None:
    """Become the one who works on it; None when somebody else does or nothing is to be done."""
    claimed = tx.execute(
        update(DeliveryRow)
        .where(col(DeliveryRow.id) == delivery_id, _due(now))
        .values(state="processing", next_at=lease_until, tries=col(DeliveryRow.tries) + 1)
        .returning(DeliveryRow)
    ).one_or_none()
    return None if claimed is None else _noun(claimed)


def renew_lease(tx: Tx, delivery: Delivery, *, lease_until: datetime) -> bool:
    """Still at work; False when the lease had run out and somebody else has taken over."""
    return _swap(tx, delivery, next_at=lease_until)


def finish_delivery(tx: Tx, delivery: Delivery, state: Literal["done", "ignored"], *, now: datetime) -> bool:
    """Its effect is committed; False when somebody else has taken it over meanwhile."""
    return _swap(tx, delivery, state=state, next_at=None, done_at=now, error="")


def fail_delivery(tx: Tx, delivery: Delivery, *, error: str, next_at: datetime | None) -> bool:
    """It did not work; it is due again at `next_at`, or (None) kept for a redelivery."""
    return _swap(tx, delivery, state="failed", next_at=next_at, error=error[:500])


def put_off(tx: Tx, delivery: Delivery, *, error: str, next_at: datetime) -> bool:
    """GitHub asks to wait: due again at `next_at`, and this try does not count."""
    waiting = {"state": "failed", "next_at": next_at, "error": error[:500], "armed": delivery.armed + 1}
    return _swap(tx, delivery, **waiting)


def state_of_guid(tx: Tx, guid: str) -> tuple[int, DeliveryState] | None:
    """The newest delivery known under GitHub's delivery id."""
    query = select(col(DeliveryRow.id), col(DeliveryRow.state)).where(col(DeliveryRow.guid) == guid)
    row = tx.execute(query.order_by(col(DeliveryRow.id).desc()).limit(1)).one_or_none()
    return None if row is None else (row.id, row.state)


def inbox_backlog(tx: Tx, now: datetime) -> tuple[int, datetime | None]:
    """How many deliveries wait or are worked on, and since when the oldest is here."""
    pending = or_(col(DeliveryRow.state).in_(["received", "processing"]), _due(now))
    row = tx.execute(select(func.count(), func.min(col(DeliveryRow.received_at))).where(pending)).one()
    return row[0], row[1]


def newest_delivery(tx: Tx) -> datetime | None:
    """When GitHub was last heard of."""
    return tx.execute(select(func.max(col(DeliveryRow.received_at)))).scalar()


def cancel_deliveries(tx: Tx, *, installation_id: int, now: datetime) -> int:
    """The installation is gone: what waits for it has no meaning any more."""
    done = tx.execute(
        update(DeliveryRow)
        .where(
            col(DeliveryRow.installation_id) == installation_id,
            col(DeliveryRow.state).in_(["received", "failed"]),
            col(DeliveryRow.event).not_in(["installation", "installation_repositories"]),
        )
        .values(state="ignored", next_at=None, done_at=now, error="the installation was removed")
    )
    return int(done.rowcount)


def forget_deliveries(tx: Tx, before: datetime) -> int:
    """Drop what was settled before; answers how many."""
    settled = and_(col(DeliveryRow.next_at).is_(None), col(DeliveryRow.received_at) < before)
    return int(tx.execute(delete(DeliveryRow).where(settled)).rowcount)


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(
        col(DeliveryRow.state).in_(["received", "processing", "failed"]), col(DeliveryRow.next_at) <= now
    )


def _swap(tx: Tx, delivery: Delivery, **values: Any) -> bool:
    done = tx.execute(
        update(DeliveryRow)
        .where(
            col(DeliveryRow.id) == delivery.id,
            col(DeliveryRow.state) == "processing",
            col(DeliveryRow.tries) == delivery.tries,
        )
        .values(**values)
    )
    return bool(done.rowcount == 1)


def _noun(row: Row[Any]) -> Delivery:
    data = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    values = {name: data[name] for name in Delivery.__slots__}
    return Delivery(**{**values, "body": zlib.decompress(values["body"])})
