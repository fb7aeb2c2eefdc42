"""Say why: the evidence in words with counts, runs and links, and what would change the verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from core.detection_state import ProjectState
from core.evidence import Bucket, Evidence, EvidenceClass, QTable
from core.independence import independent
from core.judge import Case, Moment, case_of, verdict
from core.ledger import DAY
from core.placing import seconds
from core.q_table import SHIPPED
from core.review import FOREVER, clean_runs_until
from core.run import Run
from core.thresholds import Thresholds
from core.verdict import TestState, Verdict

C = EvidenceClass
ITEMS_SHOWN: Final = 10
STRONG_AT: Final = 0.8
WEAK_AT: Final = 0.05

WORDS: Final[Mapping[EvidenceClass, str]] = {
    C.RETRY_PASS: "failed, then passed on a retry within the same run",
    C.RERUN_PASS: "failed, then passed when the same commit was run again",
    C.KNOWN_SIGNATURE: "failed exactly as in an earlier proven flake",
    C.CROSS_BRANCH: "failed the same way on unrelated changes, with passes in between",
    C.MERGED_GREEN: "failed on a pull request that was merged unchanged, and the default branch is green",
    C.PASS_THEN_FAIL: "passed, then failed on the same commit",
    C.MAIN_BLIP: "failed on one default-branch commit and passed on the next",
    C.NEXT_PUSH_PASS: "failed on one push and passed on the next of the same branch",
    C.MAIN_SHORT: "failed on two default-branch commits in a row, then passed",
    C.MAIN_OPEN: "fails on the default branch, not passed since",
    C.PR_OPEN: "failed on a branch, no answer yet",
    C.BASE_RED: "failed on a change whose base already failed",
    C.KNOWN_BREAK: "was part of a breakage of the default branch",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One failure and the run that answered it."""

    at: datetime
    commit: str
    bucket: Bucket
    fellows: int
    chance: float
    counts: bool
    run_id: str = ""
    url: str = ""
    branch: str = ""
    answer_run_id: str = ""
    answer_url: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What one class of evidence adds; the counts of all lines add up to the failures shown."""

    kind: EvidenceClass
    words: str
    count: int
    counted: int
    """Independent pieces; the others have the same cause as one that counts."""
    strength: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything a person needs to agree or object; the same object behind card, page, API and terminal."""

    verdict: Verdict
    headline: str
    lines: tuple[Line, ...]
    what_would_change: tuple[str, ...]
    window_from: datetime
    window_to: datetime
    version: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        plain: dict[str, Any] = _jsonable(asdict(self))
        return plain


def explain(
    state: ProjectState,
    test_id: int,
    now: datetime,
    thresholds: Thresholds,
    *,
    q_table: QTable = SHIPPED,
    runs: Mapping[int, Run] | None = None,
) -> Explanation:
    """Worked out anew from the stored facts; `runs` (by `run_ref`) adds names and links."""
    days = timedelta(days=thresholds.window_days)
    if test_id not in state.suspects:
        healthy = Verdict(TestState.HEALTHY, version=thresholds.version)
        return Explanation(healthy, "It has not failed.", (), (), now - days, now, thresholds.version)
    case = case_of(state, test_id, thresholds, q_table)
    told = verdict(state, case, seconds(now))
    at = max(seconds(now), case.ledger.last_seen)
    end = datetime.fromtimestamp(at, UTC)
    return Explanation(
        verdict=told,
        headline=headline(told),
        lines=_lines(case, at, runs or {}),
        what_would_change=tuple(_changes(case, told, case.present(at), q_table)),
        window_from=end - days,
        window_to=end,
        version=thresholds.version,
    )


def headline(told: Verdict) -> str:  # noqa: PLR0911 - one sentence a state
    """One sentence: how sure, how often, on what base."""
    often = f"{told.failures} of {told.runs} runs failed"
    match told.state:
        case TestState.BROKEN:
            since = f" since commit {told.since_commit[:12]}" if told.since_commit else ""
            return f"Broken on the default branch{since}: not flaky, it needs a repair."
        case TestState.FLAKY:
            sure = "Almost certainly" if told.score >= STRONG_SCORE else "Probably"
            proof = "proven on the same commit" if told.confirmed else "without same-commit proof yet"
            return f"{sure} flaky ({proof}): {often}."
        case TestState.SUSPECT:
            return f"Perhaps flaky, not confirmed: {often}."
        case TestState.RECOVERED:
            return f"Recovered: {told.clean_runs} clean runs since it last flaked."
        case TestState.RETIRED:
            return "Retired: recent runs no longer contain it."
        case TestState.INSUFFICIENT:
            return f"Too little data: {told.runs} runs."
        case TestState.HEALTHY:
            return f"Healthy: {often}, none of them by chance as far as can be told."


STRONG_SCORE: Final = 0.95


def _lines(case: Case, at: int, runs: Mapping[int, Run]) -> tuple[Line, ...]:
    since = at - case.thresholds.window_days * DAY
    pieces = [p for p in case.pieces if since < p.at <= at]
    counted = {id(p) for p in independent(pieces)}
    by_kind: dict[EvidenceClass, list[Evidence]] = {}
    for piece in pieces:
        by_kind.setdefault(piece.kind, []).append(piece)
    return tuple(_line(kind, by_kind[kind], counted, runs) for kind in EvidenceClass if kind in by_kind)


def _line(
    kind: EvidenceClass, pieces: Sequence[Evidence], counted: set[int], runs: Mapping[int, Run]
) -> Line:
    newest = list(reversed(pieces))
    return Line(
        kind=kind,
        words=WORDS[kind],
        count=len(pieces),
        counted=sum(id(p) in counted for p in pieces),
        strength=_strength(max(p.q for p in pieces)),
        items=tuple(_item(p, id(p) in counted, runs) for p in newest[:ITEMS_SHOWN]),
    )


def _strength(q: float) -> str:
    if q >= STRONG_AT:
        return "strong"
    return "weak" if q >= WEAK_AT else "none"


def _item(piece: Evidence, counts: bool, runs: Mapping[int, Run]) -> Item:  # noqa: FBT001 - a column, not a switch
    run, answer = runs.get(piece.run), runs.get(piece.answer_run)
    return Item(
        at=datetime.fromtimestamp(piece.at, UTC),
        commit=piece.commit,
        bucket=piece.bucket,
        fellows=piece.fellows,
        chance=piece.q,
        counts=counts,
        run_id=run.run_id if run else "",
        url=run.url if run else "",
        branch=run.branch if run else "",
        answer_run_id=answer.run_id if answer else "",
        answer_url=answer.url if answer else "",
    )


def _changes(case: Case, told: Verdict, moment: Moment, q_table: QTable) -> list[str]:
    t = case.thresholds
    match told.state:
        case TestState.BROKEN:
            return ["One pass on the default branch ends the breakage."]
        case TestState.FLAKY:
            clear = clean_runs_until(moment, t.clear_at)
            sentences = [f"{_runs(clear)} clear it."] if clear < FOREVER else []
            return sentences if told.confirmed else [*sentences, *_to_confirm(case, moment, q_table)]
        case TestState.RECOVERED | TestState.RETIRED:
            return ["Another flake would flag it again."]
        case _:
            return _to_flag(moment, t, q_table)


def _runs(count: int) -> str:
    return "1 more clean run would" if count == 1 else f"{count} more clean runs would"


def _to_confirm(case: Case, moment: Moment, q_table: QTable) -> list[str]:
    if not case.ledger.clean_trunk_pass:
        return ["It can be proposed once it has passed on the default branch."]
    proven = replace(moment, counted=[*moment.counted, _proof(q_table)])
    return ["One re-run of the same commit that passes confirms it."] if case.confirmable(proven) else []


def _to_flag(moment: Moment, t: Thresholds, q_table: QTable) -> list[str]:
    """How many more failures that pass when the same commit runs again would flag it."""
    for more in range(1, 6):
        if moment.with_more([_proof(q_table)] * more).belief().score >= t.flag_at:
            flakes = "One more failure that passes" if more == 1 else f"{more} more failures that pass"
            return [f"{flakes} on a re-run of the same commit would flag it."]
    return []


def _proof(q_table: QTable) -> Evidence:
    q = q_table[C.RERUN_PASS][Bucket.ALONE]
    return Evidence(0, C.RERUN_PASS, Bucket.ALONE, q, 0, 0, "", 0, 1)


def _jsonable(value: Any) -> Any:
    match value:
        case dict():
            return {str(k): _jsonable(v) for k, v in value.items()}
        case list() | tuple():
            return [_jsonable(v) for v in value]
        case datetime():
            return value.isoformat()
        case str():
            return str(value)
        case _:
            return value
