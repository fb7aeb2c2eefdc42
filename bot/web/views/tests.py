"""A repository's tests, by state and name, a page at a time."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from bot.web import addresses
from bot.web.charts import Whisker, scale_for, whisker
from bot.web.views.paging import Pager
from core.tenancy import Project
from storage.database import Tx
from storage.detection import Detection, detections, detections_of
from storage.test_case import TestCase, get_tests, list_tests

SIZE: Final = 50


@dataclass(frozen=True, slots=True)
class TestRow:
    """One test; nothing is believed of one that never failed."""

    __test__ = False

    test: TestCase
    detection: Detection | None
    whisker: Whisker | None

    @property
    def state(self) -> str:
        if self.detection is not None:
            return self.detection.state
        return "retired" if self.test.retired else "healthy"


def tests(tx: Tx, project: Project, *, state: str, search: str, page: int) -> dict[str, Any]:
    """All by id, or those asked for; of one state the surest first."""
    found, believed, total = _found(tx, project, state=state, search=search, offset=(page - 1) * SIZE)
    scale = scale_for(one.rate_high for one in believed.values())
    rows = [_row(test, believed.get(test.id), scale) for test in found]
    asked = urlencode({name: value for name, value in (("state", state), ("search", search)) if value})
    path = f"{addresses.tests(project.repo)}?{asked}{'&' if asked else ''}"
    return {
        "project": project,
        "rows": rows,
        "state": state,
        "search": search,
        "pager": Pager(page, SIZE, total, len(rows), path),
    }


def _found(
    tx: Tx, project: Project, *, state: str, search: str, offset: int
) -> tuple[list[TestCase], dict[int, Detection], int]:
    if state and not search:
        surest, total = detections(tx, project.id, states=[state], limit=SIZE, offset=offset)
        known = get_tests(tx, project.id, [one.test_id for one in surest])
        return (
            [known[one.test_id] for one in surest if one.test_id in known],
            {one.test_id: one for one in surest},
            total,
        )
    found, total = list_tests(tx, project.id, limit=SIZE, offset=offset, state=state or None, text=search)
    return found, detections_of(tx, project.id, [one.id for one in found]), total


def _row(test: TestCase, one: Detection | None, scale: float) -> TestRow:
    drawn = whisker(one.rate_low, one.rate, one.rate_high, scale) if one else None
    return TestRow(test, one, drawn)
