"""The Evidence dialog: what each failure proves, with links; from Home also the decision itself."""

from bot.slack.blocks.findings import Findings, Proof
from bot.slack.blocks.identity import identity
from bot.slack.blocks.pieces import (
    Block,
    View,
    actions,
    alert,
    bullets,
    code,
    context,
    date,
    fields,
    link,
    link_button,
    modal,
    rich,
    rich_line,
    words,
)
from bot.slack.blocks.proposal import cost, decision_buttons, run_strip
from bot.slack.blocks.reasons import evidence_lines, verdict_line
from bot.slack.blocks.show import common_failure, likely_rate
from bot.slack.blocks.words import label, number, of_runs, short_name
from bot.slack.escape import escape, line
from bot.slack.pages import TestPage
from core.quarantine import State

MAX_PROOFS = 10


def evidence(page: TestPage, *, may_decide: bool = False, frozen: bool = True) -> View:
    """SLACK_LAYOUTS §7; `may_decide` puts the decision's buttons first in the row."""
    found = page.findings
    level, verdict = verdict_line(found)
    blocks = [
        alert(level, verdict),
        identity(page.test, page.repo, page.branch),
        fields(*_numbers(page)),
        run_strip(found),
        _proofs(found),
        common_failure(found),
        _meaning(found),
        _actions(page, may_decide=may_decide),
        context(_small_print(page, frozen=frozen)),
    ]
    return modal("Evidence", [block for block in blocks if block])


def _numbers(page: TestPage) -> list[tuple[str, str]]:
    found = page.findings
    return [
        ("Flake score", f"{found.score:.2f}"),
        (f"Failed on {escape(page.branch, 60)}", of_runs(found.failed, found.runs) + likely_rate(found)),
        ("Infra failures left out", number(found.infra)),
        ("Cost", cost(found)),
    ]


def _proofs(found: Findings) -> Block | None:
    if not found.proofs:
        return None
    title = rich_line(words("Same commit, both results", bold=True))
    return rich(title, bullets(map(_proof, found.proofs[:MAX_PROOFS])))


def _proof(proof: Proof) -> list[Block]:
    parts = [
        words("passed " if proof.passed else "failed ", bold=not proof.passed),
        link(f"run {proof.run_id or 'unknown'}", proof.url),
        words("  "),
        code(proof.commit[:7]),
    ]
    return [*parts, words("  "), date(proof.at, time=True)] if proof.at else parts


def _meaning(found: Findings) -> Block | None:
    """What each failure proves, and what would change the verdict."""
    proofs = _titled("What each failure proves", evidence_lines(found))
    changes = _titled("What would change it", [line(text, 200) for text in found.changes[:4]])
    return rich(*proofs, *changes) if proofs or changes else None


def _titled(title: str, lines: list[str]) -> list[Block]:
    return [rich_line(words(title, bold=True)), bullets([words(text)] for text in lines)] if lines else []


def _actions(page: TestPage, *, may_decide: bool) -> Block | None:
    name, quarantine = short_name(page.test), page.quarantine
    waits = quarantine and quarantine.state is State.PROPOSED
    decide = decision_buttons(quarantine, name) if quarantine and waits and may_decide else []
    says = "Open the latest failed run in the browser"
    opens = label("Open ", name, " in the browser")
    row = [
        *decide,
        link_button("fg.open.test", "Open in browser", says=opens, url=page.web_url),
        link_button("fg.open.run", "Latest failed run", says=says, url=page.findings.last_failed_url),
    ]
    return actions(*row) if any(row) else None


def _small_print(page: TestPage, *, frozen: bool) -> str:
    policy = f"policy {page.findings.policy_version}"
    if page.quarantine is None or not frozen:
        return f"Evidence as of now · {policy}"
    return f"Evidence frozen at proposal time · `{page.quarantine.name}`, {policy}"
