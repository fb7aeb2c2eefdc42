"""Decisions of people that arrive over HTTP: who, why, and the answer they get."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from bot.http.auth import Caller
from bot.http.face import Face
from bot.views import View, quarantine_view
from core.quarantine import MAX_DAYS, Quarantine
from core.tenancy import Scope
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


async def decided(face: Face, request: Request, decide: Callable[[Caller], Quarantine]) -> View:
    """A decision is made; the quarantine as it stands after it."""
    return await face.act(request, Scope.ADMIN, lambda caller: _told(face, decide(caller)))


def _told(face: Face, quarantine: Quarantine) -> View:
    with face.desk.database.read() as tx:
        tests = get_tests(tx, quarantine.project_id, [quarantine.test_id])
    return quarantine_view(quarantine, tests.get(quarantine.test_id))
