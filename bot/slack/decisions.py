"""What people decide with a click: approve, deny, release, renew, snooze; always through the jobs."""

from collections.abc import Callable

from bot.slack.blocks import dialog, notice
from bot.slack.blocks.pieces import Message, View
from bot.slack.blocks.words import full_day
from bot.slack.kit import Kit, spoken
from bot.slack.tenancy import quarantine_of
from bot.slack.visit import Visitor
from core.quarantine import Quarantine, SettledError, State
from core.tenancy import Person
from jobs import decide
from jobs.desk import Desk

Step = Callable[[Desk, Quarantine, Person], Quarantine]


async def approve(kit: Kit, visitor: Visitor, handle: str) -> Message | None:
    """One approval; the card itself shows that it counted."""

    def step(desk: Desk, item: Quarantine, by: Person) -> Quarantine:
        return decide.approve(desk, item.id, by=by, project_id=item.project_id)

    done = await settle(kit, visitor, handle, step)
    return done if isinstance(done, Message) else None


async def settle(kit: Kit, visitor: Visitor, handle: str, step: Step) -> Quarantine | Message:
    """Take the step; when somebody was faster, say who, when and what."""
    before, _project = await kit.read(quarantine_of, visitor, handle)
    person = await kit.person(visitor)
    try:
        return await kit.act(step, before, person)
    except SettledError:
        after, _project = await kit.read(quarantine_of, visitor, handle)
        return notice.settled(after)


async def snooze(kit: Kit, visitor: Visitor, handle: str, days: int) -> Message | None:
    """Not now: the proposal is denied for so many days."""

    def step(desk: Desk, item: Quarantine, by: Person) -> Quarantine:
        decide.snooze(desk, item.project_id, item.test_id, by=by, days=days)
        return item

    done = await settle(kit, visitor, handle, step)
    return done if isinstance(done, Message) else None


async def decided(kit: Kit, visitor: Visitor, handle: str, step: Step) -> View:
    """The same from a dialog: the answer is a dialog too."""
    done = await settle(kit, visitor, handle, step)
    if isinstance(done, Message):
        return dialog.outcome("Too late", "warning", spoken(done))
    return outcome(done)


def outcome(done: Quarantine) -> View:
    """How it stands now, in a dialog."""
    until = f" until {full_day(done.until)}" if done.until else ""
    match done.state:
        case State.PROPOSED:
            text = f"Your approval counts: {len(done.votes)} of {done.needed}."
            return dialog.outcome("Approved", "success", text)
        case State.ACTIVE | State.EXPIRING if done.renewals:
            return dialog.outcome("Renewed", "success", f"It cannot block a merge{until}.")
        case State.ACTIVE | State.EXPIRING:
            return dialog.outcome("Quarantined", "success", f"It cannot block a merge{until}.")
        case State.DENIED:
            text = f"It keeps blocking merges; FlakeGuard will not ask again{until}."
            return dialog.outcome("Denied", "success", text)
        case _:
            return dialog.outcome("Released", "success", "It blocks merges again.")
