"""Decisions of people that arrive over HTTP: who, why, and the answer they get."""

from typing import Annotated, Protocol

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from bot.http.face import Face
from bot.views import View, quarantine_view
from core.quarantine import MAX_DAYS, Quarantine, parse_handle
from core.tenancy import Person, Scope
from jobs.desk import Desk
from storage.test_case import get_tests

User = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[\w.@+-]+$", examples=["U024BE7LH"])]
"""A Slack user id, or a name where no Slack is."""
Reason = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")]


class Decision(BaseModel):
    """Who decides, and why."""

    model_config = ConfigDict(extra="forbid")

    by: User
    reason: Reason = ""


class Denial(Decision):
    """Why not, and for how long not to ask again."""

    cooldown_days: int | None = Field(default=None, ge=0, le=365)
    real_bug: bool = False


class Renewal(Decision):
    """How much longer."""

    days: int = Field(default=14, ge=1, le=MAX_DAYS)


class Proposal(Decision):
    """Which test, and for how long."""

    test_id: int = Field(ge=1, le=2**53)
    days: int | None = Field(default=None, ge=1, le=MAX_DAYS)


class Deciding(Protocol):
    """A job that decides about a quarantine."""

    def __call__(self, desk: Desk, number: int, /, *, by: Person, project_id: int) -> Quarantine: ...


async def decided(
    face: Face, request: Request, proposal_id: str, decision: Decision, decide: Deciding
) -> View:
    """A person's decision is made; the quarantine as it stands after it."""
    number, _ = parse_handle(proposal_id)
    return await face.act(
        request,
        Scope.ADMIN,
        lambda caller: told(
            face, decide(face.desk, number, by=caller.person(decision.by), project_id=caller.here.id)
        ),
    )


def told(face: Face, quarantine: Quarantine) -> View:
    """The quarantine as it stands, with its test."""
    with face.desk.database.read() as tx:
        tests = get_tests(tx, quarantine.project_id, [quarantine.test_id])
    return quarantine_view(quarantine, tests.get(quarantine.test_id))
