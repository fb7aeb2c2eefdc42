"""Publish: make every message say what is stored; one writer and one message a second for each channel.

A message is rendered from the present state when it is said, so updates coalesce and order does not matter.
A post whose outcome is unknown is looked for by its key before it is tried again.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from core.errors import ChatError, DatabaseError
from core.saying import Saying
from jobs.chat import BrokenRouteError, Chat, GoneError, Place, SlowDownError, UnknownOutcomeError
from jobs.compose import compose
from jobs.desk import Desk
from storage import publication as outbox
from storage.database import Tx
from storage.publication import Claim, Publication

log = structlog.get_logger(__name__)

PACE = timedelta(seconds=1)
"""Slack's own limit for one channel."""
LEASE = timedelta(seconds=45)
"""Longer than one look or one post may take; renewed between the two, so that a slow post is never overtaken."""
ROUTE_RETRY = timedelta(minutes=5)
MAX_BACKOFF = timedelta(minutes=15)
MAX_TRIES = 30
LOOK_BACK = timedelta(seconds=60)


class OvertakenError(ChatError):
    """Another node has taken the channel over; it will say what there is to say."""


class _BugError(ChatError):
    """A message could not be made; the others must not wait for it."""


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
        claim = outbox.claim_channel(tx, place.team, place.channel, now=now, lease_until=now + LEASE)
        if claim is None:
            return False
        publication = outbox.next_publication(tx, place.team, place.channel, now)
        if publication is None:
            outbox.release_channel(tx, claim, now=now, next_at=now)
            return False
        thread = outbox.thread_of(tx, publication)
    return _Turn(desk, chat, place, publication, thread, claim).take()


@dataclass(slots=True)
class _Turn:
    """One message's turn to be said in its channel."""

    desk: Desk
    chat: Chat
    place: Place
    publication: Publication
    thread: str | None
    claim: Claim

    def take(self) -> bool:
        try:
            with _contained():
                ts = self._existing()
                saying = _present(self.desk, self.publication)
                if saying is not None:
                    self._hold_on(posts=not ts)
                    ts = self._say(saying, ts)
        except OvertakenError:
            return False
        except ChatError as error:
            self._failed(error)
            return False
        self._said(ts)
        return saying is not None

    def _existing(self) -> str:
        """The message's ts; looks in the channel when an earlier attempt may have posted it."""
        if self.publication.ts or self.publication.uncertain_since is None:
            return self.publication.ts
        since = self.publication.uncertain_since - LOOK_BACK
        found = self.chat.find(self.place, self.publication.key, since=since, thread=self.thread)
        return found or ""

    def _hold_on(self, *, posts: bool) -> None:
        """Before speaking: the channel must still be ours, and from here on a post's outcome is unknown."""
        now = self.desk.now()
        with self.desk.database.begin() as tx:
            held = outbox.renew_claim(tx, self.claim, lease_until=now + LEASE)
            if held is None:
                raise OvertakenError
            self.claim = held
            if posts:
                outbox.mark_attempt(tx, self.publication, now)

    def _say(self, saying: Saying, ts: str) -> str:
        key = self.publication.key
        return self.chat.say(self.place, saying, key=key, ts=ts or None, thread=self.thread)

    def _said(self, ts: str) -> None:
        now = self.desk.now()
        with self.desk.database.begin() as tx:
            outbox.said(tx, self.publication, ts=ts)
            outbox.release_channel(tx, self.claim, now=now, next_at=now + PACE)
        place, publication = self.place, self.publication
        log.info("publication.said", key=publication.key, channel=place.channel, version=publication.wanted)

    def _failed(self, error: ChatError) -> None:
        """Each kind of failure has its own consequence; none loses the message."""
        log.warning(
            "publication.failed",
            key=self.publication.key,
            channel=self.place.channel,
            error=error.message,
            exc_info=error.__cause__ if isinstance(error, _BugError) else None,
        )
        now = self.desk.now()
        with self.desk.database.begin() as tx:
            next_at, broken = self._consequence(tx, error, now)
            outbox.release_channel(tx, self.claim, now=now, next_at=next_at, broken=broken)

    def _consequence(self, tx: Tx, error: ChatError, now: datetime) -> tuple[datetime, str]:
        """What becomes of the message, when the channel may be spoken in again, and why not before."""
        publication = self.publication
        match error:
            case SlowDownError():
                until = now + timedelta(seconds=error.retry_after)
                outbox.pause_team(tx, self.place.team, until=until)
                outbox.postpone(tx, publication, due_at=until, error=error.message, certain=True)
                return until, ""
            case BrokenRouteError():
                retry = now + ROUTE_RETRY
                outbox.postpone(tx, publication, due_at=retry, error=error.code, certain=True)
                return retry, error.code
            case GoneError() if publication.ts:
                outbox.forget_ts(tx, publication)
            case GoneError():  # a reply under a message that is there no more
                outbox.postpone(tx, publication, due_at=now, error=error.message, dead=True, certain=True)
            case _:
                later = now + backoff(publication.tries)
                tired = publication.tries + 1 >= MAX_TRIES and not isinstance(error, UnknownOutcomeError)
                outbox.postpone(tx, publication, due_at=later, error=error.message, dead=tired)
        return now + PACE, ""


@contextmanager
def _contained() -> Iterator[None]:
    """One message that cannot be made must not stop every other one."""
    try:
        yield
    except (ChatError, DatabaseError):
        raise
    except Exception as error:  # the outermost loop of one message
        raise _BugError(f"{type(error).__name__}: {error}") from error


def _present(desk: Desk, publication: Publication) -> Saying | None:
    """The saying, from a snapshot at least as new as what is wanted; a replica may lag behind."""
    with desk.database.read() as tx:
        seen = outbox.find_publication(tx, publication.id)
        if seen is not None and seen.wanted >= publication.wanted:
            return compose(tx, publication)
    with desk.database.begin() as tx:
        return compose(tx, publication)


def backoff(tries: int) -> timedelta:
    """Exponential with full jitter, bounded."""
    ceiling = min(MAX_BACKOFF.total_seconds(), 2.0 ** min(tries, 20))
    return timedelta(seconds=max(1.0, random.uniform(0, ceiling)))  # noqa: S311 - jitter, not a secret
