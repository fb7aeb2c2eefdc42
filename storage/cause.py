"""Proposals with one cause: all but the first are led by it, and stand on its card."""

from core.quarantine import Quarantine, State
from storage.database import Tx
from storage.quarantine import get_quarantine, list_quarantines

LEAD = "led_by"
MOST = 1000


def leader(tx: Tx, follower: Quarantine) -> Quarantine | None:
    """The proposal on whose card this one stands, while that card still asks."""
    number = follower.evidence.get(LEAD)
    if not isinstance(number, int) or follower.state is not State.PROPOSED:
        return None
    lead = get_quarantine(tx, follower.project_id, number)
    return lead if lead.state is State.PROPOSED else None


def followers(tx: Tx, lead: Quarantine) -> list[Quarantine]:
    """Proposals that wait and stand on this one's card."""
    waiting, _ = list_quarantines(tx, lead.project_id, states=[State.PROPOSED], limit=MOST)
    return [one for one in waiting if one.evidence.get(LEAD) == lead.id]
