"""One webhook delivery in the hands of its handler."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import FlakeGuardError
from core.github import fields
from core.github.repository import Repository, read_repository


class IgnoredError(FlakeGuardError):
    """Nothing is to be done about this."""


@dataclass(frozen=True, slots=True)
class Hook:
    """`renew` keeps the lease during long work, and stops work that somebody else has taken over."""

    event: str
    action: str
    payload: dict[str, Any]
    received_at: datetime
    renew: Callable[[], None]

    @property
    def repository(self) -> Repository:
        """The repository it is about."""
        return read_repository(fields.dig(self.payload, "repository"))

    @property
    def installation_id(self) -> int:
        """The installation through which GitHub told us."""
        return fields.need_number(self.payload, "installation", "id")

    @property
    def login(self) -> str:
        """Who did it, at GitHub."""
        return fields.text(self.payload, "sender", "login", limit=100)
