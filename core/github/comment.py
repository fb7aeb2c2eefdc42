"""What the one comment of a pull request says: every workflow's failures on its newest commit, most urgent first."""

from collections import Counter
from collections.abc import Sequence

from core.github.check import CheckView, Failure, count_of, described, row_of
from core.github.markdown import fit, plain

LIMIT_BYTES = 65_000
MAX_ROWS = 30
_HEAD = "| test | what it is | flaky score | owner | quarantined until |\n|---|---|---:|---|---|"


def marker_of(repository_id: int, pull: int) -> str:
    """Invisible to people; our comment is found again by it."""
    return f"<!-- flakeguard:v1 {repository_id} {pull} -->"


def worth_saying(views: Sequence[CheckView]) -> bool:
    """A pull request without failures needs no comment of ours."""
    return any(view.failed or view.more_failures for view in views)


def render_comment(views: Sequence[CheckView], *, repository_id: int, pull: int) -> str:
    """The comment as Markdown; the same views say the same, so that nothing is written twice."""
    failures = [one for view in views for one in view.failures]
    more = sum(view.more_failures for view in views)
    parts = [
        marker_of(repository_id, pull),
        f"### {_verdict(views, failures)}",
        _table(failures, more),
        _advice(failures),
        _footer(views),
    ]
    return fit("\n\n".join(part for part in parts if part), LIMIT_BYTES)


def _verdict(views: Sequence[CheckView], failures: Sequence[Failure]) -> str:
    failed = sum(view.failed for view in views)
    if not failed:
        passed = sum(view.passed for view in views)
        return f"The failures are gone: {count_of(passed, 'test')} passed"
    mine = sum(1 for one in failures if one.verdict == "new")
    if failures and not mine:
        return f"{count_of(failed, 'failure')}, and as far as is known none of this change's making"
    return f"{count_of(failed, 'failure')}, {mine or failed} new with this change"


def _table(failures: Sequence[Failure], more: int) -> str:
    if not failures:
        return ""
    ordered = described(failures)
    rows = [row_of(one, verdict=word) for one, word in ordered[:MAX_ROWS]]
    hidden = max(0, len(ordered) - MAX_ROWS) + more
    note = f"\n\n_… and {hidden:,} more; the checks list them._" if hidden else ""
    return f"{_HEAD}\n" + "\n".join(rows) + note


def _advice(failures: Sequence[Failure]) -> str:
    kinds = Counter(one.verdict for one in failures)
    said = []
    if kinds["known_flaky"]:
        said.append("Known flaky tests may pass when the failed jobs are run again.")
    if kinds["infra"]:
        said.append("Many tests failed together: look at the machines before the change.")
    if kinds["broken"]:
        said.append("What is broken on the default branch is repaired there.")
    return " ".join(said)


def _footer(views: Sequence[CheckView]) -> str:
    newest = max(views, key=lambda view: (view.run_id, view.attempt))
    runs = " · ".join(
        f"[{plain(view.name.removeprefix('FlakeGuard / '), 60)}, attempt {view.attempt}]({view.run_url})"
        if view.run_url
        else f"run {view.run_id}, attempt {view.attempt}"
        for view in views
    )
    return f"<sub>Commit {newest.head_sha[:12]} · {runs}</sub>"
