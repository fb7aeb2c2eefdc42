"""Several documents of one run as one report."""

from collections.abc import Sequence

from core.report import CaseResult, Outcome, Report, TestKey

_SEVERITY = {Outcome.SKIPPED: 0, Outcome.PASSED: 1, Outcome.FAILED: 2, Outcome.ERROR: 3}


def combined(reports: Sequence[Report]) -> Report:
    """One report of all documents; the same test in two of them is joined."""
    if len(reports) == 1:
        return reports[0]
    cases: dict[TestKey, CaseResult] = {}
    for report in reports:
        for case in report.cases:
            there = cases.get(case.key)
            cases[case.key] = case if there is None else together(there, case)
    return Report(
        dialect=", ".join(sorted({report.dialect for report in reports})),
        cases=tuple(cases.values()),
        partial=any(report.partial for report in reports),
        warnings=tuple(dict.fromkeys(warning for report in reports for warning in report.warnings)),
        suite_errors=tuple(error for report in reports for error in report.suite_errors),
    )


def together(one: CaseResult, other: CaseResult) -> CaseResult:
    """The same test in two documents: nobody knows which ran first, so mixed outcomes prove nothing."""
    milder, worse = sorted((one, other), key=lambda case: _SEVERITY[case.outcome])
    if milder.outcome is worse.outcome:
        return worse._replace(ambiguous=milder.ambiguous or worse.ambiguous)
    if not worse.outcome.bad:
        return worse
    return worse._replace(attempts=(*milder.attempts, *worse.attempts), ambiguous=True)
