from datetime import timedelta

import pytest
from fakes.tenant import NOW, a_project

from core.run import Trust
from storage.arrival import arrivals
from storage.workflow_run import SeenArtifact, SeenRun, put_artifact, put_workflow_run

DAY = timedelta(days=1)


@pytest.fixture
def project(database):
    return a_project(database)


def arrived(database, project, *runs):
    """(brought, expected) of the last day after these runs: (id, workflow, conclusion, its report was read, age)."""
    with database.begin() as tx:
        for run_id, workflow, conclusion, read, age in runs:
            seen = SeenRun(run_id, 1, workflow, "abc", "push", conclusion, Trust.TRUNK, "", "", NOW - age)
            put_workflow_run(tx, project.id, seen)
            state = "read" if read else "other"
            put_artifact(tx, project.id, SeenArtifact(run_id + 1000, run_id, 1, "junit", state), now=NOW)
        return arrivals(tx, project.id, since=NOW - DAY, until=NOW)


HOUR = timedelta(hours=1)


def test_a_run_that_brought_no_report_has_not_arrived(database, project):
    runs = ((1, "ci", "success", True, HOUR), (2, "ci", "failure", False, HOUR))
    assert arrived(database, project, *runs) == (1, 2)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((2, "lint", "success", False, HOUR), id="of a workflow that never reports"),
        pytest.param((2, "ci", "cancelled", False, HOUR), id="cancelled"),
        pytest.param((2, "ci", "success", False, 2 * DAY), id="of the day before"),
    ],
)
def test_other_runs_are_not_waited_for(database, project, other):
    assert arrived(database, project, (1, "ci", "success", True, HOUR), other) == (1, 1)


def test_without_any_run_nothing_is_known(database, project):
    assert arrived(database, project) == (0, 0)
