from datetime import UTC, datetime

from core.report import Attempt, CaseResult, Outcome, TestKey
from core.run import Run
from storage.organization import create_organization
from storage.project import create_project
from storage.result import history, store_run

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_second_upload_of_the_same_run_changes_nothing(database):
    with database.begin() as tx:
        org = create_organization(tx, "Acme", NOW)
        project = create_project(tx, organization_id=org.id, repo="acme/shop", default_branch="main", now=NOW)
    cases = [
        CaseResult(
            TestKey("s", "c", f"t{i}"),
            (Attempt(Outcome.PASSED if i else Outcome.FAILED, 0.1, None if i else "boom"),),
        )
        for i in range(10)
    ]
    run = Run("1", "abc", "main", NOW)
    answers = []
    for _ in range(2):
        with database.begin() as tx:
            answers.append(
                store_run(tx, project.id, run, cases, fingerprint=lambda t: t.encode()[:8], now=NOW)
            )
    first, second = answers
    assert (first.status, second.status) == ("created", "duplicate")
    assert first.counts == second.counts
    assert list(first.passed_ids) == list(second.passed_ids)
    assert first.failures == second.failures
    with database.read() as tx:
        [execution] = history(tx, project.id, first.failures[0].test_id)
    assert execution.outcome is Outcome.FAILED
    assert execution.message == "boom"
