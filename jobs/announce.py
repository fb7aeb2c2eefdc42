"""Announce: decide which channels hear of something; the outbox does the speaking."""

from datetime import datetime
from typing import Any

from storage.slack import channels_for

from core.policy import Policy
from core.quarantine import Quarantine
from core.tenancy import Project
from storage import publication
from storage.database import Tx


def announce_proposal(
    tx: Tx, project: Project, policy: Policy, proposed: Quarantine, *, now: datetime
) -> None:
    """One card in each channel that hears of this project's proposals."""
    due = quiet_until(policy, now) or now
    for route in channels_for(tx, project.id, "proposals"):
        publication.want(
            tx,
            project_id=project.id,
            key=proposal_key(proposed, route.team, route.channel),
            kind="proposal",
            subject=proposed.id,
            team=route.team,
            channel=route.channel,
            now=now,
            due_at=due,
        )


def note_in_thread(
    tx: Tx, quarantine: Quarantine, *, fact: str, payload: dict[str, Any], now: datetime
) -> None:
    """One reply under each of its cards; `fact` names it, so that it is said once."""
    cards = publication.messages_of(
        tx, project_id=quarantine.project_id, kind="proposal", subject=quarantine.id
    )
    for card in cards:
        publication.want(
            tx,
            project_id=quarantine.project_id,
            key=f"note:{quarantine.name}:{fact}:{card.team}:{card.channel}",
            kind="note",
            subject=quarantine.id,
            team=card.team,
            channel=card.channel,
            parent=card.key,
            payload=payload,
            now=now,
        )


def proposal_key(quarantine: Quarantine, team: str, channel: str) -> str:
    """The outbox key of a quarantine's card in a channel."""
    return f"proposal:{quarantine.name}:{team}:{channel}"


def quiet_until(policy: Policy, now: datetime) -> datetime | None:
    """When the quiet hours that are on now end; None outside them."""
    if not policy.quiet_hours:
        return None
    return policy.quiet().end(now)
