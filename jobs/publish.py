"""Publish: make every message say what is stored; one writer and one message a second for each channel.

A message is rendered from the present state when it is said, so updates coalesce and order does not matter.
A post whose outcome is unknown is looked for by its key before it is tried again.
"""

import random
from datetime import datetime, timedelta

import structlog

from core.errors import ChatError
from jobs.chat import BrokenRouteError, Chat, GoneError, Place, SlowDownError, UnknownOutcomeError
from jobs.compose import compose
from jobs.desk import Desk
from storage import publication as outbox
from storage.publication import Publication

log = structlog.get_logger(__name__)

PACE = timedelta(seconds=1)
"""Slack's own limit for one channel."""
LEASE = timedelta(seconds=20)
"""Longer than the client's time-out, so that a slow post is never overtaken."""
ROUTE_RETRY = timedelta(minutes=5)
MAX_BACKOFF = timedelta(minutes=15)
MAX_TRIES = 30
LOOK_BACK = timedelta(seconds=60)


def publish_due(desk: Desk, limit: int = 100) -> int:
    """Say one message in every channel that has something due; answers how many were said."""
    if desk.chat is None:
        return 0
    with desk.database.read() as tx:
        channels = outbox.due_channels(tx, desk.now(), limit)
    return sum(_speak(desk, desk.chat, Place(team, channel)) for team, channel in channels)


def _speak(desk: Desk, chat: Chat, place: Place) -> bool:
    """Claim the channel, say its longest waiting message, give the channel back."""
    now = desk.now()
    with desk.database.begin() as tx:
        if not outbox.claim_channel(tx, place.team, place.channel, now=now, lease_until=now + LEASE):
            return False
        publication = outbox.next_publication(tx, place.team, place.channel, now)
        if publication is None:
            outbox.release_channel(tx, place.team, place.channel, now=now, next_at=now)
            return False
        thread = outbox.thread_of(tx, publication)
    return _say(desk, chat, place, publication, thread)


def _say(desk: Desk, chat: Chat, place: Place, publication: Publication, thread: str | None) -> bool:
    try:
        ts = _existing(chat, place, publication, thread)
        with desk.database.read() as tx:
            saying = compose(tx, publication, base_url=desk.base_url)
        if saying is None:
            _said(desk, place, publication, ts)
            return False
        if not ts:
            with desk.database.begin() as tx:
                outbox.mark_attempt(tx, publication, desk.now())
        ts = chat.say(place, saying, key=publication.key, ts=ts or None, thread=thread)
    except ChatError as error:
        _failed(desk, place, publication, error)
        return False
    _said(desk, place, publication, ts)
    return True


def _existing(chat: Chat, place: Place, publication: Publication, thread: str | None) -> str:
    """The message's ts; looks in the channel when an earlier attempt may have posted it."""
    if publication.ts or publication.uncertain_since is None:
        return publication.ts
    since = publication.uncertain_since - LOOK_BACK
    return chat.find(place, publication.key, since=since, thread=thread) or ""


def _said(desk: Desk, place: Place, publication: Publication, ts: str) -> None:
    now = desk.now()
    with desk.database.begin() as tx:
        outbox.said(tx, publication, ts=ts)
        outbox.release_channel(tx, place.team, place.channel, now=now, next_at=now + PACE)
    log.info("publication.said", key=publication.key, channel=place.channel, version=publication.wanted)


def _failed(desk: Desk, place: Place, publication: Publication, error: ChatError) -> None:
    """Each kind of failure has its own consequence; none loses the message."""
    now = desk.now()
    log.warning("publication.failed", key=publication.key, channel=place.channel, error=error.message)
    match error:
        case SlowDownError():
            until = now + timedelta(seconds=error.retry_after)
            with desk.database.begin() as tx:
                outbox.pause_team(tx, place.team, until=until)
                outbox.postpone(tx, publication, due_at=until, error=error.message, certain=True)
                outbox.release_channel(tx, place.team, place.channel, now=now, next_at=until)
        case BrokenRouteError():
            with desk.database.begin() as tx:
                retry = now + ROUTE_RETRY
                outbox.postpone(tx, publication, due_at=retry, error=error.code, certain=True)
                outbox.release_channel(
                    tx, place.team, place.channel, now=now, next_at=retry, broken=error.code
                )
        case GoneError():
            with desk.database.begin() as tx:
                outbox.forget_ts(tx, publication)
                outbox.release_channel(tx, place.team, place.channel, now=now, next_at=now + PACE)
        case _:
            _retry_later(desk, place, publication, error, now)


def _retry_later(desk: Desk, place: Place, publication: Publication, error: ChatError, now: datetime) -> None:
    later = now + backoff(publication.tries)
    dead = publication.tries + 1 >= MAX_TRIES and not isinstance(error, UnknownOutcomeError)
    with desk.database.begin() as tx:
        outbox.postpone(tx, publication, due_at=later, error=error.message, dead=dead)
        outbox.release_channel(tx, place.team, place.channel, now=now, next_at=now + PACE)


def backoff(tries: int) -> timedelta:
    """Exponential with full jitter, bounded."""
    ceiling = min(MAX_BACKOFF.total_seconds(), 2.0 ** min(tries, 20))
    return timedelta(seconds=max(1.0, random.uniform(0, ceiling)))  # noqa: S311 - jitter, not a secret
