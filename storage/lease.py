"""The lease of a row whose words stand elsewhere: one writer at a time, fenced by the number of its claim."""

from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col


class Leased(Protocol):
    """A row with a lease."""

    claims: int
    lease_until: datetime | None


def free(row: type[Leased], now: datetime) -> ColumnElement[bool]:
    """Nobody writes it, or whoever did has died."""
    return or_(col(row.lease_until).is_(None), col(row.lease_until) <= now)


def taken(row: type[Leased], until: datetime) -> dict[str, Any]:
    """What the row holds once it is claimed: earlier claims write nothing any more."""
    return {"lease_until": until, "claims": col(row.claims) + 1}


def held(row: type[Leased], claims: int) -> ColumnElement[bool]:
    """Whoever made this claim is its writer still."""
    return and_(col(row.claims) == claims, col(row.lease_until).is_not(None))
