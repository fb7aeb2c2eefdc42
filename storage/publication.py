"""The outbox: what messages should say. A row is dirty while `said` is behind `wanted`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Row, and_, delete, func, or_, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, col

from storage.columns import BigId, Json, Text, UtcTime
from storage.database import Tx
from storage.upsert import insert_ignore


class PublicationRow(SQLModel, table=True):
    """One message in one channel, for its whole life."""

    __tablename__ = "publication"
    __table_args__ = (
        Index("ix_publication_due", "dirty", "due_at"),
        Index("ix_publication_subject", "project_id", "kind", "subject"),
        Index("ix_publication_channel", "team", "channel", "dirty"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    project_id: int = Field(foreign_key="project.id", sa_type=BigId)
    key: str = Field(sa_type=Text, unique=True)
    kind: str = Field(sa_type=Text)
    subject: int = Field(sa_type=BigId)
    team: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    parent: str = Field(sa_type=Text)
    payload: dict[str, Any] = Field(sa_type=Json)
    wanted: int
    said: int
    dirty: bool
    ts: str = Field(sa_type=Text)
    tries: int
    due_at: datetime = Field(sa_type=UtcTime)
    error: str = Field(sa_type=Text)
    dead: bool
    created_at: datetime = Field(sa_type=UtcTime)
    uncertain_since: datetime | None = Field(default=None, sa_type=UtcTime)
    reposted: bool = False
    """Somebody deleted the message and it was posted again; that is done once."""


class ChannelRow(SQLModel, table=True):
    """The pace of one channel over all nodes: who writes there now, and when the next message may go."""

    __tablename__ = "slack_channel"

    team: str = Field(primary_key=True, sa_type=Text)
    channel: str = Field(primary_key=True, sa_type=Text)
    next_at: datetime = Field(sa_type=UtcTime)
    lease_until: datetime = Field(sa_type=UtcTime)
    broken: str = Field(sa_type=Text)
    """Slack's word for why nothing can be posted there; empty when all is well."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One message in one channel, as the publisher sees it."""

    id: int
    project_id: int
    key: str
    kind: str
    subject: int
    team: str
    channel: str
    parent: str
    payload: dict[str, Any]
    wanted: int
    said: int
    uncertain_since: datetime | None
    ts: str
    tries: int
    due_at: datetime
    error: str
    dead: bool
    created_at: datetime
    reposted: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to speak in a channel, until a moment that also names the claim."""

    team: str
    channel: str
    lease_until: datetime


def want(
    tx: Tx,
    *,
    project_id: int,
    key: str,
    kind: str,
    subject: int,
    team: str,
    channel: str,
    now: datetime,
    parent: str = "",
    payload: dict[str, Any] | None = None,
    due_at: datetime | None = None,
) -> bool:
    """Ask for a message to exist; False when one with this key does already."""
    values = {
        "project_id": project_id,
        "key": key,
        "kind": kind,
        "subject": subject,
        "team": team,
        "channel": channel,
        "parent": parent,
        "payload": payload or {},
        "wanted": 1,
        "said": 0,
        "dirty": True,
        "uncertain_since": None,
        "ts": "",
        "tries": 0,
        "due_at": due_at or now,
        "error": "",
        "dead": False,
        "created_at": now,
        "reposted": False,
    }
    return insert_ignore(tx, PublicationRow, values)


def touch(tx: Tx, *, project_id: int, kind: str, subject: int, now: datetime) -> int:
    """The state behind these messages has changed: each has to be said anew. Answers how many."""
    done = tx.execute(
        update(PublicationRow)
        .where(
            col(PublicationRow.project_id) == project_id,
            col(PublicationRow.kind) == kind,
            col(PublicationRow.subject) == subject,
        )
        .values(
            wanted=col(PublicationRow.wanted) + 1,
            dirty=True,
            due_at=now,
            tries=0,
            # Whoever deleted it twice does not want to see it.
            dead=and_(col(PublicationRow.dead), col(PublicationRow.reposted)),
        )
    )
    return int(done.rowcount)


def due_channels(tx: Tx, now: datetime, limit: int = 100) -> Sequence[tuple[str, str]]:
    """Channels with something to say now, the longest waiting first."""
    query = (
        select(col(PublicationRow.team), col(PublicationRow.channel))
        .where(_due(now))
        .group_by(col(PublicationRow.team), col(PublicationRow.channel))
        .order_by(func.min(col(PublicationRow.due_at)))
        .limit(limit)
    )
    return [(row.team, row.channel) for row in tx.execute(query)]


def claim_channel(tx: Tx, team: str, channel: str, *, now: datetime, lease_until: datetime) -> Claim | None:
    """Become the channel's only writer; None when another writes, or it (or its workspace) has to wait."""
    start = {"next_at": now, "lease_until": now, "broken": ""}
    insert_ignore(tx, ChannelRow, {"team": team, "channel": channel, **start})
    if not _may_speak(tx, team, "", now):
        return None
    done = tx.execute(
        update(ChannelRow)
        .where(_channel(team, channel), col(ChannelRow.next_at) <= now, col(ChannelRow.lease_until) <= now)
        .values(lease_until=lease_until)
    )
    return Claim(team, channel, lease_until) if done.rowcount == 1 else None


def renew_claim(tx: Tx, claim: Claim, *, lease_until: datetime) -> Claim | None:
    """Hold the channel longer; None when it was too late and another has taken over."""
    done = tx.execute(update(ChannelRow).where(_held(claim)).values(lease_until=lease_until))
    return Claim(claim.team, claim.channel, lease_until) if done.rowcount == 1 else None


def release_channel(tx: Tx, claim: Claim, *, now: datetime, next_at: datetime, broken: str = "") -> None:
    """Give the channel back; nobody speaks there before `next_at`. Another's claim is left alone."""
    values = {"lease_until": now, "next_at": next_at, "broken": broken}
    tx.execute(update(ChannelRow).where(_held(claim)).values(**values))


def pause_team(tx: Tx, team: str, *, until: datetime) -> None:
    """Slack asked this workspace's app to wait; an earlier, longer wait stays."""
    values = {"team": team, "channel": "", "next_at": until, "lease_until": until, "broken": ""}
    if not insert_ignore(tx, ChannelRow, values):
        sooner = and_(_channel(team, ""), col(ChannelRow.next_at) < until)
        tx.execute(update(ChannelRow).where(sooner).values(next_at=until))


def broken_channels(tx: Tx) -> Sequence[tuple[str, str, str]]:
    """(team, channel, reason) of the routes on which nothing can be posted."""
    rows = tx.execute(select(ChannelRow).where(col(ChannelRow.broken) != ""))
    return [(row.team, row.channel, row.broken) for row in rows]


def next_publication(tx: Tx, team: str, channel: str, now: datetime) -> Publication | None:
    """The channel's longest waiting message; an answer in a thread waits until its parent has been posted."""
    row = tx.execute(
        select(PublicationRow)
        .where(_due(now), col(PublicationRow.team) == team, col(PublicationRow.channel) == channel)
        .order_by(col(PublicationRow.due_at), col(PublicationRow.id))
        .limit(1)
    ).one_or_none()
    return None if row is None else _noun(row)


def find_publication(tx: Tx, publication_id: int) -> Publication | None:
    """One message as it is now."""
    row = tx.execute(select(PublicationRow).where(col(PublicationRow.id) == publication_id)).one_or_none()
    return None if row is None else _noun(row)


def thread_of(tx: Tx, publication: Publication) -> str | None:
    """The ts of the message this one answers; None when it answers none or that is not posted yet."""
    query = select(col(PublicationRow.ts)).where(col(PublicationRow.key) == publication.parent)
    return tx.execute(query).scalar() or None


def mark_attempt(tx: Tx, publication: Publication, now: datetime) -> None:
    """About to be posted for the first time: from here on the outcome is unknown until it is known."""
    tx.execute(
        update(PublicationRow)
        .where(col(PublicationRow.id) == publication.id)
        .values(uncertain_since=publication.uncertain_since or now)
    )


def said(tx: Tx, publication: Publication, *, ts: str) -> None:
    """It now says what `publication.wanted` asked for; it stays dirty when more has been asked meanwhile."""
    tx.execute(
        update(PublicationRow)
        .where(col(PublicationRow.id) == publication.id)
        .values(
            said=publication.wanted,
            ts=ts,
            uncertain_since=None,
            tries=0,
            error="",
            dirty=col(PublicationRow.wanted) > publication.wanted,
        )
    )


def postpone(
    tx: Tx,
    publication: Publication,
    *,
    due_at: datetime,
    error: str,
    dead: bool = False,
    certain: bool = False,
) -> None:
    """It could not be said: again at `due_at`, or never when `dead`. `certain`: it was surely not posted."""
    values: dict[str, Any] = {
        "due_at": due_at,
        "error": error[:500],
        "tries": publication.tries + 1,
        "dead": dead,
    }
    if certain:  # back to what was known before this attempt
        values["uncertain_since"] = publication.uncertain_since
    tx.execute(update(PublicationRow).where(col(PublicationRow.id) == publication.id).values(**values))


def forget_ts(tx: Tx, publication: Publication) -> None:
    """The message was deleted by somebody: it will be posted once more, and after that no more."""
    tx.execute(
        update(PublicationRow)
        .where(col(PublicationRow.id) == publication.id)
        .values(
            ts="", uncertain_since=None, reposted=True, dead=publication.reposted, error="message_not_found"
        )
    )


def mend_channel(tx: Tx, team: str, channel: str, now: datetime) -> None:
    """Somebody says the channel works again: try now instead of waiting."""
    tx.execute(update(ChannelRow).where(_channel(team, channel)).values(broken="", next_at=now))


def backlog(tx: Tx, now: datetime) -> tuple[int, datetime | None]:
    """How many messages wait, and since when the oldest is due."""
    row = tx.execute(select(func.count(), func.min(col(PublicationRow.due_at))).where(_due(now))).one()
    return row[0], row[1]


def messages_of(tx: Tx, *, project_id: int, kind: str, subject: int) -> Sequence[Publication]:
    """Every message about one subject."""
    rows = tx.execute(
        select(PublicationRow).where(
            col(PublicationRow.project_id) == project_id,
            col(PublicationRow.kind) == kind,
            col(PublicationRow.subject) == subject,
        )
    )
    return [_noun(row) for row in rows]


def drop_before(tx: Tx, before: datetime) -> int:
    """Forget clean and dead messages made before; nothing can change them any more. Answers how many."""
    over = col(PublicationRow.dirty).is_(False) | col(PublicationRow.dead).is_(True)
    done = tx.execute(delete(PublicationRow).where(col(PublicationRow.created_at) < before, over))
    return int(done.rowcount)


def _due(now: datetime) -> Any:
    """Behind, alive, its time has come; and what it answers, if anything, is there to be answered."""
    parent = aliased(PublicationRow)
    posted = select(col(parent.id)).where(col(parent.key) == col(PublicationRow.parent), col(parent.ts) != "")
    return and_(
        col(PublicationRow.dirty).is_(True),
        col(PublicationRow.dead).is_(False),
        col(PublicationRow.due_at) <= now,
        or_(col(PublicationRow.parent) == "", posted.exists()),
    )


def _held(claim: Claim) -> Any:
    return and_(_channel(claim.team, claim.channel), col(ChannelRow.lease_until) == claim.lease_until)


def _channel(team: str, channel: str) -> Any:
    return and_(col(ChannelRow.team) == team, col(ChannelRow.channel) == channel)


def _may_speak(tx: Tx, team: str, channel: str, now: datetime) -> bool:
    waiting = select(col(ChannelRow.next_at)).where(_channel(team, channel), col(ChannelRow.next_at) > now)
    return tx.execute(waiting).first() is None


def _noun(row: Row[Any]) -> Publication:
    data = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    data.pop("dirty")
    return Publication(**data)
