"""One test: what is believed and why, its past, and what was decided about it."""

from datetime import datetime
from typing import Any, Final

from bot.web import addresses
from bot.web.charts import scale_for, strip, strip_in_words, whisker
from bot.web.views.paging import Pager
from core.quarantine import Quarantine
from core.tenancy import Project
from jobs.explain import explain_test
from jobs.memory import ScoreMemory
from jobs.score import load_state
from storage.database import Tx
from storage.history import history
from storage.quarantine import list_quarantines
from storage.scoring import scoring_version
from storage.test_case import TestCase, get_test

STRIP: Final = 90
SIZE: Final = 25
LAST: Final = 200
"""Pages of executions; older ones are in the API."""
STORIES: Final = 10


def test_page(
    tx: Tx, project: Project, test_id: int, page: int, *, memory: ScoreMemory, now: datetime
) -> dict[str, Any]:
    """Everything the page shows; `memory` is the pages' own, so that no run waits for a reader."""
    page = min(page, LAST)
    test = get_test(tx, project.id, test_id)
    told = _explained(tx, project, test, memory, now)
    past = history(tx, project.id, test.id, limit=max(STRIP, page * SIZE + 1))
    some = past[(page - 1) * SIZE : page * SIZE]
    cells = strip(past[:STRIP])
    stories, total = list_quarantines(tx, project.id, test_id=test.id, limit=STORIES)
    low, high = told["rate_interval"]
    return {
        "project": project,
        "test": test,
        "told": told,
        "pieces": sum(line["count"] for line in told["lines"]),
        "whisker": whisker(low, told["rate"], high, scale_for([high])),
        "cells": cells,
        "cells_words": strip_in_words(cells),
        "executions": some,
        "stories_of_test": stories,
        "more_stories": total - len(stories),
        "current": _current(stories),
        "pager": Pager(page, SIZE, len(past), len(some), f"{addresses.test(project.repo, test.id)}?"),
    }


def _explained(
    tx: Tx, project: Project, test: TestCase, memory: ScoreMemory, now: datetime
) -> dict[str, Any]:
    """With the state read before, if no run has changed it since: reading it is most of the work."""
    version = scoring_version(tx, project.id, lock=False)
    state = memory.take(project.id, version) or load_state(tx, project.id)
    told = explain_test(tx, project, test, now, state)
    memory.keep(project.id, version, state)
    return told


def _current(stories: list[Quarantine]) -> Quarantine | None:
    return next((one for one in stories if one.state.open), None)
