"""Who is signed in: a cookie that says it and cannot be made by anybody else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.responses import Response

from bot.web.sealed import seal, unseal

LIFE: Final = timedelta(hours=12)
PURPOSE: Final = "session"


@dataclass(frozen=True, slots=True)
class SlackSession:
    """A person whom Slack has authenticated."""

    team: str
    user: str


@dataclass(frozen=True, slots=True)
class TokenSession:
    """Whoever holds an API token; it is looked up again for every page."""

    token_id: int


@dataclass(frozen=True, slots=True)
class ServerSession:
    """Whoever runs the server; `mark` stops counting when the admin token changes."""

    mark: str


Session = SlackSession | TokenSession | ServerSession


def sealed_session(key: bytes, session: Session, *, now: datetime) -> str:
    """The cookie's value."""
    match session:
        case SlackSession(team, user):
            facts: Mapping[str, str | int] = {"kind": "slack", "team": team, "user": user}
        case TokenSession(token_id):
            facts = {"kind": "token", "token": token_id}
        case ServerSession(mark):
            facts = {"kind": "server", "mark": mark}
    return seal(key, PURPOSE, facts, until=now + LIFE)


def read_session(key: bytes, text: str, *, now: datetime) -> Session | None:
    """None when the cookie is missing, forged or too old."""
    facts = unseal(key, PURPOSE, text, now=now)
    return _session(facts) if facts is not None else None


def _session(facts: Mapping[str, Any]) -> Session | None:
    match facts:
        case {"kind": "slack", "team": str(team), "user": str(user)}:
            return SlackSession(team, user)
        case {"kind": "token", "token": int(token_id)}:
            return TokenSession(token_id)
        case {"kind": "server", "mark": str(mark)}:
            return ServerSession(mark)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Cookie:
    """One of our cookies; over TLS its name keeps neighbours of the domain from setting it."""

    name: str
    https: bool

    @property
    def full_name(self) -> str:
        return f"__Host-{self.name}" if self.https else self.name

    def read(self, cookies: Mapping[str, str]) -> str:
        """Its value, empty without one."""
        return cookies.get(self.full_name, "")

    def put(self, response: Response, value: str, life: timedelta) -> None:
        """Keep it in the browser for that long, out of reach of any script."""
        response.set_cookie(
            self.full_name,
            value,
            max_age=int(life.total_seconds()),
            path="/",
            secure=self.https,
            httponly=True,
            samesite="lax",
        )

    def drop(self, response: Response) -> None:
        """Forget it."""
        self.put(response, "", timedelta(0))
