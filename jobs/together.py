"""Together: a decision about a proposal is one about those that stand on its card, too."""

from collections.abc import Callable

from core.quarantine import Quarantine, RefusedError, SettledError, State
from jobs.announce import announce_proposal
from jobs.desk import Desk
from storage.cause import followers
from storage.project import get_policy, get_project


def also(desk: Desk, lead: Quarantine, decide: Callable[[Quarantine], Quarantine]) -> None:
    """Decide the same of its followers; whom that cannot reach (a cap, a protected path) gets a card of its own."""
    with desk.database.begin() as tx:
        led = followers(tx, lead)
    left = []
    for one in led:
        try:
            decide(one)
        except SettledError:
            continue  # somebody decided about this one by itself
        except RefusedError:
            left.append(one)
    if left and lead.state is not State.PROPOSED:
        _ask_alone(desk, left)


def _ask_alone(desk: Desk, left: list[Quarantine]) -> None:
    now = desk.now()
    with desk.database.begin() as tx:
        for one in left:
            project, policy = get_project(tx, one.project_id), get_policy(tx, one.project_id)
            announce_proposal(tx, project, policy, one, now=now)
    desk.dispatch.wake("publish")
