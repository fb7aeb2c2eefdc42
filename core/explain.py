"""Say why: a verdict with its evidence in words, recomputed from the facts, and what would change it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.classify import independent
from core.detection_state import ProjectState
from core.engine import seconds
from core.evidence import Evidence, EvidenceClass, QTable
from core.judge import case_of, judge
from core.ledger import DAY
from core.q_table import SHIPPED
from core.thresholds import Thresholds
from core.verdict import TestState, Verdict

C = EvidenceClass
WORDS: dict[EvidenceClass, str] = {
    C.RETRY_PASS: "failed, then passed when retried in the same run",
    C.RERUN_PASS: "failed, then passed when the same commit was run again",
    C.KNOWN_SIGNATURE: "failed exactly as when it was proven flaky before",
    C.CROSS_BRANCH: "failed the same way on several branches whose bases were green",
    C.MERGED_GREEN: "failed on a pull request that was merged unchanged, and the default branch is green",
    C.PASS_THEN_FAIL: "passed, then failed on the same commit",
    C.MAIN_BLIP: "failed on one commit of the default branch and passed on the next",
    C.NEXT_PUSH_PASS: "failed on one push and passed on the next, so a change may have mended it",
    C.MAIN_SHORT: "failed on a few commits of the default branch in a row",
    C.MAIN_OPEN: "fails on the default branch and has not passed since",
    C.PR_OPEN: "failed on a pull request; nothing is known since",
    C.BASE_RED: "failed where the default branch was already failing it",
    C.KNOWN_BREAK: "was part of a breakage of the default branch",
}
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything a person needs to agree or object; `run` numbers are storage's and become links later."""

    verdict: Verdict
    pieces: tuple[Evidence, ...]
    counted: frozenset[int]
    """Indexes of the pieces that are independent and in the window."""
    fingerprints: tuple[str, ...]
    window_days: int
    changes: tuple[str, ...]

    @property
    def summary(self) -> str:
        """The strongest reason in one sentence."""
        v = self.verdict
        if v.state is TestState.BROKEN:
            since = f" since commit {v.since_commit[:10]}" if v.since_commit else ""
            return f"Fails every time on the default branch{since}: broken, not flaky."
        if v.strongest is None:
            return "Nothing speaks for flakiness."
        count = (v.evidence or {}).get(v.strongest, 1)
        times = "Once" if count == 1 else f"{count} times"
        return f"{times} it {WORDS[v.strongest]}."

    def to_dict(self) -> dict[str, Any]:
        """Plain data: what the API, the command line and the Slack card show."""
        v = self.verdict
        return {
            "state": v.state.value,
            "score": round(v.score, 6),
            "confirmed": v.confirmed,
            "p_flaky": round(v.p_flaky, 6),
            "p_active": round(v.p_active, 6),
            "rate": round(v.rate, 6),
            "rate_interval": [round(one, 6) for one in v.rate_interval],
            "summary": self.summary,
            "strongest": v.strongest.value if v.strongest else None,
            "evidence": {kind.value: count for kind, count in (v.evidence or {}).items()},
            "pieces": [self._piece(i) for i in range(len(self.pieces) - 1, -1, -1)][:SHOWN],
            "since_commit": v.since_commit,
            "first_failure": _iso(v.first_failure),
            "last_failure": _iso(v.last_failure),
            "failures": v.failures,
            "runs": v.runs,
            "trunk_failures": v.trunk_failures,
            "trunk_runs": v.trunk_runs,
            "branches": v.branches,
            "strip": v.strip,
            "clean_runs": v.clean_runs,
            "window_days": self.window_days,
            "fingerprints": list(self.fingerprints),
            "changes": list(self.changes),
            "policy_version": v.version,
        }

    def _piece(self, index: int) -> dict[str, Any]:
        piece = self.pieces[index]
        return {
            "at": datetime.fromtimestamp(piece.at, UTC).isoformat(),
            "class": piece.kind.value,
            "words": WORDS[piece.kind],
            "commit": piece.commit,
            "run": piece.run,
            "answer_run": piece.answer_run if piece.answer_run >= 0 else None,
            "isolation": piece.bucket.value,
            "failed_with_it": piece.fellows,
            "chance_of_flake": round(piece.q, 4),
            "counted": index in self.counted,
        }


def explain(
    state: ProjectState,
    test_id: int,
    now: datetime,
    *,
    thresholds: Thresholds,
    q_table: QTable | None = None,
) -> Explanation:
    """Recompute the verdict and everything it rests on; equal to the stored one at the same moment."""
    table = q_table or SHIPPED
    found = judge(state, test_id, seconds(now), thresholds, table)
    if test_id not in state.suspects:
        return Explanation(found, (), frozenset(), (), thresholds.window_days, ())
    case = case_of(state, test_id, thresholds, table)
    since = seconds(now) - thresholds.window_days * DAY
    pieces = tuple(case.pieces)
    chosen = independent([one for one in pieces if one.at > since])
    counted = frozenset(i for i, one in enumerate(pieces) if one in chosen)
    prints = {failure.facts.fingerprint for failure in case.ledger.failures if failure.facts.fingerprint}
    return Explanation(
        verdict=found,
        pieces=pieces,
        counted=counted,
        fingerprints=tuple(sorted(f"{one & (2**64 - 1):016x}" for one in prints)),
        window_days=thresholds.window_days,
        changes=_changes(found, thresholds),
    )


def _changes(found: Verdict, t: Thresholds) -> tuple[str, ...]:
    if found.state is TestState.BROKEN:
        return ("A pass on the default branch ends the breakage.",)
    if found.state is TestState.FLAKY and not found.confirmed:
        return ("One re-run of the same commit that passes confirms it.",)
    if found.state is TestState.FLAKY:
        return (f"Clean runs lower the score; at {t.clear_at:.2f} it is cleared.",)
    if found.state is TestState.SUSPECT:
        return (f"One more independent failure may bring it over {t.flag_at:.2f}.",)
    return ()


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
