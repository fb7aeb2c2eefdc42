"""What a check run says about one workflow run attempt: conclusion, title, tables, buttons, annotations."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.github.markdown import LIMIT_BYTES, block, code, cut_bytes, fit, html_code, plain

Verdict = Literal["new", "broken", "known_flaky", "quarantined", "infra"]
Conclusion = Literal["success", "neutral", "failure", ""]
MAX_ANNOTATIONS = 200
MAX_DETAILS = 50
_MAX_ROWS = 200
_TITLE_CHARS = 255
_RAW_BYTES = 60_000


@dataclass(frozen=True, slots=True)
class Failure:
    """One failing test of the attempt, judged as of now."""

    test_id: int
    name: str
    verdict: Verdict
    class_name: str = ""
    suite: str = ""
    file: str = ""
    variant: str = ""
    message: str = ""
    score: float | None = None
    owner: str = ""
    until: datetime | None = None
    """When its quarantine ends."""

    @property
    def label(self) -> str:
        """The name people know, with its class and variant."""
        spoken = f"{self.class_name}.{self.name}" if self.class_name not in {"", self.name} else self.name
        return f"{spoken} [{self.variant}]" if self.variant else spoken


@dataclass(frozen=True, slots=True)
class CheckView:
    """Everything that decides what the check says; rendering it twice says the same."""

    name: str
    head_sha: str
    repository_id: int
    run_id: int
    attempt: int
    run_conclusion: str = ""
    run_url: str = ""
    details_url: str = ""
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    flaky: int = 0
    reports: int = 0
    """Reports that were read."""
    partial: bool = False
    failures: tuple[Failure, ...] = ()
    more_failures: int = 0
    """Failures beyond those listed."""
    notes: tuple[str, ...] = ()
    """Why something is missing, in our own words."""
    fork: bool = False
    gate: bool = False
    may_rerun: bool = True


@dataclass(frozen=True, slots=True)
class Action:
    """A button; GitHub allows 20 characters for label and identifier and 40 for the description."""

    label: str
    identifier: str
    description: str


@dataclass(frozen=True, slots=True)
class Annotation:
    """A failure at its file."""

    path: str
    level: Literal["notice", "warning", "failure"]
    title: str
    message: str
    raw_details: str = ""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """A check run as it is sent; an empty conclusion means it still waits for results."""

    name: str
    head_sha: str
    external_id: str
    conclusion: Conclusion
    title: str
    summary: str
    text: str
    details_url: str
    actions: tuple[Action, ...]
    annotations: tuple[Annotation, ...]


RERUN = Action("Re-run failed", "rerun_failed", "Run the failed jobs of this run again")
QUARANTINE = Action("Quarantine…", "quarantine", "Propose quarantine for these failures")
NOT_FLAKY = Action("Not flaky", "not_flaky", "Deny the proposals: these are real bugs")
MAX_RERUNS = 50
"""GitHub's own cap per run."""

_ORDER: tuple[Verdict, ...] = ("new", "broken", "known_flaky", "infra", "quarantined")
_SHORT: dict[Verdict, str] = {
    "new": "new",
    "broken": "broken on the default branch",
    "known_flaky": "known flaky",
    "infra": "infrastructure",
    "quarantined": "known flaky (quarantined)",
}
_HEADINGS: dict[Verdict, str] = {
    "new": "New failures",
    "broken": "Broken on the default branch already",
    "known_flaky": "Known flaky, not quarantined",
    "infra": "Infrastructure: many tests failed together",
    "quarantined": "Quarantined: cannot block",
}


def check_name(workflow: str) -> str:
    """Stable per workflow, so that two workflows on one commit never overwrite each other."""
    return plain(f"FlakeGuard / {workflow}", 200)


def external_id(view: CheckView) -> str:
    """What the check run is found again by."""
    return f"fg:{view.repository_id}:{view.run_id}:{view.attempt}"


def render(view: CheckView) -> CheckReport:
    """The check run of a view."""
    return CheckReport(
        name=view.name,
        head_sha=view.head_sha,
        external_id=external_id(view),
        conclusion=conclude(view),
        title=title_of(view),
        summary=fit(_summary(view)),
        text=fit(_details(view)),
        details_url=view.details_url,
        actions=actions_of(view),
        annotations=annotations_of(view),
    )


def conclude(view: CheckView) -> Conclusion:
    """Without gate mode nothing ever blocks; with it nothing unproven passes (GitHub lets neutral pass)."""
    blocking = [one for one in view.failures if one.verdict != "quarantined"]
    if view.gate and (blocking or view.more_failures):
        return "failure"
    if not view.reports or view.partial:
        return "" if view.gate else "neutral"
    if unexplained(view):
        return "failure" if view.gate else "neutral"
    return "neutral" if blocking or view.more_failures else "success"


def unexplained(view: CheckView) -> bool:
    """The workflow failed although no test did: a build error, a crash, or a report never uploaded."""
    return view.run_conclusion in {"failure", "timed_out", "startup_failure"} and not view.failed


def title_of(view: CheckView) -> str:
    """One sentence for the list of checks."""
    if not view.reports:
        return "No test results"
    if view.failed:
        counts = Counter(one.verdict for one in view.failures)
        parts = [f"{counts[verdict]} {_SHORT[verdict]}" for verdict in _ORDER if counts[verdict]]
        parts += [f"{view.more_failures} more"] if view.more_failures else []
        return plain(f"{count_of(view.failed, 'failure')}: {', '.join(parts)}", _TITLE_CHARS)
    if unexplained(view):
        return "The workflow failed, but no test did"
    if view.partial:
        return "The results are incomplete"
    retried = f", {view.flaky} only on a retry" if view.flaky else ""
    return f"{count_of(view.passed, 'test')} passed{retried}"


def count_of(number: int, noun: str) -> str:
    """The number with its noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _summary(view: CheckView) -> str:
    parts = [_figures(view)] if view.reports else []
    parts += [f"> {note}" for note in view.notes]
    parts += ["> These results come from a fork: they inform this pull request only."] if view.fork else []
    parts += [_table(verdict, view.failures) for verdict in _ORDER]
    parts += [f"_{view.more_failures:,} more failures are not listed._"] if view.more_failures else []
    parts.append(_footer(view))
    return "\n\n".join(part for part in parts if part)


def _figures(view: CheckView) -> str:
    return (
        "| passed | failed | passed on a retry | skipped |\n|---:|---:|---:|---:|\n"
        f"| {view.passed:,} | {view.failed:,} | {view.flaky:,} | {view.skipped:,} |"
    )


def _table(verdict: Verdict, failures: Sequence[Failure]) -> str:
    chosen = [one for one in failures if one.verdict == verdict]
    if not chosen:
        return ""
    rows = [row_of(one) for one in chosen[:_MAX_ROWS]]
    rows += [f"| … and {len(chosen) - _MAX_ROWS:,} more | | | |"] if len(chosen) > _MAX_ROWS else []
    head = "| test | flaky score | owner | quarantined until |\n|---|---:|---|---|"
    return f"### {_HEADINGS[verdict]} ({len(chosen)})\n{head}\n" + "\n".join(rows)


def row_of(one: Failure, *, verdict: str = "") -> str:
    """A row of a table of failures; `verdict` where the table holds several kinds."""
    score = "" if one.score is None else f"{one.score:.2f}"
    owner = code(one.owner, 80) if one.owner else ""
    until = f"{one.until:%Y-%m-%d}" if one.until else ""
    kind = f" {verdict} |" if verdict else ""
    return f"| {code(one.label)} |{kind} {score} | {owner} | {until} |"


def described(failures: Sequence[Failure]) -> list[tuple[Failure, str]]:
    """Failures with their verdicts in words, those that matter first."""
    return [(one, _SHORT[verdict]) for verdict in _ORDER for one in failures if one.verdict == verdict]


def _footer(view: CheckView) -> str:
    run = f"[run {view.run_id}]({view.run_url})" if view.run_url else f"run {view.run_id}"
    ours = f" · [history in FlakeGuard]({view.details_url})" if view.details_url else ""
    return f"Commit {view.head_sha[:12]} · {run}, attempt {view.attempt}{ours}"


def _details(view: CheckView) -> str:
    shown = [one for verdict in _ORDER for one in view.failures if one.verdict == verdict and one.message]
    parts = [_detail(one) for one in shown[:MAX_DETAILS]]
    if len(shown) > MAX_DETAILS:
        parts.append(f"_{len(shown) - MAX_DETAILS:,} more failures have messages; see the run's log._")
    return "\n\n".join(parts)


def _detail(one: Failure) -> str:
    heading = f"{html_code(one.label)} ({_SHORT[one.verdict]})"
    return f"<details><summary>{heading}</summary>\n\n{block(one.message)}\n\n</details>"


def actions_of(view: CheckView) -> tuple[Action, ...]:
    """Buttons only where pressing them can have an effect."""
    verdicts = {one.verdict for one in view.failures}
    buttons = [RERUN] if view.failed and view.may_rerun and view.attempt < MAX_RERUNS else []
    if not view.fork and verdicts & {"known_flaky", "new"}:
        buttons += [QUARANTINE, NOT_FLAKY]
    return tuple(buttons)


def annotations_of(view: CheckView) -> tuple[Annotation, ...]:
    """One per failure whose file lies in the repository, those that matter first."""
    ordered = [one for verdict in _ORDER for one in view.failures if one.verdict == verdict]
    placed = [(path, one) for one in ordered if (path := repository_path(one.file))]
    return tuple(_annotation(path, one, gate=view.gate) for path, one in placed[:MAX_ANNOTATIONS])


def _annotation(path: str, one: Failure, *, gate: bool) -> Annotation:
    level: Literal["notice", "warning", "failure"] = "notice"
    if one.verdict in {"new", "broken"}:
        level = "failure" if gate else "warning"
    first_line = one.message.strip().partition("\n")[0]
    return Annotation(
        path=path,
        level=level,
        title=plain(f"{one.label}: {_SHORT[one.verdict]}", _TITLE_CHARS),
        message=cut_bytes(plain(first_line, 1000), _RAW_BYTES) or "The test failed.",
        raw_details=cut_bytes(one.message, _RAW_BYTES),
    )


def repository_path(file: str) -> str:
    """The file as a path inside the repository, or empty when it is absolute, climbs out or is none."""
    path = file.replace("\\", "/").removeprefix("./")
    usable = path and not path.startswith("/") and ":" not in path and ".." not in path.split("/")
    return plain(path, 1000) if usable and len(path.encode("utf-8", "replace")) <= LIMIT_BYTES else ""
