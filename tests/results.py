"""Made-up results for tests of storage: short words for projects, runs and reports."""

from datetime import UTC, datetime, timedelta

from core.fingerprint import fingerprint
from core.report import Attempt, CaseResult, Outcome, TestKey
from core.run import Run
from storage.organization import create_organization
from storage.project import create_project
from storage.result import store_run

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make_project(database, repo="acme/shop"):
    with database.begin() as tx:
        organization = create_organization(tx, "Acme", NOW)
        project = create_project(
            tx, organization_id=organization.id, repo=repo, default_branch="main", now=NOW
        )
    return project.id


def run_of(number, **changes):
    at = NOW + timedelta(minutes=number)
    return Run(**{"run_id": str(number), "commit": f"c{number}", "branch": "main", "at": at, **changes})


def case(name, *outcomes, message="boom", seconds=0.25, cls="Shop"):
    attempts = tuple(
        Attempt(Outcome(outcome), seconds, message if Outcome(outcome).bad else None)
        for outcome in outcomes or ("passed",)
    )
    return CaseResult(TestKey("unit", cls, name, "shop_test.py"), attempts)


def report(tests, *, failing=frozenset(), prefix="t", skip=None):
    return [
        case(
            f"{prefix}{number}",
            "failed" if number in failing else "skipped" if number == skip else "passed",
            message=f"boom {number}",
            cls=f"Shop{number // 20}",
        )
        for number in range(tests)
    ]


def store_in_transaction(tx, project, run, cases):
    return store_run(tx, project, run, cases, fingerprint=fingerprint, now=run.at)


def store(database, project, run, cases):
    with database.begin() as tx:
        return store_in_transaction(tx, project, run, cases)
