"""What a job has on its desk: the database, the clock, the chat, the forge and somebody to call."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from jobs.chat import Chat
from jobs.courier import Courier
from jobs.forge import Forge
from jobs.memory import ScoreMemory
from storage.database import Database


class Dispatch(Protocol):
    """Starts work soon. Truth is in the tables: a call that gets lost only costs the time until the sweep."""

    def wake(self, work: str) -> None:
        """Ask for a sweep of this kind of work (`publish`, `inbox`, `checks`, `webhooks`) as soon as possible."""


class NoDispatch:
    """For processes that do not run jobs (the command line): the server's sweep picks the work up."""

    def wake(self, work: str) -> None:
        """Leave it to the sweep."""


@dataclass(frozen=True)
class Desk:
    """Handed to every job; built once in bot/app.py."""

    database: Database
    now: Callable[[], datetime]
    chat: Chat | None = None
    forge: Forge | None = None
    courier: Courier | None = None
    dispatch: Dispatch = field(default_factory=NoDispatch)
    base_url: str = ""
    scores: ScoreMemory = field(default_factory=ScoreMemory)
    keep_results: timedelta = timedelta(days=400)
    lease: timedelta = timedelta(seconds=60)
    """How long one node may work on a piece before another takes it over."""
