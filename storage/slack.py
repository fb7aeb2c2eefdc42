"""What is remembered about Slack: workspaces, which channel hears what, who is who, what already took effect."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Index, Row, delete, select, update
from sqlmodel import Field, SQLModel, col

from storage.columns import BigId, Bytes, Text, UtcTime
from storage.database import Tx
from storage.upsert import insert_ignore, put

Kinds = Literal["all", "proposals", "digest"]


class SlackInstallationRow(SQLModel, table=True):
    """One workspace that installed the app. The token is encrypted by bot before it comes here."""

    __tablename__ = "slack_installation"

    team: str = Field(primary_key=True, sa_type=Text)
    enterprise: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    organization_id: int | None = Field(default=None, foreign_key="organization.id", sa_type=BigId)
    token: bytes = Field(sa_type=Bytes)
    bot_user: str = Field(sa_type=Text)
    bot_id: str = Field(sa_type=Text)
    scopes: str = Field(sa_type=Text)
    installed_at: datetime = Field(sa_type=UtcTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcTime)


class SlackSubscriptionRow(SQLModel, table=True):
    """One channel that hears about one project."""

    __tablename__ = "slack_subscription"
    __table_args__ = (Index("ix_slack_subscription_channel", "team", "channel"),)

    project_id: int = Field(primary_key=True, foreign_key="project.id", sa_type=BigId)
    team: str = Field(primary_key=True, sa_type=Text)
    channel: str = Field(primary_key=True, sa_type=Text)
    kinds: str = Field(sa_type=Text)
    digest_time: str = Field(sa_type=Text)
    timezone: str = Field(sa_type=Text)
    silent_when_quiet: bool
    muted_until: datetime | None = Field(default=None, sa_type=UtcTime)
    created_at: datetime = Field(sa_type=UtcTime)


class SlackUserRow(SQLModel, table=True):
    """One person: when they last opened their Home, and their GitHub login if they linked it."""

    __tablename__ = "slack_user"

    team: str = Field(primary_key=True, sa_type=Text)
    user: str = Field(primary_key=True, sa_type=Text)
    opened_at: datetime | None = Field(default=None, sa_type=UtcTime)
    home_mark: int = Field(default=0, sa_type=BigId)
    """How much had been decided when their Home was drawn last (the length of the audit log)."""
    github_login: str = Field(default="", sa_type=Text)


class SlackSeenRow(SQLModel, table=True):
    """One delivery that took effect; the same key never does again."""

    __tablename__ = "slack_seen"
    __table_args__ = (Index("ix_slack_seen_at", "at"),)

    key: str = Field(primary_key=True, sa_type=Text)
    at: datetime = Field(sa_type=UtcTime)


@dataclass(frozen=True, slots=True)
class SlackInstallation:
    """One workspace; `organization_id` None means: it may see every organization of this server."""

    team: str
    enterprise: str
    name: str
    organization_id: int | None
    token: bytes
    bot_user: str
    bot_id: str
    scopes: str
    installed_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HomeViewer:
    """Somebody who opened their Home, and the mark as of which it was drawn."""

    team: str
    user: str
    mark: int


@dataclass(frozen=True, slots=True)
class Route:
    """What of a project is said in which channel, and when the digest is due there.

    An empty `digest_time` or `timezone` means the policy's.
    """

    project_id: int
    team: str
    channel: str
    kinds: str = "all"
    digest_time: str = ""
    timezone: str = ""
    silent_when_quiet: bool = False
    muted_until: datetime | None = None


# -- workspaces -------------------------------------------------------------------------------------


def put_installation(tx: Tx, installation: SlackInstallation) -> None:
    """Store or replace a workspace's installation."""
    names = SlackInstallation.__dataclass_fields__
    values = {name: getattr(installation, name) for name in names}
    put(tx, SlackInstallationRow, values, on=["team"])


def find_installation(tx: Tx, team: str) -> SlackInstallation | None:
    """A workspace's installation, revoked or not."""
    row = tx.execute(select(SlackInstallationRow).where(col(SlackInstallationRow.team) == team)).first()
    return SlackInstallation(**row._mapping) if row else None  # noqa: SLF001 - SQLAlchemy's public name


def list_installations(tx: Tx) -> Sequence[SlackInstallation]:
    """Every workspace, oldest first."""
    rows = tx.execute(select(SlackInstallationRow).order_by(col(SlackInstallationRow.installed_at)))
    return [SlackInstallation(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name


def revoke_installation(tx: Tx, team: str, now: datetime) -> bool:
    """The workspace uninstalled the app: forget its token, keep the data. False when that was known."""
    done = tx.execute(
        update(SlackInstallationRow)
        .where(col(SlackInstallationRow.team) == team, col(SlackInstallationRow.revoked_at).is_(None))
        .values(revoked_at=now, token=b"")
    )
    return bool(done.rowcount)


# -- routes -----------------------------------------------------------------------------------------


def subscribe(tx: Tx, route: Route, now: datetime) -> None:
    """This channel hears about this project from now on; an earlier route is replaced."""
    values = {
        "project_id": route.project_id,
        "team": route.team,
        "channel": route.channel,
        "kinds": route.kinds,
        "digest_time": route.digest_time,
        "timezone": route.timezone,
        "silent_when_quiet": route.silent_when_quiet,
        "muted_until": route.muted_until,
        "created_at": now,
    }
    put(tx, SlackSubscriptionRow, values, on=["project_id", "team", "channel"])


def unsubscribe(tx: Tx, project_id: int, *, team: str, channel: str) -> bool:
    """This channel hears nothing of this project any more."""
    done = tx.execute(delete(SlackSubscriptionRow).where(_here(project_id, team, channel)))
    return bool(done.rowcount)


def subscriptions_of(tx: Tx, project_id: int) -> Sequence[Route]:
    """Every channel of a project, oldest first."""
    return _subscriptions(tx, col(SlackSubscriptionRow.project_id) == project_id)


def subscriptions_in(tx: Tx, *, team: str, channel: str) -> Sequence[Route]:
    """Every project a channel hears about."""
    here = (col(SlackSubscriptionRow.team) == team) & (col(SlackSubscriptionRow.channel) == channel)
    return _subscriptions(tx, here)


def all_subscriptions(tx: Tx) -> Sequence[Route]:
    """Every route on this server."""
    return _subscriptions(tx, col(SlackSubscriptionRow.project_id) > 0)


def channels_for(
    tx: Tx, project_id: int, kind: Literal["proposals", "digest", "storm"], *, now: datetime | None = None
) -> Sequence[Route]:
    """The routes that hear this kind of message; with `now`, those muted until later are left out."""
    wanted = {"all", "digest"} if kind == "digest" else {"all", "proposals"}
    return [
        route
        for route in subscriptions_of(tx, project_id)
        if route.kinds in wanted and not (now and route.muted_until and now < route.muted_until)
    ]


def mute(tx: Tx, project_id: int, *, team: str, channel: str, until: datetime) -> bool:
    """Nothing but decisions' results is said there until then."""
    done = tx.execute(
        update(SlackSubscriptionRow).where(_here(project_id, team, channel)).values(muted_until=until)
    )
    return bool(done.rowcount)


def _here(project_id: int, team: str, channel: str) -> Any:
    return (
        (col(SlackSubscriptionRow.project_id) == project_id)
        & (col(SlackSubscriptionRow.team) == team)
        & (col(SlackSubscriptionRow.channel) == channel)
    )


def _subscriptions(tx: Tx, which: Any) -> Sequence[Route]:
    rows = tx.execute(
        select(SlackSubscriptionRow)
        .where(which)
        .order_by(col(SlackSubscriptionRow.created_at), col(SlackSubscriptionRow.channel))
    )
    return [_noun(row) for row in rows]


def _noun(row: Row[Any]) -> Route:
    data = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    data.pop("created_at")
    return Route(**data)


# -- people -----------------------------------------------------------------------------------------


def opened_home(tx: Tx, *, team: str, user: str, now: datetime) -> None:
    """Remember who looks at their Home, so that it can be refreshed for them."""
    _put_user(tx, team, user, opened_at=now)


def home_viewers(tx: Tx, *, since: datetime, team: str | None = None) -> Sequence[HomeViewer]:
    """Who opened their Home lately, in one workspace or in any, latest first."""
    query = select(col(SlackUserRow.team), col(SlackUserRow.user), col(SlackUserRow.home_mark)).where(
        col(SlackUserRow.opened_at) >= since
    )
    if team is not None:
        query = query.where(col(SlackUserRow.team) == team)
    return [HomeViewer(*row) for row in tx.execute(query.order_by(col(SlackUserRow.opened_at).desc()))]


def draw_home(tx: Tx, *, team: str, user: str, mark: int) -> bool:
    """The person's Home is drawn as of this mark; False when it has been already, or somebody is about to."""
    older = _person(team, user) & (col(SlackUserRow.home_mark) < mark)
    return bool(tx.execute(update(SlackUserRow).where(older).values(home_mark=mark)).rowcount)


def link_login(tx: Tx, *, team: str, user: str, login: str) -> None:
    """This person is this GitHub login; an empty login unlinks."""
    _put_user(tx, team, user, github_login=login.lower())


def login_of(tx: Tx, *, team: str, user: str) -> str:
    """A person's GitHub login, lower case; empty when not linked."""
    query = select(col(SlackUserRow.github_login)).where(_person(team, user))
    return tx.execute(query).scalar() or ""


def users_of_login(tx: Tx, login: str) -> Sequence[tuple[str, str]]:
    """(team, user) of everybody who linked this GitHub login."""
    rows = tx.execute(select(SlackUserRow).where(col(SlackUserRow.github_login) == login.lower()))
    return [(row.team, row.user) for row in rows] if login else []


def _put_user(tx: Tx, team: str, user: str, **values: Any) -> None:
    start = {"team": team, "user": user, "opened_at": None, "home_mark": 0, "github_login": "", **values}
    if not insert_ignore(tx, SlackUserRow, start):
        tx.execute(update(SlackUserRow).where(_person(team, user)).values(**values))


def _person(team: str, user: str) -> Any:
    return (col(SlackUserRow.team) == team) & (col(SlackUserRow.user) == user)


# -- deliveries -------------------------------------------------------------------------------------


def first_time(tx: Tx, key: str, now: datetime) -> bool:
    """True once for each key, whichever node asks."""
    return insert_ignore(tx, SlackSeenRow, {"key": key, "at": now})


def forget_seen(tx: Tx, before: datetime) -> int:
    """Drop keys nobody can send again; answers how many."""
    return tx.execute(delete(SlackSeenRow).where(col(SlackSeenRow.at) < before)).rowcount
