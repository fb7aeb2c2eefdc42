"""Quarantines of a repository: what waits, what is in force, what has ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.web import addresses
from bot.web.views.paging import Pager
from core.quarantine import IN_FORCE, Quarantine, State
from core.tenancy import Project
from storage.database import Tx
from storage.quarantine import list_quarantines
from storage.test_case import TestCase, get_tests

SIZE: Final = 50
MOST: Final = 500
"""Of what is open; policies allow 200 in force unless changed."""
ENDED: Final = tuple(state for state in State if not state.open)


@dataclass(frozen=True, slots=True)
class Story:
    """One quarantine with its test; an erased test leaves its story behind."""

    quarantine: Quarantine
    test: TestCase | None


def quarantines(tx: Tx, project: Project, page: int) -> dict[str, Any]:
    """Everything the page shows; only what has ended is paged."""
    waiting, waits = list_quarantines(tx, project.id, states=[State.PROPOSED], limit=MOST)
    active, held = list_quarantines(tx, project.id, states=IN_FORCE, limit=MOST)
    ended, total = list_quarantines(tx, project.id, states=ENDED, limit=SIZE, offset=(page - 1) * SIZE)
    active = sorted(active, key=lambda one: (one.until is None, one.until))
    every = stories(tx, project, [*waiting, *active, *ended])
    return {
        "project": project,
        "waiting": every[: len(waiting)],
        "waits": waits,
        "active": every[len(waiting) : len(waiting) + len(active)],
        "held": held,
        "ended": every[len(waiting) + len(active) :],
        "pager": Pager(page, SIZE, total, len(ended), f"{addresses.quarantine(project.repo)}?"),
    }


def stories(tx: Tx, project: Project, items: Sequence[Quarantine]) -> list[Story]:
    """In the order given."""
    tests = get_tests(tx, project.id, [one.test_id for one in items])
    return [Story(one, tests.get(one.test_id)) for one in items]
