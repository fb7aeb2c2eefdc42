"""A chat room in memory, strict about what Slack is strict about, that can fail in every way of jobs/chat.py."""

from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import get_args

from core.saying import Saying
from jobs.chat import BrokenRouteError, GoneError, SlowDownError, UnknownOutcomeError


@dataclass
class Message:
    ts: str
    key: str
    saying: object
    at: object
    thread: str | None = None
    versions: list = field(default_factory=list)
    deleted: bool = False


class LostAfter:
    """It happened, and the answer got lost."""


class LostBefore:
    """It never happened, and nobody says so."""


class Hang(LostBefore):
    """As LostBefore, after a long time."""


class FakeChat:
    """Every call is one attempt; `faults` are used up in order, one by each call of `say`."""

    def __init__(self, clock, channels=("C1",), *, reads=True):
        self.clock, self.channels, self.reads = clock, set(channels), reads
        self.faults = deque()
        self.groups = {}
        self.messages, self.calls, self.finds = [], [], 0
        self._numbers = count(1)

    def say(self, place, saying, *, key, ts=None, thread=None):
        assert isinstance(saying, get_args(Saying)), f"nobody can draw a {type(saying)}"
        assert key
        self.calls.append((place.channel, key, ts, self.clock()))
        fault = self.faults.popleft() if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        if isinstance(fault, LostBefore):
            if isinstance(fault, Hang):
                self.clock.pass_(seconds=30)
            raise UnknownOutcomeError
        if place.channel not in self.channels:
            raise BrokenRouteError(code="not_in_channel")
        ts = self._update(ts, saying) if ts else self._post(place, saying, key, thread)
        if isinstance(fault, LostAfter):
            raise UnknownOutcomeError
        return ts

    def find(self, place, key, *, since, thread=None):
        self.finds += 1
        if not self.reads:
            return None
        found = [
            one
            for one in self.alive(place.channel)
            if one.key == key and one.at >= since and one.thread == thread
        ]
        return found[0].ts if found else None

    def may_decide_in_group(self, team, group, user):
        return user in self.groups.get((team, group), ())

    def _post(self, place, saying, key, thread):
        if thread is not None and self._message(thread) is None:
            raise GoneError
        message = Message(f"{next(self._numbers)}.000", key, saying, self.clock(), thread, [saying])
        message.channel = place.channel
        self.messages.append(message)
        return message.ts

    def _update(self, ts, saying):
        message = self._message(ts)
        if message is None:
            raise GoneError
        message.saying = saying
        message.versions.append(saying)
        return ts

    def _message(self, ts):
        return next((one for one in self.messages if one.ts == ts and not one.deleted), None)

    # -- what a test looks at ------------------------------------------------------------------------

    def alive(self, channel="C1"):
        return [one for one in self.messages if one.channel == channel and not one.deleted]

    def shows(self, channel="C1"):
        """What stands in the channel itself, oldest first."""
        return [one.saying for one in self.alive(channel) if one.thread is None]

    def replies(self, channel="C1"):
        """What stands in threads, as text."""
        return [one.saying.text for one in self.alive(channel) if one.thread is not None]

    def delete(self, index=0, channel="C1"):
        self.alive(channel)[index].deleted = True

    def slow_down(self, seconds):
        self.faults.append(SlowDownError(retry_after=seconds))

    def lose_answer(self):
        self.faults.append(LostAfter())

    def lose_request(self):
        self.faults.append(LostBefore())
