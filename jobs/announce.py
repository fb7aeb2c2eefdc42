"""Announce: decide which channels hear of something and when; the outbox does the speaking."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.policy import Policy
from core.quarantine import Quarantine
from core.tenancy import Project
from storage import publication
from storage.cause import leader
from storage.database import Tx
from storage.publication import Publication
from storage.slack import Route, channels_for


def announce_proposal(
    tx: Tx, project: Project, policy: Policy, proposed: Quarantine, *, now: datetime
) -> None:
    """One card in each channel that hears of this project's proposals; asking again changes nothing.

    What has the same cause as a proposal that waits is told on that one's card.
    """
    lead = leader(tx, proposed)
    if lead is not None:
        publication.touch(tx, project_id=project.id, kind="proposal", subject=lead.id, now=now)
        return
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
            due_at=speaking_time(policy, route, now),
        )


def note_in_thread(
    tx: Tx,
    quarantine: Quarantine,
    *,
    fact: str,
    payload: Mapping[str, Any],
    now: datetime,
    due_at: datetime | None = None,
) -> None:
    """One reply under each of its cards; `fact` names it, so that it is said once."""
    name = f"{quarantine.name}:{fact}"
    for card in cards_of(tx, quarantine.project_id, "proposal", quarantine.id):
        reply(tx, card, name=name, subject=quarantine.id, payload=payload, now=now, due_at=due_at)


def told_in_threads(tx: Tx, quarantine: Quarantine, *, fact: str) -> bool:
    """True when every card of it has been given this reply, or there is no card that could."""
    name = f"{quarantine.name}:{fact}"
    replies = cards_of(tx, quarantine.project_id, "note", quarantine.id)
    given = {one.key for one in replies}
    cards = cards_of(tx, quarantine.project_id, "proposal", quarantine.id)
    return all(reply_key(card, name) in given for card in cards)


def reply(
    tx: Tx,
    card: Publication,
    *,
    name: str,
    subject: int,
    payload: Mapping[str, Any],
    now: datetime,
    due_at: datetime | None = None,
) -> None:
    """One reply under one card, said once whatever asks for it again."""
    publication.want(
        tx,
        project_id=card.project_id,
        key=reply_key(card, name),
        kind="note",
        subject=subject,
        team=card.team,
        channel=card.channel,
        parent=card.key,
        payload=dict(payload),
        now=now,
        due_at=due_at,
    )


def reply_key(card: Publication, name: str) -> str:
    """The outbox key of what is said once under a card."""
    return f"note:{name}:{card.team}:{card.channel}"


def cards_of(tx: Tx, project_id: int, kind: str, subject: int) -> list[Publication]:
    """Every message about one subject."""
    return list(publication.messages_of(tx, project_id=project_id, kind=kind, subject=subject))


def proposal_key(quarantine: Quarantine, team: str, channel: str) -> str:
    """The outbox key of a quarantine's card in a channel."""
    return f"proposal:{quarantine.name}:{team}:{channel}"


def speaking_time(policy: Policy, route: Route, now: datetime) -> datetime:
    """The first moment, from now on, that is neither muted nor among the quiet hours."""
    heard = max(now, route.muted_until or now)
    return quiet_until(policy, heard) or heard


def quiet_until(policy: Policy, now: datetime) -> datetime | None:
    """When the quiet hours that are on now end; None outside them."""
    return policy.quiet().end(now) if policy.quiet_hours else None
