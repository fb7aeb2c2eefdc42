"""The chat a job speaks through, as a Protocol; Slack's own wire format lives in bot/slack."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.errors import ChatError
from core.saying import Saying


@dataclass(frozen=True, slots=True)
class Place:
    """A channel of a workspace; `team` is empty when only one workspace is configured."""

    team: str
    channel: str


class Chat(Protocol):
    """Says things in channels. Every call is one attempt: trying again is the outbox's decision."""

    def say(
        self, place: Place, saying: Saying, *, key: str, ts: str | None = None, thread: str | None = None
    ) -> str:
        """Post (`ts` None) or update a message; answers its ts. `key` travels in the message's metadata."""

    def find(self, place: Place, key: str, *, since: datetime, thread: str | None = None) -> str | None:
        """The ts of a message posted with `key`; None when there is none or reading is not allowed."""

    def may_decide_in_group(self, team: str, group: str, user: str) -> bool:
        """True when the user is a member of the approver group; False when it cannot be told."""


class SlowDownError(ChatError):
    """Slack asks to wait before the next message."""

    def __init__(self, message: str | None = None, *, retry_after: float) -> None:
        """`retry_after` is in seconds."""
        super().__init__(message)
        self.retry_after = retry_after


class UnknownOutcomeError(ChatError):
    """Slack did not answer; the message may or may not have been posted."""


class BrokenRouteError(ChatError):
    """Nothing can be posted there until somebody changes something (invite the bot, unarchive, reinstall)."""

    def __init__(self, message: str | None = None, *, code: str) -> None:
        """`code` is Slack's own word: not_in_channel, is_archived, token_revoked ..."""
        super().__init__(message)
        self.code = code


class GoneError(ChatError):
    """The message to be updated was deleted."""
