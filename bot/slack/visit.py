"""Who asks, from where, and how to answer: read from a verified payload, never from a button's value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.slack.incoming import Incoming
from bot.slack.workspaces import Workspace
from core.tenancy import Person, Via


@dataclass(frozen=True, slots=True)
class Visit:
    """One delivery by one person."""

    key: str
    team: str
    user: str
    user_team: str = ""
    channel: str = ""
    response_url: str = ""
    trigger_id: str = ""
    view_id: str = ""
    view_type: str = ""
    ephemeral: bool = False
    """The click was on a message only this person sees."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A visit whose workspace is known."""

    visit: Visit
    workspace: Workspace

    @property
    def foreign(self) -> bool:
        """From another workspace, through a shared channel."""
        return self.visit.user_team not in {"", self.workspace.team}

    def person(self, *, guest: bool = False) -> Person:
        """Whoever acts, for the jobs; `team` names the workspace as routes do."""
        return Person(
            user=self.visit.user,
            via=Via.SLACK,
            team=self.workspace.route_team,
            foreign=self.foreign,
            guest=guest,
        )


def visit_of(incoming: Incoming) -> Visit:
    """The visit of a command, a click, a dialog or an event."""
    payload = incoming.payload
    if incoming.kind == "command":
        return _command(incoming.key, payload)
    if incoming.kind == "event":
        event = payload["event"]
        return Visit(key=incoming.key, team=payload["team_id"], user=_text(event, "user"))
    return _interaction(incoming.key, payload)


def _command(key: str, payload: Mapping[str, Any]) -> Visit:
    return Visit(
        key=key,
        team=payload["team_id"],
        user=payload["user_id"],
        channel=_text(payload, "channel_id"),
        response_url=_text(payload, "response_url"),
        trigger_id=_text(payload, "trigger_id"),
    )


def _interaction(key: str, payload: Mapping[str, Any]) -> Visit:
    user, view, container = payload["user"], payload.get("view") or {}, payload.get("container") or {}
    return Visit(
        key=key,
        team=(payload.get("team") or {}).get("id") or "",
        user=user["id"],
        user_team=_text(user, "team_id"),
        channel=_text(payload.get("channel") or {}, "id") or _text(container, "channel_id"),
        response_url=_text(payload, "response_url"),
        trigger_id=_text(payload, "trigger_id"),
        view_id=_text(view, "id"),
        view_type=_text(view, "type"),
        ephemeral=container.get("is_ephemeral") is True,
    )


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else ""
