"""From uploaded files to the ingestion answer: read everything, hand it to the job, add what CI asks for."""

from collections.abc import Iterator, Sequence
from typing import Any

from bot.intake import Intake, Upload, take_in
from core.gate import told_name
from core.limits import Limits
from core.report import CaseResult, Outcome, TestKey
from core.run import Run
from core.tenancy import Project
from jobs.desk import Desk
from jobs.ingest import ingest_report
from storage.quarantine import tests_in_force
from storage.test_case import get_tests


def ingest_uploads(
    desk: Desk,
    project: Project,
    run: Run,
    uploads: Sequence[Upload],
    *,
    limits: Limits,
    wants_unmatched: bool = False,
) -> dict[str, Any]:
    """The answer of the API and the command line alike."""
    intake = take_in(uploads, variant=run.variant, limits=limits)
    watched = _watched(desk, project) if wants_unmatched else {}
    answer = ingest_report(
        desk,
        project.id,
        run,
        _Watching(intake, watched),
        suite_errors=intake.suite_errors,
    )
    return {
        **answer.to_dict(),
        "counts": dict(answer.counts),
        "total": sum(answer.counts[outcome.value] for outcome in Outcome),
        "reports": intake.documents,
        # Only a report that was read to its end tells these.
        "dialect": intake.dialect,
        "partial": intake.partial,
        "warnings": list(dict.fromkeys((*answer.warnings, *intake.warnings))),
        "all_failures_quarantined": answer.all_failures_quarantined and not intake.partial,
        **({"unmatched_quarantine": list(watched.values())} if wants_unmatched else {}),
    }


class _Watching:
    """The cases on their way into storage; forgets every watched test that comes along."""

    def __init__(self, intake: Intake, watched: dict[TestKey, str]) -> None:
        self._intake = intake
        self._watched = watched

    def __iter__(self) -> Iterator[CaseResult]:
        for case in self._intake:
            if self._watched:
                self._watched.pop(case.key, None)
            yield case

    @property
    def dialect(self) -> str:
        return self._intake.dialect

    @property
    def partial(self) -> bool:
        return self._intake.partial

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._intake.warnings


def _watched(desk: Desk, project: Project) -> dict[TestKey, str]:
    """Every test in quarantine now, by its key, with its name for people."""
    with desk.database.read() as tx:
        tests = get_tests(tx, project.id, tests_in_force(tx, project.id))
    return {test.key: _told(test.key) for test in tests.values()}


def _told(key: TestKey) -> str:
    return told_name({"class": key.class_name or key.suite, "name": key.name, "variant": key.variant})
